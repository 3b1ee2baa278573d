# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudTrail: a trail keeps the tags that it is created with."""

from __future__ import annotations

from local_cloud.control_plane.overlay import Call, Params, registry


@registry.handles("cloudtrail", "CreateTrail")
async def create_trail(call: Call) -> Params:
    answer = await call.forward()
    if tags := call.params.get("TagsList"):
        await call.invoke("cloudtrail", "AddTags", {"ResourceId": answer["TrailARN"], "TagsList": tags})
    return answer
