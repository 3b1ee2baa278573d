"""The pipeline of the source design, as it was written, to show that the rig notices what it loses.

Only its search for the active slot is mended: as written it always finds the same one. It updates the idle service,
waits for services-stable, asks the public health check, points the listener at the idle target group, and scales the
old service to 0 at once. The idle target group is in no listener before, so it gets no health checks.
"""

from __future__ import annotations

import time
import urllib.request

from tests.acceptance.blue_green.rig import APPLICATION, PREFIX, PRODUCTION, TASKS, TEST, Rig


def release(rig: Rig, version: str) -> None:
    """One run of that pipeline."""
    old = _live(rig)
    new = "green" if old == "blue" else "blue"
    definition = _register(rig, version, new)
    service = f"{APPLICATION}-{new}"
    rig.ecs.update_service(cluster=PREFIX, service=service, taskDefinition=definition, desiredCount=TASKS)
    _await_stable(rig, service)
    for _ in range(10):
        with urllib.request.urlopen(f"http://{rig.addresses[0]}:{rig.port}/api/health", timeout=10) as answer:
            if answer.status == 200:
                break
    action = {"Type": "forward", "TargetGroupArn": rig.groups[new]}
    rig.elb.modify_listener(ListenerArn=rig.listeners[PRODUCTION], DefaultActions=[action])
    rig.ecs.update_service(cluster=PREFIX, service=f"{APPLICATION}-{old}", desiredCount=0)


def without_test_listener(rig: Rig) -> None:
    """The source design has none, and its production listener knows one target group."""
    rig.elb.delete_listener(ListenerArn=rig.listeners.pop(TEST))
    action = {"Type": "forward", "TargetGroupArn": rig.groups[rig.live()]}
    rig.elb.modify_listener(ListenerArn=rig.listeners[PRODUCTION], DefaultActions=[action])


def _live(rig: Rig) -> str:
    listener = rig.elb.describe_listeners(ListenerArns=[rig.listeners[PRODUCTION]])["Listeners"][0]
    action = listener["DefaultActions"][0]
    arn = action.get("TargetGroupArn") or action["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"]
    return next(slot for slot, group in rig.groups.items() if group == arn)


def _register(rig: Rig, version: str, slot: str) -> str:
    found = rig.ecs.describe_task_definition(taskDefinition=APPLICATION)["taskDefinition"]
    container = {**found["containerDefinitions"][0], "image": rig.push(version)}
    container["environment"] = [{"name": "APP_VERSION", "value": version}, {"name": "APP_SLOT", "value": slot}]
    names = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory")
    told = {name: found[name] for name in names}
    made = rig.ecs.register_task_definition(**told, containerDefinitions=[container])
    return str(made["taskDefinition"]["taskDefinitionArn"])


def _await_stable(rig: Rig, service: str) -> None:
    """`aws ecs wait services-stable`: one deployment, as many running as desired; target health is not asked."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        found = rig.ecs.describe_services(cluster=PREFIX, services=[service])["services"][0]
        if len(found["deployments"]) == 1 and found["runningCount"] == found["desiredCount"]:
            return
        time.sleep(0.5)
    raise TimeoutError(f"{service} was not stable after 600 s")
