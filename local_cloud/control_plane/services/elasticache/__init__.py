# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ElastiCache: replication groups, their nodes, parameter groups, snapshots. The rest is ministack's."""

from __future__ import annotations

from local_cloud.control_plane.services.elasticache import (
    clusters,
    parameter_groups,
    replication_groups,
    snapshots,
    tags,
)

__all__ = ["clusters", "parameter_groups", "replication_groups", "snapshots", "tags"]
