# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which engine versions ElastiCache offers."""

from __future__ import annotations

from .._aws.api import Aws
from .model import major_minor


def unknown_version(aws: Aws, engine: str, wanted: str) -> str:
    """A sentence for a version of ``redis`` or ``valkey`` that the region does not offer; empty when it does."""
    described = aws.pages(
        f"list the versions of {engine}",
        "elasticache",
        "describe_cache_engine_versions",
        "CacheEngineVersions",
        Engine=engine,
    )
    offered = sorted({major_minor(one["EngineVersion"]) for one in described}, key=_number)
    if major_minor(wanted) in offered:
        return ""
    return f"Wanted {engine} {wanted}; ElastiCache offers {', '.join(offered)} in this region. Choose one of these."


def step_back(engine: str, wanted: str, present: str) -> str:
    """A sentence for a version older than the one that runs; empty otherwise."""
    if not present or _number(wanted)[:2] >= _number(present):
        return ""
    return f"Wanted {engine} {wanted} and found {present}; ElastiCache takes no step back. Set it to {present}."


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
