# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Snapshots of replication groups."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now, page
from local_cloud.control_plane.services.elasticache import clusters, state


def _get(name: str) -> dict[str, Any]:
    if name not in state.snapshots:
        raise AwsError("SnapshotNotFoundFault", f"Snapshot {name} not found.", 404)
    found: dict[str, Any] = state.snapshots[name]
    return found


@registry.handles("elasticache", "CreateSnapshot")
def create(call: Call) -> Params:
    name = call.params["SnapshotName"]
    if "ReplicationGroupId" not in call.params:
        raise AwsError("InvalidParameterCombination", "Either CacheClusterId or ReplicationGroupId must be provided.")
    group = state.group(call.params["ReplicationGroupId"].lower())
    if name in state.snapshots:
        raise AwsError("SnapshotAlreadyExistsFault", f"Snapshot {name} already exists.")
    shards = clusters.shards_of(group)
    snapshot = {
        "SnapshotName": name,
        "ReplicationGroupId": group["ReplicationGroupId"],
        "ReplicationGroupDescription": group["Description"],
        "SnapshotStatus": "available",
        "SnapshotSource": "manual",
        "CacheNodeType": group["CacheNodeType"],
        "Engine": group["Engine"],
        "EngineVersion": group["_version"],
        "Port": group["_port"],
        "CacheParameterGroupName": group["_parameter_group"],
        "CacheSubnetGroupName": group["_subnet_group"],
        "AutomaticFailover": group["AutomaticFailover"],
        "SnapshotRetentionLimit": group["SnapshotRetentionLimit"],
        "SnapshotWindow": group["SnapshotWindow"],
        "NumNodeGroups": len(shards),
        "NodeSnapshots": [
            {"CacheClusterId": nodes[0]["CacheClusterId"], "CacheNodeId": "0001", "SnapshotCreateTime": now()}
            for nodes in shards
        ],
        "ARN": state.arn(call.region, call.account, "snapshot", name),
    }
    if "KmsKeyId" in group:
        snapshot["KmsKeyId"] = group["KmsKeyId"]
    state.snapshots[name] = snapshot
    state.tags[snapshot["ARN"]] = call.params.get("Tags", [])
    return {"Snapshot": {**snapshot, "SnapshotStatus": "creating"}}


@registry.handles("elasticache", "DescribeSnapshots")
def describe(call: Call) -> Params:
    wanted = call.params
    items = [_get(wanted["SnapshotName"])] if "SnapshotName" in wanted else list(state.snapshots.values())
    if group := wanted.get("ReplicationGroupId"):
        items = [item for item in items if item["ReplicationGroupId"] == group]
    some, marker = page(items, wanted.get("Marker"), wanted.get("MaxRecords"), 50)
    return {"Snapshots": some, "Marker": marker}


@registry.handles("elasticache", "DeleteSnapshot")
def delete(call: Call) -> Params:
    snapshot = _get(call.params["SnapshotName"])
    state.snapshots.pop(snapshot["SnapshotName"], None)
    state.tags.pop(snapshot["ARN"], None)
    return {"Snapshot": {**snapshot, "SnapshotStatus": "deleting"}}
