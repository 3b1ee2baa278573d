# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cache that is wanted: subnet group, parameter group, log groups, replication group; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._aws.retention import RETENTION_DAYS
from .._aws.tags import named
from .._aws.windows import problems as window_problems
from .._engine.resources import Ref, Resource
from .._engine.steps import PlanRefused
from .._secrets.model import canonical_key

_NAME = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,39}")
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?")
_MOST_NODES = 6
# AWS demands windows of at least an hour.
_LEAST_WINDOW = 60
SLOW_LOG, ENGINE_LOG = "slow-log", "engine-log"


def problems(params: Mapping[str, Any]) -> list[str]:
    """Everything wrong with a wished cache, one sentence each (ElastiCache API reference, CreateReplicationGroup)."""
    name, nodes = params["name"], params["num_cache_clusters"]
    found = window_problems(params["snapshot_window"], params["preferred_maintenance_window"], _LEAST_WINDOW)
    if not _NAME.fullmatch(name):
        found.append(
            f"Read the replication group's name {name!r}; AWS takes up to 40 lower-case letters, digits and single "
            "hyphens, beginning with a letter. Choose such a name."
        )
    if not 1 <= nodes <= _MOST_NODES:
        found.append(f"Read {nodes} nodes for {name}; a shard has 1 to {_MOST_NODES}. Choose one.")
    if nodes < 2 and (params["automatic_failover"] or params["multi_az"]):
        found.append(f"Read one node for {name} with failover; a failover needs a second. Add a node or switch it off.")
    if params["multi_az"] and not params["automatic_failover"]:
        found.append(
            f"Read multi_az without automatic_failover for {name}; AWS wants both. Switch both on or both off."
        )
    if not _VERSION.fullmatch(params["engine_version"]):
        found.append(f"Read engine version {params['engine_version']!r} for {name}. Write it like 7.1.")
    if params["auth_token_secret"] and not params["transit_encryption"]:
        found.append(f"Read an AUTH token for {name} without encryption in transit; AWS wants both. Switch it on.")
    if not 0 <= params["snapshot_retention_limit"] <= 35:
        found.append(f"Read {params['snapshot_retention_limit']} days of snapshots for {name}; AWS keeps 0 to 35.")
    if params["log_retention_days"] not in RETENTION_DAYS:
        days = ", ".join(map(str, RETENTION_DAYS))
        found.append(f"Read {params['log_retention_days']} days for the logs of {name}; AWS takes {days}. Choose one.")
    return found


def major_minor(version: str) -> str:
    """``7.1`` of ``7.1.0``: patches are AWS's to choose."""
    return ".".join(version.split(".")[:2])


def key_id(key: str | None) -> str | None:
    """A KMS key by its id, since ElastiCache answers with an id or an ARN; None for AWS's own."""
    return canonical_key(key) if key else None


def group_name(params: Mapping[str, Any]) -> str:
    """The parameter group's name; with the family in it a new family brings a group of its own."""
    return f"{params['name']}-{params['parameter_group_family'].replace('.', '-')}"


def log_group_names(name: str) -> dict[str, str]:
    """The log group of each log type."""
    return {log: f"/aws/elasticache/{name}/{log}" for log in (SLOW_LOG, ENGINE_LOG)}


def desired(params: Mapping[str, Any], auth_token_version: str | None) -> list[Resource]:
    """The resources of an `elasticache_replication_group` call, in the order of creation. Raises PlanRefused.

    auth_token_version: the version of the secret whose value shall be the AUTH token; None for no AUTH.
    """
    if wrong := problems(params):
        raise PlanRefused(wrong)
    name, tags = params["name"], params["tags"]

    def resource(kind: str, own: str, fields: dict[str, Any], initial: dict[str, Any] | None = None) -> Resource:
        return Resource(kind, own, fields, initial or {}, tags=named(tags, own))

    made = [
        resource("cache_subnet_group", name, {"subnets": sorted(params["subnet_ids"])}),
        resource(
            "cache_parameter_group",
            group_name(params),
            {
                "family": params["parameter_group_family"],
                "parameters": {key: str(value) for key, value in params["parameters"].items()},
            },
        ),
    ]
    logs = log_group_names(name)
    wanted_logs = [log for log in (SLOW_LOG, ENGINE_LOG) if log in params["logs"]]
    made += [
        resource(
            "log_group",
            logs[log],
            {"retention_days": params["log_retention_days"], "kms_key": params["log_kms_key_arn"] or None},
        )
        for log in wanted_logs
    ]
    made.append(
        resource(
            "replication_group",
            name,
            {
                "description": params["description"] or f"Cache of {name}",
                "engine": params["engine"],
                "engine_version": major_minor(params["engine_version"]),
                "node_type": params["node_type"],
                "nodes": params["num_cache_clusters"],
                "port": params["port"],
                "subnet_group": Ref("cache_subnet_group", name),
                "parameter_group": Ref("cache_parameter_group", group_name(params)),
                "security_groups": sorted(params["security_group_ids"]),
                "automatic_failover": params["automatic_failover"],
                "multi_az": params["multi_az"],
                "at_rest_encryption": True,
                "kms_key": key_id(params["kms_key_arn"]),
                "transit_encryption": params["transit_encryption"],
                "auth_token": auth_token_version,
                "snapshot_retention_limit": params["snapshot_retention_limit"],
                "snapshot_window": params["snapshot_window"],
                "maintenance_window": params["preferred_maintenance_window"].lower(),
                "auto_minor_version_upgrade": params["auto_minor_version_upgrade"],
                "logs": {log: {"group": logs[log], "format": params["log_format"]} for log in wanted_logs},
                "notification_topic": params["notification_topic_arn"] or None,
            },
        )
    )
    return made
