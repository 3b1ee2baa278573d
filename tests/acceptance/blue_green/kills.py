"""kill -9 before and after each call that writes, forwards, in a rollback, and in the undo of a release."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.acceptance.blue_green.cases import QUICK, Case, Proof, Scale, good, idle, lossless, settled, writes
from tests.acceptance.blue_green.results import Row
from tests.acceptance.blue_green.rig import SLOTS, TEST, Rig

_ALARM = "stories-rig-pain"
# Each kind of run by the calls that it makes, in their order; `<call>#<n>` is the n-th of its name. The calls that
# keep the record (UpdateItem) stand apart: how many there are depends on how long a run waits.
CALLS = {
    "release": [
        "PutItem#1",
        "RegisterTaskDefinition#1",
        "RegisterScalableTarget#1",
        "ModifyListener#1",
        "UpdateService#1",
        "RegisterScalableTarget#2",
        "ModifyListener#2",
        "RegisterScalableTarget#3",
        "UpdateService#2",
        "RegisterScalableTarget#4",
        "AddTags#1",
        "PutItem#2",
        "DeleteItem#1",
    ],
    "rollback": [
        "PutItem#1",
        "RegisterScalableTarget#1",
        "ModifyListener#1",
        "UpdateService#1",
        "RegisterScalableTarget#2",
        "ModifyListener#2",
        "RegisterScalableTarget#3",
        "UpdateService#2",
        "RegisterScalableTarget#4",
        "AddTags#1",
        "PutItem#2",
        "DeleteItem#1",
    ],
    # The first seven calls are those of a release; an alarm goes off at half the weight.
    "undo": [
        "ModifyListener#3",
        "RegisterScalableTarget#3",
        "UpdateService#2",
        "RegisterScalableTarget#4",
        "PutItem#2",
        "DeleteItem#1",
    ],
}
# Writes of the record: one when a step begins, one when it is done, one at each look in between. A quick run has
# fewer looks.
_RECORD = [f"UpdateItem#{number}" for number in range(1, 35, 3)]


def kill(rig: Rig, scale: Scale, row: Row, *, kind: str, point: str) -> None:
    """A run that dies at the point, a second that finishes, a third that finds nothing to do."""
    _prepared(rig, scale, kind)
    wish = _wish(rig, scale, kind)
    with lossless(rig, row):
        first = _first(rig, wish, kind, point)
        assert first.get("killed"), first.get("msg") or f"{point} was never called"
        if kind == "undo":  # the same version would be tried again and be undone again
            wish = _back(rig)
            rig.cloudwatch.set_alarm_state(AlarmName=_ALARM, StateValue="OK", StateReason="proof")
        second = good(rig.run(wish))
        third = good(rig.run(wish))
        assert third["changed"] is False, third["steps"]
    if kind == "release":
        bakes = [one["step"] for one in third["releases"][0]["phases"] if one["step"].startswith("bake/")]
        assert bakes == ["bake/100"], bakes
    row.note = f"the second run took {len(second['steps'])} steps"
    settled(rig)


def all_points_are_known(rig: Rig, scale: Scale, row: Row) -> None:
    """The lists above are the calls that such runs make."""
    for kind, calls in CALLS.items():
        _prepared(rig, scale, kind)
        wish = _wish(rig, scale, kind)
        before = rig.last_call()
        with lossless(rig, row):
            _first(rig, wish, kind, "")
        made: dict[str, int] = {}
        for name in writes(rig, before):
            made[name] = made.get(name, 0) + 1
        for name in ("UpdateItem", "SetAlarmState"):
            made.pop(name, None)
        told = {name: max(_number(one) for one in calls if one.startswith(f"{name}#")) for name in _names(calls)}
        listed = {name: count for name, count in made.items() if name in told}
        assert told == listed, (kind, told, made)
        assert kind == "undo" or set(made) == set(told), (kind, made)
        settled(rig)
    row.note = "; ".join(f"{kind} {len(calls)}" for kind, calls in CALLS.items())


def _names(calls: list[str]) -> set[str]:
    return {one.partition("#")[0] for one in calls}


def _number(point: str) -> int:
    return int(point.partition("#")[2])


def _first(rig: Rig, wish: dict[str, Any], kind: str, point: str) -> dict[str, Any]:
    target = idle(rig)
    process = rig.start(wish, kill_at=point)
    if kind == "undo":
        rig.await_weight(target, 50)
        rig.cloudwatch.set_alarm_state(AlarmName=_ALARM, StateValue="ALARM", StateReason="proof")
    result = rig.finish(process)
    if kind == "undo":
        rig.cloudwatch.set_alarm_state(AlarmName=_ALARM, StateValue="OK", StateReason="proof")
    return result


def _prepared(rig: Rig, scale: Scale, kind: str) -> None:
    """A rollback needs a release to go back from, an undo an alarm; the test listener leads to the live slot."""
    if kind == "rollback":
        last = rig.run(rig.wish("v1", state="status"))["releases"]
        if not last or last[0]["outcome"] != "deployed":
            rig.release(scale.version(), **QUICK)
    if kind == "undo":
        rig.alarm(_ALARM)
    weights = [100 if slot == rig.live() else 0 for slot in SLOTS]
    rig.elb.modify_listener(ListenerArn=rig.listeners[TEST], DefaultActions=rig.forward(*weights))


def _wish(rig: Rig, scale: Scale, kind: str) -> dict[str, Any]:
    if kind == "rollback":
        return _back(rig)
    version = scale.version()
    rig.push(version)
    wish = rig.wish(version, **QUICK, lease=6)
    if kind == "undo":
        wish |= {"steps": [50, 100], "bake": 6, "alarms": [_ALARM]}
    return wish


def _back(rig: Rig) -> dict[str, Any]:
    return rig.wish("v1", state="rolled_back", **QUICK, lease=6)


def _cases() -> dict[str, Case]:
    cases: dict[str, Case] = {"all calls": all_points_are_known}
    for kind, calls in CALLS.items():
        for call in calls:
            for when in ("before", "after"):
                cases[f"{kind} {when} {call}"] = partial(kill, kind=kind, point=f"{call}:{when}")
    return cases


KILLS = Proof(
    "kills",
    "2 kill -9 before and after every write: release, rollback, undo",
    _cases(),
    short=partial(kill, kind="release", point="ModifyListener#2:after"),
)
RECORD_KILLS = Proof(
    "record-kills",
    "2 kill -9 at writes of the record: release, rollback",
    {
        f"{kind} {when} {call}": partial(kill, kind=kind, point=f"{call}:{when}")
        for kind in ("release", "rollback")
        for call in _RECORD
        for when in ("before", "after")
        if kind == "release" or when == "after"
    },
)
