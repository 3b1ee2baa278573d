"""AWS throttles, fails, loses replies, or does not know the credentials any more."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.acceptance.blue_green.cases import QUICK, Proof, Scale, good, idle, lossless, refused, settled
from tests.acceptance.blue_green.results import Row
from tests.acceptance.blue_green.rig import APPLICATION, Rig

FAULTS: dict[str, dict[str, Any]] = {
    "30 % throttled": {"kind": "throttle", "probability": 0.3},
    "10 % answered 5xx": {"kind": "error", "status": 500, "probability": 0.1},
    "10 % of replies lost": {"kind": "lost_reply", "probability": 0.1, "writes_only": True},
}
_SERVICES = ("elasticloadbalancing", "elbv2", "ecs", "dynamodb", "application-autoscaling")


def strike(rig: Rig, scale: Scale, row: Row, *, names: tuple[str, ...]) -> None:
    """A run that gives up on AWS is run again, as a person would; nothing may be done twice."""
    version = scale.version()
    rig.push(version)
    before, runs = len(_revisions(rig)), 0
    wish = rig.wish(version, **{**QUICK, "lease": 20})
    with lossless(rig, row):
        for name in names:
            for service in _SERVICES:
                rig.cloud.admin("POST", "/faults", {**FAULTS[name], "service": service})
        try:
            result: dict[str, Any] = {"failed": True}
            while result.get("failed") and runs < 3:
                result, runs = rig.run(wish), runs + 1
        finally:
            rig.cloud.admin("DELETE", "/faults")
        if result.get("failed"):
            result, runs = rig.run(wish), runs + 1
        good(result)
    # RegisterTaskDefinition has no token: when its reply is lost, the SDK's own second attempt makes another revision.
    made, allowed = len(_revisions(rig)) - before, 2 if "10 % of replies lost" in names else 1
    assert 1 <= made <= allowed, made
    row.note = f"{runs} runs, {made} revisions"
    settled(rig)


def _revisions(rig: Rig) -> list[str]:
    return list(rig.ecs.list_task_definitions(familyPrefix=APPLICATION)["taskDefinitionArns"])


def expire(rig: Rig, scale: Scale, row: Row, *, weight: int) -> None:
    """Every call of the run is refused from that moment; it stops, both slots serve, the next run finishes."""
    version = scale.version()
    rig.push(version)
    wish = rig.wish(version, steps=[10, 50, 100], bake=1, settle=3.6, lease=6)
    target = idle(rig)
    expired = {"kind": "error", "code": "ExpiredTokenException", "status": 400, "probability": 1.0}
    with lossless(rig, row):
        process = rig.start(wish)
        rig.await_weight(target, weight)
        for service in ("ecs", "dynamodb"):
            rig.cloud.admin("POST", "/faults", {**expired, "service": service})
        try:
            stopped = rig.finish(process)
        finally:
            rig.cloud.admin("DELETE", "/faults")
        refused(stopped, "Log in again")
        assert rig.weights()[target] == weight
        good(rig.run(wish))
    assert rig.live() == target
    row.note = "stopped with both slots serving; the next run finished"
    settled(rig)


def expire_in_the_undo(rig: Rig, scale: Scale, row: Row) -> None:
    """They end right after the undo has led the traffic back: the next run restores the rest."""
    alarm = "stories-rig-expiry"
    rig.alarm(alarm)
    version = scale.version()
    rig.push(version)
    wish = rig.wish(version, steps=[50, 100], bake=10, settle=3.6, lease=6, alarms=[alarm])
    live, target = rig.live(), idle(rig)
    expired = {"kind": "error", "code": "ExpiredTokenException", "status": 400, "probability": 1.0}
    with lossless(rig, row):
        process = rig.start(wish)
        rig.await_weight(target, 50)
        rig.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="proof")
        rig.await_weight(target, 0)
        for service in ("ecs", "dynamodb"):
            rig.cloud.admin("POST", "/faults", {**expired, "service": service})
        try:
            stopped = rig.finish(process)
        finally:
            rig.cloud.admin("DELETE", "/faults")
        refused(stopped, "Log in again")
        good(rig.run(rig.wish("v1", state="rolled_back", **QUICK, lease=6)))
    assert rig.live() == live
    settled(rig)


FAULTY = Proof(
    "aws-faults",
    "7 throttling, 5xx, lost replies: no double effect",
    {
        **{f"{name}, {number}": partial(strike, names=(name,)) for name in FAULTS for number in (1, 2)},
        "all at once": partial(strike, names=tuple(FAULTS)),
    },
)
EXPIRED = Proof(
    "credentials",
    "7 credentials expire in the middle",
    {
        **{f"at {weight} %": partial(expire, weight=weight) for weight in (10, 50, 100)},
        "in the undo": expire_in_the_undo,
    },
)
