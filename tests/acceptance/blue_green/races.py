"""Two runs at once, a run that was stopped past its lease, and weights that no record explains."""

from __future__ import annotations

import os
import signal
from functools import partial

from tests.acceptance.blue_green.cases import QUICK, Proof, Scale, good, idle, lossless, refused, settled, writes
from tests.acceptance.blue_green.results import Row
from tests.acceptance.blue_green.rig import APPLICATION, PREFIX, PRODUCTION, SLOTS, Rig


def race(rig: Rig, scale: Scale, row: Row, *, count: int) -> None:
    """Two processes begin the same release in the same moment."""
    with lossless(rig, row):
        for _ in range(count):
            version = scale.version()
            rig.push(version)
            wish = rig.wish(version, **QUICK)
            before = rig.last_call()
            results = [rig.finish(process) for process in [rig.start(wish), rig.start(wish)]]
            losers = [one for one in results if one.get("failed")]
            assert len(losers) == 1, results
            refused(losers[0], "under way", "took and gave it back")
            assert _shifts(rig, before) == 1
            settled(rig)
    row.note = f"{count} races, one writer each time"


def _shifts(rig: Rig, since: int) -> int:
    """How often the production listener was changed."""
    calls = [one for one in rig.cloud.calls(writes=True, since=since) if one["action"] == "ModifyListener"]
    return sum(1 for one in calls if one["parameters"]["ListenerArn"] == rig.listeners[PRODUCTION])


def race_of_two_versions(rig: Rig, scale: Scale, row: Row, *, count: int) -> None:
    """Two processes begin different releases in the same moment: one is released, the other is told to wait."""
    with lossless(rig, row):
        for _ in range(count):
            versions = [scale.version(), scale.version()]
            for version in versions:
                rig.push(version)
            processes = [rig.start(rig.wish(version, **QUICK)) for version in versions]
            results = [rig.finish(process) for process in processes]
            losers = [one for one in results if one.get("failed")]
            assert len(losers) == 1, results
            refused(losers[0], "under way", "took and gave it back")
            won = next(version for version, one in zip(versions, results, strict=True) if not one.get("failed"))
            shown = next(one for one in results if not one.get("failed"))
            assert shown["slots"][rig.live()]["version"] == won
            settled(rig)
    row.note = f"{count} races of two versions"


def second_release_meanwhile(rig: Rig, scale: Scale, row: Row) -> None:
    """Another version comes while a release bakes: refused, and the one under way is not disturbed."""
    version, second = scale.version(), scale.version()
    rig.push(version)
    rig.push(second)
    target = idle(rig)
    with lossless(rig, row):
        process = rig.start(rig.wish(version, steps=[50, 100], bake=5, settle=3.6))
        rig.await_weight(target, 50)
        refused(rig.run(rig.wish(second, **QUICK)), "under way")
        good(rig.finish(process))
    assert rig.live() == target
    settled(rig)


def rollback_meanwhile(rig: Rig, scale: Scale, row: Row) -> None:
    """A person asks for a rollback while a release bakes: the run that owns it takes it back at its next look."""
    version = scale.version()
    rig.push(version)
    live, target = rig.live(), idle(rig)
    with lossless(rig, row):
        process = rig.start(rig.wish(version, steps=[50, 100], bake=20, settle=3.6))
        rig.await_weight(target, 50)
        good(rig.run(rig.wish("v1", state="rolled_back", reason="proof", **QUICK)))
        refused(rig.finish(process), "asked for a rollback")
    assert rig.live() == live
    settled(rig)


def stopped_past_its_lease(rig: Rig, scale: Scale, row: Row, *, weight: int) -> None:
    """SIGSTOP in the middle; a second run finishes; then SIGCONT: the first one must not write any more."""
    version = scale.version()
    rig.push(version)
    wish = rig.wish(version, steps=[10, 50, 100], bake=1.5, settle=3.4, lease=6, rollback_window=0)
    target = idle(rig)
    with lossless(rig, row):
        process = rig.start(wish)
        rig.await_weight(target, weight)
        os.kill(process.pid, signal.SIGSTOP)
        try:
            finished = rig.run(wish)
            before = rig.last_call()
        finally:
            os.kill(process.pid, signal.SIGCONT)
        message = refused(rig.finish(process), "its lease over", "another run has taken it over")
        good(finished)
    late = [name for name in writes(rig, before) if name != "UpdateItem"]  # which its condition refuses
    assert late == [], late
    row.note = message[:90]
    settled(rig)


def split_brain(rig: Rig, scale: Scale, row: Row, *, blue: int, green: int) -> None:
    """Both slots have weight and no record says why: refused without a write, mended by the remedy that is named."""
    if row.case.endswith("99") or not rig.run(rig.wish("v1", state="status"))["releases"]:
        rig.release(scale.version(), **QUICK)
    live, other = rig.live(), idle(rig)
    service = f"{APPLICATION}-{other}"
    rig.ecs.update_service(cluster=PREFIX, service=service, desiredCount=2)
    rig.eventually(lambda: rig.healthy(other) >= 2)
    with lossless(rig, row):
        rig.elb.modify_listener(ListenerArn=rig.listeners[PRODUCTION], DefaultActions=rig.forward(blue, green))
        before = rig.last_call()
        for wish in (rig.wish("v1"), rig.wish("v1", state="rolled_back")):
            refused(rig.run(wish), "name it as keep_slot")
        assert writes(rig, before) == []
        good(rig.run(rig.wish("v1", state="rolled_back", keep_slot=live, **QUICK)))
        assert rig.live() == live
    rig.ecs.update_service(cluster=PREFIX, service=service, desiredCount=0)
    rig.eventually(lambda: rig.services()[other]["runningCount"] == 0)


def somebody_else_sets_weights(rig: Rig, scale: Scale, row: Row) -> None:
    """A person turns the weights by hand in the middle of a bake: everything goes back."""
    version = scale.version()
    rig.push(version)
    live, target = rig.live(), idle(rig)
    with lossless(rig, row):
        process = rig.start(rig.wish(version, steps=[50, 100], bake=20, settle=3.6))
        rig.await_weight(target, 50)
        weights = [20 if slot == live else 80 for slot in SLOTS]
        rig.elb.modify_listener(ListenerArn=rig.listeners[PRODUCTION], DefaultActions=rig.forward(*weights))
        refused(rig.finish(process), "by somebody else")
    assert rig.live() == live
    settled(rig)


RACES = Proof(
    "races",
    "6 two runs at once, 60 times: one writer each time",
    {
        "same version 1-10": partial(race, count=10),
        **{f"same version {n}-{n + 4}": partial(race, count=5) for n in range(11, 51, 5)},
        **{f"two versions {n}-{n + 4}": partial(race_of_two_versions, count=5) for n in (1, 6)},
        "second release in the bake": second_release_meanwhile,
        "rollback in the bake": rollback_meanwhile,
    },
)
SPLIT = Proof(
    "split-brain",
    "6 every split brain refused, then mended by keep_slot",
    {
        **{
            f"blue {blue}, green {green}": partial(split_brain, blue=blue, green=green)
            for blue, green in ((1, 99), (10, 90), (50, 50), (90, 10), (99, 1))
        },
        "weights changed by hand in a bake": somebody_else_sets_weights,
    },
)
STOPPED = Proof(
    "stopped",
    "chaos: stopped past its lease, then continued",
    {f"at {weight} %": partial(stopped_past_its_lease, weight=weight) for weight in (10, 50, 100)},
)
