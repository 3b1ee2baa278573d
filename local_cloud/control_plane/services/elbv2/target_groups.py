# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Target groups and their attributes."""

from __future__ import annotations

import re
from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import only, page, random_hex
from local_cloud.control_plane.services.elbv2 import state
from local_cloud.control_plane.services.elbv2.load_balancers import change_attributes, shown

# Source: API reference, TargetGroupAttribute; what a new target group of an Application Load Balancer shows.
DEFAULT_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "slow_start.duration_seconds": "0",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_HEALTH_CHECK = (
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)


@registry.handles("elbv2", "CreateTargetGroup")
async def create_target_group(call: Call) -> Params:
    wanted = call.params
    name = wanted["Name"]
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?", name):
        raise AwsError(
            "ValidationError",
            f"Target group name '{name}' must have 1 to 32 characters, only letters, digits and hyphens, and must not "
            "begin or end with a hyphen",
        )
    kind = wanted.get("TargetType", "instance")
    settings: dict[str, Any] = {
        "TargetGroupName": name,
        "TargetType": kind,
        **only(wanted, "Protocol", "Port", "VpcId"),
    }
    if kind != "lambda":
        if not {"Protocol", "Port", "VpcId"} <= wanted.keys():
            raise AwsError("ValidationError", f"A protocol, a port and a VPC must be specified for target type {kind}")
        await _check_vpc(call, wanted["VpcId"])
        settings["ProtocolVersion"] = wanted.get("ProtocolVersion", "HTTP1")
    settings["IpAddressType"] = wanted.get("IpAddressType", "ipv4")
    settings |= {
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": kind != "lambda",
        "HealthCheckPath": "/",
        "HealthCheckIntervalSeconds": 30 if kind != "lambda" else 35,
        "HealthCheckTimeoutSeconds": 5 if kind != "lambda" else 30,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
        **only(wanted, *_HEALTH_CHECK),
    }
    _check_health_check(settings)
    for existing in state.target_groups.values():
        if existing["TargetGroupName"] == name:
            if {key: existing.get(key) for key in settings} != settings:
                raise AwsError(
                    "DuplicateTargetGroupName",
                    f"A target group with the same name '{name}' exists, but with different settings",
                )
            return {"TargetGroups": [_shown(existing)]}
    arn = f"arn:aws:elasticloadbalancing:{call.region}:{call.account}:targetgroup/{name}/{random_hex(16)}"
    state.target_groups[arn] = {"TargetGroupArn": arn, **settings}
    state.attributes[arn] = dict(DEFAULT_ATTRIBUTES)
    state.tags[arn] = wanted.get("Tags", [])
    state.targets[arn] = []
    return {"TargetGroups": [_shown(state.target_groups[arn])]}


async def _check_vpc(call: Call, vpc: str) -> None:
    try:
        await call.invoke("ec2", "DescribeVpcs", {"VpcIds": [vpc]})
    except AwsError as error:
        raise AwsError("ValidationError", f"The VPC ID '{vpc}' is not found") from error


def _check_health_check(settings: dict[str, Any]) -> None:
    if settings["HealthCheckTimeoutSeconds"] >= settings["HealthCheckIntervalSeconds"]:
        raise AwsError(
            "ValidationError",
            f"Health check timeout '{settings['HealthCheckTimeoutSeconds']}' must be smaller than the interval "
            f"'{settings['HealthCheckIntervalSeconds']}'",
        )
    ranges = {
        "HealthCheckIntervalSeconds": (5, 300),
        "HealthCheckTimeoutSeconds": (2, 120),
        "HealthyThresholdCount": (2, 10),
        "UnhealthyThresholdCount": (2, 10),
    }
    for name, (low, high) in ranges.items():
        if not low <= settings[name] <= high:
            raise AwsError("ValidationError", f"{name} '{settings[name]}' must be between {low} and {high}")


def _shown(group: dict[str, Any]) -> dict[str, Any]:
    return {**group, "LoadBalancerArns": state.load_balancers_using(group["TargetGroupArn"])}


@registry.handles("elbv2", "DescribeTargetGroups")
def describe_target_groups(call: Call) -> Params:
    items = list(state.target_groups.values())
    if arns := call.params.get("TargetGroupArns"):
        items = [state.get("targetgroup", arn) for arn in arns]
    if names := call.params.get("Names"):
        items = [item for item in items if item["TargetGroupName"] in names]
        if len(items) < len(set(names)):
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
    if load_balancer := call.params.get("LoadBalancerArn"):
        state.get("loadbalancer", load_balancer)
        items = [item for item in items if load_balancer in state.load_balancers_using(item["TargetGroupArn"])]
    some, marker = page([_shown(item) for item in items], call.params.get("Marker"), call.params.get("PageSize"), 400)
    return {"TargetGroups": some, "NextMarker": marker}


@registry.handles("elbv2", "ModifyTargetGroup")
def modify_target_group(call: Call) -> Params:
    group = state.get("targetgroup", call.params["TargetGroupArn"])
    changed = {**group, **only(call.params, *_HEALTH_CHECK)}
    _check_health_check(changed)
    state.target_groups[group["TargetGroupArn"]] = changed
    return {"TargetGroups": [_shown(changed)]}


@registry.handles("elbv2", "DeleteTargetGroup")
def delete_target_group(call: Call) -> Params:
    arn = call.params["TargetGroupArn"]
    if arn in state.target_groups:
        if state.load_balancers_using(arn):
            raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
        state.target_groups.pop(arn, None)
        state.targets.pop(arn, None)
        state.forget(arn)
    return {}


@registry.handles("elbv2", "DescribeTargetGroupAttributes")
def describe_target_group_attributes(call: Call) -> Params:
    state.get("targetgroup", call.params["TargetGroupArn"])
    return {"Attributes": shown(state.attributes[call.params["TargetGroupArn"]])}


@registry.handles("elbv2", "ModifyTargetGroupAttributes")
def modify_target_group_attributes(call: Call) -> Params:
    arn = call.params["TargetGroupArn"]
    state.get("targetgroup", arn)
    return {"Attributes": change_attributes(arn, DEFAULT_ATTRIBUTES, "Target group", call.params["Attributes"])}
