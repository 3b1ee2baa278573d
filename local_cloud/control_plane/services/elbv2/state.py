# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What load balancers, target groups, listeners and rules there are, and how they are found."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, registry
from local_cloud.control_plane.stores import store

registry.new_service("elbv2")

# Each keyed by ARN, values as the Describe calls show them; targets: target group ARN -> [{"Id", "Port", …}].
load_balancers = store("elbv2_load_balancers")
target_groups = store("elbv2_target_groups")
listeners = store("elbv2_listeners")
rules = store("elbv2_rules")
targets = store("elbv2_targets")
attributes = store("elbv2_attributes")  # ARN -> {key: value}
tags = store("elbv2_tags")  # ARN -> [{"Key", "Value"}]
certificates = store("elbv2_certificates")  # listener ARN -> [ARN], the default one first

_KINDS = {
    "loadbalancer": (load_balancers, "LoadBalancerNotFound", "Load balancer"),
    "targetgroup": (target_groups, "TargetGroupNotFound", "Target group"),
    "listener": (listeners, "ListenerNotFound", "Listener"),
    "listener-rule": (rules, "RuleNotFound", "Rule"),
}


def kind_of(arn: str) -> str:
    """ "loadbalancer", "targetgroup", "listener" or "listener-rule". Raises ValidationError."""
    parts = arn.split(":", 5)
    kind = parts[5].split("/")[0] if len(parts) == 6 and parts[2] == "elasticloadbalancing" else ""
    if kind not in _KINDS:
        raise AwsError("ValidationError", f"'{arn}' is not a valid Elastic Load Balancing ARN")
    return kind


def get(kind: str, arn: str) -> dict[str, Any]:
    """The resource with this ARN. Raises the not-found error of its kind."""
    known, code, noun = _KINDS[kind]
    if arn not in known:
        shown = f"'{arn}' " if kind == "loadbalancer" else ""
        raise AwsError(code, f"{noun} {shown}not found" if shown else f"One or more {noun.lower()}s not found")
    found: dict[str, Any] = known[arn]
    return found


def any_of(arn: str) -> dict[str, Any]:
    """The resource of whatever kind that has this ARN."""
    return get(kind_of(arn), arn)


def listeners_of(load_balancer_arn: str) -> list[dict[str, Any]]:
    return [item for item in listeners.values() if item["LoadBalancerArn"] == load_balancer_arn]


def rules_of(listener_arn: str) -> list[dict[str, Any]]:
    """The listener's own rules by ascending priority; the default rule is the listener's default action."""
    own = [item for item in rules.values() if item["_listener"] == listener_arn]
    return sorted(own, key=lambda rule: int(rule["Priority"]))


def target_groups_of(actions: list[dict[str, Any]]) -> list[str]:
    """ARNs of the target groups that these actions forward to, weight 0 included."""
    return [
        group["TargetGroupArn"]
        for action in actions
        if action["Type"] == "forward"
        for group in action["ForwardConfig"]["TargetGroups"]
    ]


def load_balancers_using(target_group_arn: str) -> list[str]:
    """ARNs of the load balancers with a listener or a rule that names the target group."""
    found = []
    for listener in listeners.values():
        actions = [*listener["DefaultActions"]]
        for rule in rules_of(listener["ListenerArn"]):
            actions += rule["Actions"]
        if target_group_arn in target_groups_of(actions) and listener["LoadBalancerArn"] not in found:
            found.append(listener["LoadBalancerArn"])
    return found


def forget(arn: str) -> None:
    """Remove what hangs on a resource: attributes and tags."""
    for kept in (attributes, tags):
        kept.pop(arn, None)
