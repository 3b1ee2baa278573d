# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Parameter groups: changes that wait for a reboot, groups in use, parameters that RDS does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import rds

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.services.rds import state


def _clusters_with(group: str) -> list[str]:
    return [name for name, cluster in rds._clusters.items() if cluster["DBClusterParameterGroup"] == group]


def _instances_with(group: str) -> list[str]:
    return [
        name
        for name, instance in rds._instances.items()
        if group in [item["DBParameterGroupName"] for item in instance.get("DBParameterGroups", [])]
    ]


async def _change(call: Call, name_member: str, describe: str, instances: Callable[[str], list[str]]) -> Params:
    """Forward a change of parameters; what was static and changed makes the group's instances wait for a reboot."""
    group = call.params[name_member]
    before = await _values(call, describe, name_member, group)
    for parameter in call.params.get("Parameters", []):
        known = before.get(parameter["ParameterName"])
        static = known and known.get("ApplyType") == "static"
        if static and parameter.get("ApplyMethod") == "immediate":
            raise AwsError(
                "InvalidParameterCombination",
                f"cannot use immediate apply method for static parameter {parameter['ParameterName']}",
            )
        if known and known.get("IsModifiable") is False:
            raise AwsError("InvalidParameterValue", f"The parameter {parameter['ParameterName']} cannot be modified.")
    answer = await call.forward()
    after = await _values(call, describe, name_member, group)
    waiting = {
        item["ParameterName"]
        for item in call.params.get("Parameters", [])
        if item.get("ApplyMethod") == "pending-reboot"
    }
    changed = {
        name
        for name in waiting
        if before.get(name, {}).get("ParameterValue") != after.get(name, {}).get("ParameterValue")
    }
    if changed:
        for instance in instances(group):
            state.await_reboot(instance, group)
    return answer


async def _values(call: Call, describe: str, name_member: str, group: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    marker = None
    while True:
        answer = await call.invoke("rds", describe, {name_member: group, **({"Marker": marker} if marker else {})})
        found |= {item["ParameterName"]: item for item in answer.get("Parameters", [])}
        marker = answer.get("Marker")
        if not marker:
            return found


@registry.handles("rds", "ModifyDBClusterParameterGroup", "ResetDBClusterParameterGroup")
async def change_cluster_parameters(call: Call) -> Params:
    def instances(group: str) -> list[str]:
        return [member for cluster in _clusters_with(group) for member in state.members_of(cluster)]

    return await _change(call, "DBClusterParameterGroupName", "DescribeDBClusterParameters", instances)


@registry.handles("rds", "ModifyDBParameterGroup", "ResetDBParameterGroup")
async def change_instance_parameters(call: Call) -> Params:
    return await _change(call, "DBParameterGroupName", "DescribeDBParameters", _instances_with)


@registry.handles("rds", "DeleteDBClusterParameterGroup")
async def delete_db_cluster_parameter_group(call: Call) -> Params:
    group = call.params["DBClusterParameterGroupName"]
    if _clusters_with(group):
        raise AwsError(
            "InvalidDBParameterGroupState",
            f"One or more database clusters are still members of this parameter group {group}",
        )
    return await call.forward()


@registry.handles("rds", "DeleteDBParameterGroup")
async def delete_db_parameter_group(call: Call) -> Params:
    group = call.params["DBParameterGroupName"]
    if _instances_with(group):
        raise AwsError(
            "InvalidDBParameterGroupState",
            f"One or more database instances are still members of this parameter group {group}",
        )
    return await call.forward()
