# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tags of the bill: which tags Cost Explorer and budgets can cut costs by."""

from __future__ import annotations

from local_cloud.control_plane.overlay import Call, Params, registry
from local_cloud.control_plane.stores import store

active_tags = store("ce_cost_allocation_tags")  # tag -> Status


@registry.handles("ce", "ListCostAllocationTags")
def list_cost_allocation_tags(call: Call) -> Params:
    """Every tag that is asked for is known to the bill, without hours of delay, and inactive until someone acts."""
    asked = call.params.get("TagKeys") or list(active_tags.keys())
    listed = [{"TagKey": tag, "Type": "UserDefined", "Status": active_tags.get(tag, "Inactive")} for tag in asked]
    wanted = call.params.get("Status")
    return {"CostAllocationTags": [one for one in listed if wanted in (None, one["Status"])]}


@registry.handles("ce", "UpdateCostAllocationTagsStatus")
def update_cost_allocation_tags_status(call: Call) -> Params:
    for one in call.params["CostAllocationTagsStatus"]:
        active_tags[one["TagKey"]] = one["Status"]
    return {"Errors": []}
