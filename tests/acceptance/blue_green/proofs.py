"""The proofs, each a function that does something to the rig under traffic and answers one row of the table.

A proof raises AssertionError when what it proves does not hold. ``scale`` is how much of it is done: the short form
runs in minutes, the long form does every kill point and a hundred thousand requests.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.blue_green import baseline
from tests.acceptance.blue_green.k6 import k6
from tests.acceptance.blue_green.rig import APPLICATION, PREFIX, PRODUCTION, SLOTS, Rig, Samples
from tests.acceptance.blue_green.traffic import Traffic, readers

QUICK: dict[str, Any] = {"steps": [100], "bake": 1.5, "rollback_window": 0, "settle": 3.6}
_WINDOW = 1800  # seconds; the KPI of 0.1 % is over 30 minutes


@dataclass
class Row:
    """One line of the table. restored: seconds from the detection to all traffic on the old slot, per case."""

    proof: str
    requests: int = 0
    failed: int = 0
    samples: int = 0
    violations: int = 0
    widest_gap: float = 0.0
    restored: list[float] = field(default_factory=list)
    note: str = ""

    def count(self, seen: Traffic, samples: Samples) -> None:
        self.requests += seen.requests
        self.failed += len(seen.failed) + seen.dropped
        self.samples += samples.count
        self.violations += len(samples.violations)
        self.widest_gap = max(self.widest_gap, samples.widest_gap)


@dataclass
class Scale:
    """How much is done."""

    long: bool
    folder: Path
    versions: Iterator[int] = field(default_factory=lambda: iter(range(2, 10**6)))

    def version(self) -> str:
        return f"v{next(self.versions)}"


@contextmanager
def watched(rig: Rig, row: Row, **load: Any) -> Iterator[Traffic]:
    """Readers and the sampler for the length of the block; their figures go into the row."""
    with rig.sampled() as samples, readers(rig.addresses, rig.port, **load) as seen:
        time.sleep(0.5)
        yield seen
    row.count(seen, samples)
    assert not samples.violations, samples.violations[:3]


def lossless(seen: Traffic) -> None:
    assert not seen.failed, seen.failed[:5]
    assert not seen.dropped


def swaps_lose_nothing(rig: Rig, scale: Scale) -> Row:
    row = Row("1 swaps at 150 requests/s (k6), nodes 0.5 s and 3 s late")
    count = 20 if scale.long else 2
    with rig.sampled() as samples, k6(rig.addresses, rig.port, scale.folder) as load:
        for _ in range(count):
            rig.release(scale.version(), bake=2.5, steps=[1, 10, 50, 100] if scale.long else [50, 100], settle=3.6)
    row.requests, row.failed, row.samples = load.requests, load.failed + load.dropped, samples.count
    row.violations, row.widest_gap = len(samples.violations), samples.widest_gap
    row.note = f"{count} swaps, p95 {load.p95_ms:.0f} ms"
    assert not row.failed, load
    assert not samples.violations, samples.violations[:3]
    return row


def the_source_designs_pipeline_loses_more_than_a_twentieth(rig: Rig, scale: Scale) -> Row:
    row = Row("1b the source design's pipeline on the same rig")
    baseline.without_test_listener(rig)
    with rig.sampled() as samples, readers(rig.addresses, rig.port) as seen:
        for _ in range(5 if scale.long else 2):
            baseline.release(rig, scale.version())
            time.sleep(4)
    row.count(seen, samples)
    row.note = f"{100 * seen.share:.1f} % lost"
    assert seen.share > 0.05, seen.share
    return row


def a_killed_run_is_finished_by_the_next(rig: Rig, scale: Scale) -> Row:
    """kill -9 around each write, forwards and in a rollback; the third run finds nothing to do."""
    row = Row("2 kill -9 around every write, forwards and in rollback")
    kills = points = 0
    with watched(rig, row, rate=60) as seen:
        for kind in ("deployed", "rolled_back"):
            numbers = _kill_points(rig, scale, kind)
            for number, when in numbers:
                points += 1
                wish = _next(rig, scale, kind)
                first = rig.run(wish, kill_at=f"{number}:{when}")
                if not first.get("killed"):
                    assert not first.get("failed"), first.get("msg")
                    continue
                kills += 1
                second = rig.run(wish)
                assert not second.get("failed"), (number, when, second["msg"])
                third = rig.run(wish)
                assert third.get("changed") is False, (number, when, third)
                bakes = [one["step"] for one in third["releases"][0]["phases"] if one["step"].startswith("bake/")]
                assert kind == "rolled_back" or bakes == ["bake/100"], bakes
                _settled(rig)
    row.note = f"{kills} kills"
    lossless(seen)
    return row


def _kill_points(rig: Rig, scale: Scale, kind: str) -> list[tuple[int, str]]:
    """Numbers of the writes of a run and both sides of each; some of them in the short form."""
    if not scale.long:
        return [(26, "before")] if kind == "deployed" else [(16, "after")]
    wish = _next(rig, scale, kind)
    before = rig.last_call()
    result = rig.run(wish)
    assert not result.get("failed"), result["msg"]
    calls = [call["action"] for call in rig.cloud.calls(writes=True, since=before) if _ours(call)]
    # UpdateItem keeps the record; the unit tests (test_kills.py) kill at each. Here: whatever users can feel.
    numbers = [number for number, action in enumerate(calls, 1) if action != "UpdateItem"]
    return [(number, when) for number in numbers for when in ("before", "after")]


def _ours(call: dict[str, Any]) -> bool:
    return call["action"] not in ("PutMetricData", "RegisterTargets", "DeregisterTargets")


def _next(rig: Rig, scale: Scale, kind: str) -> dict[str, Any]:
    """The next wish of that kind; a rollback needs a release to go back from."""
    if kind == "deployed":
        version = scale.version()
        rig.push(version)
        return rig.wish(version, **QUICK, lease=6)
    last = rig.run(rig.wish("v1", state="status"))["releases"]
    if not last or last[0]["outcome"] != "deployed":
        rig.release(scale.version(), **QUICK)
    return rig.wish("v1", state="rolled_back", **QUICK, lease=6)


def _settled(rig: Rig) -> None:
    """What must hold after every exit."""
    live = rig.live()
    idle = next(slot for slot in SLOTS if slot != live)
    services = rig.services()
    assert rig.intent() is None
    assert services[live]["desiredCount"] >= 2
    assert services[idle]["desiredCount"] == 0
    assert rig.scaling() == {live: (2, 6, (False, False, False)), idle: (0, 6, (True, True, True))}


def a_version_that_fails_only_under_load_is_taken_back(rig: Rig, scale: Scale) -> Row:
    row = Row("3 fails only under load, default steps 1/10/50/100")
    for _ in range(3 if scale.long else 1):
        version = scale.version()
        rig.push(version, "errors_above_rps=6:1.0")
        before = rig.scaling(), rig.actions()
        with watched(rig, row) as seen:
            wish = rig.wish(version, steps=[1, 10, 50, 100], bake=12, settle=4)
            with detection(rig, wish) as found:
                result = rig.finish(found.process)
        assert "failed (" in result["msg"], result["msg"]
        row.restored.append(found.seconds())
        share = len(seen.failed) / (150 * _WINDOW)
        assert seen.failed, "the fault never showed"
        assert share < 0.001, share
        assert row.restored[-1] <= 60
        assert (rig.scaling(), rig.actions()) == before
        row.note = f"{100 * share:.3f} % of a 30-minute window ({100 * seen.share:.2f} % of the test's own)"
    return row


class Detection:
    """A run whose progress is read: when it said that something is not good, and when traffic was back."""

    def __init__(self, process: Any, path: Path) -> None:
        self.process, self.path = process, path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def seconds(self) -> float:
        lines = self.lines()
        detected = next(one["at"] for one in lines if one["line"].startswith("Not good"))
        return round(
            next(one["at"] for one in lines if one["line"].endswith("again") and "weights" in one) - detected, 2
        )


@contextmanager
def detection(rig: Rig, wish: dict[str, Any]) -> Iterator[Detection]:
    path = rig.cloud.state_dir / f"progress-{wish['version']}"
    yield Detection(rig.start({**wish, "progress_path": str(path)}), path)


def check_mode_writes_nothing_and_tells_the_truth(rig: Rig, scale: Scale) -> Row:
    row = Row("4 check mode; 5 scaling and actions; 8 audit record")
    version = scale.version()
    rig.push(version)
    wish = rig.wish(version, steps=[10, 100], bake=2, reason="proof", settle=3.6)
    before = rig.last_call()
    planned = rig.run(wish, check=True)
    writes = [call["action"] for call in rig.cloud.calls(writes=True, since=before) if _ours(call)]
    assert writes == [], writes
    live, actions, scaling = rig.live(), rig.actions(), rig.scaling()
    idle = next(slot for slot in SLOTS if slot != live)
    with watched(rig, row) as seen, autoscaler(rig) as fired:
        result = rig.run(wish)
    assert not result.get("failed"), result["msg"]
    assert [one["id"] for one in planned["steps"]] == [one["id"] for one in result["steps"]]
    assert rig.scaling() == {idle: scaling[live], live: scaling[idle]}
    assert rig.actions() == actions
    _audited(result["releases"][0])
    row.note = f"{len(result['steps'])} steps as planned; autoscaler asked {fired[0]} times"
    lossless(seen)
    return row


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
    """Scale-in and a schedule that want one task, as Application Auto Scaling would run them: unless suspended."""
    ended, fired = threading.Event(), [0]

    def work() -> None:
        while not ended.wait(0.5):
            under_way = rig.intent() is not None
            found = rig.scaler.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
            for target in found:
                suspended = target["SuspendedState"]
                free = not suspended["DynamicScalingInSuspended"] or not suspended["ScheduledScalingSuspended"]
                fired[0] += 1
                if under_way and free and rig.intent() is not None:
                    service = target["ResourceId"].rsplit("/", 1)[1]
                    count = max(1, target["MinCapacity"])
                    if rig.services()[service.rsplit("-", 1)[1]]["desiredCount"] > count:
                        rig.ecs.update_service(cluster=PREFIX, service=service, desiredCount=count)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield fired
    finally:
        ended.set()
        thread.join()


def split_brains_are_refused_with_a_remedy_that_works(rig: Rig, scale: Scale) -> Row:
    row = Row("6a every split brain refused")
    rig.release(scale.version(), **QUICK)
    live = rig.live()
    idle = next(slot for slot in SLOTS if slot != live)
    service = f"{APPLICATION}-{idle}"
    rig.ecs.update_service(cluster=PREFIX, service=service, desiredCount=2)
    rig.eventually(lambda: rig.healthy(idle) >= 2)
    weights = [(1, 99), (10, 90), (50, 50), (90, 10), (99, 1)]
    refused = 0
    with watched(rig, row) as seen:
        for blue, green in weights if scale.long else weights[1:3]:
            rig.elb.modify_listener(ListenerArn=rig.listeners[PRODUCTION], DefaultActions=rig.forward(blue, green))
            before = rig.last_call()
            result = rig.run(rig.wish("v1"))
            assert result.get("failed"), result
            assert "name it as keep_slot" in result["msg"], result["msg"]
            assert not [call for call in rig.cloud.calls(writes=True, since=before) if _ours(call)]
            refused += 1
        kept = rig.run(rig.wish("v1", state="rolled_back", keep_slot=live, **QUICK))
        assert not kept.get("failed"), kept["msg"]
        assert rig.live() == live
        rig.ecs.update_service(cluster=PREFIX, service=service, desiredCount=0)
    row.note = f"{refused} refused, then mended by keep_slot"
    lossless(seen)
    return row


def of_two_runs_one_writes(rig: Rig, scale: Scale) -> Row:
    row = Row("6b two runs at once: one writer each time")
    races = 50 if scale.long else 1
    with watched(rig, row) as seen:
        for _ in range(races):
            version = scale.version()
            rig.push(version)
            wish = rig.wish(version, **{**QUICK, "settle": 3.4, "bake": 1.5})
            before = rig.last_call()
            results = [rig.finish(process) for process in [rig.start(wish), rig.start(wish)]]
            refused = [one["msg"] for one in results if one.get("failed")]
            assert len(refused) == 1, results
            assert "under way" in refused[0] or "lock" in refused[0], refused
            shifts = [call for call in rig.cloud.calls(writes=True, since=before) if call["action"] == "ModifyListener"]
            assert len(shifts) == 2, len(shifts)  # the test listener's and the production listener's
    row.note = f"{races} races"
    lossless(seen)
    return row


FAULTS: dict[str, list[dict[str, Any]]] = {
    "30 % throttled": [{"kind": "throttle", "probability": 0.3}],
    "10 % answered 5xx": [{"kind": "error", "status": 500, "probability": 0.1}],
    "10 % of replies lost": [{"kind": "lost_reply", "probability": 0.1, "writes_only": True}],
}
_SERVICES = ("elasticloadbalancing", "elbv2", "ecs", "dynamodb", "application-autoscaling")


def api_faults_have_no_double_effect(rig: Rig, scale: Scale) -> Row:
    row = Row("7a throttling, 5xx, lost replies")
    with watched(rig, row) as seen:
        kinds = FAULTS if scale.long else {"all at once": [fault for faults in FAULTS.values() for fault in faults]}
        for name, faults in kinds.items():
            for _ in range(2 if scale.long else 1):
                version = scale.version()
                rig.push(version)
                revisions = len(_revisions(rig))
                for fault in faults:
                    for service in _SERVICES:
                        rig.cloud.admin("POST", "/faults", {**fault, "service": service})
                try:
                    wish = rig.wish(version, **{**QUICK, "lease": 45})
                    result = rig.run(wish)
                    if result.get("failed"):  # gave up on AWS; both slots serve, the next run goes on
                        result = rig.run(wish)
                finally:
                    rig.cloud.admin("DELETE", "/faults")
                if result.get("failed"):
                    result = rig.run(wish)
                assert not result.get("failed"), (name, result["msg"])
                assert len(_revisions(rig)) <= revisions + 1 + ("lost" in name or "all" in name)
                _settled(rig)
    row.note = ", ".join(kinds)
    lossless(seen)
    return row


def _revisions(rig: Rig) -> list[str]:
    return list(rig.ecs.list_task_definitions(familyPrefix=APPLICATION)["taskDefinitionArns"])


def expired_credentials_stop_the_run_and_the_next_finishes(rig: Rig, scale: Scale) -> Row:
    row = Row("7b credentials expire in the middle")
    expired = {"kind": "error", "code": "ExpiredTokenException", "status": 400, "probability": 1.0}
    with watched(rig, row) as seen:
        for weight in (10, 50, 100) if scale.long else (10,):
            version = scale.version()
            rig.push(version)
            wish = rig.wish(version, steps=[10, 50, 100] if scale.long else [10, 100], bake=1, settle=3.6, lease=6)
            process = rig.start(wish)
            target = next(slot for slot in SLOTS if slot != rig.live())
            rig.await_weight(target, weight)
            for service in ("ecs", "dynamodb"):
                rig.cloud.admin("POST", "/faults", {**expired, "service": service})
            stopped = rig.finish(process)
            rig.cloud.admin("DELETE", "/faults")
            assert stopped.get("failed"), stopped
            assert "Log in again" in stopped["msg"], stopped["msg"]
            finished = rig.run(wish)
            assert not finished.get("failed"), finished["msg"]
            _settled(rig)
    lossless(seen)
    return row


BAD = {
    "never healthy": ("never_healthy", "healthy targets", {"start_timeout": 8}),
    "starts in 60 s": ("start_slowly=60", "healthy targets", {"start_timeout": 8}),
    "wrong body": ("wrong_version=v0", "header X-App-Version", {}),
    "too slow": ("slow=0.6:1.0", "p95 of /api/version", {"checks_p95": 300}),
    "crashes": ("crash_after=6", "healthy targets", {"bake": 15, "start_timeout": 25}),
}


def bad_versions_never_reach_the_readers(rig: Rig, scale: Scale) -> Row:
    row = Row("chaos: never healthy, slow start, wrong answer, too slow")
    names = ["never healthy", "starts in 60 s", "wrong body", "too slow"] if scale.long else ["wrong body"]
    before = rig.scaling(), rig.actions(), rig.live()
    with watched(rig, row) as seen:
        for name in names:
            fault, sentence, changes = BAD[name]
            version = scale.version()
            rig.push(version, fault)
            wish = rig.wish(version, **QUICK)
            if limit := changes.pop("checks_p95", None):
                wish["checks"] = [{**wish["checks"][0], "p95": limit}]
            result = rig.run({**wish, **changes})
            assert result.get("failed"), name
            assert sentence in result["msg"], (name, result["msg"])
            assert (rig.scaling(), rig.actions(), rig.live()) == before, name
    row.note = ", ".join(names)
    lossless(seen)
    return row


def a_run_that_was_stopped_past_its_lease_is_harmless(rig: Rig, scale: Scale) -> Row:
    """SIGSTOP in the middle; a second run finishes; then SIGCONT."""
    row = Row("chaos: stopped past its lease, then continued")
    with watched(rig, row) as seen:
        for moment in (10, 50, 100) if scale.long else (50,):
            version = scale.version()
            rig.push(version)
            wish = rig.wish(version, steps=[10, 50, 100], bake=1.5, settle=3.4, lease=6, rollback_window=0)
            process = rig.start(wish)
            target = next(slot for slot in SLOTS if slot != rig.live())
            rig.await_weight(target, moment)
            os.kill(process.pid, signal.SIGSTOP)
            try:
                finished = rig.run(wish)
            finally:
                os.kill(process.pid, signal.SIGCONT)
            late = rig.finish(process)
            assert not finished.get("failed"), finished["msg"]
            assert late.get("failed"), late
            assert "lease" in late["msg"] or "another run has taken it over" in late["msg"], late["msg"]
            _settled(rig)
    lossless(seen)
    return row


def an_old_task_that_dies_in_the_bake_is_survived(rig: Rig, scale: Scale) -> Row:
    """One of three tasks of the old slot is stopped at half the weight: its requests in flight are AWS's to lose."""
    row = Row("chaos: an old task dies in the bake, a second swap comes at once")
    version, second = scale.version(), scale.version()
    rig.push(version)
    rig.push(second)
    live = rig.live()
    rig.ecs.update_service(cluster=PREFIX, service=f"{APPLICATION}-{live}", desiredCount=3)
    rig.eventually(lambda: rig.healthy(live) >= 3)
    with watched(rig, row) as seen:
        process = rig.start(rig.wish(version, steps=[50, 100], bake=6, settle=3.6))
        rig.eventually(lambda: rig.weights()[live] == 50)
        arns = rig.ecs.list_tasks(cluster=PREFIX, serviceName=f"{APPLICATION}-{live}")["taskArns"]
        rig.ecs.stop_task(cluster=PREFIX, task=arns[0], reason="proof")
        busy = rig.run(rig.wish(second, **QUICK))
        result = rig.finish(process)
    assert not result.get("failed"), result["msg"]
    assert busy.get("failed"), busy
    row.note = f"3 tasks; {len(seen.failed)} failed"
    lossless(seen)
    return row


def sticky_readers_and_slow_requests_are_waited_for(rig: Rig, scale: Scale) -> Row:
    """Readers kept by a cookie on the old slot, and requests that are under way when it is retired."""
    row = Row("chaos: sticky readers, long requests")
    seconds = 30 if scale.long else 3
    delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}]
    for group in rig.groups.values():
        rig.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=delay)
    live = rig.live()
    weights = {"blue": (100, 0), "green": (0, 100)}[live]
    rig.elb.modify_listener(ListenerArn=rig.listeners[PRODUCTION], DefaultActions=rig.forward(*weights, 8))
    version = scale.version()
    rig.push(version)
    slow = Row("")
    with (
        watched(rig, row, sticky=True, rate=100) as seen,
        watched(rig, slow, path=f"/api/slow?seconds={seconds}", rate=2, count=2 * seconds + 10) as slowly,
    ):
        result = rig.run(rig.wish(version, steps=[10, 100], bake=2, settle=3.6))
    sticky = rig.elb.describe_listeners(ListenerArns=[rig.listeners[PRODUCTION]])["Listeners"][0]["DefaultActions"][0]
    back = {"blue": (100, 0), "green": (0, 100)}[rig.live()]
    rig.elb.modify_listener(ListenerArn=rig.listeners[PRODUCTION], DefaultActions=rig.forward(*back))
    assert not result.get("failed"), result["msg"]
    assert sticky["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 8}
    row.requests, row.failed = row.requests + slow.requests, row.failed + slow.failed
    row.note = f"{slow.requests} requests of {seconds} s"
    lossless(seen)
    lossless(slowly)
    return row


def nodes_that_learn_ten_seconds_late_lose_nothing(rig: Rig, scale: Scale) -> Row:
    row = Row("chaos: propagation of 10 s")
    rig.settings(lag={"0": 1.0, "1": 10.0})
    version = scale.version()
    rig.push(version)
    try:
        with watched(rig, row) as seen:
            result = rig.run(rig.wish(version, steps=[100], bake=2, settle=12))
    finally:
        rig.settings(lag={"0": 0.5, "1": 3.0})
    assert not result.get("failed"), result["msg"]
    lossless(seen)
    return row


Proof = Callable[[Rig, Scale], Row]

# The source design's pipeline comes last: it leaves the rig without a test listener.
PROOFS: tuple[Proof, ...] = (
    swaps_lose_nothing,
    a_killed_run_is_finished_by_the_next,
    a_version_that_fails_only_under_load_is_taken_back,
    check_mode_writes_nothing_and_tells_the_truth,
    split_brains_are_refused_with_a_remedy_that_works,
    of_two_runs_one_writes,
    api_faults_have_no_double_effect,
    expired_credentials_stop_the_run_and_the_next_finishes,
    bad_versions_never_reach_the_readers,
    a_run_that_was_stopped_past_its_lease_is_harmless,
    an_old_task_that_dies_in_the_bake_is_survived,
    sticky_readers_and_slow_requests_are_waited_for,
    nodes_that_learn_ten_seconds_late_lose_nothing,
    the_source_designs_pipeline_loses_more_than_a_twentieth,
)
# What every change is held against; the rest takes long or wants a quiet machine.
SHORT: tuple[Proof, ...] = (
    swaps_lose_nothing,
    a_killed_run_is_finished_by_the_next,
    check_mode_writes_nothing_and_tells_the_truth,
    the_source_designs_pipeline_loses_more_than_a_twentieth,
)


def table(rows: list[Row]) -> str:
    """The rows as text, widths fitted."""
    head = f"{'proof':68} {'requests':>9} {'failed':>7} {'samples':>8} {'violations':>10} {'restored s':>12}  note"
    lines = [
        f"{row.proof:68} {row.requests:>9} {row.failed:>7} {row.samples:>8} {row.violations:>10} "
        f"{'/'.join(map(str, row.restored)):>12}  {row.note}"
        for row in rows
    ]
    return "\n".join([head, *lines])
