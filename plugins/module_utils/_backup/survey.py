# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a platform has to lose, and what keeps it: read from AWS, judged by `coverage`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from .._aws.api import Aws
from .._aws.tag_index import indexed
from .._engine.side_by_side import side_by_side, together
from .coverage import DRILL, PURPOSE, Protected, kind_of, problems, takes
from .kinds import Selection

# As the tagging API names the types.
_TAGGED = ("rds:cluster", "dynamodb:table", "elasticfilesystem:file-system", "s3")
_OPTED = ("Aurora", "DynamoDB", "EFS")

# Where something is replicated to, its newest recovery point, and the newest copy of one.
Kept: TypeAlias = "tuple[str | None, str | None, str | None]"


class Survey:
    """Reads the protected resources of one platform and region."""

    def __init__(self, aws: Aws, name_prefix: str, tags: Mapping[str, str]) -> None:
        self._aws = aws
        self._prefix = name_prefix
        self._tags = tags
        self._days: dict[str, int] | None = None

    def opt_in(self, *, write: bool) -> bool:
        """Switch AWS Backup on for our types where it is off; True when there was something to switch."""
        preferences = {**self._opted_in()}
        if all(preferences.get(name) is not False for name in _OPTED):
            return False
        if write:
            wanted = {**preferences, **{name: True for name in _OPTED if name in preferences}}
            attempt = "switch AWS Backup on for Aurora, DynamoDB and EFS"
            self._aws.call(attempt, "backup", "update_region_settings", ResourceTypeOptInPreference=wanted)
        return True

    def _opted_in(self) -> Mapping[str, bool]:
        answer = self._aws.call("read AWS Backup's settings of the region", "backup", "describe_region_settings")
        return dict(answer.get("ResourceTypeOptInPreference") or {})

    def protected(self) -> list[Protected]:
        """Everything of ours that holds data, but not what a drill has made for an hour."""
        resources = []
        standing = self._retention()
        for arn, tags in indexed(self._aws, self._tags, *_TAGGED).items():
            kind = kind_of(arn, self._prefix)
            # The tagging service tells of a cluster for a while after it is gone.
            if kind == "aurora" and arn not in standing:
                continue
            if kind and tags.get(PURPOSE) != DRILL:
                resources.append(Protected(arn, kind, tags))
        return sorted(resources, key=lambda one: one.arn)

    def read(
        self, *, pitr_days: int, replication: bool, dr_region: str | None, dr_vault: str | None
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """How each is kept, and a sentence for each thing that could be lost."""

        def protected() -> list[tuple[Protected, Kept]]:
            ours = self.protected()
            return list(zip(ours, side_by_side(lambda one: self._kept(one, dr_region, dr_vault), ours), strict=True))

        selections, plans, opted_in, kept = together(self._selections, self._plan_names, self._opted_in, protected)
        retention = self._retention()
        told: list[dict[str, Any]] = []
        wrong: list[str] = []
        for one, (replica, newest, newest_copy) in kept:
            taking = sorted({plans[chosen["plan"]] for chosen in selections if takes(chosen, one)})
            wrong += problems(
                one,
                taking,
                opted_in=opted_in,
                retention_days=retention.get(one.arn),
                wanted_days=pitr_days,
                replicated_to=replica,
                replication_wanted=replication,
            )
            told.append(
                {
                    "arn": one.arn,
                    "kind": one.kind,
                    "plans": taking,
                    "replicated_to": replica or "",
                    "newest_recovery_point": newest,
                    "newest_copy": newest_copy,
                }
            )
        return told, wrong

    def _selections(self) -> list[Mapping[str, Any]]:
        return [found.fields for found in Selection(self._aws, self._tags, self._prefix).observe()]

    def _kept(self, one: Protected, region: str | None, vault: str | None) -> Kept:
        """Where it is replicated to, its newest recovery point, and the newest copy of one."""
        bucket = one.kind == "bucket"
        return (
            self._replica(one) if bucket else None,
            None if bucket else self._newest(one),
            self._newest_copy(one, region, vault) if vault else None,
        )

    def _plan_names(self) -> dict[str, str]:
        listed = self._aws.pages("list backup plans", "backup", "list_backup_plans", "BackupPlansList")
        return {plan["BackupPlanId"]: plan["BackupPlanName"] for plan in listed}

    def _retention(self) -> dict[str, int]:
        """ARN of each cluster of the region → days that its own backups are kept."""
        if self._days is None:
            clusters = self._aws.pages("list Aurora clusters", "rds", "describe_db_clusters", "DBClusters")
            self._days = {one["DBClusterArn"]: int(one.get("BackupRetentionPeriod") or 0) for one in clusters}
        return self._days

    def _replica(self, one: Protected) -> str | None:
        """ARN of the bucket that an enabled rule copies all of this one to."""
        bucket = one.arn.rpartition(":")[2]
        answer = self._aws.call_unless(
            {"ReplicationConfigurationNotFoundError"},
            f"read the replication of bucket {bucket}",
            "s3",
            "get_bucket_replication",
            Bucket=bucket,
        )
        rules = (answer or {}).get("ReplicationConfiguration", {}).get("Rules", [])
        whole = [rule for rule in rules if rule["Status"] == "Enabled" and not (rule.get("Filter") or {}).get("Prefix")]
        return str(whole[0]["Destination"]["Bucket"]) if whole else None

    def _newest(self, one: Protected) -> str | None:
        points = self._aws.pages(
            f"list the recovery points of {one.arn}",
            "backup",
            "list_recovery_points_by_resource",
            "RecoveryPoints",
            ResourceArn=one.arn,
        )
        return _latest(points)

    def _newest_copy(self, one: Protected, region: str | None, vault: str) -> str | None:
        points = self._aws.pages(
            f"list the copies of {one.arn} in {region}",
            "backup",
            "list_recovery_points_by_backup_vault",
            "RecoveryPoints",
            region=region,
            missing=("ResourceNotFoundException", "AccessDeniedException"),
            BackupVaultName=vault,
            ByResourceArn=one.arn,
        )
        return _latest(points)


def _latest(points: list[dict[str, Any]]) -> str | None:
    done = [point["CreationDate"] for point in points if point.get("Status") == "COMPLETED"]
    return max(done).isoformat() if done else None
