# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What RDS needs beyond ministack: log exports, roles, parameter status, snapshots, restores, proxies, checks."""

from __future__ import annotations

from local_cloud.control_plane.services.rds import (
    clusters,
    instances,
    parameter_defaults,
    parameter_groups,
    proxies,
    renames,
    snapshots,
    subnet_groups,
)

__all__ = [
    "clusters",
    "instances",
    "parameter_defaults",
    "parameter_groups",
    "proxies",
    "renames",
    "snapshots",
    "subnet_groups",
]
