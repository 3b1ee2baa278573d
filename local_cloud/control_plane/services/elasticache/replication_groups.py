# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replication groups: create, describe, modify, replicas, failover, delete."""

from __future__ import annotations

import re
from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now, page, random_hex
from local_cloud.control_plane.services.elasticache import clusters, engines, parameter_groups, state

_ENABLED = {True: "enabled", False: "disabled"}


def _check(call: Call, wanted: Params) -> None:
    """Raise what AWS answers to a name, a token or a combination that it does not take."""
    name = wanted["ReplicationGroupId"]
    if not re.fullmatch(r"[A-Za-z](?:-?[A-Za-z0-9]){0,39}", name) or len(name) > 40:
        raise AwsError(
            "InvalidParameterValue",
            f"The parameter ReplicationGroupId {name} is not a valid identifier. Identifiers must begin with a letter; "
            "must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two "
            "consecutive hyphens. They have 40 characters at most.",
        )
    if name.lower() in state.groups:
        raise AwsError("ReplicationGroupAlreadyExists", f"Replication group {name} already exists.")
    if not wanted.get("CacheNodeType", "").startswith("cache.") and "SnapshotName" not in wanted:
        raise AwsError("InvalidParameterValue", f"Invalid Cache Node Type: {wanted.get('CacheNodeType', '')}.")
    if wanted.get("AutomaticFailoverEnabled") and _replicas(wanted) < 1:
        raise AwsError(
            "InvalidParameterCombination", "Replication group with automatic failover must have at least one replica."
        )
    if wanted.get("MultiAZEnabled") and not wanted.get("AutomaticFailoverEnabled"):
        raise AwsError("InvalidParameterCombination", "Must have automatic failover enabled to enable Multi-AZ.")
    if "AuthToken" in wanted and not wanted.get("TransitEncryptionEnabled"):
        raise AwsError(
            "InvalidParameterCombination", "Transit encryption must be enabled when an AUTH token is specified."
        )


def check_token(token: str) -> None:
    """Raises AWS's error for an AUTH token that it does not take. The message never shows the token."""
    if not re.fullmatch(r"[^@/\" ]{16,128}", token):
        raise AwsError(
            "InvalidParameterValue",
            'The AUTH token must have 16 to 128 printable characters, without @, ", / and spaces.',
        )


def _replicas(wanted: Params) -> int:
    if "ReplicasPerNodeGroup" in wanted:
        return int(wanted["ReplicasPerNodeGroup"])
    return int(wanted.get("NumCacheClusters", 1)) - 1


def _logs(old: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Log deliveries after a change: one for each log type; `Enabled: false` ends one."""
    kept = {item["LogType"]: item for item in old}
    for item in wanted:
        if item.get("Enabled", True):
            kept[item["LogType"]] = {
                **{key: value for key, value in item.items() if key != "Enabled"},
                "Status": "active",
            }
        else:
            kept.pop(item["LogType"], None)
    return list(kept.values())


@registry.handles("elasticache", "CreateReplicationGroup")
async def create(call: Call) -> Params:
    wanted = dict(call.params)
    if "AuthToken" in wanted:
        check_token(wanted["AuthToken"])
    if snapshot := state.snapshots.get(wanted.get("SnapshotName", "")):
        wanted = {
            **{key: snapshot[key] for key in ("CacheNodeType", "Engine", "EngineVersion") if key in snapshot},
            **wanted,
        }
    elif "SnapshotName" in wanted:
        raise AwsError("SnapshotNotFoundFault", f"Snapshot {wanted['SnapshotName']} not found.", 404)
    _check(call, wanted)
    name = wanted["ReplicationGroupId"].lower()
    engine = wanted.get("Engine", "redis")
    version, family = engines.resolved(engine, wanted.get("EngineVersion"))
    shards = wanted.get("NumNodeGroups", 1)
    sharded = shards > 1 or wanted.get("ClusterMode") == "enabled"
    parameter_group = wanted.get("CacheParameterGroupName", f"default.{family}{'.cluster.on' * sharded}")
    _check_family(call, parameter_group, family)
    if subnets := wanted.get("CacheSubnetGroupName"):
        await call.invoke("elasticache", "DescribeCacheSubnetGroups", {"CacheSubnetGroupName": subnets})
    if groups := wanted.get("SecurityGroupIds"):
        await _check_security_groups(call, groups)
    encrypted = wanted.get("TransitEncryptionEnabled", False)
    group: dict[str, Any] = {
        "ReplicationGroupId": name,
        "Description": wanted["ReplicationGroupDescription"],
        "GlobalReplicationGroupInfo": {},
        "Status": "available",
        "PendingModifiedValues": {},
        "AutomaticFailover": _ENABLED[wanted.get("AutomaticFailoverEnabled", sharded)],
        "MultiAZ": _ENABLED[wanted.get("MultiAZEnabled", False)],
        "SnapshotRetentionLimit": wanted.get("SnapshotRetentionLimit", 0),
        "SnapshotWindow": wanted.get("SnapshotWindow", "07:00-08:00"),
        "ClusterEnabled": sharded,
        "ClusterMode": _ENABLED[sharded],
        "CacheNodeType": wanted["CacheNodeType"],
        "AuthTokenEnabled": "AuthToken" in wanted,
        "TransitEncryptionEnabled": encrypted,
        "AtRestEncryptionEnabled": wanted.get("AtRestEncryptionEnabled", False),
        "ARN": state.arn(call.region, call.account, "replicationgroup", name),
        "UserGroupIds": wanted.get("UserGroupIds", []),
        "LogDeliveryConfigurations": _logs([], wanted.get("LogDeliveryConfigurations", [])),
        "ReplicationGroupCreateTime": now(),
        "DataTiering": "disabled",
        "AutoMinorVersionUpgrade": wanted.get("AutoMinorVersionUpgrade", True),
        "NetworkType": wanted.get("NetworkType", "ipv4"),
        "IpDiscovery": wanted.get("IpDiscovery", "ipv4"),
        "Engine": engine,
        "_version": version,
        "_parameter_group": parameter_group,
        "_subnet_group": wanted.get("CacheSubnetGroupName", "default"),
        "_security_groups": wanted.get("SecurityGroupIds", []),
        "_maintenance": wanted.get("PreferredMaintenanceWindow", "sun:05:00-sun:06:00"),
        "_topic": wanted.get("NotificationTopicArn"),
        "_topic_status": "active",
        "_port": wanted.get("Port", 6379),
        "_suffix": random_hex(6),
        "_snapshot": wanted.get("SnapshotName"),
    }
    if encrypted:
        group["TransitEncryptionMode"] = wanted.get("TransitEncryptionMode", "required")
    if group["AuthTokenEnabled"]:
        group["AuthTokenLastModifiedDate"] = now()
    if "KmsKeyId" in wanted:
        group["KmsKeyId"] = wanted["KmsKeyId"]
    state.groups[name] = group
    state.tags[group["ARN"]] = wanted.get("Tags", [])
    clusters.set_nodes(call, group, shards, _replicas(wanted))
    return {"ReplicationGroup": {**shown(group), "Status": "creating"}}


def _check_family(call: Call, parameter_group: str, family: str) -> None:
    found = parameter_groups.get(call, parameter_group)["CacheParameterGroupFamily"]
    if found != family:
        raise AwsError(
            "InvalidParameterCombination",
            f"Expected a parameter group of family {family} but found one of family {found}",
        )


async def _check_security_groups(call: Call, groups: list[str]) -> None:
    try:
        await call.invoke("ec2", "DescribeSecurityGroups", {"GroupIds": groups})
    except AwsError as error:
        raise AwsError("InvalidParameterValue", f"Some security group ids are invalid: {error.message}") from error


def shown(group: dict[str, Any]) -> dict[str, Any]:
    """The group as DescribeReplicationGroups shows it."""
    found = {**state.public(group), **clusters.node_groups(group)}
    return {key: value for key, value in found.items() if value is not None}


@registry.handles("elasticache", "DescribeReplicationGroups")
def describe(call: Call) -> Params:
    if name := call.params.get("ReplicationGroupId"):
        items = [state.group(name.lower())]
    else:
        items = list(state.groups.values())
    some, marker = page([shown(item) for item in items], call.params.get("Marker"), call.params.get("MaxRecords"))
    return {"ReplicationGroups": some, "Marker": marker}


_PLAIN = {
    "ReplicationGroupDescription": "Description",
    "SnapshotRetentionLimit": "SnapshotRetentionLimit",
    "SnapshotWindow": "SnapshotWindow",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "CacheNodeType": "CacheNodeType",
    "TransitEncryptionEnabled": "TransitEncryptionEnabled",
    "TransitEncryptionMode": "TransitEncryptionMode",
    "IpDiscovery": "IpDiscovery",
    "SecurityGroupIds": "_security_groups",
    "PreferredMaintenanceWindow": "_maintenance",
    "NotificationTopicArn": "_topic",
    "NotificationTopicStatus": "_topic_status",
}


@registry.handles("elasticache", "ModifyReplicationGroup")
async def modify(call: Call) -> Params:
    wanted = call.params
    group = dict(state.group(wanted["ReplicationGroupId"].lower()))
    for name, member in _PLAIN.items():
        if name in wanted:
            group[member] = wanted[name]
    for name, member in (("AutomaticFailoverEnabled", "AutomaticFailover"), ("MultiAZEnabled", "MultiAZ")):
        if name in wanted:
            group[member] = _ENABLED[wanted[name]]
    if group["MultiAZ"] == "enabled" and group["AutomaticFailover"] != "enabled":
        raise AwsError("InvalidParameterCombination", "Must have automatic failover enabled to enable Multi-AZ.")
    if "SecurityGroupIds" in wanted:
        await _check_security_groups(call, wanted["SecurityGroupIds"])
    if "EngineVersion" in wanted or "Engine" in wanted:
        group["Engine"] = wanted.get("Engine", group["Engine"])
        version, family = engines.resolved(group["Engine"], wanted.get("EngineVersion"))
        group["_version"] = version
        default = f"default.{family}{'.cluster.on' * group['ClusterEnabled']}"
        old_default = group["_parameter_group"].startswith("default.")
        group["_parameter_group"] = wanted.get(
            "CacheParameterGroupName", default if old_default else group["_parameter_group"]
        )
        _check_family(call, group["_parameter_group"], family)
    elif "CacheParameterGroupName" in wanted:
        family = engines.resolved(group["Engine"], group["_version"])[1]
        _check_family(call, wanted["CacheParameterGroupName"], family)
        group["_parameter_group"] = wanted["CacheParameterGroupName"]
    _change_token(group, wanted)
    users = [item for item in group["UserGroupIds"] if item not in wanted.get("UserGroupIdsToRemove", [])]
    group["UserGroupIds"] = [*users, *wanted.get("UserGroupIdsToAdd", [])]
    group["LogDeliveryConfigurations"] = _logs(
        group["LogDeliveryConfigurations"], wanted.get("LogDeliveryConfigurations", [])
    )
    state.groups[group["ReplicationGroupId"]] = group
    clusters.follow(group)
    return {"ReplicationGroup": shown(group)}


def _change_token(group: dict[str, Any], wanted: Params) -> None:
    if "AuthToken" not in wanted and wanted.get("AuthTokenUpdateStrategy") != "DELETE":
        return
    if not group["TransitEncryptionEnabled"]:
        raise AwsError("InvalidParameterCombination", "An AUTH token needs transit encryption.")
    strategy = wanted.get("AuthTokenUpdateStrategy", "ROTATE")
    if strategy != "DELETE":
        check_token(wanted["AuthToken"])
    if strategy == "SET" and not wanted.get("ApplyImmediately"):
        raise AwsError("InvalidParameterCombination", "An AUTH token can only be changed with ApplyImmediately.")
    group["AuthTokenEnabled"] = strategy != "DELETE"
    group["AuthTokenLastModifiedDate"] = now()


@registry.handles("elasticache", "IncreaseReplicaCount", "DecreaseReplicaCount")
def change_replicas(call: Call) -> Params:
    group = state.group(call.params["ReplicationGroupId"].lower())
    count = call.params.get("NewReplicaCount")
    shards = clusters.shards_of(group)
    old = len(shards[0]) - 1
    grows = call.operation.startswith("Increase")
    if count is None or (count <= old if grows else count >= old) or not 0 <= count <= 5:
        raise AwsError("InvalidParameterValue", f"The new replica count {count} does not fit the present one, {old}.")
    if count == 0 and group["AutomaticFailover"] == "enabled":
        raise AwsError("InvalidParameterCombination", "With automatic failover there must be one replica at least.")
    clusters.set_nodes(call, group, len(shards), count)
    return {"ReplicationGroup": shown(group)}


@registry.handles("elasticache", "TestFailover")
def failover(call: Call) -> Params:
    group = state.group(call.params["ReplicationGroupId"].lower())
    clusters.fail_over(group, call.params["NodeGroupId"])
    return {"ReplicationGroup": shown(group)}


@registry.handles("elasticache", "DeleteReplicationGroup")
async def delete(call: Call) -> Params:
    group = state.group(call.params["ReplicationGroupId"].lower())
    if final := call.params.get("FinalSnapshotIdentifier"):
        names = {"SnapshotName": final, "ReplicationGroupId": group["ReplicationGroupId"]}
        await call.invoke("elasticache", "CreateSnapshot", names)
    answer = {**shown(group), "Status": "deleting"}
    clusters.remove(group)
    state.groups.pop(group["ReplicationGroupId"], None)
    state.tags.pop(group["ARN"], None)
    return {"ReplicationGroup": answer}
