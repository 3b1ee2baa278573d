# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudFront beyond ministack: what its API refuses, and an edge that knows WAF, signed URLs and aliases."""

from __future__ import annotations

from local_cloud.control_plane.services.cloudfront import api, viewers

__all__ = ["api", "viewers"]
