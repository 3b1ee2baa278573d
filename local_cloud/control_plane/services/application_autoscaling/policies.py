# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scaling policies and the CloudWatch alarms of those that track a target."""

from __future__ import annotations

import uuid
from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now, only
from local_cloud.control_plane.services.application_autoscaling import state

_ALARM_PERIODS = {"AlarmHigh": 3, "AlarmLow": 15}


@registry.handles(state.SERVICE, "PutScalingPolicy")
async def put_scaling_policy(call: Call) -> Params:
    wanted = call.params
    state.target_of(wanted)
    key = state.key(wanted, wanted["PolicyName"])
    old = state.policies.get(key, {})
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
    state.policies[key] = policy
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


@registry.handles(state.SERVICE, "DescribeScalingPolicies")
async def describe_scaling_policies(call: Call) -> Params:
    names = call.params.get("PolicyNames")
    items = [
        item
        for item in state.matching(state.policies.values(), call.params)
        if not names or item["PolicyName"] in names
    ]
    if any(item["PolicyType"] == "StepScaling" for item in items):
        items = await _with_callers(call, items)
    return state.paged("ScalingPolicies", items, call.params)


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


@registry.handles(state.SERVICE, "DeleteScalingPolicy")
async def delete_scaling_policy(call: Call) -> Params:
    key = state.key(call.params, call.params["PolicyName"])
    if key not in state.policies:
        raise AwsError("ObjectNotFoundException", f"No scaling policy found for {key.replace('|', ', ')}")
    await delete(call, key)
    return {}


async def delete(call: Call, key: str) -> None:
    """Remove the policy with this key, and its alarms."""
    policy = state.policies.pop(key, None)
    if policy and policy["Alarms"]:
        names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
        await call.invoke("cloudwatch", "DeleteAlarms", {"AlarmNames": names})
