"""Versions that are bad, alarms that vanish, tasks that die, clients that stay, nodes that learn late."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.acceptance.blue_green.cases import (
    QUICK,
    Proof,
    Scale,
    detection,
    good,
    idle,
    lossless,
    refused,
    settled,
    watched,
)
from tests.acceptance.blue_green.results import Row
from tests.acceptance.blue_green.rig import APPLICATION, PREFIX, PRODUCTION, Rig

_PATH = {"path": "/api/version", "headers": {"X-App-Version": "^{version}$"}}


def bad_version(rig: Rig, scale: Scale, row: Row, *, fault: str, sentence: str, **changes: Any) -> None:
    """It never reaches a reader, and everything is as before."""
    version = scale.version()
    rig.push(version, fault)
    before = rig.scaling(), rig.actions(), rig.live()
    with lossless(rig, row) as seen:
        result = rig.run({**rig.wish(version, **QUICK), **changes})
    row.note = refused(result, sentence).partition("found: ")[2][:110]
    assert version not in seen.versions, seen.versions
    assert (rig.scaling(), rig.actions(), rig.live()) == before
    settled(rig)


def slow_start(rig: Rig, scale: Scale, row: Row) -> None:
    """60 s until a task listens, and time enough given: released."""
    version = scale.version()
    rig.push(version, "start_slowly=60")
    with lossless(rig, row):
        good(rig.run(rig.wish(version, **QUICK, start_timeout=150)))
    settled(rig)
    # The next case must not wait as long for this version to come up again.
    rig.release(scale.version(), **QUICK)
    row.note = "waited for and released"


def breaker_rolled_back(rig: Rig, scale: Scale, row: Row) -> None:
    """Tasks that end at once: ECS's circuit breaker puts the old revision on the idle slot, healthy and wrong."""
    rig.release(scale.version(), **QUICK)
    rig.release(scale.version(), **QUICK)  # both slots have had a version that works
    version = scale.version()
    rig.push(version, "crash_after=0.2")
    before, target = (rig.scaling(), rig.live()), idle(rig)
    with lossless(rig, row) as seen:
        result = rig.run(rig.wish(version, **QUICK, start_timeout=120))
    row.note = refused(result, "rolled back or replaced", "failed; see its events").partition("found: ")[2][:110]
    assert version not in seen.versions
    rolled = rig.services()[target]["taskDefinition"]
    assert (rig.scaling(), rig.live()) == before, rolled
    settled(rig)


def alarm_missing(rig: Rig, scale: Scale, row: Row) -> None:
    version = scale.version()
    rig.push(version)
    with lossless(rig, row):
        before = rig.scaling(), rig.live()
        refused(rig.run(rig.wish(version, alarms=["nowhere"], **QUICK)), "Looked for the alarm nowhere")
    assert (rig.scaling(), rig.live()) == before
    assert rig.intent() is None


def alarm(rig: Rig, scale: Scale, row: Row, *, weight: int, gone: bool) -> None:
    """In a bake the alarm goes off, or somebody deletes it: traffic back."""
    name = "stories-rig-bake"
    rig.alarm(name)
    version = scale.version()
    rig.push(version)
    live, target = rig.live(), idle(rig)
    with lossless(rig, row):
        found = detection(rig, rig.wish(version, steps=[10, 50, 100], bake=8, settle=3.6, alarms=[name]))
        rig.await_weight(target, weight)
        if gone:
            rig.cloudwatch.delete_alarms(AlarmNames=[name])
        else:
            rig.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="proof")
        refused(rig.finish(found.process), "is gone" if gone else "is in ALARM")
    row.restored.append(found.seconds())
    assert row.restored[0] <= 60
    assert rig.live() == live
    settled(rig)


def old_task_dies(rig: Rig, scale: Scale, row: Row) -> None:
    """One of three tasks of the old slot is stopped at half the weight."""
    version = scale.version()
    rig.push(version)
    live, target = rig.live(), idle(rig)
    rig.ecs.update_service(cluster=PREFIX, service=f"{APPLICATION}-{live}", desiredCount=3)
    rig.eventually(lambda: rig.healthy(live) >= 3)
    with lossless(rig, row):
        process = rig.start(rig.wish(version, steps=[50, 100], bake=6, settle=3.6))
        rig.await_weight(target, 50)
        arns = rig.ecs.list_tasks(cluster=PREFIX, serviceName=f"{APPLICATION}-{live}")["taskArns"]
        rig.ecs.stop_task(cluster=PREFIX, task=arns[0], reason="proof")
        good(rig.finish(process))
    assert rig.services()[target]["desiredCount"] == 3
    rig.ecs.update_service(cluster=PREFIX, service=f"{APPLICATION}-{target}", desiredCount=2)
    # What drains has six seconds; the next case asks for more.
    rig.eventually(lambda: rig.targets(target) == 2)
    row.note = "three tasks, one died"


def kept_clients(rig: Rig, scale: Scale, row: Row, *, seconds: int) -> None:
    """Readers kept by a cookie on the old slot, and requests that are under way when it is retired."""
    delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}]
    for group in rig.groups.values():
        rig.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=delay)
    all_on = {"blue": (100, 0), "green": (0, 100)}
    sticky = rig.forward(*all_on[rig.live()], 8)
    rig.elb.modify_listener(ListenerArn=rig.listeners[PRODUCTION], DefaultActions=sticky)
    version = scale.version()
    rig.push(version)
    slow = Row()
    with (
        lossless(rig, row, sticky=True),
        watched(rig, slow, path=f"/api/slow?seconds={seconds}", rate=2, count=2 * seconds + 10) as slowly,
    ):
        result = rig.run(rig.wish(version, steps=[10, 100], bake=2, settle=3.6))
    row.requests, row.failed = row.requests + slow.requests, row.failed + slow.failed
    row.note = f"{slow.requests} of them took {seconds} s"
    good(result)
    assert not slowly.failed, slowly.failed[:5]
    action = rig.elb.describe_listeners(ListenerArns=[rig.listeners[PRODUCTION]])["Listeners"][0]["DefaultActions"][0]
    assert action["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 8}
    plain = rig.forward(*all_on[rig.live()])
    rig.elb.modify_listener(ListenerArn=rig.listeners[PRODUCTION], DefaultActions=plain)


def late_nodes(rig: Rig, scale: Scale, row: Row) -> None:
    """One node learns of a change after 10 s; the settling is longer."""
    rig.settings(lag={"0": 1.0, "1": 10.0})
    version = scale.version()
    rig.push(version)
    try:
        with lossless(rig, row):
            good(rig.run(rig.wish(version, steps=[100], bake=2, settle=12)))
    finally:
        rig.settings(lag={"0": 0.5, "1": 3.0})
    settled(rig)


BAD = Proof(
    "bad-versions",
    "chaos: bad versions never reach a reader",
    {
        "never healthy": partial(bad_version, fault="never_healthy", sentence="healthy targets", start_timeout=8),
        "starts in 60 s, 8 s allowed": partial(
            bad_version, fault="start_slowly=60", sentence="healthy targets", start_timeout=8
        ),
        "wrong version": partial(bad_version, fault="wrong_version=v0", sentence="header X-App-Version"),
        "wrong body": partial(
            bad_version, fault="wrong_body", sentence="a body without", checks=[{**_PATH, "body": '"version"'}]
        ),
        "too slow": partial(
            bad_version, fault="slow=0.6:1.0", sentence="p95 of /api/version", checks=[{**_PATH, "p95": 300}]
        ),
        "wrong status": partial(bad_version, fault="errors=1.0", sentence="status 500"),
    },
)
CHAOS = Proof(
    "chaos",
    "chaos: slow start, breaker, alarms, dying tasks, kept clients",
    {
        "starts in 60 s, waited for": slow_start,
        "wrong task definition after a breaker rollback": breaker_rolled_back,
        "alarm missing": alarm_missing,
        "alarm goes off at 10 %": partial(alarm, weight=10, gone=False),
        "alarm goes off at 50 %": partial(alarm, weight=50, gone=False),
        "alarm goes off at 100 %": partial(alarm, weight=100, gone=False),
        "alarm deleted at 50 %": partial(alarm, weight=50, gone=True),
        "old task dies in the bake": old_task_dies,
        "sticky clients, requests of 30 s": partial(kept_clients, seconds=30),
        "propagation of 10 s": late_nodes,
    },
)
