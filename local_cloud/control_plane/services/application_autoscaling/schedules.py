# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scheduled actions. They are kept, and do not run."""

from __future__ import annotations

import uuid

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now
from local_cloud.control_plane.services.application_autoscaling import state


@registry.handles(state.SERVICE, "PutScheduledAction")
def put_scheduled_action(call: Call) -> Params:
    wanted = call.params
    state.target_of(wanted)
    key = state.key(wanted, wanted["ScheduledActionName"])
    old = state.actions.get(key, {})
    if not old and not {"Schedule", "ScalableTargetAction"} <= wanted.keys():
        raise AwsError("ValidationException", "A new scheduled action must have a Schedule and a ScalableTargetAction")
    arn = (
        f"arn:aws:autoscaling:{call.region}:{call.account}:scheduledAction:{uuid.uuid4()}:resource/"
        f"{wanted['ServiceNamespace']}/{wanted['ResourceId']}:scheduledActionName/{wanted['ScheduledActionName']}"
    )
    state.actions[key] = {"ScheduledActionARN": arn, "CreationTime": now(), "Timezone": "UTC", **old, **wanted}
    return {}


@registry.handles(state.SERVICE, "DescribeScheduledActions")
def describe_scheduled_actions(call: Call) -> Params:
    names = call.params.get("ScheduledActionNames")
    found = state.matching(state.actions.values(), call.params)
    return state.paged(
        "ScheduledActions", [item for item in found if not names or item["ScheduledActionName"] in names], call.params
    )


@registry.handles(state.SERVICE, "DeleteScheduledAction")
def delete_scheduled_action(call: Call) -> Params:
    if state.actions.pop(state.key(call.params, call.params["ScheduledActionName"]), None) is None:
        raise AwsError(
            "ObjectNotFoundException", f"No scheduled action found named {call.params['ScheduledActionName']}"
        )
    return {}
