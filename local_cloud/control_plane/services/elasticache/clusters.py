# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The nodes of replication groups, each a cache cluster of one node. Other cache clusters are ministack's."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now, page
from local_cloud.control_plane.services.elasticache import state


def set_nodes(call: Call, group: dict[str, Any], shards: int, replicas: int) -> None:
    """Make and remove nodes until each shard has a primary and `replicas`."""
    wanted = {}
    for shard in range(1, shards + 1):
        for number in range(1, replicas + 2):
            between = f"-{shard:04d}" if group["ClusterEnabled"] else ""
            wanted[f"{group['ReplicationGroupId']}{between}-{number:03d}"] = (shard, number)
    for name in [
        name for name, node in state.nodes.items() if node["ReplicationGroupId"] == group["ReplicationGroupId"]
    ]:
        if name not in wanted:
            state.nodes.pop(name, None)
    for name, (shard, number) in wanted.items():
        if name in state.nodes:
            continue
        state.nodes[name] = {
            "CacheClusterId": name,
            "ClientDownloadLandingPage": "https://console.aws.amazon.com/elasticache/home#client-download:",
            "CacheClusterStatus": "available",
            "NumCacheNodes": 1,
            "PreferredAvailabilityZone": f"{call.region}{'abc'[(number - 1) % 3]}",
            "CacheClusterCreateTime": now(),
            "PendingModifiedValues": {},
            "CacheSecurityGroups": [],
            "ReplicationGroupId": group["ReplicationGroupId"],
            "ReplicationGroupLogDeliveryEnabled": False,
            "NetworkType": "ipv4",
            "IpDiscovery": "ipv4",
            "ARN": state.arn(call.region, call.account, "cluster", name),
            "_shard": f"{shard:04d}",
            "_role": "primary" if number == 1 else "replica",
        }
        state.tags[state.nodes[name]["ARN"]] = state.tags.get(group["ARN"], [])
    follow(group)


def follow(group: dict[str, Any]) -> None:
    """Copy to the nodes what they share with their group."""
    for node in _nodes_of(group):
        node.update(
            {
                "CacheNodeType": group["CacheNodeType"],
                "Engine": group["Engine"],
                "EngineVersion": group["_version"],
                "PreferredMaintenanceWindow": group["_maintenance"],
                "CacheParameterGroup": {
                    "CacheParameterGroupName": group["_parameter_group"],
                    "ParameterApplyStatus": "in-sync",
                    "CacheNodeIdsToReboot": [],
                },
                "CacheSubnetGroupName": group["_subnet_group"],
                "AutoMinorVersionUpgrade": group["AutoMinorVersionUpgrade"],
                "SecurityGroups": [{"SecurityGroupId": item, "Status": "active"} for item in group["_security_groups"]],
                "SnapshotRetentionLimit": group["SnapshotRetentionLimit"] if node["_role"] == "replica" else 0,
                "SnapshotWindow": group["SnapshotWindow"],
                "AuthTokenEnabled": group["AuthTokenEnabled"],
                "TransitEncryptionEnabled": group["TransitEncryptionEnabled"],
                "AtRestEncryptionEnabled": group["AtRestEncryptionEnabled"],
                "LogDeliveryConfigurations": group["LogDeliveryConfigurations"],
                "ReplicationGroupLogDeliveryEnabled": bool(group["LogDeliveryConfigurations"]),
            }
        )
        if group.get("TransitEncryptionMode"):
            node["TransitEncryptionMode"] = group["TransitEncryptionMode"]
        if group.get("_topic"):
            node["NotificationConfiguration"] = {
                "TopicArn": group["_topic"],
                "TopicStatus": group.get("_topic_status", "active"),
            }


def _nodes_of(group: dict[str, Any]) -> list[dict[str, Any]]:
    own = [node for node in state.nodes.values() if node["ReplicationGroupId"] == group["ReplicationGroupId"]]
    return sorted(own, key=lambda node: node["CacheClusterId"])


def shards_of(group: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The group's nodes by shard."""
    shards: dict[str, list[dict[str, Any]]] = {}
    for node in _nodes_of(group):
        shards.setdefault(node["_shard"], []).append(node)
    return [shards[name] for name in sorted(shards)]


def _address(group: dict[str, Any], first: str, last: str = "") -> str:
    code = (
        "use1"
        if group["ARN"].split(":")[3] == "us-east-1"
        else "".join(w[0] for w in group["ARN"].split(":")[3].split("-"))
    )
    tail = f"{group['_suffix']}{last}.{code}.cache.amazonaws.com"
    return f"{first}.{group['ReplicationGroupId']}.{tail}" if first else f"{group['ReplicationGroupId']}.{tail}"


def node_groups(group: dict[str, Any]) -> dict[str, Any]:
    """NodeGroups, MemberClusters and the configuration endpoint, as the API shows them."""
    shards = shards_of(group)
    port = group["_port"]
    shown: list[dict[str, Any]] = []
    for nodes in shards:
        members = []
        for node in nodes:
            member = {
                "CacheClusterId": node["CacheClusterId"],
                "CacheNodeId": "0001",
                "PreferredAvailabilityZone": node["PreferredAvailabilityZone"],
            }
            if not group["ClusterEnabled"]:
                member["CurrentRole"] = node["_role"]
                member["ReadEndpoint"] = {"Address": _address(group, node["CacheClusterId"]), "Port": port}
            members.append(member)
        shard: dict[str, Any] = {"NodeGroupId": nodes[0]["_shard"], "Status": "available", "NodeGroupMembers": members}
        if group["ClusterEnabled"]:
            shard["Slots"] = _slots(len(shown), len(shards))
        else:
            shard["PrimaryEndpoint"] = {"Address": _address(group, "master"), "Port": port}
            shard["ReaderEndpoint"] = {"Address": _address(group, "replica"), "Port": port}
        shown.append(shard)
    found: dict[str, Any] = {
        "NodeGroups": shown,
        "MemberClusters": [node["CacheClusterId"] for nodes in shards for node in nodes],
    }
    if group["ClusterEnabled"]:
        found["ConfigurationEndpoint"] = {"Address": _address(group, "clustercfg"), "Port": port}
    return found


def _slots(index: int, count: int) -> str:
    """The index-th of `count` equal ranges of the 16,384 hash slots."""
    size = 16384 // count
    last = 16383 if index == count - 1 else (index + 1) * size - 1
    return f"{index * size}-{last}"


def fail_over(group: dict[str, Any], shard: str) -> None:
    """The first replica of the shard becomes its primary."""
    nodes = next((nodes for nodes in shards_of(group) if nodes[0]["_shard"] == shard), None)
    if nodes is None:
        raise AwsError("NodeGroupNotFoundFault", f"Node group {shard} not found.", 404)
    replica = next((node for node in nodes if node["_role"] == "replica"), None)
    if replica is None:
        raise AwsError("InvalidReplicationGroupState", "A shard without a replica cannot fail over.")
    for node in nodes:
        node["_role"] = "primary" if node is replica else "replica"


def remove(group: dict[str, Any]) -> None:
    for node in _nodes_of(group):
        state.tags.pop(node["ARN"], None)
        state.nodes.pop(node["CacheClusterId"], None)


def _shown(node: dict[str, Any], with_nodes: bool) -> dict[str, Any]:
    found = state.public(node)
    if with_nodes:
        group = state.groups[node["ReplicationGroupId"]]
        found["CacheNodes"] = [
            {
                "CacheNodeId": "0001",
                "CacheNodeStatus": "available",
                "CacheNodeCreateTime": node["CacheClusterCreateTime"],
                "Endpoint": {"Address": _address(group, node["CacheClusterId"]), "Port": group["_port"]},
                "ParameterGroupStatus": "in-sync",
                "CustomerAvailabilityZone": node["PreferredAvailabilityZone"],
            }
        ]
    return found


@registry.handles("elasticache", "DescribeCacheClusters")
async def describe(call: Call) -> Params:
    with_nodes = call.params.get("ShowCacheNodeInfo", False)
    if name := call.params.get("CacheClusterId"):
        if name in state.nodes:
            return {"CacheClusters": [_shown(state.nodes[name], with_nodes)]}
        return await call.forward()
    others = (await call.forward()).get("CacheClusters", [])
    items = [_shown(node, with_nodes) for node in state.nodes.values()]
    if call.params.get("ShowCacheClustersNotInReplicationGroups"):
        items = []
    some, marker = page([*items, *others], call.params.get("Marker"), call.params.get("MaxRecords"))
    return {"CacheClusters": some, "Marker": marker}


@registry.handles("elasticache", "DeleteCacheCluster", "ModifyCacheCluster", "RebootCacheCluster")
async def change(call: Call) -> Params:
    if call.params["CacheClusterId"] in state.nodes:
        if call.operation == "RebootCacheCluster":
            return {"CacheCluster": _shown(state.nodes[call.params["CacheClusterId"]], with_nodes=False)}
        raise AwsError(
            "InvalidCacheClusterState",
            f"Cache cluster {call.params['CacheClusterId']} is a member of a replication group; change the group.",
        )
    return await call.forward()


@registry.handles("elasticache", "DeleteCacheSubnetGroup")
async def delete_subnet_group(call: Call) -> Params:
    name = call.params["CacheSubnetGroupName"]
    users = [item["ReplicationGroupId"] for item in state.groups.values() if item["_subnet_group"] == name]
    if users:
        raise AwsError("CacheSubnetGroupInUse", f"Cache subnet group {name} is currently in use by a cache cluster.")
    return await call.forward()
