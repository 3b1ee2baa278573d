# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Targets, each known by its id and port. Without a data plane every target in use is healthy."""

from __future__ import annotations

import ipaddress
from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import only
from local_cloud.control_plane.services.elbv2 import state


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one["Id"] == other["Id"] and one.get("Port") == other.get("Port")


def _with_port(group: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    if group["TargetType"] == "lambda":
        return only(target, "Id")
    return {"Port": group["Port"], **only(target, "Id", "Port", "AvailabilityZone")}


@registry.handles("elbv2", "RegisterTargets")
def register_targets(call: Call) -> Params:
    group = state.get("targetgroup", call.params["TargetGroupArn"])
    kept = list(state.targets[group["TargetGroupArn"]])
    for target in call.params["Targets"]:
        if group["TargetType"] == "ip":
            try:
                ipaddress.ip_address(target["Id"])
            except ValueError as error:
                raise AwsError(
                    "ValidationError", f"The IP address '{target['Id']}' is not a valid IPv4 address"
                ) from error
        wanted = _with_port(group, target)
        kept = [item for item in kept if not same(item, wanted)] + [wanted]
    state.targets[group["TargetGroupArn"]] = kept
    return {}


@registry.handles("elbv2", "DeregisterTargets")
def deregister_targets(call: Call) -> Params:
    group = state.get("targetgroup", call.params["TargetGroupArn"])
    kept = state.targets[group["TargetGroupArn"]]
    for target in call.params["Targets"]:
        # Without a port, AWS deregisters every port of the id.
        kept = [item for item in kept if not (same(item, target) if "Port" in target else item["Id"] == target["Id"])]
    state.targets[group["TargetGroupArn"]] = kept
    return {}


@registry.handles("elbv2", "DescribeTargetHealth")
def describe_target_health(call: Call) -> Params:
    group = state.get("targetgroup", call.params["TargetGroupArn"])
    registered = state.targets[group["TargetGroupArn"]]
    asked = [_with_port(group, target) for target in call.params.get("Targets", [])] or registered
    return {"TargetHealthDescriptions": [_health(group, registered, target) for target in asked]}


def _health(group: dict[str, Any], registered: list[dict[str, Any]], target: dict[str, Any]) -> dict[str, Any]:
    health = {"State": "healthy"}
    if not any(same(target, item) for item in registered):
        health = {
            "State": "unused",
            "Reason": "Target.NotRegistered",
            "Description": "Target is not registered to the target group",
        }
    elif not state.load_balancers_using(group["TargetGroupArn"]):
        health = {
            "State": "unused",
            "Reason": "Target.NotInUse",
            "Description": "Target group is not configured to receive traffic from the load balancer",
        }
    shown: dict[str, Any] = {"Target": target, "TargetHealth": health}
    if group["TargetType"] != "lambda":
        shown["HealthCheckPort"] = (
            str(target["Port"]) if group["HealthCheckPort"] == "traffic-port" else group["HealthCheckPort"]
        )
    return shown
