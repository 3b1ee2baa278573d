# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two slots of the application and what a release alone may change; pure."""

from __future__ import annotations

from collections.abc import Mapping

SLOTS = ("blue", "green")

# A release writes these tags for people to read. A site run neither sets nor removes them.
RELEASE_TAGS = frozenset({"ActiveSlot"})


def slot_name(prefix: str, slot: str) -> str:
    """Name of a slot's target group, service and task definition family: ``stories-production-app-blue``."""
    return f"{prefix}-app-{slot}"


def without_release_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a site run compares."""
    return {name: value for name, value in tags.items() if name not in RELEASE_TAGS}


def live_slot(weights: Mapping[str, int]) -> str | None:
    """The slot that gets all traffic; None while a release has split it, or when no slot gets any.

    weights: of the production listener's forward, by target group name or ARN.
    """
    having = [group for group, weight in weights.items() if weight > 0]
    fitting = [slot for slot in SLOTS for group in having if f"-app-{slot}" in group]
    return fitting[0] if len(having) == 1 and len(fitting) == 1 else None
