"""Releases that succeed under load, the plan of check mode, the autoscaler meanwhile, and the pipeline that loses."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tests.acceptance.blue_green import baseline
from tests.acceptance.blue_green.cases import Proof, Scale, detection, good, idle, lossless, watched, writes
from tests.acceptance.blue_green.k6 import k6
from tests.acceptance.blue_green.results import Row
from tests.acceptance.blue_green.rig import APPLICATION, PREFIX, SLOTS, Rig
from tests.acceptance.blue_green.traffic import readers

_WINDOW = 1800  # seconds; the KPI of 0.1 % is over 30 minutes


def swap(rig: Rig, scale: Scale, row: Row, *, count: int, steps: list[int]) -> None:
    with rig.sampled() as samples, k6(rig.addresses, rig.port, scale.folder) as load:
        for _ in range(count):
            rig.release(scale.version(), bake=2.5, steps=steps, settle=3.6)
    row.look(samples)
    row.requests, row.failed = load.requests, load.failed + load.dropped
    row.note = f"{count} swaps, p95 {load.p95_ms:.0f} ms, {load.dropped} not started in time"
    assert not load.failed, load
    assert not load.dropped, load
    assert not samples.violations, samples.violations[:3]


def lose_with_the_source_designs_pipeline(rig: Rig, scale: Scale, row: Row, *, count: int) -> None:
    row.meant_to_fail = True
    baseline.without_test_listener(rig)
    with rig.sampled() as samples, readers(rig.addresses, rig.port) as seen:
        for _ in range(count):
            baseline.release(rig, scale.version())
            time.sleep(4)
    row.count(seen, samples)
    row.note = f"{100 * seen.share:.1f} % lost in {count} swaps"
    assert seen.share > 0.05, seen.share


def fail_only_under_load(rig: Rig, scale: Scale, row: Row) -> None:
    """The default steps; 12 s of bake stand for the 120 s after which CloudWatch shows it."""
    row.meant_to_fail = True
    version = scale.version()
    rig.push(version, "errors_above_rps=6:1.0")
    before = rig.scaling(), rig.actions()
    with watched(rig, row, rate=150, count=24) as seen:
        found = detection(rig, rig.wish(version, steps=[1, 10, 50, 100], bake=12, settle=4))
        result = rig.finish(found.process)
    assert "failed (" in result["msg"], result["msg"]
    row.restored.append(found.seconds())
    share = len(seen.failed) / (150 * _WINDOW)
    row.note = f"{100 * share:.3f} % of a 30-minute window ({100 * seen.share:.2f} % of the test's own)"
    assert seen.failed, "the fault never showed"
    assert share < 0.001, share
    assert row.restored[-1] <= 60
    assert (rig.scaling(), rig.actions()) == before


def check_mode(rig: Rig, scale: Scale, row: Row) -> None:
    """No write, and the real run takes exactly the steps that check mode listed; it is on record afterwards."""
    version = scale.version()
    rig.push(version)
    wish = rig.wish(version, steps=[10, 100], bake=2, reason="proof", settle=3.6)
    before = rig.last_call()
    planned = rig.run(wish, check=True)
    assert writes(rig, before) == []
    live, actions, scaling = rig.live(), rig.actions(), rig.scaling()
    other = idle(rig)
    with lossless(rig, row), autoscaler(rig) as fired:
        result = good(rig.run(wish))
    assert [one["id"] for one in planned["steps"]] == [one["id"] for one in result["steps"]]
    assert rig.scaling() == {other: scaling[live], live: scaling[other]}
    assert rig.actions() == actions
    _audited(result["releases"][0])
    row.note = f"{len(result['steps'])} steps as planned; autoscaler and schedule fired {fired[0]} times"


def _audited(record: dict[str, Any]) -> None:
    assert record["outcome"] == "deployed"
    assert record["actor"].startswith("arn:")
    assert record["reason"] == "proof"
    assert record["digest"].startswith("sha256:")
    assert record["probes"]["asked"] > 0
    assert record["calls"]["modify_listener"] >= 2
    assert {"lock", "register", "shift/10", "bake/100", "warm", "scaling"} <= {one["step"] for one in record["phases"]}
    assert all(one["seconds"] >= 0 for one in record["phases"])


@contextmanager
def autoscaler(rig: Rig) -> Iterator[list[int]]:
    """A scale-in alarm and a schedule that want one task of each slot, obeyed as Application Auto Scaling does.

    Twice a second between the hold of the old slot and the hand-over, each unless it is suspended: a slot with
    traffic that is not held falls below the minimum, and the sampler sees it.
    """
    ended, fired = threading.Event(), [0]

    def work() -> None:
        while not ended.wait(0.5):
            with suppress(ClientError):
                _fire(rig, fired)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield fired
    finally:
        ended.set()
        thread.join()


def _fire(rig: Rig, fired: list[int]) -> None:
    held = _held(rig)
    targets = rig.scaler.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    if not held or not _held(rig):
        return
    for target in targets:
        suspended = target["SuspendedState"]
        service = target["ResourceId"].rsplit("/", 1)[1]
        fired[0] += 1
        if not suspended["ScheduledScalingSuspended"]:
            asked = {name: target[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
            rig.scaler.register_scalable_target(**asked, MinCapacity=1)
        if not suspended["DynamicScalingInSuspended"]:
            count = max(1, target["MinCapacity"])
            if rig.services()[service.rsplit("-", 1)[1]]["desiredCount"] > count:
                rig.ecs.update_service(cluster=PREFIX, service=service, desiredCount=count)


def _held(rig: Rig) -> bool:
    """Whether a swap holds the scaling of the old slot now."""
    found = rig.intent()
    if found is None:
        return False
    told = json.loads(found["Document"]["S"])
    return f"hold/{told['swap']['source']}" in told["done"] and "scaling" not in told["begun"]


def scale_out_in_the_middle(rig: Rig, scale: Scale, row: Row) -> None:
    """A peak: the old slot is scaled from two tasks to four at half the weight; the new one must follow."""
    version = scale.version()
    rig.push(version)
    live, other = rig.live(), idle(rig)
    with lossless(rig, row), autoscaler(rig) as fired:
        process = rig.start(rig.wish(version, steps=[50, 100], bake=5, settle=3.6))
        rig.await_weight(other, 50)
        rig.ecs.update_service(cluster=PREFIX, service=f"{APPLICATION}-{live}", desiredCount=4)
        good(rig.finish(process))
    services = rig.services()
    assert services[other]["desiredCount"] == 4, services[other]["desiredCount"]
    assert services[live]["desiredCount"] == 0
    row.note = f"the new slot ended with 4 tasks; autoscaler and schedule fired {fired[0]} times"
    for slot in SLOTS:  # the next case begins with two again
        count = 2 if slot == other else 0
        rig.ecs.update_service(cluster=PREFIX, service=f"{APPLICATION}-{slot}", desiredCount=count)
    rig.eventually(lambda: rig.healthy(other) == 2)


DEFAULT_STEPS = [1, 10, 50, 100]
SWAPS = Proof(
    "swaps",
    "1 twenty swaps at 150 requests/s (k6), steps 1/10/50/100",
    {f"swaps {n}-{n + 3}": partial(swap, count=4, steps=DEFAULT_STEPS) for n in range(1, 21, 4)},
    short=partial(swap, count=2, steps=[50, 100]),
)
BASELINE = Proof(
    "baseline",
    "1 the source design's pipeline must lose more than 5 %",
    {"five swaps": partial(lose_with_the_source_designs_pipeline, count=5)},
    short=partial(lose_with_the_source_designs_pipeline, count=2),
    spoils=True,
)
UNDER_LOAD = Proof(
    "under-load",
    "3 fails only under load, steps 1/10/50/100",
    {f"version {number}": fail_only_under_load for number in (1, 2, 3)},
)
CHECK = Proof(
    "check-mode",
    "4, 5, 8 check mode; scaling and schedules fire; audit record",
    {"release": check_mode, "release of the other slot": check_mode, "scaled out meanwhile": scale_out_in_the_middle},
    short=check_mode,
)
