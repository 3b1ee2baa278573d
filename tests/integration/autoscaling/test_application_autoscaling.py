"""application_autoscaling on the embedded cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
SERVICE = "service/stories-test/stories-test-app-blue"
ADDRESS = {"ServiceNamespace": "ecs", "ResourceId": SERVICE, "ScalableDimension": "ecs:service:DesiredCount"}
WISH: dict[str, Any] = {
    "service_namespace": "ecs",
    "tags": TAGS,
    "targets": [
        {
            "resource_id": SERVICE,
            "scalable_dimension": "ecs:service:DesiredCount",
            "min_capacity": 2,
            "max_capacity": 10,
            "target_tracking": [
                {"name": "cpu", "target_value": 70, "predefined_metric": "ECSServiceAverageCPUUtilization"},
                {
                    "name": "requests",
                    "target_value": 1000,
                    "customized_metric": {
                        "namespace": "AWS/ApplicationELB",
                        "metric_name": "RequestCountPerTarget",
                        "statistic": "Sum",
                        "dimensions": {"TargetGroup": "targetgroup/blue/1"},
                    },
                },
            ],
            "step_scaling": [{"name": "burst", "steps": [{"lower_bound": 0, "adjustment": 2}]}],
            "scheduled": [{"name": "school", "schedule": "cron(0 6 * * ? *)", "min_capacity": 4, "max_capacity": 10}],
        }
    ],
}


@pytest.fixture(autouse=True)
def service(cloud: Cloud) -> None:
    ecs = cloud.client("ecs")
    ecs.create_cluster(clusterName="stories-test")
    ecs.register_task_definition(
        family="app", containerDefinitions=[{"name": "app", "image": "app", "memory": 128, "essential": True}]
    )
    ecs.create_service(
        cluster="stories-test", serviceName="stories-test-app-blue", taskDefinition="app", desiredCount=2
    )


def run(cloud: Cloud, wish: dict[str, Any] = WISH, **flags: bool) -> dict[str, Any]:
    result = run_module(cloud, "application_autoscaling", wish, **flags)
    assert not result.get("failed"), result["msg"]
    return result


def test_the_plan_lists_what_the_run_then_makes_and_writes_nothing(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        planned = run(cloud, check=True)
    assert not [call for call in calls if call["writes"]]
    made = run(cloud)
    assert planned["steps"] == made["steps"]
    assert len(made["steps"]) == 5
    assert run(cloud)["changed"] is False


def client(cloud: Cloud) -> Any:
    return cloud.client("application-autoscaling")


def wider(cloud: Cloud) -> None:
    client(cloud).register_scalable_target(**ADDRESS, MinCapacity=1, MaxCapacity=50)


def put(cloud: Cloud, name: str, target: float) -> None:
    client(cloud).put_scaling_policy(
        **ADDRESS,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": target,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
    )


def other_value(cloud: Cloud) -> None:
    put(cloud, "cpu", 20)


def other_policy(cloud: Cloud) -> None:
    put(cloud, "mine", 20)


def no_policy(cloud: Cloud) -> None:
    client(cloud).delete_scaling_policy(**ADDRESS, PolicyName="cpu")


def other_step(cloud: Cloud) -> None:
    client(cloud).put_scaling_policy(
        **ADDRESS,
        PolicyName="burst",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 9}],
        },
    )


def other_type(cloud: Cloud) -> None:
    no_policy(cloud)
    client(cloud).put_scaling_policy(
        **ADDRESS,
        PolicyName="cpu",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )


def scheduled(**other: Any) -> Callable[[Cloud], None]:
    """What changes the scheduled action in this alone."""

    def put(cloud: Cloud) -> None:
        client(cloud).put_scheduled_action(**ADDRESS, ScheduledActionName="school", **other)

    return put


def no_schedule(cloud: Cloud) -> None:
    client(cloud).delete_scheduled_action(**ADDRESS, ScheduledActionName="school")


def foreign_tag(cloud: Cloud) -> None:
    arn = client(cloud).describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]["ScalableTargetARN"]
    client(cloud).tag_resource(ResourceARN=arn, Tags={"Owner": "me"})


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (wider, "max_capacity"),
        (other_value, "TargetValue"),
        (other_policy, "undeclared"),
        (no_policy, "DesiredCount/cpu"),
        (other_step, "ScalingAdjustment"),
        (other_type, "type"),
        (scheduled(Schedule="cron(0 9 * * ? *)"), "schedule"),
        (scheduled(ScalableTargetAction={"MinCapacity": 3, "MaxCapacity": 10}), "min_capacity"),
        (scheduled(ScalableTargetAction={"MinCapacity": 4, "MaxCapacity": 20}), "max_capacity"),
        (scheduled(Timezone="Europe/Berlin"), "timezone"),
        (no_schedule, "DesiredCount/school"),
        (foreign_tag, "Owner"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, by_hand: Callable[[Cloud], None], field: str
) -> None:
    run(cloud)
    by_hand(cloud)
    drift = run(cloud, check=True)
    assert field in drift["diff"][0]["before"] + drift["diff"][0]["after"]
    run(cloud)
    assert run(cloud)["changed"] is False


def test_a_suspension_is_left_alone_unless_it_is_declared(cloud: Cloud) -> None:
    run(cloud)
    suspended = {"DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": False}
    client(cloud).register_scalable_target(**ADDRESS, SuspendedState=suspended)
    assert run(cloud)["changed"] is False
    declared = {**WISH, "targets": [{**WISH["targets"][0], "suspended": {}}]}
    assert "dynamic_scaling_in" in run(cloud, declared)["diff"][0]["before"]
    assert run(cloud, declared)["changed"] is False


def test_absent_removes_everything_of_the_named_targets(cloud: Cloud) -> None:
    run(cloud)
    target = {key: WISH["targets"][0][key] for key in ("resource_id", "scalable_dimension")}
    gone = {"service_namespace": "ecs", "tags": TAGS, "state": "absent", "targets": [target]}
    assert len(run(cloud, gone)["steps"]) == 5
    assert run(cloud, gone)["changed"] is False


def test_a_minimum_above_the_maximum_is_refused_before_the_first_call(cloud: Cloud) -> None:
    wrong = {**WISH, "targets": [{**WISH["targets"][0], "min_capacity": 11}]}
    with cloud.recorded() as calls:
        result = run_module(cloud, "application_autoscaling", wrong)
    assert "Lower the one or raise the other" in result["msg"]
    assert calls == []
