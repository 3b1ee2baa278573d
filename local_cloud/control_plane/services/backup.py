# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS Backup: recovery points, copies, restores and the vault's lock; ministack has vaults, plans and backup jobs.

A job is done when it is started. A recovery point of an Aurora cluster is a snapshot of it, as in AWS, and its data go
wherever it is copied and restored. The plan's rules do not run by the clock.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from ministack.services import backup, rds

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now, only
from local_cloud.control_plane.services.rds import state
from local_cloud.control_plane.stores import store

points = store("backup_recovery_points")  # recovery point ARN -> DescribeRecoveryPoint's answer
copies = store("backup_copy_jobs")  # id -> CopyJob
restores = store("backup_restore_jobs")  # id -> DescribeRestoreJob's answer
locks = store("backup_vault_locks")  # vault name -> MinRetentionDays, MaxRetentionDays, ChangeableForDays

_TYPES = {"rds": "Aurora", "dynamodb": "DynamoDB", "s3": "S3", "elasticfilesystem": "EFS", "ec2": "EBS"}


def _points_in(vault: str) -> list[dict[str, Any]]:
    return [point for point in points.values() if point["BackupVaultName"] == vault]


def _point(arn: str, vault: str | None = None) -> dict[str, Any]:
    if arn not in points or (vault and points[arn]["BackupVaultName"] != vault):
        raise AwsError("ResourceNotFoundException", f"Cannot find recovery point: {arn}", 400)
    found: dict[str, Any] = points[arn]
    return found


def _vault_arn(call: Call, name: str) -> str:
    return f"arn:aws:backup:{call.region}:{call.account}:backup-vault:{name}"


def _new_point(call: Call, vault: str, source: dict[str, Any], arn: str) -> dict[str, Any]:
    point = {
        "RecoveryPointArn": arn,
        "BackupVaultName": vault,
        "BackupVaultArn": _vault_arn(call, vault),
        "ResourceArn": source["ResourceArn"],
        "ResourceType": source["ResourceType"],
        "IamRoleArn": source["IamRoleArn"],
        "Status": "COMPLETED",
        "CreationDate": now(),
        "CompletionDate": now(),
        "BackupSizeInBytes": 0,
        "IsEncrypted": True,
        "StorageClass": "WARM",
        **only(source, "Lifecycle"),
    }
    points[arn] = point
    return point


@registry.handles("backup", "DescribeBackupVault")
async def describe_vault(call: Call) -> Params:
    name = call.params["BackupVaultName"]
    try:
        answer = await call.forward()
    except AwsError as error:
        # Whether a vault exists is not told to those who may not see it, and a missing one looks the same.
        raise AwsError("AccessDeniedException", "Insufficient privileges to perform this action.", 403) from error
    shown = ("MinRetentionDays", "MaxRetentionDays", "LockDate")
    lock = {"Locked": True, **only(locks[name], *shown)} if name in locks else {}
    return {**answer, **lock, "NumberOfRecoveryPoints": len(_points_in(name))}


@registry.handles("backup", "PutBackupVaultLockConfiguration")
async def lock_vault(call: Call) -> Params:
    await call.invoke("backup", "DescribeBackupVault", {"BackupVaultName": call.params["BackupVaultName"]})
    low, high = call.params.get("MinRetentionDays", 1), call.params.get("MaxRetentionDays", 36500)
    if low > high:
        raise AwsError("InvalidParameterValueException", "MinRetentionDays must not be greater than MaxRetentionDays.")
    lock = only(call.params, "MinRetentionDays", "MaxRetentionDays", "ChangeableForDays")
    if days := lock.get("ChangeableForDays"):
        if days < 3:
            raise AwsError("InvalidParameterValueException", "ChangeableForDays must be at least 3.")
        # From that day on it is a compliance lock, which nobody can take off.
        lock["LockDate"] = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    locks[call.params["BackupVaultName"]] = lock
    return {}


@registry.handles("backup", "DeleteBackupVaultLockConfiguration")
def unlock_vault(call: Call) -> Params:
    locks.pop(call.params["BackupVaultName"], None)
    return {}


@registry.handles("backup", "DeleteBackupVault")
async def delete_vault(call: Call) -> Params:
    name = call.params["BackupVaultName"]
    if _points_in(name):
        raise AwsError(
            "InvalidRequestException", f"Backup vault cannot be deleted because it contains recovery points: {name}"
        )
    answer = await call.forward()
    locks.pop(name, None)
    return answer


@registry.handles("backup", "StartBackupJob")
async def start_backup_job(call: Call) -> Params:
    answer = await call.forward()
    resource = call.params["ResourceArn"]
    service = resource.split(":")[2]
    source = {**call.params, "ResourceType": _TYPES.get(service, service.upper())}
    arn = answer["RecoveryPointArn"]
    if ":cluster:" in resource and resource.rpartition(":")[2] in rds._clusters:
        wanted = {
            "DBClusterIdentifier": resource.rpartition(":")[2],
            "DBClusterSnapshotIdentifier": f"{state.BACKUP_PREFIX}job-{answer['BackupJobId']}",
        }
        arn = (await call.invoke("rds", "CreateDBClusterSnapshot", wanted))["DBClusterSnapshot"]["DBClusterSnapshotArn"]
        backup._jobs[answer["BackupJobId"]]["RecoveryPointArn"] = arn
    _new_point(call, call.params["BackupVaultName"], source, arn)
    return {**answer, "RecoveryPointArn": arn}


@registry.handles("backup", "ListRecoveryPointsByBackupVault")
def list_points_of_vault(call: Call) -> Params:
    if call.params["BackupVaultName"] not in backup._vaults:
        raise AwsError("ResourceNotFoundException", f"Backup vault {call.params['BackupVaultName']} does not exist.")
    wanted = only(call.params, "ByResourceArn", "ByResourceType")
    found = [
        point
        for point in _points_in(call.params["BackupVaultName"])
        if wanted.get("ByResourceArn", point["ResourceArn"]) == point["ResourceArn"]
        and wanted.get("ByResourceType", point["ResourceType"]) == point["ResourceType"]
    ]
    return {
        "RecoveryPoints": [{key: value for key, value in point.items() if key != "StorageClass"} for point in found]
    }


@registry.handles("backup", "ListRecoveryPointsByResource")
def list_points_of_resource(call: Call) -> Params:
    members = ("RecoveryPointArn", "CreationDate", "Status", "BackupVaultName")
    found = [only(point, *members) for point in points.values() if point["ResourceArn"] == call.params["ResourceArn"]]
    return {"RecoveryPoints": found}


@registry.handles("backup", "ListProtectedResources")
def list_protected_resources(_call: Call) -> Params:
    newest: dict[str, dict[str, Any]] = {}
    for point in points.values():
        newest[point["ResourceArn"]] = {
            **only(point, "ResourceArn", "ResourceType"),
            "LastBackupTime": point["CreationDate"],
            "LastBackupVaultArn": point["BackupVaultArn"],
            "LastRecoveryPointArn": point["RecoveryPointArn"],
        }
    return {"Results": list(newest.values())}


@registry.handles("backup", "DescribeRecoveryPoint")
def describe_point(call: Call) -> Params:
    return _point(call.params["RecoveryPointArn"], call.params["BackupVaultName"])


@registry.handles("backup", "GetRecoveryPointRestoreMetadata")
def restore_metadata(call: Call) -> Params:
    point = _point(call.params["RecoveryPointArn"], call.params["BackupVaultName"])
    names = only(point, "BackupVaultArn", "RecoveryPointArn")
    return {**names, "RestoreMetadata": {"DBClusterIdentifier": point["ResourceArn"].rpartition(":")[2]}}


@registry.handles("backup", "DeleteRecoveryPoint")
async def delete_point(call: Call) -> Params:
    point = _point(call.params["RecoveryPointArn"], call.params["BackupVaultName"])
    points.pop(point["RecoveryPointArn"], None)
    if _is_snapshot(point["RecoveryPointArn"]):
        wanted = {"DBClusterSnapshotIdentifier": state.identifier_of(point["RecoveryPointArn"])}
        await call.invoke("rds", "DeleteDBClusterSnapshot", wanted)
    return {}


def _is_snapshot(arn: str) -> bool:
    return ":cluster-snapshot:" in arn


@registry.handles("backup", "StartCopyJob")
async def start_copy_job(call: Call) -> Params:
    wanted = call.params
    point = _point(wanted["RecoveryPointArn"], wanted["SourceBackupVaultName"])
    destination = wanted["DestinationBackupVaultArn"]
    region, vault = destination.split(":")[3], destination.rpartition(":")[2]
    await call.invoke("backup", "DescribeBackupVault", {"BackupVaultName": vault}, region=region)
    arn = f"arn:aws:backup:{region}:{call.account}:recovery-point:{uuid.uuid4()}"
    if _is_snapshot(point["RecoveryPointArn"]):
        copy = {
            "SourceDBClusterSnapshotIdentifier": point["RecoveryPointArn"],
            "TargetDBClusterSnapshotIdentifier": f"{state.BACKUP_PREFIX}copyjob-{uuid.uuid4()}",
        }
        told = await call.invoke("rds", "CopyDBClusterSnapshot", copy, region=region)
        arn = told["DBClusterSnapshot"]["DBClusterSnapshotArn"]
    copied = {
        **point,
        "RecoveryPointArn": arn,
        "BackupVaultName": vault,
        "BackupVaultArn": destination,
        "CreationDate": now(),
        "CompletionDate": now(),
        **only(wanted, "Lifecycle"),
    }
    points._data[(call.account, region, arn)] = copied
    job = {
        "AccountId": call.account,
        "CopyJobId": str(uuid.uuid4()),
        "SourceBackupVaultArn": point["BackupVaultArn"],
        "SourceRecoveryPointArn": point["RecoveryPointArn"],
        "DestinationBackupVaultArn": destination,
        "DestinationRecoveryPointArn": arn,
        "ResourceArn": point["ResourceArn"],
        "ResourceType": point["ResourceType"],
        "IamRoleArn": wanted["IamRoleArn"],
        "CreationDate": now(),
        "CompletionDate": now(),
        "State": "COMPLETED",
        "BackupSizeInBytes": 0,
    }
    copies[job["CopyJobId"]] = job
    return {"CopyJobId": job["CopyJobId"], "CreationDate": job["CreationDate"]}


@registry.handles("backup", "DescribeCopyJob")
def describe_copy_job(call: Call) -> Params:
    if call.params["CopyJobId"] not in copies:
        raise AwsError("ResourceNotFoundException", f"Cannot find copy job {call.params['CopyJobId']}")
    return {"CopyJob": copies[call.params["CopyJobId"]]}


@registry.handles("backup", "ListCopyJobs")
def list_copy_jobs(_call: Call) -> Params:
    return {"CopyJobs": list(copies.values())}


@registry.handles("backup", "StartRestoreJob")
async def start_restore_job(call: Call) -> Params:
    point = _point(call.params["RecoveryPointArn"])
    job = {
        "AccountId": call.account,
        "RestoreJobId": str(uuid.uuid4()),
        "RecoveryPointArn": point["RecoveryPointArn"],
        "CreationDate": now(),
        "CompletionDate": now(),
        "PercentDone": "100.0",
        "BackupSizeInBytes": 0,
        "IamRoleArn": call.params.get("IamRoleArn", point["IamRoleArn"]),
        "ResourceType": point["ResourceType"],
    }
    try:
        job |= {"Status": "COMPLETED", "CreatedResourceArn": await _restored(call, point)}
    except AwsError as error:
        job |= {"Status": "FAILED", "StatusMessage": error.message}
    restores[job["RestoreJobId"]] = job
    return {"RestoreJobId": job["RestoreJobId"]}


async def _restored(call: Call, point: dict[str, Any]) -> str:
    """Restore the resource, and return the new one's ARN."""
    if point["ResourceType"] != "Aurora":
        raise AwsError(
            "InvalidParameterValueException", f"The local cloud restores Aurora clusters, not {point['ResourceType']}."
        )
    metadata = call.params["Metadata"]
    if _is_snapshot(point["RecoveryPointArn"]):
        snapshot = {
            "DBClusterIdentifier": metadata.get("DBClusterIdentifier", ""),
            "SnapshotIdentifier": point["RecoveryPointArn"],
            "Engine": metadata.get("Engine", "aurora-postgresql"),
            **only(metadata, "DBSubnetGroupName"),
        }
        told = await call.invoke("rds", "RestoreDBClusterFromSnapshot", snapshot)
        return str(told["DBCluster"]["DBClusterArn"])
    wanted = {
        "DBClusterIdentifier": metadata.get("DBClusterIdentifier", ""),
        "SourceDBClusterIdentifier": point["ResourceArn"].rpartition(":")[2],
        "UseLatestRestorableTime": True,
        **only(metadata, "DBSubnetGroupName"),
    }
    answer = await call.invoke("rds", "RestoreDBClusterToPointInTime", wanted)
    return str(answer["DBCluster"]["DBClusterArn"])


@registry.handles("backup", "DescribeRestoreJob")
def describe_restore_job(call: Call) -> Params:
    if call.params["RestoreJobId"] not in restores:
        raise AwsError("ResourceNotFoundException", f"Cannot find restore job {call.params['RestoreJobId']}")
    found: Params = restores[call.params["RestoreJobId"]]
    return found


@registry.handles("backup", "ListRestoreJobs")
def list_restore_jobs(_call: Call) -> Params:
    return {"RestoreJobs": list(restores.values())}
