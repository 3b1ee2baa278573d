# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What replication groups, nodes, parameter groups and snapshots there are. Members with "_" are our own."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError
from local_cloud.control_plane.stores import store

groups = store("elasticache_replication_groups")  # id -> ReplicationGroup, and "_" members that its nodes share
nodes = store("elasticache_nodes")  # cache cluster id -> CacheCluster
parameter_groups = store("elasticache_parameter_groups")  # name -> CacheParameterGroup and "_values": {name: value}
snapshots = store("elasticache_snapshots")  # name -> Snapshot
tags = store("elasticache_tags")  # ARN -> [{"Key", "Value"}]


def group(name: str) -> dict[str, Any]:
    """The replication group. Raises ReplicationGroupNotFoundFault."""
    if name not in groups:
        raise AwsError("ReplicationGroupNotFoundFault", f"ReplicationGroup {name} not found.", 404)
    found: dict[str, Any] = groups[name]
    return found


def public(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if not name.startswith("_")}


def arn(region: str, account: str, kind: str, name: str) -> str:
    return f"arn:aws:elasticache:{region}:{account}:{kind}:{name}"
