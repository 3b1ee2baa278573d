"""Rules of security groups: their line, their limits, their way into the plan."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._security_groups.model import desired
from ansible_collections.stories1001.platform.plugins.module_utils._security_groups.rules import Rule, observed

RULE: dict[str, Any] = {
    "description": "Why",
    "protocol": "tcp",
    "from_port": 443,
    "to_port": None,
    "cidr_blocks": [],
    "security_groups": [],
    "prefix_lists": [],
    "allow_world": False,
}


def wish(*ingress: dict[str, Any], egress: list[dict[str, Any]] | None = None, name: str = "alb") -> dict[str, Any]:
    rules = [{**RULE, **rule} for rule in ingress]
    group = {"name": name, "description": "Load balancer", "ingress": rules, "egress": egress or []}
    tags = {"Project": "p", "Environment": "e"}
    return {"name": "stories-test", "vpc_id": "vpc-1", "tags": tags, "rules_per_group": 60, "groups": [group]}


@pytest.mark.parametrize(
    ("rule", "direction", "line", "permission"),
    [
        (
            Rule("tcp", (3000, 3000), "group", "alb"),
            "ingress",
            "tcp 3000 from group alb",
            {"IpProtocol": "tcp", "FromPort": 3000, "ToPort": 3000, "UserIdGroupPairs": [{"GroupId": "sg-alb"}]},
        ),
        (
            Rule("all", None, "cidr", "0.0.0.0/0"),
            "egress",
            "all ports to 0.0.0.0/0",
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        ),
        (
            Rule("udp", (5000, 5010), "cidr", "fd00::/8"),
            "ingress",
            "udp 5000-5010 from fd00::/8",
            {"IpProtocol": "udp", "FromPort": 5000, "ToPort": 5010, "Ipv6Ranges": [{"CidrIpv6": "fd00::/8"}]},
        ),
        (
            Rule("icmp", None, "prefix list", "s3"),
            "egress",
            "icmp all to prefix list s3",
            {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "PrefixListIds": [{"PrefixListId": "pl-s3"}]},
        ),
        (
            Rule("icmp", (8, -1), "cidr", "10.0.0.0/8"),
            "ingress",
            "icmp 8--1 from 10.0.0.0/8",
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        ),
    ],
)
def test_a_rule_has_a_line_that_leads_back_to_it_and_to_what_ec2_takes(
    rule: Rule, direction: str, line: str, permission: dict[str, Any]
) -> None:
    assert rule.line(direction) == line
    assert Rule.parse(line) == rule
    assert rule.permission("", lambda name: f"sg-{name}", lambda name: f"pl-{name}") == permission


def test_numbers_and_whole_ranges_that_ec2_reports_are_the_names_that_people_write() -> None:
    item = {"IpProtocol": "6", "FromPort": 0, "ToPort": 65535, "ReferencedGroupInfo": {"GroupId": "sg-9"}}
    assert observed(item, lambda ident: "stories-app", str) == Rule("tcp", None, "group", "stories-app")


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"cidr_blocks": ["0.0.0.0/0"]}, "opens the group to the world"),
        ({"cidr_blocks": ["::/0"]}, "opens the group to the world"),
        ({"cidr_blocks": ["0.0.0.0/1", "128.0.0.0/1"]}, "opens the group to the world"),
        ({"cidr_blocks": ["10.0.0.1/16"]}, "Write it like 10.0.0.0/16"),
        ({}, "found nobody in it"),
        ({"security_groups": ["web"]}, "there are alb"),
        ({"from_port": None, "security_groups": ["alb"]}, "without a port"),
        ({"protocol": "-1", "security_groups": ["alb"]}, "would open every port"),
        ({"from_port": 80, "to_port": 70, "security_groups": ["alb"]}, "upwards"),
        ({"description": "naïve", "security_groups": ["alb"]}, "Write it with these"),
    ],
)
def test_a_rule_that_aws_or_prudence_refuses_is_one_sentence(rule: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanRefused) as refusal:
        desired(wish(rule))
    assert sentence in str(refusal.value)


def test_a_rule_may_open_to_the_world_when_it_says_so_itself() -> None:
    rules = desired(wish({"cidr_blocks": ["0.0.0.0/0"], "allow_world": True}))[1]
    assert rules.fields["ingress"] == {"tcp 443 from 0.0.0.0/0": "Why"}


def test_everything_may_go_out_since_egress_opens_nothing() -> None:
    out = {**RULE, "protocol": "-1", "from_port": None, "cidr_blocks": ["0.0.0.0/0"]}
    assert desired(wish(egress=[out]))[1].fields["egress"] == {"all ports to 0.0.0.0/0": "Why"}


def test_cloudfronts_prefix_list_fits_once_into_the_quota_and_not_twice() -> None:
    lists = {"prefix_lists": ["com.amazonaws.global.cloudfront.origin-facing"]}
    assert desired(wish(lists))
    with pytest.raises(PlanRefused, match="Counted 110 ingress rules"):
        desired(wish(lists, {**lists, "from_port": 80}))
