# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kinds of an Aurora cluster in the order of their creation, and the versions that AWS offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._aws.api import Aws
from .._aws.log_groups import LogGroup
from .._engine.kinds import Kind
from .clusters import DbCluster
from .groups import ClusterParameterGroup, DbSubnetGroup, InstanceParameterGroup
from .instances import DbInstance
from .model import ENGINE, log_group

__all__ = ["ClusterParameterGroup", "DbCluster", "DbInstance", "DbSubnetGroup", "InstanceParameterGroup"]


def available_versions(aws: Aws) -> list[str]:
    """Every version of Aurora PostgreSQL that the region offers."""
    versions = aws.pages(
        "list the versions of Aurora PostgreSQL",
        "rds",
        "describe_db_engine_versions",
        "DBEngineVersions",
        Engine=ENGINE,
    )
    return [version["EngineVersion"] for version in versions]


def aurora_kinds(
    aws: Aws,
    tags: Mapping[str, str],
    name: str,
    *,
    reboot: bool = False,
    apply_immediately: bool = False,
    **options: Any,
) -> list[Kind]:
    """All kinds of a cluster, in the order of creation. options: further ones of `DbCluster`."""
    instances = DbInstance(aws, tags, name, apply_immediately)
    restart = instances.reboot_all if reboot else None
    return [
        DbSubnetGroup(aws, tags, name),
        ClusterParameterGroup(aws, tags, name, restart),
        InstanceParameterGroup(aws, tags, name, restart),
        LogGroup(aws, tags, log_group(name, "")),
        DbCluster(aws, tags, name, apply_immediately, **options),
        instances,
    ]
