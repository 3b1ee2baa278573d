# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DB clusters: identifiers, log exports, roles, deletion with a final snapshot, parameter status of members."""

from __future__ import annotations

from typing import Any

from ministack.services import rds

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now
from local_cloud.control_plane.services.rds import state

_EXTRAS = (
    "MonitoringInterval",
    "MonitoringRoleArn",
    "PerformanceInsightsRetentionPeriod",
    "PerformanceInsightsKMSKeyId",
)


def shown(cluster: dict[str, Any]) -> dict[str, Any]:
    """A cluster as ministack shows it, with what it leaves out."""
    name = cluster["DBClusterIdentifier"]
    # Everything that was written can be restored: the write-ahead log lies on this machine.
    cluster = {**cluster, **state.extras_of(name), "LatestRestorableTime": now()}
    group = cluster.get("DBClusterParameterGroup", "")
    for member in cluster.get("DBClusterMembers", []):
        waits = group in state.pending_reboot.get(member["DBInstanceIdentifier"], [])
        member["DBClusterParameterGroupStatus"] = "pending-reboot" if waits else "in-sync"
    return cluster


@registry.handles("rds", "CreateDBCluster")
async def create_db_cluster(call: Call) -> Params:
    wanted = call.params
    name = wanted.get("DBClusterIdentifier", "")
    state.check_identifier("DBClusterIdentifier", name)
    exports = wanted.get("EnableCloudwatchLogsExports", [])
    state.check_exports(wanted.get("Engine", ""), exports)
    if group := wanted.get("DBSubnetGroupName"):
        await call.invoke("rds", "DescribeDBSubnetGroups", {"DBSubnetGroupName": group})
    if not 1 <= wanted.get("BackupRetentionPeriod", 1) <= 35:
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid backup retention period: {wanted['BackupRetentionPeriod']}. Must be between 1 and 35.",
        )
    managed = wanted.get("ManageMasterUserPassword")
    follows = "GlobalClusterIdentifier" in wanted or "ReplicationSourceIdentifier" in wanted
    if not follows and not managed and "MasterUserPassword" not in wanted:
        raise AwsError("InvalidParameterCombination", "You must provide a value for MasterUserPassword.")
    password = wanted.get("MasterUserPassword")
    if password is not None and len(password) < 8 and not managed:
        raise AwsError(
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.",
        )
    answer = await call.forward()
    extras = {key: wanted[key] for key in _EXTRAS if key in wanted}
    if "EnablePerformanceInsights" in wanted:
        extras["PerformanceInsightsEnabled"] = wanted["EnablePerformanceInsights"]
    state.cluster_extras[name] = {"EnabledCloudwatchLogsExports": exports, "AssociatedRoles": [], **extras}
    return {"DBCluster": {**shown(answer["DBCluster"]), "Status": "creating"}}


@registry.handles("rds", "DescribeDBClusters")
async def describe_db_clusters(call: Call) -> Params:
    answer = await call.forward()
    clusters = [shown(cluster) for cluster in answer.get("DBClusters", [])]
    for item in call.params.get("Filters", []):
        member = {
            "db-cluster-id": "DBClusterIdentifier",
            "engine": "Engine",
            "db-cluster-resource-id": "DbClusterResourceId",
        }.get(item["Name"])
        if member:
            wanted = [value.rpartition(":")[2] for value in item["Values"]]
            clusters = [cluster for cluster in clusters if cluster[member] in wanted]
    return {**answer, "DBClusters": clusters}


@registry.handles("rds", "ModifyDBCluster")
async def modify_db_cluster(call: Call) -> Params:
    wanted = call.params
    name = wanted["DBClusterIdentifier"]
    logs = wanted.get("CloudwatchLogsExportConfiguration", {})
    answer = await call.forward({key: value for key, value in wanted.items() if not key.startswith("Cloudwatch")})
    new_name = answer["DBCluster"]["DBClusterIdentifier"]
    extras = dict(state.extras_of(name))
    if logs:
        state.check_exports(answer["DBCluster"]["Engine"], logs.get("EnableLogTypes", []))
        exports = {*extras.get("EnabledCloudwatchLogsExports", []), *logs.get("EnableLogTypes", [])}
        extras["EnabledCloudwatchLogsExports"] = sorted(exports - set(logs.get("DisableLogTypes", [])))
    extras |= {key: wanted[key] for key in (*_EXTRAS, "StorageType") if key in wanted}
    if "EnablePerformanceInsights" in wanted:
        extras["PerformanceInsightsEnabled"] = wanted["EnablePerformanceInsights"]
    state.cluster_extras.pop(name, None)
    state.cluster_extras[new_name] = extras
    if "DBClusterParameterGroupName" in wanted:
        for instance in state.members_of(new_name):
            state.await_reboot(instance, wanted["DBClusterParameterGroupName"])
    return {"DBCluster": shown(answer["DBCluster"])}


@registry.handles("rds", "DeleteDBCluster")
async def delete_db_cluster(call: Call) -> Params:
    wanted = call.params
    name, final = wanted["DBClusterIdentifier"], wanted.get("FinalDBSnapshotIdentifier")
    cluster = rds._clusters.get(name)
    removable = cluster and not cluster.get("DeletionProtection") and not cluster.get("DBClusterMembers")
    if removable:
        if bool(final) == bool(wanted.get("SkipFinalSnapshot")):
            raise AwsError(
                "InvalidParameterCombination",
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified, and only then.",
            )
        if final:
            await call.invoke(
                "rds", "CreateDBClusterSnapshot", {"DBClusterIdentifier": name, "DBClusterSnapshotIdentifier": final}
            )
    answer = await call.forward()
    state.cluster_extras.pop(name, None)
    state.origins.pop(name, None)
    return {"DBCluster": {**shown(answer["DBCluster"]), "Status": "deleting"}}


@registry.handles("rds", "StartDBCluster", "StopDBCluster", "FailoverDBCluster")
async def other_changes(call: Call) -> Params:
    answer = await call.forward()
    return {"DBCluster": shown(answer["DBCluster"])}


@registry.handles("rds", "AddRoleToDBCluster")
async def add_role_to_db_cluster(call: Call) -> Params:
    wanted = call.params
    name = wanted["DBClusterIdentifier"]
    await call.invoke("rds", "DescribeDBClusters", {"DBClusterIdentifier": name})
    extras = dict(state.extras_of(name))
    roles = extras.get("AssociatedRoles", [])
    if wanted["RoleArn"] in [role["RoleArn"] for role in roles]:
        raise AwsError(
            "DBClusterRoleAlreadyExists", f"Role ARN {wanted['RoleArn']} is already associated with DB cluster {name}"
        )
    role = {"RoleArn": wanted["RoleArn"], "Status": "ACTIVE", "FeatureName": wanted.get("FeatureName", "")}
    state.cluster_extras[name] = {**extras, "AssociatedRoles": [*roles, role]}
    return {}


@registry.handles("rds", "RemoveRoleFromDBCluster")
async def remove_role_from_db_cluster(call: Call) -> Params:
    wanted = call.params
    name = wanted["DBClusterIdentifier"]
    await call.invoke("rds", "DescribeDBClusters", {"DBClusterIdentifier": name})
    extras = dict(state.extras_of(name))
    kept = [role for role in extras.get("AssociatedRoles", []) if role["RoleArn"] != wanted["RoleArn"]]
    if len(kept) == len(extras.get("AssociatedRoles", [])):
        raise AwsError(
            "DBClusterRoleNotFound", f"Role ARN {wanted['RoleArn']} is not associated with DB cluster {name}"
        )
    state.cluster_extras[name] = {**extras, "AssociatedRoles": kept}
    return {}
