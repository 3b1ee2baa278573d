# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What there is to scale, and how it is found."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, Params, registry
from local_cloud.control_plane.resources import page
from local_cloud.control_plane.stores import store

SERVICE = "application-autoscaling"
registry.new_service(SERVICE)

targets = store("scalable_targets")  # "namespace|resource|dimension" -> ScalableTarget
policies = store("scaling_policies")  # "namespace|resource|dimension|name" -> ScalingPolicy
actions = store("scheduled_actions")  # the same -> ScheduledAction
activities = store("scaling_activities")  # activity id -> ScalingActivity
tags = store("scalable_target_tags")  # target ARN -> {key: value}


def key(params: Params, *more: str) -> str:
    return "|".join([params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"], *more])


def target_of(params: Params) -> dict[str, Any]:
    if key(params) not in targets:
        raise AwsError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: {params['ServiceNamespace']}, resource ID: "
            f"{params['ResourceId']}, scalable dimension: {params['ScalableDimension']}",
        )
    found: dict[str, Any] = targets[key(params)]
    return found


def matching(items: Any, params: Params) -> list[dict[str, Any]]:
    return [
        item
        for item in items
        if item["ServiceNamespace"] == params["ServiceNamespace"]
        and params.get("ResourceId", item["ResourceId"]) == item["ResourceId"]
        and params.get("ScalableDimension", item["ScalableDimension"]) == item["ScalableDimension"]
    ]


def paged(name: str, items: list[dict[str, Any]], params: Params) -> Params:
    some, token = page(items, params.get("NextToken"), params.get("MaxResults"), 50)
    return {name: some, "NextToken": token}
