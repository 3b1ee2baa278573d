# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which resources a plan's selection takes, as AWS Backup decides it; pure.

Source: AWS Backup API reference, BackupSelection: a resource is taken when it matches Resources and no NotResources,
and all Conditions hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

# The tag of clusters that a drill makes and removes, which nobody backs up.
PURPOSE = "Purpose"
DRILL = "dr-drill"


@dataclass(frozen=True)
class Protected:
    """A resource that must not be lost. kind: aurora, dynamodb, efs or bucket."""

    arn: str
    kind: str
    tags: Mapping[str, str]


def kind_of(arn: str, name_prefix: str) -> str | None:
    """What sort of data a resource holds; None for one that holds none, or only what can be made again."""
    service, resource = arn.split(":")[2], arn.split(":", 5)[5]
    if service == "rds" and resource.startswith("cluster:"):
        return "aurora"
    if service == "dynamodb" and resource.startswith("table/") and resource.count("/") == 1:
        return "dynamodb"
    if service == "elasticfilesystem" and resource.startswith("file-system/"):
        return "efs"
    if service == "s3" and resource.startswith(f"{name_prefix}-media-"):
        return "bucket"
    return None


def takes(selection: Mapping[str, Any], resource: Protected) -> bool:
    """Whether a selection, in the shape of `kinds.Selection`, takes a resource."""
    if not any(fnmatchcase(resource.arn, pattern) for pattern in selection["resources"]):
        return False
    if any(fnmatchcase(resource.arn, pattern) for pattern in selection.get("not_resources", ())):
        return False
    equal = all(resource.tags.get(name) == value for name, value in selection["tags_equal"].items())
    differ = all(resource.tags.get(name) != value for name, value in selection["tags_differ"].items())
    return equal and differ


def problems(
    resource: Protected,
    plans: Iterable[str],
    *,
    opted_in: Mapping[str, bool],
    retention_days: int | None,
    wanted_days: int,
    replicated_to: str | None,
    replication_wanted: bool,
) -> Sequence[str]:
    """A sentence for each way in which a resource could be lost.

    plans: names of those that take it. opted_in: AWS Backup's switches of the region by its own names of types.
    retention_days: of the cluster's own backups. replicated_to: bucket that a bucket is copied to.
    """
    wrong = []
    if resource.kind == "bucket":
        if replication_wanted and not replicated_to:
            wrong.append(
                f"Looked for the replication of {resource.arn} and found none; a lost region would take its objects. "
                "Run playbooks/phase6.yml again."
            )
        return wrong
    if not list(plans):
        wrong.append(
            f"Looked for a backup plan that takes {resource.arn} and found none. Mend its tags Project and "
            "Environment, or add its type to backup_plan_resource_types."
        )
    service = {"aurora": "Aurora", "dynamodb": "DynamoDB", "efs": "EFS"}[resource.kind]
    if opted_in.get(service) is False:
        wrong.append(
            f"Looked at AWS Backup's settings of the region and found {service} switched off; {resource.arn} would "
            "never be backed up. Switch it on under AWS Backup, Settings, Service opt-in, or say "
            "backup_plan_opt_in: true."
        )
    if resource.kind == "aurora" and (retention_days or 0) < wanted_days:
        wrong.append(
            f"Looked at {resource.arn} and found automated backups of {retention_days or 0} days; point-in-time "
            f"recovery shall reach {wanted_days}. Set rds_aurora_backup_retention_period and run playbooks/phase2.yml."
        )
    return wrong
