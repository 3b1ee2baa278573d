# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scalable targets and what was done to them."""

from __future__ import annotations

import uuid
from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now, only, random_hex
from local_cloud.control_plane.services.application_autoscaling import policies, state

_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


@registry.handles(state.SERVICE, "RegisterScalableTarget")
async def register_scalable_target(call: Call) -> Params:
    wanted = call.params
    old = state.targets.get(state.key(wanted), {})
    target = {
        **old,
        **only(wanted, "ServiceNamespace", "ResourceId", "ScalableDimension", "MinCapacity", "MaxCapacity"),
    }
    if not {"MinCapacity", "MaxCapacity"} <= target.keys():
        raise AwsError("ValidationException", "MinCapacity and MaxCapacity are required for a new scalable target")
    if target["MaxCapacity"] < target["MinCapacity"]:
        raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
    if not old:
        await _check_resource(call)
        target["ScalableTargetARN"] = (
            f"arn:aws:application-autoscaling:{call.region}:{call.account}:scalable-target/{random_hex(32)}"
        )
        target["CreationTime"] = now()
        target["RoleARN"] = wanted.get("RoleARN") or (
            f"arn:aws:iam::{call.account}:role/aws-service-role/{_LINKED_ROLES.get(wanted['ServiceNamespace'], '')}"
        )
        state.tags[target["ScalableTargetARN"]] = {}
    elif wanted.get("RoleARN"):
        target["RoleARN"] = wanted["RoleARN"]
    if wanted.get("Tags"):
        if old:
            raise AwsError("ValidationException", "Tags can be specified only for a new scalable target")
        state.tags[target["ScalableTargetARN"]] = wanted["Tags"]
    suspended = {
        **dict.fromkeys(_SUSPENDED, False),
        **old.get("SuspendedState", {}),
        **wanted.get("SuspendedState", {}),
    }
    target["SuspendedState"] = suspended
    state.targets[state.key(wanted)] = target
    await _move_into_range(call, target)
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


_LINKED_ROLES = {
    "ecs": "ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
    "rds": "rds.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_RDSCluster",
}


async def _ecs_service(call: Call, resource: str) -> dict[str, Any] | None:
    _, cluster, service = resource.split("/")
    try:
        found = await call.invoke("ecs", "DescribeServices", {"cluster": cluster, "services": [service]})
    except AwsError:
        return None
    active = [item for item in found["services"] if item["status"] == "ACTIVE"]
    return active[0] if active else None


async def _check_resource(call: Call) -> None:
    """Refuse a target that names nothing, as AWS does."""
    namespace, resource = call.params["ServiceNamespace"], call.params["ResourceId"]
    if namespace == "ecs":
        if resource.count("/") != 2 or not resource.startswith("service/"):
            raise AwsError(
                "ValidationException", f"Unsupported service namespace, resource type or scalable dimension: {resource}"
            )
        if not await _ecs_service(call, resource):
            raise AwsError("ValidationException", f"ECS service doesn't exist: {resource}")
    elif namespace == "rds":
        try:
            await call.invoke("rds", "DescribeDBClusters", {"DBClusterIdentifier": resource.removeprefix("cluster:")})
        except AwsError as error:
            raise AwsError("ValidationException", f"DB cluster doesn't exist: {resource}") from error


async def _move_into_range(call: Call, target: dict[str, Any]) -> None:
    if target["ServiceNamespace"] != "ecs":
        return
    service = await _ecs_service(call, target["ResourceId"])
    if not service:
        return
    desired = min(max(service["desiredCount"], target["MinCapacity"]), target["MaxCapacity"])
    if desired == service["desiredCount"]:
        return
    _, cluster, name = target["ResourceId"].split("/")
    await call.invoke("ecs", "UpdateService", {"cluster": cluster, "service": name, "desiredCount": desired})
    bound = "minimum" if desired == target["MinCapacity"] else "maximum"
    record_activity(target, desired, f"{bound} capacity was set to {desired}")


def record_activity(target: dict[str, Any], desired: int, cause: str) -> None:
    """Keep a finished scaling activity, as DescribeScalingActivities shows it."""
    activity = {
        "ActivityId": str(uuid.uuid4()),
        **only(target, "ServiceNamespace", "ResourceId", "ScalableDimension"),
        "Description": f"Setting desired count to {desired}.",
        "Cause": cause,
        "StartTime": now(),
        "EndTime": now(),
        "StatusCode": "Successful",
        "StatusMessage": f"Successfully set desired count to {desired}. Change successfully fulfilled by "
        f"{target['ServiceNamespace']}.",
    }
    state.activities[activity["ActivityId"]] = activity


@registry.handles(state.SERVICE, "DescribeScalableTargets")
def describe_scalable_targets(call: Call) -> Params:
    wanted = call.params.get("ResourceIds")
    items = [
        item
        for item in state.matching(state.targets.values(), call.params)
        if not wanted or item["ResourceId"] in wanted
    ]
    return state.paged("ScalableTargets", items, call.params)


@registry.handles(state.SERVICE, "DeregisterScalableTarget")
async def deregister_scalable_target(call: Call) -> Params:
    target = state.target_of(call.params)
    prefix = state.key(call.params) + "|"
    for key in [key for key in state.policies if key.startswith(prefix)]:
        await policies.delete(call, key)
    for key in [key for key in state.actions if key.startswith(prefix)]:
        state.actions.pop(key, None)
    state.tags.pop(target["ScalableTargetARN"], None)
    state.targets.pop(state.key(call.params), None)
    return {}


@registry.handles(state.SERVICE, "DescribeScalingActivities")
def describe_scaling_activities(call: Call) -> Params:
    found = sorted(
        state.matching(state.activities.values(), call.params), key=lambda item: item["StartTime"], reverse=True
    )
    return state.paged("ScalingActivities", found, call.params)
