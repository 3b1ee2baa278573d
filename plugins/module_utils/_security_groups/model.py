# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The security groups that are wanted, as resources; pure.

A group and its rules are two resources: the group exists first, so that groups may name each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused
from .rules import EGRESS, INGRESS, Rule

# Names and descriptions: API reference of CreateSecurityGroup and of IpRange.
_TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}")
# A prefix list counts as many rules as its weight (VPC user guide, AWS-managed prefix lists).
_WEIGHTS = {
    "com.amazonaws.global.cloudfront.origin-facing": 55,
    "com.amazonaws.global.ipv6.cloudfront.origin-facing": 55,
    "com.amazonaws.global.groundstation": 5,
}
_REGIONAL_WEIGHTS = {"route53-healthchecks": 25, "vpc-lattice": 10, "ec2-instance-connect": 2, "s3express": 6}
_WORLD = 8  # a range wider than /8 is no network of anyone's own


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `security_groups` call. Raises PlanRefused."""
    groups = params["groups"]
    if wrong := [*problems(params["name"], groups, params["rules_per_group"])]:
        raise PlanRefused(wrong)
    made, rules = [], []
    for group in groups:
        own = full_name(params["name"], group["name"])
        fields = {"vpc": params["vpc_id"], "description": group["description"]}
        made.append(Resource("security_group", own, fields, tags=named(params["tags"], own)))
        wanted = {
            direction: _lines(params["name"], groups, group[direction], direction) for direction in (INGRESS, EGRESS)
        }
        rules.append(Resource("security_group_rules", own, wanted, on=(("security_group", own),)))
    return [*made, *rules]


def prefix_lists(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of all prefix lists that rules of these groups use."""
    return sorted({name for _group, _direction, rule in _rules(groups) for name in rule["prefix_lists"]})


def full_name(prefix: str, name: str) -> str:
    """AWS's group name, such as ``stories-production-alb``."""
    return f"{prefix}-{name}"


def _lines(
    prefix: str, groups: Sequence[Mapping[str, Any]], rules: Sequence[Mapping[str, Any]], direction: str
) -> dict[str, str]:
    names = {group["name"] for group in groups}
    found: dict[str, str] = {}
    for rule in rules:
        peers = [
            *(("cidr", _canonical(cidr)) for cidr in rule["cidr_blocks"]),
            *(("group", full_name(prefix, one) if one in names else one) for one in rule["security_groups"]),
            *(("prefix list", one) for one in rule["prefix_lists"]),
        ]
        for sort, peer in peers:
            found[Rule(_protocol(rule), _ports(rule), sort, peer).line(direction)] = rule["description"]
    return found


def _protocol(rule: Mapping[str, Any]) -> str:
    return "all" if rule["protocol"] == "-1" else str(rule["protocol"])


def _ports(rule: Mapping[str, Any]) -> tuple[int, int] | None:
    if rule["from_port"] is None:
        return None
    last = rule["from_port"] if rule["to_port"] is None else rule["to_port"]
    ports = (rule["from_port"], last)
    return None if ports == (0, 65535) and rule["protocol"] in ("tcp", "udp") else ports


def _canonical(cidr: str) -> str:
    return str(ip_network(cidr))


def _rules(groups: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for group in groups:
        for direction in (INGRESS, EGRESS):
            for rule in group[direction]:
                yield group["name"], direction, rule


def problems(prefix: str, groups: Sequence[Mapping[str, Any]], quota: int) -> Iterator[str]:
    """Everything wrong with the groups, one sentence each."""
    names = [group["name"] for group in groups]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read security group {name} twice. Name each group once."
    for group in groups:
        own = full_name(prefix, group["name"])
        if not _TEXT.fullmatch(own) or own.startswith("sg-"):
            yield (
                f"Read the security group name {own!r}; AWS takes up to 255 letters, digits, spaces and "
                "._-:/()#,@[]+=&;{}!$*, not beginning with sg-. Choose such a name."
            )
        if not _TEXT.fullmatch(group["description"]):
            yield _bad_text(f"security group {own}", group["description"])
    for name, direction, rule in _rules(groups):
        yield from _rule_problems(f"{direction} rule {rule['description']!r} of security group {name}", direction, rule)
        for other in rule["security_groups"]:
            if other not in names and not other.startswith("sg-"):
                yield (
                    f"Read the group {other!r} in a rule of security group {name}; there are {', '.join(names)}. "
                    "Name one of these, or give an id such as sg-0a1b2c3d."
                )
    for group in groups:
        for direction in (INGRESS, EGRESS):
            yield from _quota_problems(full_name(prefix, group["name"]), direction, group[direction], quota)


def _bad_text(what: str, text: str) -> str:
    return (
        f"Read the description {text!r} of {what}; AWS takes up to 255 letters, digits, spaces and "
        "._-:/()#,@[]+=&;{}!$*. Write it with these."
    )


def _rule_problems(what: str, direction: str, rule: Mapping[str, Any]) -> Iterator[str]:
    if rule["description"] and not _TEXT.fullmatch(rule["description"]):
        yield _bad_text(what, rule["description"])
    if not any(rule[peers] for peers in ("cidr_blocks", "security_groups", "prefix_lists")):
        yield f"Read the {what} and found nobody in it. Give cidr_blocks, security_groups or prefix_lists."
    if rule["protocol"] in ("tcp", "udp") and rule["from_port"] is None:
        yield f"Read the {what} without a port. Give from_port, or protocol -1 for all traffic."
    if rule["protocol"] == "-1" and rule["from_port"] is not None:
        yield f"Read the {what} with a port and all protocols; AWS would open every port. Name the protocol."
    if rule["protocol"] in ("tcp", "udp") and rule["from_port"] is not None:
        first = rule["from_port"]
        last = first if rule["to_port"] is None else rule["to_port"]
        if not 0 <= first <= last <= 65535:
            yield f"Read ports {first} to {last} in the {what}; they run from 0 to 65535, upwards. Mend them."
    for cidr in rule["cidr_blocks"]:
        try:
            network = ip_network(cidr)
        except ValueError as error:
            yield f"Read CIDR {cidr!r} in the {what}: {error}. Write it like 10.0.0.0/16."
            continue
        if direction == INGRESS and network.prefixlen < _WORLD and not rule["allow_world"]:
            yield (
                f"Read CIDR {cidr} in the {what}; it opens the group to the world. Name who may come in, or set "
                "allow_world: true on this rule."
            )


def _quota_problems(name: str, direction: str, rules: Sequence[Mapping[str, Any]], quota: int) -> Iterator[str]:
    weight = 0
    for rule in rules:
        weight += len(rule["cidr_blocks"]) + len(rule["security_groups"])
        for one in rule["prefix_lists"]:
            weight += _WEIGHTS.get(one) or _REGIONAL_WEIGHTS.get(one.rpartition(".")[2], 1)
    if weight > quota:
        yield (
            f"Counted {weight} {direction} rules in security group {name}, a prefix list by its weight; the quota is "
            f'{quota} (CloudFront\'s list weighs 55). Raise the quota "Inbound or outbound rules per security group" '
            "in Service Quotas and set rules_per_group to it, or use fewer rules."
        )
