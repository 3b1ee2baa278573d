# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Aurora cluster that is wanted: groups, log group, cluster, instances; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._aws.retention import RETENTION_DAYS
from .._aws.tags import named
from .._aws.windows import problems as window_problems
from .._engine.resources import Ref, Resource
from .._engine.steps import PlanRefused
from . import versions

ENGINE = "aurora-postgresql"
SERVERLESS = "db.serverless"
_NAME = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,59}")  # 63 less the number of an instance
_DATABASE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_USER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_CLASS = re.compile(r"db\.(serverless|[a-z0-9]+\.[a-z0-9]+)")
_MONITORING = (0, 1, 5, 10, 15, 30, 60)
_INSIGHTS_DAYS = (7, *(31 * months for months in range(1, 24)), 731)
_LEAST_WINDOW = 30  # minutes, RDS API reference


def problems(params: Mapping[str, Any]) -> list[str]:
    """Everything wrong with a wished cluster, one sentence each (RDS API reference, CreateDBCluster)."""
    name, wrong = params["name"], []
    if not _NAME.fullmatch(name):
        wrong.append(
            f"Read the cluster's name {name!r}; AWS takes up to 60 lower-case letters, digits and single hyphens, "
            "beginning with a letter. Choose such a name."
        )
    for key, pattern in (("database_name", _DATABASE), ("master_username", _USER)):
        if not pattern.fullmatch(params[key]):
            wrong.append(
                f"Read {key} {params[key]!r} for {name}; AWS takes a letter and up to 62 letters, digits and "
                "underscores. Choose such a name."
            )
    if params["master_username"] in ("rdsadmin", "admin", "postgres_admin"):
        wrong.append(f"Read master_username {params['master_username']} for {name}; AWS reserves it. Choose another.")
    if not 1 <= params["backup_retention_period"] <= 35:
        wrong.append(f"Read {params['backup_retention_period']} days of backups for {name}; AWS keeps 1 to 35.")
    if not 1 <= params["instance_count"] <= 16:
        wrong.append(f"Read {params['instance_count']} instances for {name}; a cluster has 1 to 16. Choose one.")
    if not _CLASS.fullmatch(params["instance_class"]):
        wrong.append(f"Read instance class {params['instance_class']!r} for {name}. Write it like db.r6g.large.")
    wrong += window_problems(params["preferred_backup_window"], params["preferred_maintenance_window"], _LEAST_WINDOW)
    return [*wrong, *_monitoring_problems(params), *_scaling_problems(params)]


def _monitoring_problems(params: Mapping[str, Any]) -> list[str]:
    name, wrong = params["name"], []
    if params["monitoring_interval"] not in _MONITORING:
        wrong.append(
            f"Read monitoring_interval {params['monitoring_interval']} for {name}; AWS takes "
            f"{', '.join(map(str, _MONITORING))} seconds. Choose one."
        )
    if params["monitoring_interval"] and not params["monitoring_role_arn"]:
        wrong.append(f"Read enhanced monitoring for {name} without monitoring_role_arn. Give the role or interval 0.")
    if params["performance_insights"] and params["performance_insights_retention"] not in _INSIGHTS_DAYS:
        wrong.append(
            f"Read {params['performance_insights_retention']} days of Performance Insights for {name}; AWS takes 7, "
            "31 times 1 to 23, or 731. Choose one."
        )
    if params["log_retention_days"] not in RETENTION_DAYS:
        days = ", ".join(map(str, RETENTION_DAYS))
        wrong.append(f"Read {params['log_retention_days']} days for the logs of {name}; AWS takes {days}. Choose one.")
    return wrong


def _scaling_problems(params: Mapping[str, Any]) -> list[str]:
    name, scaling = params["name"], params["serverless_v2_scaling"]
    if params["instance_class"] == SERVERLESS and not scaling:
        return [
            f"Read class {SERVERLESS} for {name} without serverless_v2_scaling. Give min_capacity and max_capacity."
        ]
    if not scaling:
        return []
    low, high = scaling["min_capacity"], scaling["max_capacity"]
    wrong = []
    if any(value % 0.5 for value in (low, high)) or not 0 <= low <= 256 or not 1 <= high <= 256:
        wrong.append(
            f"Read capacities {low} to {high} for {name}; AWS takes halves from 0 to 256 and a maximum from 1."
        )
    if low > high:
        wrong.append(f"Read min_capacity {low} above max_capacity {high} for {name}. Lower the one or raise the other.")
    return wrong


def snapshot_problems(params: Mapping[str, Any], snapshot: Mapping[str, Any] | None) -> list[str]:
    """What speaks against a restore from `params["snapshot"]`. snapshot: as RDS describes it, None if there is none."""
    asked = f"Tried to restore {params['name']} from snapshot {params['snapshot']}"
    if snapshot is None:
        return [f"{asked} and found none in this region. Name one that `aws rds describe-db-cluster-snapshots` lists."]
    wrong = []
    if snapshot["Status"] != "available":
        wrong.append(f"{asked} and found it {snapshot['Status']}. Wait until it is available, or name another.")
    if snapshot.get("Engine") != ENGINE:
        wrong.append(f"{asked} and found one of {snapshot.get('Engine')}. Name one of {ENGINE}.")
    if snapshot.get("MasterUsername") != params["master_username"]:
        wrong.append(
            f"{asked} and found the master user {snapshot.get('MasterUsername')} in it; a restore keeps it. Set "
            "master_username to it."
        )
    return wrong


def parameter_value(value: Any) -> str:
    """A parameter as AWS writes it: YAML's true and false are 1 and 0 there, a list has commas."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return str(value)


def log_group(name: str, log: str) -> str:
    """The log group to which RDS exports a log."""
    return f"/aws/rds/cluster/{name}/{log}"


def desired(params: Mapping[str, Any], version: str) -> list[Resource]:
    """The resources of an `aurora_cluster` call, in the order of creation. Raises PlanRefused.

    version: the engine version, see `versions.resolve`.
    """
    if wrong := problems(params):
        raise PlanRefused(wrong)
    name, tags = params["name"], params["tags"]
    family = versions.family(version)
    group = f"{name}-{family}"

    def resource(kind: str, own: str, fields: dict[str, Any], initial: dict[str, Any] | None = None) -> Resource:
        return Resource(kind, own, fields, initial or {}, tags=named(tags, own))

    def parameters(key: str) -> dict[str, Any]:
        values = {one: parameter_value(value) for one, value in params[key].items()}
        return {"family": family, "parameters": values}

    made = [
        resource("db_subnet_group", name, {"subnets": sorted(params["subnet_ids"])}),
        resource("db_cluster_parameter_group", group, parameters("cluster_parameters")),
        resource("db_parameter_group", group, parameters("instance_parameters")),
    ]
    logs = sorted(params["cloudwatch_logs_exports"])
    made += [
        resource(
            "log_group",
            log_group(name, log),
            {"retention_days": params["log_retention_days"], "kms_key": params["log_kms_key_arn"] or None},
        )
        for log in logs
    ]
    made.append(resource("db_cluster", name, _cluster(params, version, group, logs)))
    zones = params["availability_zones"]
    for number in range(1, params["instance_count"] + 1):
        zone = zones[(number - 1) % len(zones)] if zones else None
        made.append(resource("db_instance", f"{name}-{number}", _instance(params, group, number, zone)))
    return made


def _cluster(params: Mapping[str, Any], version: str, group: str, logs: list[str]) -> dict[str, Any]:
    scaling = params["serverless_v2_scaling"]
    fields = {
        "engine_version": version,
        "subnet_group": Ref("db_subnet_group", params["name"]),
        "parameter_group": Ref("db_cluster_parameter_group", group),
        "security_groups": sorted(params["security_group_ids"]),
        "port": params["port"],
        "database_name": params["database_name"],
        "master_username": params["master_username"],
        "managed_master_password": True,
        "storage_encrypted": True,
        "storage_type": params["storage_type"],
        "backup_retention_period": params["backup_retention_period"],
        "backup_window": params["preferred_backup_window"],
        "maintenance_window": params["preferred_maintenance_window"].lower(),
        "deletion_protection": params["deletion_protection"],
        "logs": logs,
        "iam_authentication": params["iam_database_authentication"],
        "copy_tags_to_snapshot": params["copy_tags_to_snapshot"],
        "serverless_v2_scaling": {key: float(scaling[key]) for key in ("min_capacity", "max_capacity")}
        if scaling
        else None,
    }
    # AWS shows the key that it chose itself, too; only one that was chosen here is compared.
    if params["kms_key_arn"]:
        fields["kms_key"] = params["kms_key_arn"]
    if params["master_secret_kms_key_arn"]:
        fields["master_secret_kms_key"] = params["master_secret_kms_key_arn"]
    return fields


def _instance(params: Mapping[str, Any], group: str, number: int, zone: str | None) -> dict[str, Any]:
    insights = params["performance_insights"]
    fields = {
        "cluster": Ref("db_cluster", params["name"]),
        "instance_class": params["instance_class"],
        "parameter_group": Ref("db_parameter_group", group),
        "performance_insights": insights,
        "monitoring_interval": params["monitoring_interval"],
        "monitoring_role": params["monitoring_role_arn"] or None if params["monitoring_interval"] else None,
        # The first instance is made the writer; who follows it is a matter of the tier.
        "promotion_tier": min(number - 1, 15),
        "auto_minor_version_upgrade": params["auto_minor_version_upgrade"],
        "publicly_accessible": False,
    }
    if insights:
        fields["performance_insights_retention"] = params["performance_insights_retention"]
    if insights and params["performance_insights_kms_key_arn"]:
        fields["performance_insights_kms_key"] = params["performance_insights_kms_key_arn"]
    if zone:
        fields["availability_zone"] = zone
    if params["ca_certificate_identifier"]:
        fields["ca_certificate"] = params["ca_certificate_identifier"]
    if params["reboot"]:
        fields["parameters_applied"] = True
    return fields
