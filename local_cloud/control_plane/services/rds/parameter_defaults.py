# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL parameters that ministack does not list, or calls dynamic where RDS calls them static."""

from __future__ import annotations

from typing import Any

from ministack.services import rds

_POSTGRESQL = ("aurora-postgresql", "postgres")
# Name: (apply type, default, data type), of the family aurora-postgresql15.
_PARAMETERS = {
    "autovacuum_max_workers": ("static", "3", "integer"),
    "log_connections": ("dynamic", "0", "boolean"),
    "log_lock_waits": ("dynamic", "0", "boolean"),
    "log_temp_files": ("dynamic", "-1", "integer"),
    "max_connections": ("static", "LEAST({DBInstanceClassMemory/9531392},5000)", "integer"),
    "pg_stat_statements.track": ("dynamic", "top", "string"),
    "random_page_cost": ("dynamic", "4", "float"),
    "rds.force_ssl": ("dynamic", "0", "boolean"),
    "rds.logical_replication": ("static", "0", "boolean"),
    "shared_preload_libraries": ("static", "pg_stat_statements", "list"),
    "statement_timeout": ("dynamic", "0", "integer"),
    "track_activity_query_size": ("static", "4096", "integer"),
    "track_functions": ("dynamic", "none", "string"),
    "track_io_timing": ("dynamic", "1", "boolean"),
}
_listed = rds._default_parameters_for_family


def default_parameters_for_family(family: str) -> list[dict[str, Any]]:
    """In place of ministack's function of this name."""
    parameters: list[dict[str, Any]] = _listed(family)
    if not family.startswith(_POSTGRESQL):
        return parameters
    ours = [
        {"name": name, "default": default, "description": "", "apply_type": kind, "data_type": data, "modifiable": True}
        for name, (kind, default, data) in _PARAMETERS.items()
    ]
    return [item for item in parameters if item["name"] not in _PARAMETERS] + ours


rds._default_parameters_for_family = default_parameters_for_family
