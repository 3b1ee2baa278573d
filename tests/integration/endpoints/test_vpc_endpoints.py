"""vpc_endpoints on the embedded cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
READING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": "*"}],
}


@pytest.fixture
def wish(cloud: Cloud) -> dict[str, Any]:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    tables = [ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _zone in range(2)]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(VpcId=vpc, GroupName="endpoints", Description="Endpoints")
    return {
        "name": "stories-test",
        "tags": TAGS,
        "vpc_id": vpc,
        "gateway_services": ["s3"],
        "route_table_ids": tables,
        "interface_services": ["ecr.api", "secretsmanager"],
        "subnet_ids": [subnet["Subnet"]["SubnetId"] for subnet in subnets],
        "security_group_ids": [group["GroupId"]],
        "policies": {"s3": READING},
    }


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def endpoint(cloud: Cloud, service: str) -> dict[str, Any]:
    filters = [{"Name": "tag:Name", "Values": [f"stories-test-{service}"]}]
    found: dict[str, Any] = cloud.client("ec2").describe_vpc_endpoints(Filters=filters)["VpcEndpoints"][0]
    return found


def modify(cloud: Cloud, service: str, **changes: Any) -> None:
    ident = endpoint(cloud, service)["VpcEndpointId"]
    cloud.client("ec2").modify_vpc_endpoint(VpcEndpointId=ident, **changes)


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    placeholders = {
        "vpc_id": "planned:vpc/stories-test",
        "route_table_ids": ["planned:route_table/stories-test-app-1"],
        "subnet_ids": ["planned:subnet/stories-test-app-1"],
        "security_group_ids": ["planned:security_group/stories-test-endpoints"],
    }
    with cloud.recorded() as calls:
        planned = run_module(cloud, "vpc_endpoints", {**wish, **placeholders}, check=True)
    assert not [call for call in calls if call["writes"]]
    made = run_module(cloud, "vpc_endpoints", wish)
    assert steps(planned) == steps(made)
    assert len(steps(made)) == 3
    assert made["endpoint_ids"]["s3"] == endpoint(cloud, "s3")["VpcEndpointId"]


def test_the_second_run_changes_nothing_in_one_call(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "vpc_endpoints", wish)
    with cloud.recorded() as calls:
        assert run_module(cloud, "vpc_endpoints", wish)["changed"] is False
    assert len(calls) == 1


def lost_route_table(cloud: Cloud) -> None:
    modify(cloud, "s3", RemoveRouteTableIds=endpoint(cloud, "s3")["RouteTableIds"][:1])


def lost_subnet(cloud: Cloud) -> None:
    modify(cloud, "ecr.api", RemoveSubnetIds=endpoint(cloud, "ecr.api")["SubnetIds"][:1])


def other_security_group(cloud: Cloud) -> None:
    found = endpoint(cloud, "ecr.api")
    other = cloud.client("ec2").create_security_group(VpcId=found["VpcId"], GroupName="other", Description="Other")
    mine = found["Groups"][0]["GroupId"]
    modify(cloud, "ecr.api", AddSecurityGroupIds=[other["GroupId"]], RemoveSecurityGroupIds=[mine])


def no_private_dns(cloud: Cloud) -> None:
    modify(cloud, "secretsmanager", PrivateDnsEnabled=False)


def open_policy(cloud: Cloud) -> None:
    everything = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}'
    modify(cloud, "s3", PolicyDocument=everything)


def foreign_tag(cloud: Cloud) -> None:
    ident = endpoint(cloud, "s3")["VpcEndpointId"]
    cloud.client("ec2").create_tags(Resources=[ident], Tags=[{"Key": "Owner", "Value": "somebody"}])


@pytest.mark.parametrize(
    ("by_hand", "service", "field"),
    [
        (lost_route_table, "s3", "route_tables"),
        (lost_subnet, "ecr.api", "subnets"),
        (other_security_group, "ecr.api", "security_groups"),
        (no_private_dns, "secretsmanager", "private_dns"),
        (open_policy, "s3", "policy"),
        (foreign_tag, "s3", "Owner"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, wish: dict[str, Any], by_hand: Callable[[Cloud], None], service: str, field: str
) -> None:
    run_module(cloud, "vpc_endpoints", wish)
    by_hand(cloud)
    drift = run_module(cloud, "vpc_endpoints", wish, check=True)
    diff = drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert f"VPC endpoint stories-test-{service}" in diff
    assert field in diff
    assert run_module(cloud, "vpc_endpoints", wish)["changed"] is True
    assert run_module(cloud, "vpc_endpoints", wish)["changed"] is False


def test_endpoints_of_a_run_that_was_stopped_are_not_made_twice(cloud: Cloud, wish: dict[str, Any]) -> None:
    refusal = {"kind": "error", "code": "UnauthorizedOperation", "status": 403}
    cloud.admin("POST", "/faults", {"service": "ec2", "writes_only": True, "skip": 1, **refusal})
    assert "create VPC endpoint stories-test-" in run_module(cloud, "vpc_endpoints", wish)["msg"]
    cloud.admin("DELETE", "/faults")
    assert len(steps(run_module(cloud, "vpc_endpoints", wish))) == 2
    assert len(cloud.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]) == 3


def test_absent_removes_all_and_a_second_time_nothing(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "vpc_endpoints", wish)
    gone = {"name": "stories-test", "tags": TAGS, "state": "absent"}
    assert len(steps(run_module(cloud, "vpc_endpoints", gone))) == 3
    assert run_module(cloud, "vpc_endpoints", gone)["changed"] is False


def test_a_service_that_has_no_gateway_is_an_error_before_the_first_write(cloud: Cloud, wish: dict[str, Any]) -> None:
    with cloud.recorded() as calls:
        result = run_module(cloud, "vpc_endpoints", {**wish, "gateway_services": ["ecr.api"], "policies": {}})
    assert "AWS has gateways for s3 and dynamodb" in result["msg"]
    assert calls == []
