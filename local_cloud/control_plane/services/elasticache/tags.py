# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tags of what is ours; those of subnet groups and users are ministack's."""

from __future__ import annotations

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import drop_tags, merge_tags
from local_cloud.control_plane.services.elasticache import state

_OURS = ("replicationgroup", "parametergroup", "snapshot")


def _is_ours(arn: str) -> bool:
    parts = arn.split(":")
    return arn in state.tags or (len(parts) == 7 and parts[5] in _OURS)


@registry.handles("elasticache", "ListTagsForResource", "AddTagsToResource", "RemoveTagsFromResource")
async def tags(call: Call) -> Params:
    arn = call.params["ResourceName"]
    if not _is_ours(arn):
        return await call.forward()
    if arn not in state.tags:
        raise AwsError("ReplicationGroupNotFoundFault", f"{arn} not found.", 404)
    if call.operation == "AddTagsToResource":
        state.tags[arn] = merge_tags(state.tags[arn], call.params["Tags"])
    elif call.operation == "RemoveTagsFromResource":
        state.tags[arn] = drop_tags(state.tags[arn], call.params["TagKeys"])
    return {"TagList": state.tags[arn]}
