# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The same platform for a narrow screen: one part below the other, the zones as frames; pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from .picture import ACCOUNT, arrow, box, joined, stands, tip

Facts = Mapping[str, Any]

_WIDTH = 340
_TIP = "tip-portrait"
_STEP = 70  # from one box to the next, the arrow between them included
_MOST_DOTS = 5  # tasks of a slot in one row


def portrait(state: Facts) -> str:
    """The SVG text; an empty text when nothing stands."""
    if not stands(state):
        return ""
    front, y = _front(state)
    slots, y = _slots(state, y)
    zones, y = _zones(state, y)
    files, y = _files(state, y)
    return (
        f'<svg class="platform narrow" viewBox="0 0 {_WIDTH} {y:.0f}" role="img" aria-label="Picture of the platform">'
        f"{tip(_TIP)}{front}{slots}{zones}{files}</svg>"
    )


def _front(state: Facts) -> tuple[str, float]:
    """Readers and whoever stands before the tasks; and where what follows begins."""
    boxes = [("Readers", "", "person")]
    if distribution := state.get("distribution"):
        guarded = "behind WAF" if distribution.get("web_acl") else "without WAF"
        name = (distribution.get("aliases") or [distribution["domain_name"]])[0]
        boxes.append((f"CloudFront, {guarded}", str(name), "edge"))
    if balancer := state.get("load_balancer"):
        ports = ", ".join(str(port) for port in balancer.get("ports", []))
        boxes.append(("Load balancer", f"ports {ports}", "edge"))
    parts = []
    for at, (title, text, look) in enumerate(boxes):
        y = 6 + at * _STEP
        parts.append(box(40, y, 260, 46, title, text, look))
        if at:
            parts.append(arrow(170, y - 24, 170, y - 3, _TIP))
    return "".join(parts), 6 + len(boxes) * _STEP


def _slots(state: Facts, y: float) -> tuple[str, float]:
    services = sorted(state.get("services") or [], key=lambda one: str(one["slot"]))[:2]
    balancer = state.get("load_balancer") or {}
    parts = []
    for at, service in enumerate(services):
        slot, left = str(service["slot"]), 4 + at * 170
        weight = (balancer.get("weights") or {}).get(slot, 0)
        running = int(service["running"])
        dots = "".join(
            f'<rect class="taskdot {slot}" x="{left + 12 + dot * 28}" y="{y + 32}" width="20" height="20" rx="5"/>'
            for dot in range(min(running, _MOST_DOTS))
        )
        more = f" (+{running - _MOST_DOTS})" if running > _MOST_DOTS else ""
        parts.append(
            f'<rect class="slot {slot}{" live" if weight else ""}" x="{left}" y="{y}" width="162" height="84" rx="10"/>'
            f'<text class="name" x="{left + 12}" y="{y + 22}">{escape(slot)}</text>'
            f'<text class="small" x="{left + 150}" y="{y + 22}" text-anchor="end">{weight} %</text>{dots}'
            f'<text class="small" x="{left + 12}" y="{y + 72}">{running} of {service["desired"]} tasks run{more}</text>'
        )
        if weight:
            parts.append(arrow(170, y - 24, left + 81, y - 3, _TIP))
            parts.append(arrow(left + 81, y + 84, left + 81, y + 105, _TIP))
    return "".join(parts), y + (108 if services else 0)


def _zones(state: Facts, y: float) -> tuple[str, float]:
    """A frame for each zone with what it holds of the data tier."""
    network, database, cache = state.get("network") or {}, state.get("database") or {}, state.get("cache") or {}
    nat = network.get("nat_zones", [])
    held: dict[str, list[tuple[str, str, str]]] = {str(zone["name"]): [] for zone in network.get("zones", [])}
    for one in database.get("instances", []):
        role = "writer" if one["writer"] else "reader"
        held.setdefault(str(one["zone"]), []).append((f"Aurora {role}", str(one["class"]), "data"))
    for one in cache.get("nodes", []):
        role = "primary" if one["primary"] else "replica"
        held.setdefault(str(one["zone"]), []).append((f"Redis {role}", str(cache.get("node_type", "")), "cache"))
    parts = []
    for zone, boxes in held.items():
        high = 30 + 52 * -(-len(boxes) // 2)
        ways = ", NAT" if zone in nat else ""
        parts.append(
            f'<rect class="zone" x="4" y="{y}" width="332" height="{high}" rx="10"/>'
            f'<text class="small" x="14" y="{y + 18}">{escape(zone)}{ways}</text>'
        )
        for at, (title, text, look) in enumerate(boxes):
            parts.append(box(12 + (at % 2) * 160, y + 26 + (at // 2) * 52, 152, 44, title, text, look))
        y += high + 8
    return "".join(parts), y


def _files(state: Facts, y: float) -> tuple[str, float]:
    buckets, functions = state.get("buckets") or [], state.get("functions") or []
    told = [("S3", joined([ACCOUNT.sub("", one) for one in buckets], 2), "store")] if buckets else []
    told += [("Lambda", joined([one.rpartition("-")[2] for one in functions], 2), "task")] if functions else []
    if not told:
        return "", y
    parts = [box(4 + at * 170, y, 162, 44, title, text, look) for at, (title, text, look) in enumerate(told)]
    return "".join(parts), y + 50
