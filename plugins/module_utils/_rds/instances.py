# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes, reboots and removes the instances of a cluster."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import belongs, from_boto3, to_boto3
from .._aws.waiters import until
from .._engine.resources import Found, Resource, Traits
from .groups import RdsKind
from .model import ENGINE

GONE = ("DBInstanceNotFound", "DBInstanceNotFoundFault", "DBClusterNotFoundFault", "DBClusterNotFound")
FAILED = (
    "failed",
    "incompatible-parameters",
    "incompatible-network",
    "incompatible-restore",
    "storage-full",
    "stopped",
)
_MODIFY = {
    "instance_class": "DBInstanceClass",
    "parameter_group": "DBParameterGroupName",
    "performance_insights": "EnablePerformanceInsights",
    "performance_insights_retention": "PerformanceInsightsRetentionPeriod",
    "performance_insights_kms_key": "PerformanceInsightsKMSKeyId",
    "monitoring_interval": "MonitoringInterval",
    "monitoring_role": "MonitoringRoleArn",
    "promotion_tier": "PromotionTier",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "publicly_accessible": "PubliclyAccessible",
    "ca_certificate": "CACertificateIdentifier",
}
_CREATE = {**_MODIFY, "cluster": "DBClusterIdentifier", "availability_zone": "AvailabilityZone"}
# AWS wants these named again when one of them is switched on.
_TOGETHER = (
    ("performance_insights", "performance_insights_retention", "performance_insights_kms_key"),
    ("monitoring_interval", "monitoring_role"),
)


class DbInstance(RdsKind):
    """The members of one cluster, those that autoscaling added among them.

    apply_immediately: whether class and certificate change now; else a pending change counts as made.
    """

    kind = "db_instance"
    traits = Traits("DB instance", immutable=frozenset({"cluster", "availability_zone"}))

    def __init__(self, aws: Aws, tags: Mapping[str, str], name: str, apply_immediately: bool = False) -> None:
        super().__init__(aws, tags, name)
        self.apply_immediately = apply_immediately
        self._rebooted: set[str] = set()

    def observe(self) -> Iterable[Found]:
        instances = self.aws.pages(
            f"list the instances of cluster {self.name}",
            "rds",
            "describe_db_instances",
            "DBInstances",
            missing=GONE,
            Filters=[{"Name": "db-cluster-id", "Values": [self.name]}],
        )
        for item in instances:
            tags = from_boto3(item.get("TagList") or [])
            pending = item.get("PendingModifiedValues") or {}
            outputs = {
                "arn": item["DBInstanceArn"],
                "endpoint": (item.get("Endpoint") or {}).get("Address"),
                "pending": pending,
                "autoscaled": not belongs(tags, self.tags),
            }
            shown = item if self.apply_immediately else {**item, **pending}
            settled = item["DBInstanceStatus"] == "available"
            name = item["DBInstanceIdentifier"]
            yield Found(self.kind, name, name, _fields(shown), tags, outputs, settled)

    def one_at_a_time(self, wanted: Resource) -> Hashable:
        return self.name  # the first that a cluster gets is its writer

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create DB instance {wanted.name}",
            "create_db_instance",
            DBInstanceIdentifier=wanted.name,
            Engine=ENGINE,
            Tags=to_boto3(dict(wanted.tags or {})),
            **_parameters(_CREATE, wanted.fields, wanted.fields),
        )
        return self.new(wanted, answer["DBInstance"]["DBInstanceArn"])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        touched = {*fields, *(name for group in _TOGETHER if {*group} & {*fields} for name in group)}
        if parameters := _parameters(_MODIFY, wanted.fields, touched):
            self.call(
                f"change DB instance {found.name}",
                "modify_db_instance",
                DBInstanceIdentifier=found.id,
                ApplyImmediately=self.apply_immediately,
                **parameters,
            )
            self._await_change(found, wanted, [name for name in fields if name in _MODIFY])
        # The parameter group's change may have restarted it in this same run.
        if "parameters_applied" in fields and found.name not in self._rebooted:
            self.reboot(found.name)

    def _await_change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        """RDS shows a change some seconds after it took the call, or for minutes as modifying."""

        def read() -> str:
            shown = next((one for one in self.observe() if one.name == found.name), None)
            if shown is None:
                return "gone"
            done = all(shown.fields.get(name) == wanted.fields[name] for name in fields)
            return "shown" if shown.settled and done else "under way"

        until(f"DB instance {found.name} to show its change", read, good={"shown"}, bad={"gone"}, timeout=3600)

    def reboot(self, name: str) -> None:
        """Restart one instance and wait until it serves again."""
        self.call(f"reboot DB instance {name}", "reboot_db_instance", DBInstanceIdentifier=name)
        self._until(name, "to be available after its reboot", good={"available"})
        self._rebooted.add(name)

    def reboot_all(self) -> None:
        """Restart the members one after another, so that never two are away at once."""
        for found in sorted(self.observe(), key=lambda found: found.name):
            self.reboot(found.name)

    def delete(self, found: Found) -> None:
        if self._status(found.name) not in ("", "deleting"):
            self.call(
                f"delete DB instance {found.name}",
                "delete_db_instance",
                DBInstanceIdentifier=found.id,
                SkipFinalSnapshot=True,  # the data is the cluster's; its deletion takes the snapshot
            )
        self._until(found.name, "to be gone", good={""})

    def wait(self, found: Found) -> None:
        # One that an earlier run began to delete is awaited until it is gone.
        self._until(found.name, "to be available", good={"available", ""})

    def _until(self, name: str, what: str, good: Collection[str]) -> None:
        until(
            f"DB instance {name} {what}", lambda: self._status(name), good=good, bad=FAILED, timeout=3600, interval=15
        )

    def _status(self, name: str) -> str:
        instances = self.aws.pages(
            f"look at DB instance {name}",
            "rds",
            "describe_db_instances",
            "DBInstances",
            missing=GONE,
            DBInstanceIdentifier=name,
        )
        return str(instances[0]["DBInstanceStatus"]) if instances else ""


def _parameters(names: Mapping[str, str], fields: Mapping[str, Any], touched: Collection[str]) -> dict[str, Any]:
    """The call's parameters for the touched fields that have a value."""
    return {
        parameter: fields[name] for name, parameter in names.items() if name in touched and fields.get(name) is not None
    }


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    groups = item.get("DBParameterGroups") or [{}]
    insights = item.get("PerformanceInsightsEnabled", False)
    return {
        "cluster": item.get("DBClusterIdentifier"),
        "instance_class": item["DBInstanceClass"],
        "availability_zone": item.get("AvailabilityZone"),
        "parameter_group": groups[0].get("DBParameterGroupName"),
        "performance_insights": insights,
        "performance_insights_retention": item.get("PerformanceInsightsRetentionPeriod") if insights else None,
        "performance_insights_kms_key": item.get("PerformanceInsightsKMSKeyId"),
        "monitoring_interval": item.get("MonitoringInterval", 0),
        "monitoring_role": item.get("MonitoringRoleArn") or None,
        "promotion_tier": item.get("PromotionTier"),
        "auto_minor_version_upgrade": item.get("AutoMinorVersionUpgrade"),
        "publicly_accessible": item.get("PubliclyAccessible", False),
        "ca_certificate": item.get("CACertificateIdentifier"),
        "parameters_applied": groups[0].get("ParameterApplyStatus", "in-sync") != "pending-reboot",
    }
