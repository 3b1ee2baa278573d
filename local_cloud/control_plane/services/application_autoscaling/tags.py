# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tags of scalable targets."""

from __future__ import annotations

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.services.application_autoscaling import state


def _tags_of(arn: str) -> dict[str, str]:
    if arn not in state.tags:
        raise AwsError("ResourceNotFoundException", f"The resource {arn} wasn't found.")
    found: dict[str, str] = state.tags[arn]
    return found


@registry.handles(state.SERVICE, "ListTagsForResource")
def list_tags_for_resource(call: Call) -> Params:
    return {"Tags": _tags_of(call.params["ResourceARN"])}


@registry.handles(state.SERVICE, "TagResource")
def tag_resource(call: Call) -> Params:
    _tags_of(call.params["ResourceARN"]).update(call.params["Tags"])
    return {}


@registry.handles(state.SERVICE, "UntagResource")
def untag_resource(call: Call) -> Params:
    known = _tags_of(call.params["ResourceARN"])
    for key in call.params["TagKeys"]:
        known.pop(key, None)
    return {}
