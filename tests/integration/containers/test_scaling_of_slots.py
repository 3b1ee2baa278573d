"""What a site run leaves to a release and to autoscaling in the scaling of a slot."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.containers.wishes import BLUE, NAME, TAGS, cluster, definition, network, run
from tests.support.cloud import Cloud

TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": f"service/{NAME}/{BLUE}",
    "ScalableDimension": "ecs:service:DesiredCount",
}


@pytest.fixture
def service(cloud: Cloud) -> None:
    """A service that can be scaled."""
    ground = network(cloud)
    run(cloud, "ecs_cluster", cluster())
    run(cloud, "ecs_task_definition", definition(cloud))
    wish = {
        "cluster": NAME,
        "tags": TAGS,
        "subnet_ids": ground["subnets"],
        "security_group_ids": [ground["group"]],
        "services": [{"name": BLUE, "task_definition": BLUE, "desired_count": 2}],
        "wait_seconds": 0,
    }
    run(cloud, "ecs_services", wish)


def scaling(keep: str) -> dict[str, Any]:
    target = {
        "resource_id": TARGET["ResourceId"],
        "scalable_dimension": TARGET["ScalableDimension"],
        "min_capacity": 2,
        "max_capacity": 10,
        "keep_capacity": keep,
    }
    return {"service_namespace": "ecs", "tags": TAGS, "targets": [target]}


def limits(cloud: Cloud) -> tuple[int, int]:
    client = cloud.client("application-autoscaling")
    (found,) = client.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    return found["MinCapacity"], found["MaxCapacity"]


@pytest.mark.parametrize(
    ("keep", "suspended", "left"),
    [
        # The live slot in peace: its limits are declared.
        ("suspended", False, (2, 10)),
        # The live slot while a release has suspended its scaling and pinned its minimum.
        ("suspended", True, (5, 8)),
        # The slot that is not live.
        ("always", False, (5, 8)),
        ("never", True, (2, 10)),
    ],
)
@pytest.mark.usefixtures("service")
def test_limits_are_left_to_a_release_that_has_suspended_scaling_and_at_the_idle_slot(
    cloud: Cloud, keep: str, suspended: bool, left: tuple[int, int]
) -> None:
    assert run(cloud, "application_autoscaling", scaling(keep))["changed"] is True
    assert limits(cloud) == (2, 10)
    state = {"DynamicScalingInSuspended": suspended}
    cloud.client("application-autoscaling").register_scalable_target(
        **TARGET, MinCapacity=5, MaxCapacity=8, SuspendedState=state
    )
    run(cloud, "application_autoscaling", scaling(keep))
    assert limits(cloud) == left
    (found,) = cloud.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")[
        "ScalableTargets"
    ]
    assert found["SuspendedState"]["DynamicScalingInSuspended"] is suspended
    assert run(cloud, "application_autoscaling", scaling(keep))["changed"] is False
