# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Elastic Load Balancing v2, whole: ministack's drops weights, priorities, protection and most errors.

The stores in state.py hold what the APIs show; who forwards traffic reads them, and reports target health by standing
in front of DescribeTargetHealth.
"""

from __future__ import annotations

from local_cloud.control_plane.services.elbv2 import listeners, load_balancers, rules, tags, target_groups, targets

__all__ = ["listeners", "load_balancers", "rules", "tags", "target_groups", "targets"]
