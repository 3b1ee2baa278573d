# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Application Auto Scaling: targets, policies with their alarms, scheduled actions, activities, tags.

Registering a target moves an ECS service's desired count into the range at once, as AWS does. Nothing scales on
metrics: the alarms of a target-tracking policy exist in CloudWatch, and whoever drives them scales.
"""

from __future__ import annotations

import uuid
from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now, only, page, random_hex
from local_cloud.control_plane.stores import store

SERVICE = "application-autoscaling"
registry.new_service(SERVICE)

targets = store("scalable_targets")  # "namespace|resource|dimension" -> ScalableTarget
policies = store("scaling_policies")  # "namespace|resource|dimension|name" -> ScalingPolicy
actions = store("scheduled_actions")  # the same -> ScheduledAction
activities = store("scaling_activities")  # activity id -> ScalingActivity
tags = store("scalable_target_tags")  # target ARN -> {key: value}

_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_ALARM_PERIODS = {"AlarmHigh": 3, "AlarmLow": 15}


def _key(params: Params, *more: str) -> str:
    return "|".join([params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"], *more])


def _target_of(params: Params) -> dict[str, Any]:
    key = _key(params)
    if key not in targets:
        raise AwsError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: {params['ServiceNamespace']}, resource ID: "
            f"{params['ResourceId']}, scalable dimension: {params['ScalableDimension']}",
        )
    found: dict[str, Any] = targets[key]
    return found


@registry.handles(SERVICE, "RegisterScalableTarget")
async def register_scalable_target(call: Call) -> Params:
    wanted = call.params
    old = targets.get(_key(wanted), {})
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
        tags[target["ScalableTargetARN"]] = {}
    elif wanted.get("RoleARN"):
        target["RoleARN"] = wanted["RoleARN"]
    if wanted.get("Tags"):
        if old:
            raise AwsError("ValidationException", "Tags can be specified only for a new scalable target")
        tags[target["ScalableTargetARN"]] = wanted["Tags"]
    suspended = {
        **dict.fromkeys(_SUSPENDED, False),
        **old.get("SuspendedState", {}),
        **wanted.get("SuspendedState", {}),
    }
    target["SuspendedState"] = suspended
    targets[_key(wanted)] = target
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
    activities[activity["ActivityId"]] = activity


def _matching(items: Any, params: Params) -> list[dict[str, Any]]:
    return [
        item
        for item in items
        if item["ServiceNamespace"] == params["ServiceNamespace"]
        and params.get("ResourceId", item["ResourceId"]) == item["ResourceId"]
        and params.get("ScalableDimension", item["ScalableDimension"]) == item["ScalableDimension"]
    ]


def _paged(name: str, items: list[dict[str, Any]], params: Params) -> Params:
    some, token = page(items, params.get("NextToken"), params.get("MaxResults"), 50)
    return {name: some, "NextToken": token}


@registry.handles(SERVICE, "DescribeScalableTargets")
def describe_scalable_targets(call: Call) -> Params:
    wanted = call.params.get("ResourceIds")
    items = [item for item in _matching(targets.values(), call.params) if not wanted or item["ResourceId"] in wanted]
    return _paged("ScalableTargets", items, call.params)


@registry.handles(SERVICE, "DeregisterScalableTarget")
async def deregister_scalable_target(call: Call) -> Params:
    target = _target_of(call.params)
    prefix = _key(call.params) + "|"
    for key in [key for key in policies if key.startswith(prefix)]:
        await _delete_policy(call, key)
    for key in [key for key in actions if key.startswith(prefix)]:
        actions.pop(key, None)
    tags.pop(target["ScalableTargetARN"], None)
    targets.pop(_key(call.params), None)
    return {}


@registry.handles(SERVICE, "PutScalingPolicy")
async def put_scaling_policy(call: Call) -> Params:
    wanted = call.params
    _target_of(wanted)
    key = _key(wanted, wanted["PolicyName"])
    old = policies.get(key, {})
    kind = wanted.get("PolicyType") or old.get("PolicyType", "StepScaling")
    configuration = (
        f"{kind}PolicyConfiguration" if kind == "StepScaling" else "TargetTrackingScalingPolicyConfiguration"
    )
    if old and old["PolicyType"] != kind:
        raise AwsError("ValidationException", "The policy type of an existing scaling policy cannot be changed")
    if configuration not in wanted:
        raise AwsError("ValidationException", f"A policy of type {kind} must have a {configuration}")
    arn = old.get("PolicyARN") or (
        f"arn:aws:autoscaling:{call.region}:{call.account}:scalingPolicy:{uuid.uuid4()}:resource/"
        f"{wanted['ServiceNamespace']}/{wanted['ResourceId']}:policyName/{wanted['PolicyName']}"
    )
    policy = {
        "PolicyARN": arn,
        **only(wanted, "PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension"),
        "PolicyType": kind,
        configuration: wanted[configuration],
        "CreationTime": old.get("CreationTime") or now(),
        "Alarms": [],
    }
    if kind == "TargetTrackingScaling":
        policy["Alarms"] = await _put_alarms(call, policy, old.get("Alarms", []))
    policies[key] = policy
    return {"PolicyARN": arn, "Alarms": policy["Alarms"]}


async def _put_alarms(call: Call, policy: dict[str, Any], old: list[dict[str, str]]) -> list[dict[str, str]]:
    """The CloudWatch alarms of a target-tracking policy; an update keeps their names."""
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    metric = _metric(policy, tracking)
    kept = []
    for kind, periods in _ALARM_PERIODS.items():
        if kind == "AlarmLow" and tracking.get("DisableScaleIn"):
            continue
        name = next(
            (alarm["AlarmName"] for alarm in old if f"-{kind}-" in alarm["AlarmName"]),
            f"TargetTracking-{policy['ResourceId']}-{kind}-{uuid.uuid4()}",
        )
        high = kind == "AlarmHigh"
        await call.invoke(
            "cloudwatch",
            "PutMetricAlarm",
            {
                "AlarmName": name,
                "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
                "AlarmActions": [policy["PolicyARN"]],
                "ComparisonOperator": "GreaterThanThreshold" if high else "LessThanThreshold",
                "EvaluationPeriods": periods,
                "Threshold": tracking["TargetValue"] * (1 if high else 0.9),
                **metric,
            },
        )
        arn = f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{name}"
        kept.append({"AlarmName": name, "AlarmARN": arn})
    gone = [alarm["AlarmName"] for alarm in old if alarm["AlarmName"] not in {item["AlarmName"] for item in kept}]
    if gone:
        await call.invoke("cloudwatch", "DeleteAlarms", {"AlarmNames": gone})
    return kept


def _metric(policy: dict[str, Any], tracking: dict[str, Any]) -> dict[str, Any]:
    """The metric that the policy's alarms watch, as PutMetricAlarm takes it."""
    if custom := tracking.get("CustomizedMetricSpecification"):
        if "Metrics" in custom:
            return {
                "Metrics": [{**query, "Period": 60} if "Expression" in query else query for query in custom["Metrics"]]
            }
        return {**only(custom, "MetricName", "Namespace", "Dimensions", "Statistic"), "Period": 60}
    predefined = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
    if predefined == "ALBRequestCountPerTarget":
        label = tracking["PredefinedMetricSpecification"].get("ResourceLabel", "")
        if "/targetgroup/" not in label:
            raise AwsError(
                "ValidationException",
                "ALBRequestCountPerTarget needs a ResourceLabel: app/<name>/<id>/targetgroup/<name>/<id>",
            )
        group = label[label.index("targetgroup/") :]
        dimensions = [{"Name": "TargetGroup", "Value": group}]
        return {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "RequestCountPerTarget",
            "Dimensions": dimensions,
            "Statistic": "Sum",
            "Period": 60,
        }
    if policy["ServiceNamespace"] == "ecs":
        _, cluster, service = policy["ResourceId"].split("/")
        return {
            "Namespace": "AWS/ECS",
            "MetricName": predefined.removeprefix("ECSServiceAverage"),
            "Dimensions": [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}],
            "Statistic": "Average",
            "Period": 60,
        }
    return {
        "Namespace": "AWS/RDS",
        "MetricName": predefined.removeprefix("RDSReaderAverage"),
        "Dimensions": [
            {"Name": "DBClusterIdentifier", "Value": policy["ResourceId"].removeprefix("cluster:")},
            {"Name": "Role", "Value": "READER"},
        ],
        "Statistic": "Average",
        "Period": 60,
    }


@registry.handles(SERVICE, "DescribeScalingPolicies")
async def describe_scaling_policies(call: Call) -> Params:
    names = call.params.get("PolicyNames")
    items = [item for item in _matching(policies.values(), call.params) if not names or item["PolicyName"] in names]
    if any(item["PolicyType"] == "StepScaling" for item in items):
        items = await _with_callers(call, items)
    return _paged("ScalingPolicies", items, call.params)


async def _with_callers(call: Call, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A step-scaling policy shows the alarms that the user made for it."""
    alarms = (await call.invoke("cloudwatch", "DescribeAlarms", {})).get("MetricAlarms", [])
    shown = []
    for item in items:
        if item["PolicyType"] == "StepScaling":
            callers = [alarm for alarm in alarms if item["PolicyARN"] in alarm.get("AlarmActions", [])]
            item = {
                **item,
                "Alarms": [{"AlarmName": alarm["AlarmName"], "AlarmARN": alarm["AlarmArn"]} for alarm in callers],
            }
        shown.append(item)
    return shown


@registry.handles(SERVICE, "DeleteScalingPolicy")
async def delete_scaling_policy(call: Call) -> Params:
    key = _key(call.params, call.params["PolicyName"])
    if key not in policies:
        raise AwsError("ObjectNotFoundException", f"No scaling policy found for {key.replace('|', ', ')}")
    await _delete_policy(call, key)
    return {}


async def _delete_policy(call: Call, key: str) -> None:
    policy = policies.pop(key, None)
    if policy and policy["Alarms"]:
        names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
        await call.invoke("cloudwatch", "DeleteAlarms", {"AlarmNames": names})


@registry.handles(SERVICE, "PutScheduledAction")
def put_scheduled_action(call: Call) -> Params:
    wanted = call.params
    _target_of(wanted)
    key = _key(wanted, wanted["ScheduledActionName"])
    old = actions.get(key, {})
    if not old and not {"Schedule", "ScalableTargetAction"} <= wanted.keys():
        raise AwsError("ValidationException", "A new scheduled action must have a Schedule and a ScalableTargetAction")
    arn = (
        f"arn:aws:autoscaling:{call.region}:{call.account}:scheduledAction:{uuid.uuid4()}:resource/"
        f"{wanted['ServiceNamespace']}/{wanted['ResourceId']}:scheduledActionName/{wanted['ScheduledActionName']}"
    )
    actions[key] = {"ScheduledActionARN": arn, "CreationTime": now(), "Timezone": "UTC", **old, **wanted}
    return {}


@registry.handles(SERVICE, "DescribeScheduledActions")
def describe_scheduled_actions(call: Call) -> Params:
    names = call.params.get("ScheduledActionNames")
    found = _matching(actions.values(), call.params)
    return _paged(
        "ScheduledActions", [item for item in found if not names or item["ScheduledActionName"] in names], call.params
    )


@registry.handles(SERVICE, "DeleteScheduledAction")
def delete_scheduled_action(call: Call) -> Params:
    if actions.pop(_key(call.params, call.params["ScheduledActionName"]), None) is None:
        raise AwsError(
            "ObjectNotFoundException", f"No scheduled action found named {call.params['ScheduledActionName']}"
        )
    return {}


@registry.handles(SERVICE, "DescribeScalingActivities")
def describe_scaling_activities(call: Call) -> Params:
    found = sorted(_matching(activities.values(), call.params), key=lambda item: item["StartTime"], reverse=True)
    return _paged("ScalingActivities", found, call.params)


def _tags_of(arn: str) -> dict[str, str]:
    if arn not in tags:
        raise AwsError("ResourceNotFoundException", f"The resource {arn} wasn't found.")
    found: dict[str, str] = tags[arn]
    return found


@registry.handles(SERVICE, "ListTagsForResource")
def list_tags_for_resource(call: Call) -> Params:
    return {"Tags": _tags_of(call.params["ResourceARN"])}


@registry.handles(SERVICE, "TagResource")
def tag_resource(call: Call) -> Params:
    _tags_of(call.params["ResourceARN"]).update(call.params["Tags"])
    return {}


@registry.handles(SERVICE, "UntagResource")
def untag_resource(call: Call) -> Params:
    known = _tags_of(call.params["ResourceARN"])
    for key in call.params["TagKeys"]:
        known.pop(key, None)
    return {}
