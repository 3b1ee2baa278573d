# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Application Auto Scaling: targets, policies with their alarms, scheduled actions, activities, tags.

Registering a target moves an ECS service's desired count into the range at once, as AWS does. Nothing scales on
metrics: the alarms of a target-tracking policy exist in CloudWatch, and whoever drives them scales.
"""

from __future__ import annotations

from local_cloud.control_plane.services.application_autoscaling import policies, schedules, tags, targets

__all__ = ["policies", "schedules", "tags", "targets"]
