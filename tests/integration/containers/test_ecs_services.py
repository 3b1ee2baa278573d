"""ecs_services on the embedded cloud, whose APIs alone run no tasks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.containers import wishes
from tests.integration.containers.wishes import BLUE, GREEN, NAME, TAGS, ByHand, definition, run, services
from tests.support.cloud import Cloud


def updated(**parameters: Any) -> ByHand:
    def change(cloud: Cloud) -> None:
        cloud.client("ecs").update_service(cluster=NAME, service=BLUE, **parameters)

    return change


def described(cloud: Cloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.client("ecs").describe_services(cluster=NAME, services=[name])["services"][0]
    return found


def elsewhere(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    network = described(cloud, BLUE)["networkConfiguration"]["awsvpcConfiguration"]
    vpc = ec2.describe_subnets(SubnetIds=network["subnets"])["Subnets"][0]["VpcId"]
    group = ec2.create_security_group(VpcId=vpc, GroupName="open", Description="Too open")["GroupId"]
    wrong = {"subnets": network["subnets"][:1], "securityGroups": [group], "assignPublicIp": "ENABLED"}
    updated(networkConfiguration={"awsvpcConfiguration": wrong})(cloud)


def deployment(**parameters: Any) -> ByHand:
    told = {
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        **parameters,
    }
    return updated(deploymentConfiguration=told)


def swapped_groups(cloud: Cloud) -> None:
    updated(loadBalancers=described(cloud, GREEN)["loadBalancers"])(cloud)


def foreign_tag(cloud: Cloud) -> None:
    arn = described(cloud, BLUE)["serviceArn"]
    cloud.client("ecs").tag_resource(resourceArn=arn, tags=[{"key": "Owner", "value": "somebody"}])


ALARMS = {"alarmNames": ["other"], "enable": True, "rollback": True}


def test_both_slots_are_planned_made_and_found_again(cloud: Cloud) -> None:
    wishes.assert_plan_run_again(cloud, "ecs_services", services(cloud))
    assert [described(cloud, name)["desiredCount"] for name in (BLUE, GREEN)] == [2, 0]
    assert described(cloud, GREEN)["taskDefinition"].endswith(f"/{GREEN}:1")


def test_a_run_leaves_the_task_definition_and_the_count_of_every_slot_alone(cloud: Cloud) -> None:
    wish = services(cloud)
    run(cloud, "ecs_services", wish)
    for slot, count in (("blue", 7), ("green", 3)):
        run(cloud, "ecs_task_definition", definition(cloud, slot, memory=2048))
        name = f"{NAME}-app-{slot}"
        cloud.client("ecs").update_service(
            cluster=NAME, service=name, taskDefinition=f"{name}:{2 if slot == 'green' else 1}", desiredCount=count
        )
    arn = described(cloud, BLUE)["serviceArn"]
    cloud.client("ecs").tag_resource(resourceArn=arn, tags=[{"key": "ActiveSlot", "value": "true"}])
    with cloud.recorded() as calls:
        again = run(cloud, "ecs_services", wish)
    assert again["changed"] is False
    assert not [call for call in calls if call["writes"]]

    # Nor does a run that has something else to mend.
    updated(enableExecuteCommand=False)(cloud)
    run(cloud, "ecs_services", wish)
    assert [described(cloud, name)["desiredCount"] for name in (BLUE, GREEN)] == [7, 3]
    assert [described(cloud, name)["taskDefinition"].rsplit(":", 1)[1] for name in (BLUE, GREEN)] == ["1", "2"]


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (elsewhere, "subnets"),
        (elsewhere, "security_groups"),
        (elsewhere, "assign_public_ip"),
        (deployment(maximumPercent=150), "maximum_percent"),
        (deployment(minimumHealthyPercent=0), "minimum_healthy_percent"),
        (deployment(deploymentCircuitBreaker={"enable": False, "rollback": False}), "circuit_breaker"),
        (deployment(alarms=ALARMS), "alarms"),
        (updated(platformVersion="1.3.0"), "platform_version"),
        (updated(enableExecuteCommand=False), "enable_execute_command"),
        (updated(enableECSManagedTags=False), "enable_ecs_managed_tags"),
        (updated(propagateTags="NONE"), "propagate_tags"),
        (updated(availabilityZoneRebalancing="DISABLED"), "availability_zone_rebalancing"),
        (updated(healthCheckGracePeriodSeconds=0), "health_check_grace_period"),
        (updated(serviceRegistries=[]), "registries"),
        (updated(capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}]), "capacity"),
        (swapped_groups, "load_balancers"),
        (foreign_tag, "Owner"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(cloud: Cloud, by_hand: ByHand, field: str) -> None:
    wishes.assert_drift_is_named_and_mended(cloud, "ecs_services", services(cloud), by_hand, field)


def test_a_strategy_with_spot_takes_the_place_of_the_launch_type(cloud: Cloud) -> None:
    wish = services(cloud)
    run(cloud, "ecs_services", wish)
    strategy = [{"capacity_provider": "FARGATE", "base": 2}, {"capacity_provider": "FARGATE_SPOT", "weight": 3}]
    assert run(cloud, "ecs_services", {**wish, "capacity_provider_strategy": strategy})["changed"] is True
    assert len(described(cloud, BLUE)["capacityProviderStrategy"]) == 2


def test_a_killed_creation_is_finished_without_a_second_of_anything(cloud: Cloud) -> None:
    wish = services(cloud)
    run(cloud, "ecs_services", {**wish, "services": wish["services"][:1]})
    assert wishes.steps(run(cloud, "ecs_services", wish)) == [f"ecs_service/{GREEN}:create"]
    assert len(cloud.client("ecs").list_services(cluster=NAME)["serviceArns"]) == 2


def test_both_slots_are_removed_with_their_tasks(cloud: Cloud) -> None:
    wish = services(cloud)
    run(cloud, "ecs_services", wish)
    gone = {"cluster": NAME, "tags": TAGS, "state": "absent", "services": wish["services"]}
    assert len(wishes.steps(run(cloud, "ecs_services", gone))) == 2
    assert run(cloud, "ecs_services", gone)["changed"] is False


def test_a_plan_can_be_made_with_placeholders_and_no_cluster(cloud: Cloud) -> None:
    wish = {
        "cluster": NAME,
        "tags": TAGS,
        "subnet_ids": ["planned:subnet/1"],
        "security_group_ids": ["planned:security_group/app"],
        "services": [{"name": BLUE, "task_definition": BLUE, "target_group_arn": f"planned:target_group/{BLUE}"}],
    }
    assert wishes.steps(run(cloud, "ecs_services", wish, check=True)) == [f"ecs_service/{BLUE}:create"]
