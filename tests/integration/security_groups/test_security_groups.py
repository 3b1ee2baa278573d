"""security_groups on the embedded cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"
GROUPS: list[dict[str, Any]] = [
    {
        "name": "alb",
        "description": "Load balancer",
        "ingress": [
            {"description": "CloudFront", "from_port": 443, "prefix_lists": [CLOUDFRONT]},
            {"description": "Test listener", "from_port": 8443, "cidr_blocks": ["10.0.0.0/16", "fd00::/8"]},
        ],
        "egress": [{"description": "Application", "from_port": 3000, "security_groups": ["app"]}],
    },
    {
        "name": "app",
        "description": "Application",
        "ingress": [{"description": "Load balancer", "from_port": 3000, "security_groups": ["alb"]}],
        "egress": [{"description": "Anywhere", "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}],
    },
    {"name": "rds", "description": "Database", "ingress": [{"from_port": 5432, "security_groups": ["app"]}]},
]


@pytest.fixture
def wish(cloud: Cloud) -> dict[str, Any]:
    vpc = cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return {"name": "stories-test", "tags": TAGS, "vpc_id": vpc, "groups": GROUPS}


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def group(cloud: Cloud, name: str) -> dict[str, Any]:
    filters = [{"Name": "group-name", "Values": [f"stories-test-{name}"]}]
    found: dict[str, Any] = cloud.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]
    return found


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    with cloud.recorded() as calls:
        planned = run_module(cloud, "security_groups", {**wish, "vpc_id": "planned:vpc/stories-test"}, check=True)
    assert not [call for call in calls if call["writes"]]
    assert planned["group_ids"]["alb"].startswith("planned:")
    made = run_module(cloud, "security_groups", wish)
    assert steps(planned) == steps(made)
    assert len(steps(made)) == 6
    assert group(cloud, "rds")["IpPermissionsEgress"] == []


def test_the_second_run_changes_nothing_in_a_handful_of_calls(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "security_groups", wish)
    with cloud.recorded() as calls:
        again = run_module(cloud, "security_groups", wish)
    assert again["changed"] is False
    assert len(calls) == 4


def opened_to_the_world(cloud: Cloud) -> None:
    everyone = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ident = group(cloud, "app")["GroupId"]
    cloud.client("ec2").authorize_security_group_ingress(GroupId=ident, IpPermissions=[everyone])


def lost_rule(cloud: Cloud) -> None:
    rds = group(cloud, "rds")
    cloud.client("ec2").revoke_security_group_ingress(GroupId=rds["GroupId"], IpPermissions=rds["IpPermissions"])


def other_description(cloud: Cloud) -> None:
    told = {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443}
    told["IpRanges"] = [{"CidrIp": "10.0.0.0/16", "Description": "who knows"}]
    ident = group(cloud, "alb")["GroupId"]
    cloud.client("ec2").update_security_group_rule_descriptions_ingress(GroupId=ident, IpPermissions=[told])


def way_out_of_the_database(cloud: Cloud) -> None:
    everywhere = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ident = group(cloud, "rds")["GroupId"]
    cloud.client("ec2").authorize_security_group_egress(GroupId=ident, IpPermissions=[everywhere])


def lost_tag(cloud: Cloud) -> None:
    cloud.client("ec2").delete_tags(Resources=[group(cloud, "alb")["GroupId"]], Tags=[{"Key": "Name"}])


@pytest.mark.parametrize(
    ("by_hand", "resource", "shown"),
    [
        (opened_to_the_world, "rules of security group stories-test-app", "tcp 22 from 0.0.0.0/0"),
        (lost_rule, "rules of security group stories-test-rds", "tcp 5432 from group stories-test-app"),
        (other_description, "rules of security group stories-test-alb", "tcp 8443 from 10.0.0.0/16: who knows"),
        (way_out_of_the_database, "rules of security group stories-test-rds", "all ports to 0.0.0.0/0"),
        (lost_tag, "security group stories-test-alb", "Name: stories-test-alb"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, wish: dict[str, Any], by_hand: Callable[[Cloud], None], resource: str, shown: str
) -> None:
    run_module(cloud, "security_groups", wish)
    by_hand(cloud)
    drift = run_module(cloud, "security_groups", wish, check=True)
    diff = drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert resource in diff
    assert shown in diff
    assert run_module(cloud, "security_groups", wish)["changed"] is True
    assert run_module(cloud, "security_groups", wish)["changed"] is False


def test_a_changed_port_is_opened_before_the_old_one_is_closed_and_other_rules_stay(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    run_module(cloud, "security_groups", wish)
    moved = {**GROUPS[0]["ingress"][0], "from_port": 444}
    groups = [{**GROUPS[0], "ingress": [moved, GROUPS[0]["ingress"][1]]}, *GROUPS[1:]]
    with cloud.recorded() as calls:
        run_module(cloud, "security_groups", {**wish, "groups": groups})
    writes = [call for call in calls if call["writes"]]
    assert [call["action"] for call in writes] == ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"]
    assert len(writes[1]["parameters"]["SecurityGroupRuleIds"]) == 1


def test_groups_that_were_left_half_made_are_finished(cloud: Cloud, wish: dict[str, Any]) -> None:
    refusal = {"kind": "error", "code": "UnauthorizedOperation", "status": 403}
    for stop in range(1, 10, 2):
        cloud.admin("POST", "/faults", {"service": "ec2", "writes_only": True, "skip": stop, **refusal})
        run_module(cloud, "security_groups", wish)
        cloud.admin("DELETE", "/faults")
    run_module(cloud, "security_groups", wish)
    assert run_module(cloud, "security_groups", wish)["changed"] is False
    filters = [{"Name": "tag:Project", "Values": ["1001-stories"]}]
    assert len(cloud.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]) == 3


def test_absent_removes_groups_that_name_each_other_and_a_second_time_nothing(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    run_module(cloud, "security_groups", wish)
    gone = {"name": "stories-test", "tags": TAGS, "state": "absent"}
    assert len(steps(run_module(cloud, "security_groups", gone, check=True))) == 6
    assert len(steps(run_module(cloud, "security_groups", gone))) == 6
    assert run_module(cloud, "security_groups", gone)["changed"] is False


def test_a_prefix_list_that_does_not_exist_is_an_error_before_the_first_write(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    groups = [{**GROUPS[2], "ingress": [{"from_port": 443, "prefix_lists": ["com.amazonaws.global.cloudfrunt"]}]}]
    with cloud.recorded() as calls:
        result = run_module(cloud, "security_groups", {**wish, "groups": groups})
    assert "com.amazonaws.global.cloudfrunt in us-east-1 and found none" in result["msg"]
    assert not [call for call in calls if call["writes"]]
