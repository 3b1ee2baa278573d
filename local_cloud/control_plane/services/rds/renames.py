# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""New names for clusters and instances, and a master password that RDS begins or ceases to manage.

Ministack has neither. Data and settings stay with what is renamed; endpoints follow the name, as in AWS.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import rds, secretsmanager

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import random_hex
from local_cloud.control_plane.services.rds import instances, state
from local_cloud.control_plane.services.rds.clusters import shown


@registry.handles("rds", "ModifyDBCluster")
async def modify_db_cluster(call: Call) -> Params:
    wanted = call.params
    old, new = wanted["DBClusterIdentifier"], wanted.get("NewDBClusterIdentifier")
    if new:
        state.check_identifier("NewDBClusterIdentifier", new)
        if new in rds._clusters:
            raise AwsError("DBClusterAlreadyExistsFault", f"DB cluster {new} already exists.")
    if wanted.get("ManageMasterUserPassword") is False and wanted.get("MasterUserPassword") and old in rds._clusters:
        _leave_password(rds._clusters[old])
    answer = await call.forward({name: value for name, value in wanted.items() if name not in _OURS})
    if wanted.get("ManageMasterUserPassword"):
        _manage_password(call, rds._clusters[old])
    if not new and not wanted.get("ManageMasterUserPassword"):
        return answer
    if new:
        _rename_cluster(old, new)
    found = await call.invoke("rds", "DescribeDBClusters", {"DBClusterIdentifier": new or old})
    return {"DBCluster": shown(found["DBClusters"][0])}


_OURS = ("NewDBClusterIdentifier", "ManageMasterUserPassword", "MasterUserSecretKmsKeyId")


def _manage_password(call: Call, cluster: dict[str, Any]) -> None:
    """Give the cluster a new master password in a secret of RDS's, unless it has one."""
    key = call.params.get("MasterUserSecretKmsKeyId")
    if secret := cluster.get("MasterUserSecret"):
        secret["KmsKeyId"] = key or secret["KmsKeyId"]
        return
    password = rds._generate_master_user_password()
    arn = secretsmanager.create_secret_in_process(
        f"rds!cluster-{random_hex(8)}-{random_hex(12)}",
        json.dumps({"username": cluster["MasterUsername"], "password": password}),
        description=f"Secret managed by RDS for DB cluster {cluster['DBClusterIdentifier']}",
    )
    default = f"arn:aws:kms:{call.region}:{call.account}:key/aws-secretsmanager-default"
    cluster["MasterUserSecret"] = {"SecretArn": arn, "SecretStatus": "active", "KmsKeyId": key or default}
    cluster["_MasterUserPassword"] = password


def _leave_password(cluster: dict[str, Any]) -> None:
    """The master password is the caller's again; RDS deletes its secret."""
    if secret := cluster.pop("MasterUserSecret", None):
        secretsmanager.delete_secret_in_process(secret["SecretArn"])


def _rename_cluster(old: str, new: str) -> None:
    cluster = rds._clusters.pop(old)
    before = cluster["DBClusterArn"]
    cluster["DBClusterIdentifier"] = new
    cluster["DBClusterArn"] = before.removesuffix(old) + new
    for name in ("Endpoint", "ReaderEndpoint"):
        cluster[name] = cluster[name].replace(f"{old}.", f"{new}.", 1)
    rds._clusters[new] = cluster
    _move(rds._tags, before, cluster["DBClusterArn"])
    for records in (state.cluster_extras, state.origins):
        _move(records, old, new)
    for member in cluster["DBClusterMembers"]:
        rds._instances[member["DBInstanceIdentifier"]]["DBClusterIdentifier"] = new


@registry.handles("rds", "ModifyDBInstance")
async def modify_db_instance(call: Call) -> Params:
    old, new = call.params["DBInstanceIdentifier"], call.params.get("NewDBInstanceIdentifier")
    if not new:
        return await call.forward()
    state.check_identifier("NewDBInstanceIdentifier", new)
    if new in rds._instances:
        raise AwsError("DBInstanceAlreadyExists", f"DB instance {new} already exists.")
    await call.forward({name: value for name, value in call.params.items() if name != "NewDBInstanceIdentifier"})
    instance = rds._instances.pop(old)
    before = instance["DBInstanceArn"]
    instance["DBInstanceIdentifier"] = new
    instance["DBInstanceArn"] = before.removesuffix(old) + new
    rds._instances[new] = instance
    _move(rds._tags, before, instance["DBInstanceArn"])
    for records in (state.pending_reboot, instances.extras):
        _move(records, old, new)
    owner = rds._clusters.get(instance.get("DBClusterIdentifier") or "", {})
    for member in owner.get("DBClusterMembers", []):
        if member["DBInstanceIdentifier"] == old:
            member["DBInstanceIdentifier"] = new
    found = await call.invoke("rds", "DescribeDBInstances", {"DBInstanceIdentifier": new})
    return {"DBInstance": found["DBInstances"][0]}


def _move(records: Any, old: str, new: str) -> None:
    if old in records:
        records[new] = records.pop(old)
