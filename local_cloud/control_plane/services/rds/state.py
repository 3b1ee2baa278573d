# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What we keep of clusters and instances beside ministack's own records."""

from __future__ import annotations

import re
from typing import Any

from ministack.services import rds

from local_cloud.control_plane.overlay import AwsError
from local_cloud.control_plane.stores import store

# cluster id -> {"EnabledCloudwatchLogsExports": [...], "AssociatedRoles": [...], "MonitoringInterval": …}
cluster_extras = store("rds_cluster_extras")
pending_reboot = store("rds_pending_reboot")  # instance id -> names of parameter groups that wait for its reboot
# cluster id -> where its data came from: {"snapshot": id} or {"cluster": id, "time": ISO 8601 or "latest"}
origins = store("rds_origins")

_EXPORTS = {"aurora-postgresql": {"postgresql", "instance", "iam-db-auth-error"}, "postgres": {"postgresql", "upgrade"}}


BACKUP_PREFIX = "awsbackup:"


def identifier_of(name: str) -> str:
    """The identifier in an ARN of RDS, or the identifier itself."""
    return name.split(":", 6)[6] if name.startswith("arn:") else name


def check_identifier(name: str, value: str) -> None:
    """Raises AWS's error for an identifier with a wrong first letter, character or length."""
    # AWS Backup's own snapshots bear a colon.
    if not re.fullmatch(r"[A-Za-z](?:-?[A-Za-z0-9]){0,62}", value.removeprefix(BACKUP_PREFIX)):
        raise AwsError(
            "InvalidParameterValue",
            f"The parameter {name} is not a valid identifier. Identifiers must begin with a letter; must contain only "
            "ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.",
        )


def check_exports(engine: str, wanted: list[str]) -> None:
    unknown = set(wanted) - _EXPORTS.get(engine, set(wanted))
    if unknown:
        raise AwsError(
            "InvalidParameterCombination",
            f"You cannot use the log types '{', '.join(sorted(unknown))}' with engine version {engine}. For supported "
            "log types, see the documentation.",
        )


def extras_of(cluster: str) -> dict[str, Any]:
    found: dict[str, Any] = cluster_extras.get(cluster, {})
    return found


def members_of(cluster: str) -> list[str]:
    """Identifiers of the cluster's instances."""
    record = rds._clusters.get(cluster, {})
    return [member["DBInstanceIdentifier"] for member in record.get("DBClusterMembers", [])]


def await_reboot(instance: str, group: str) -> None:
    """The instance runs with other values than the group's until it is rebooted."""
    pending_reboot[instance] = sorted({*pending_reboot.get(instance, []), group})
