"""ecs_cluster on the embedded cloud."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.containers import wishes
from tests.integration.containers.wishes import NAME, TAGS, ByHand, cluster, run
from tests.support.ansible import run_module
from tests.support.cloud import Cloud


def updated(**parameters: Any) -> ByHand:
    def change(cloud: Cloud) -> None:
        cloud.client("ecs").update_cluster(cluster=NAME, **parameters)

    return change


def capacity(providers: list[str], strategy: list[dict[str, Any]]) -> ByHand:
    def change(cloud: Cloud) -> None:
        cloud.client("ecs").put_cluster_capacity_providers(
            cluster=NAME, capacityProviders=providers, defaultCapacityProviderStrategy=strategy
        )

    return change


def foreign_tag(cloud: Cloud) -> None:
    ecs = cloud.client("ecs")
    arn = ecs.describe_clusters(clusters=[NAME])["clusters"][0]["clusterArn"]
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "Owner", "value": "somebody"}])


NO_LOG = {"executeCommandConfiguration": {"logging": "NONE"}}
OTHER_KEY = {
    "executeCommandConfiguration": {
        "logging": "OVERRIDE",
        "kmsKeyId": "other",
        "logConfiguration": {"cloudWatchLogGroupName": "/stories-test/exec", "cloudWatchEncryptionEnabled": True},
    }
}
PLAIN_LOG = {
    "executeCommandConfiguration": {
        "logging": "OVERRIDE",
        "logConfiguration": {"cloudWatchLogGroupName": "/other", "cloudWatchEncryptionEnabled": False},
    }
}
ON_DEMAND = [{"capacityProvider": "FARGATE", "weight": 1}]


def test_a_cluster_is_planned_made_and_found_again(cloud: Cloud) -> None:
    wishes.assert_plan_run_again(cloud, "ecs_cluster", cluster())


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (updated(settings=[{"name": "containerInsights", "value": "disabled"}]), "container_insights"),
        (updated(configuration=NO_LOG), "execute_command_logging"),
        (updated(configuration=OTHER_KEY), "execute_command_kms_key"),
        (updated(configuration=PLAIN_LOG), "execute_command_log_group"),
        (updated(configuration=PLAIN_LOG), "execute_command_log_encryption"),
        (updated(serviceConnectDefaults={"namespace": "elsewhere"}), "service_connect_namespace"),
        (capacity(["FARGATE"], ON_DEMAND), "capacity_providers"),
        (capacity(["FARGATE", "FARGATE_SPOT"], ON_DEMAND), "default_strategy"),
        (foreign_tag, "Owner"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(cloud: Cloud, by_hand: ByHand, field: str) -> None:
    wishes.assert_drift_is_named_and_mended(cloud, "ecs_cluster", cluster(), by_hand, field)


def test_a_removed_cluster_can_be_made_again(cloud: Cloud) -> None:
    run(cloud, "ecs_cluster", cluster())
    gone = {"name": NAME, "tags": TAGS, "state": "absent"}
    assert run(cloud, "ecs_cluster", gone)["changed"] is True
    assert run(cloud, "ecs_cluster", gone)["changed"] is False
    assert run(cloud, "ecs_cluster", cluster())["changed"] is True


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "no spaces here"}, "ECS takes 1 to 255 letters"),
        ({"execute_command": {"logging": "OVERRIDE"}}, "without log_group"),
        ({"capacity_providers": ["FARGATE"]}, "FARGATE_SPOT in a strategy"),
        ({"default_capacity_provider_strategy": [{"capacity_provider": "FARGATE", "weight": 0}]}, "weights are all 0"),
    ],
)
def test_a_wrong_wish_is_refused_before_the_first_call(cloud: Cloud, wrong: dict[str, Any], said: str) -> None:
    with cloud.recorded() as calls:
        refused = run_module(cloud, "ecs_cluster", cluster(**wrong))
    assert said in refused["msg"]
    assert calls == []
