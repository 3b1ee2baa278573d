# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""For how long CloudWatch Logs can keep events."""

from __future__ import annotations

# The days that PutRetentionPolicy takes (CloudWatch Logs API reference).
_MONTHS = (30, 60, 90, 120, 150, 180, 365, 400, 545)
_YEARS = (731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
RETENTION_DAYS = (1, 3, 5, 7, 14, *_MONTHS, *_YEARS)
