# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scalable targets with their policies and scheduled actions, as they are wanted; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .._engine.resources import Ref, Resource
from .._engine.steps import PlanRefused

SUSPENDED = ("dynamic_scaling_in", "dynamic_scaling_out", "scheduled_scaling")
_SCHEDULE = re.compile(r"(at|rate|cron)\(.+\)")


def target_name(target: Mapping[str, Any]) -> str:
    """``service/stories/stories-app`` of its resource id; unique together with the dimension's last part."""
    return f"{target['resource_id']}:{target['scalable_dimension'].rpartition(':')[2]}"


def declared(target: Mapping[str, Any]) -> list[str]:
    """Names of the policies and scheduled actions that a target shall have."""
    return [one["name"] for key in ("target_tracking", "step_scaling", "scheduled") for one in target.get(key) or ()]


def problems(targets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Everything wrong with the wished targets, one sentence each (Application Auto Scaling API reference)."""
    found = []
    names = [target_name(target) for target in targets]
    for name in sorted({name for name in names if names.count(name) > 1}):
        found.append(f"Read the scalable target {name} twice. Describe it once.")
    for target in targets:
        name, low, high = target_name(target), target["min_capacity"], target["max_capacity"]
        if low < 0 or low > high:
            found.append(
                f"Read min_capacity {low} and max_capacity {high} of {name}; the minimum lies between 0 and the "
                "maximum. Lower the one or raise the other."
            )
        own = declared(target)
        for slashed in sorted(one for one in own if "/" in one):
            found.append(f"Read {slashed} of {name}; a name without a slash is told from its target. Rename it.")
        for twice in sorted({one for one in own if own.count(one) > 1}):
            found.append(f"Read {twice} of {name} twice; names are unique within a target. Rename one.")
        for policy in target["target_tracking"] or ():
            if bool(policy.get("predefined_metric")) == bool(policy.get("customized_metric")):
                found.append(
                    f"Read policy {policy['name']} of {name}; it tracks exactly one of predefined_metric and "
                    "customized_metric. Give one."
                )
        for action in target["scheduled"] or ():
            if not _SCHEDULE.fullmatch(action["schedule"]):
                found.append(
                    f"Read schedule {action['schedule']!r} of {action['name']}; AWS takes at(…), rate(…) or cron(…). "
                    "Write it like cron(0 6 * * ? *)."
                )
    return found


def desired(params: Mapping[str, Any], suspended: Collection[str] = ()) -> list[Resource]:
    """The resources of an `application_autoscaling` call, in the order of creation. Raises PlanRefused.

    suspended: names of the targets of which anything is suspended at present.
    """
    if wrong := problems(params["targets"]):
        raise PlanRefused(wrong)
    made = [resource for target in params["targets"] for resource in _resources(target, params["tags"], suspended)]
    return sorted(made, key=lambda resource: resource.kind != "scalable_target")  # the targets first, all at once


def _resources(target: Mapping[str, Any], tags: Mapping[str, str], suspended: Collection[str]) -> list[Resource]:
    name = target_name(target)
    limits = {"min_capacity": target["min_capacity"], "max_capacity": target["max_capacity"]}
    keep = target.get("keep_capacity")
    kept = keep == "always" or (keep == "suspended" and name in suspended)
    fields: dict[str, Any] = {**({} if kept else limits), "undeclared": []}
    # A target that somebody has suspended, such as a release, stays so unless this is declared.
    if target["suspended"] is not None:
        fields["suspended"] = {key: bool(target["suspended"].get(key)) for key in SUSPENDED}
    made = [Resource("scalable_target", name, fields, initial=limits if kept else {}, tags=tags)]
    scaled = Ref("scalable_target", name)
    for policy in target["target_tracking"] or ():
        own = {"target": scaled, "type": "TargetTrackingScaling", "configuration": tracking(policy)}
        made.append(Resource("scaling_policy", f"{name}/{policy['name']}", own))
    for policy in target["step_scaling"] or ():
        own = {"target": scaled, "type": "StepScaling", "configuration": stepping(policy)}
        made.append(Resource("scaling_policy", f"{name}/{policy['name']}", own))
    for action in target["scheduled"] or ():
        own = {
            "target": scaled,
            "schedule": action["schedule"],
            "timezone": action["timezone"] or "UTC",
            "min_capacity": action["min_capacity"],
            "max_capacity": action["max_capacity"],
        }
        made.append(Resource("scheduled_action", f"{name}/{action['name']}", own))
    return made


def tracking(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A TargetTrackingScalingPolicyConfiguration with AWS's defaults spelled out."""
    configuration: dict[str, Any] = {
        "TargetValue": float(policy["target_value"]),
        "ScaleOutCooldown": policy["scale_out_cooldown"],
        "ScaleInCooldown": policy["scale_in_cooldown"],
        "DisableScaleIn": policy["disable_scale_in"],
    }
    if policy.get("predefined_metric"):
        metric = {"PredefinedMetricType": policy["predefined_metric"]}
        if policy.get("resource_label"):
            metric["ResourceLabel"] = policy["resource_label"]
        return {**configuration, "PredefinedMetricSpecification": metric}
    custom = policy["customized_metric"]
    metric = {
        "Namespace": custom["namespace"],
        "MetricName": custom["metric_name"],
        "Statistic": custom["statistic"],
        "Dimensions": dimensions(custom.get("dimensions") or {}),
    }
    return {**configuration, "CustomizedMetricSpecification": {k: v for k, v in metric.items() if v}}


def dimensions(pairs: Mapping[str, str]) -> list[dict[str, str]]:
    """CloudWatch dimensions in canonical order."""
    return [{"Name": name, "Value": str(value)} for name, value in sorted(pairs.items())]


def stepping(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A StepScalingPolicyConfiguration; its alarm is the caller's."""
    steps = []
    for step in policy["steps"]:
        bounds = {
            "MetricIntervalLowerBound": step.get("lower_bound"),
            "MetricIntervalUpperBound": step.get("upper_bound"),
        }
        given = {key: float(value) for key, value in bounds.items() if value is not None}
        steps.append({**given, "ScalingAdjustment": step["adjustment"]})
    configuration = {
        "AdjustmentType": policy["adjustment_type"],
        "StepAdjustments": steps,
        "Cooldown": policy["cooldown"],
        "MetricAggregationType": policy["metric_aggregation_type"],
    }
    if policy.get("min_adjustment_magnitude"):
        configuration["MinAdjustmentMagnitude"] = policy["min_adjustment_magnitude"]
    return configuration


def canonical(kind: str, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """A policy configuration as AWS shows it, in the form of `tracking` and `stepping`."""
    shown = dict(configuration)
    if kind == "TargetTrackingScaling":
        shown = {"ScaleOutCooldown": 0, "ScaleInCooldown": 0, "DisableScaleIn": False, **shown}
        if custom := shown.get("CustomizedMetricSpecification"):
            pairs = {one["Name"]: one["Value"] for one in custom.get("Dimensions") or ()}
            custom = {key: value for key, value in custom.items() if key != "Dimensions" and value}
            shown["CustomizedMetricSpecification"] = {**custom, **({"Dimensions": dimensions(pairs)} if pairs else {})}
    else:
        shown = {"Cooldown": 0, "MetricAggregationType": "Average", **shown}
        if not shown.get("MinAdjustmentMagnitude"):
            shown.pop("MinAdjustmentMagnitude", None)
    return shown
