# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes an Aurora cluster."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.arn_tags import refuse_foreign
from .._aws.tags import from_boto3, to_boto3
from .._aws.waiters import until
from .._engine.resources import Found, Resource, Traits
from .._engine.steps import PlanRefused
from .groups import RdsKind
from .model import ENGINE

_GONE = ("DBClusterNotFoundFault", "DBClusterNotFound")
_FAILED = ("inaccessible-encryption-credentials", "migration-failed", "cloning-failed")
_MODIFY = {
    "engine_version": "EngineVersion",
    "parameter_group": "DBClusterParameterGroupName",
    "security_groups": "VpcSecurityGroupIds",
    "port": "Port",
    "storage_type": "StorageType",
    "backup_retention_period": "BackupRetentionPeriod",
    "backup_window": "PreferredBackupWindow",
    "maintenance_window": "PreferredMaintenanceWindow",
    "deletion_protection": "DeletionProtection",
    "iam_authentication": "EnableIAMDatabaseAuthentication",
    "copy_tags_to_snapshot": "CopyTagsToSnapshot",
    "managed_master_password": "ManageMasterUserPassword",
    "master_secret_kms_key": "MasterUserSecretKmsKeyId",
}
_CREATE = {
    **_MODIFY,
    "subnet_group": "DBSubnetGroupName",
    "database_name": "DatabaseName",
    "master_username": "MasterUsername",
    "storage_encrypted": "StorageEncrypted",
    "kms_key": "KmsKeyId",
    "logs": "EnableCloudwatchLogsExports",
}
# What a restore from a snapshot takes; the master password, backups and windows are set once the cluster stands.
_RESTORE = {
    name: _CREATE[name]
    for name in (
        "engine_version",
        "subnet_group",
        "parameter_group",
        "security_groups",
        "port",
        "storage_type",
        "kms_key",
        "logs",
        "deletion_protection",
        "iam_authentication",
        "copy_tags_to_snapshot",
    )
}


class DbCluster(RdsKind):
    """One Aurora PostgreSQL cluster by its name.

    apply_immediately: whether changes that interrupt are made now; else a pending change counts as made.
    removing: refuses a plan that could only fail after the instances are gone.
    final_snapshot_name: taken on removal; empty takes none.
    snapshot: name or ARN of what a cluster that is not there yet is restored from; empty makes an empty one.
    """

    kind = "db_cluster"
    traits = Traits(
        "Aurora cluster",
        immutable=frozenset({"subnet_group", "database_name", "master_username", "storage_encrypted", "kms_key"}),
    )

    def __init__(
        self,
        aws: Aws,
        tags: Mapping[str, str],
        name: str,
        apply_immediately: bool = False,
        removing: bool = False,
        keep_protection: bool = True,
        final_snapshot_name: str = "",
        major_upgrade: bool = False,
        snapshot: str = "",
    ) -> None:
        super().__init__(aws, tags, name)
        self.apply_immediately = apply_immediately
        self.removing = removing
        self.keep_protection = keep_protection
        self.final_snapshot_name = final_snapshot_name
        self.major_upgrade = major_upgrade
        self.snapshot = snapshot

    def described(self) -> dict[str, Any] | None:
        """The cluster as AWS describes it; None without one."""
        clusters = self.aws.pages(
            f"look for Aurora cluster {self.name}",
            "rds",
            "describe_db_clusters",
            "DBClusters",
            missing=_GONE,
            DBClusterIdentifier=self.name,
        )
        return clusters[0] if clusters else None

    def observe(self) -> Iterable[Found]:
        item = self.described()
        if item is None:
            return
        tags = from_boto3(item.get("TagList") or [])
        refuse_foreign(tags, self.tags, f"Aurora cluster {self.name}")
        if self.removing:
            self._refuse_removal(item)
        elif item["Status"] in ("stopped", "stopping"):
            raise PlanRefused(
                [f"Looked for Aurora cluster {self.name} and found it {item['Status']}. Start it, then run again."]
            )
        fields = _fields(item if self.apply_immediately else {**item, **(item.get("PendingModifiedValues") or {})})
        yield Found(self.kind, self.name, self.name, fields, tags, _outputs(item), item["Status"] == "available")

    def _refuse_removal(self, item: Mapping[str, Any]) -> None:
        if item["Status"] == "deleting":
            return
        problems = []
        if item.get("DeletionProtection") and self.keep_protection:
            problems.append(
                f"Tried to delete Aurora cluster {self.name} and found its deletion protection on. "
                "Set deletion_protection to false in the run that shall remove it."
            )
        if self.final_snapshot_name and described_snapshot(self.aws, self.final_snapshot_name):
            problems.append(
                f"Tried to plan the final snapshot {self.final_snapshot_name} of Aurora cluster {self.name} and found "
                "one of that name. Choose another final_snapshot_name."
            )
        if problems:
            raise PlanRefused(problems)

    def create(self, wanted: Resource) -> Found:
        if self.snapshot:
            return self._restore(wanted)
        attempt = f"create Aurora cluster {wanted.name}"
        answer = self.call(attempt, "create_db_cluster", **_creation(wanted, _CREATE))
        return self.new(wanted, answer["DBCluster"]["DBClusterArn"])

    def _restore(self, wanted: Resource) -> Found:
        """The data of the snapshot, with our settings."""
        answer = self.call(
            f"restore {self.snapshot} as Aurora cluster {wanted.name}",
            "restore_db_cluster_from_snapshot",
            SnapshotIdentifier=self.snapshot,
            **_creation(wanted, _RESTORE),
        )
        made = self.new(wanted, answer["DBCluster"]["DBClusterArn"])
        self.wait(made)
        for shown in self.observe():
            left = [
                name
                for name, value in wanted.fields.items()
                if shown.fields[name] != value and name not in self.traits.immutable
            ]
            if left:
                self.change(shown, wanted, left)
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        parameters = {parameter: wanted.fields[name] for name, parameter in _MODIFY.items() if name in fields}
        if "master_secret_kms_key" in fields:
            parameters["ManageMasterUserPassword"] = True  # AWS wants both together
        if "engine_version" in fields and self.major_upgrade:
            parameters["AllowMajorVersionUpgrade"] = True
        if "logs" in fields:
            have, want = set(found.fields["logs"]), set(wanted.fields["logs"])
            parameters["CloudwatchLogsExportConfiguration"] = {
                "EnableLogTypes": sorted(want - have),
                "DisableLogTypes": sorted(have - want),
            }
        if "serverless_v2_scaling" in fields:
            parameters |= _scaling_parameter(wanted.fields)
        self.call(
            f"change Aurora cluster {found.name}",
            "modify_db_cluster",
            DBClusterIdentifier=found.id,
            ApplyImmediately=self.apply_immediately,
            **parameters,
        )
        self._await_change(found, wanted, fields)

    def _await_change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        """RDS shows a change some seconds after it took the call, or for minutes as modifying."""

        def read() -> str:
            shown = next(iter(self.observe()), None)
            if shown is None:
                return "gone"
            done = all(shown.fields[name] == wanted.fields[name] for name in fields)
            return "shown" if shown.settled and done else "under way"

        until(f"Aurora cluster {found.name} to show its change", read, good={"shown"}, bad={"gone"}, timeout=3600)

    def delete(self, found: Found) -> None:
        item = self.described()
        if item and item["Status"] != "deleting":
            if item.get("DeletionProtection"):
                attempt = f"switch off the deletion protection of Aurora cluster {found.name}"
                self.call(attempt, "modify_db_cluster", DBClusterIdentifier=found.id, DeletionProtection=False)
            final = self.final_snapshot_name
            snapshot = {"FinalDBSnapshotIdentifier": final} if final else {}
            self.call(
                f"delete Aurora cluster {found.name}",
                "delete_db_cluster",
                DBClusterIdentifier=found.id,
                SkipFinalSnapshot=not final,
                **snapshot,
            )
        self._until(found, "to be gone", good={""})

    def wait(self, found: Found) -> None:
        # One that an earlier run began to delete is awaited until it is gone.
        self._until(found, "to be available", good={"available", ""})

    def _until(self, found: Found, what: str, good: Collection[str]) -> None:
        def read() -> str:
            item = self.described()
            return str(item["Status"]) if item else ""

        until(f"Aurora cluster {found.name} {what}", read, good=good, bad=_FAILED, timeout=3600, interval=15)


def described_snapshot(aws: Aws, name: str) -> dict[str, Any] | None:
    """A cluster snapshot, by its name or ARN, as AWS describes it; None without one."""
    snapshots = aws.pages(
        f"look for snapshot {name}",
        "rds",
        "describe_db_cluster_snapshots",
        "DBClusterSnapshots",
        missing=("DBClusterSnapshotNotFoundFault", "DBClusterSnapshotNotFound"),
        DBClusterSnapshotIdentifier=name,
    )
    return snapshots[0] if snapshots else None


def _creation(wanted: Resource, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a call that makes a cluster. parameters: field -> parameter."""
    return {
        "DBClusterIdentifier": wanted.name,
        "Engine": ENGINE,
        "Tags": to_boto3(dict(wanted.tags or {})),
        **{parameter: wanted.fields[name] for name, parameter in parameters.items() if name in wanted.fields},
        **_scaling_parameter(wanted.fields),
    }


def _scaling_parameter(fields: Mapping[str, Any]) -> dict[str, Any]:
    scaling = fields["serverless_v2_scaling"]
    if not scaling:
        return {}
    capacity = {"MinCapacity": scaling["min_capacity"], "MaxCapacity": scaling["max_capacity"]}
    return {"ServerlessV2ScalingConfiguration": capacity}


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    scaling = item.get("ServerlessV2ScalingConfiguration") or {}
    secret = item.get("MasterUserSecret") or {}
    return {
        "engine_version": item["EngineVersion"],
        "subnet_group": item.get("DBSubnetGroup"),
        "parameter_group": item.get("DBClusterParameterGroup"),
        "security_groups": sorted(group["VpcSecurityGroupId"] for group in item.get("VpcSecurityGroups") or []),
        "port": item.get("Port"),
        "database_name": item.get("DatabaseName"),
        "master_username": item.get("MasterUsername"),
        "managed_master_password": bool(secret),
        "master_secret_kms_key": secret.get("KmsKeyId"),
        "storage_encrypted": item.get("StorageEncrypted", False),
        "storage_type": item.get("StorageType") or "aurora",
        "kms_key": item.get("KmsKeyId"),
        "backup_retention_period": item.get("BackupRetentionPeriod"),
        "backup_window": item.get("PreferredBackupWindow"),
        "maintenance_window": str(item.get("PreferredMaintenanceWindow", "")).lower(),
        "deletion_protection": item.get("DeletionProtection", False),
        "logs": _logs(item),
        "iam_authentication": item.get("IAMDatabaseAuthenticationEnabled", False),
        "copy_tags_to_snapshot": item.get("CopyTagsToSnapshot", False),
        "serverless_v2_scaling": {
            "min_capacity": float(scaling["MinCapacity"]),
            "max_capacity": float(scaling["MaxCapacity"]),
        }
        if scaling
        else None,
    }


def _logs(item: Mapping[str, Any]) -> list[str]:
    """The logs that are exported, or will be as soon as RDS has carried the change out."""
    pending = (item.get("PendingModifiedValues") or {}).get("PendingCloudwatchLogsExports") or {}
    # When pending values were laid over the cluster, this key lies at the top, too.
    pending = pending or item.get("PendingCloudwatchLogsExports") or {}
    exported = {*(item.get("EnabledCloudwatchLogsExports") or []), *(pending.get("LogTypesToEnable") or [])}
    return sorted(exported - set(pending.get("LogTypesToDisable") or []))


def _outputs(item: Mapping[str, Any]) -> dict[str, Any]:
    members = item.get("DBClusterMembers") or []
    return {
        "arn": item["DBClusterArn"],
        "resource_id": item.get("DbClusterResourceId"),
        "endpoint": item.get("Endpoint"),
        "reader_endpoint": item.get("ReaderEndpoint"),
        "master_secret_arn": (item.get("MasterUserSecret") or {}).get("SecretArn"),
        "pending": item.get("PendingModifiedValues") or {},
        "members": [member["DBInstanceIdentifier"] for member in members],
        "pending_reboot": sorted(
            member["DBInstanceIdentifier"]
            for member in members
            if member.get("DBClusterParameterGroupStatus") == "pending-reboot"
        ),
    }
