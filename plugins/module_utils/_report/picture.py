# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform as a drawing, from the facts of `platform_state`; pure.

From top to bottom: readers, the edge, the load balancer, then the tiers of the network across its zones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Facts = Mapping[str, Any]

_WIDTH = 1000
ACCOUNT = re.compile(r"-\d{12}$")  # which makes the names of buckets unique in the world
_MOST_SQUARES = 24  # tasks of a slot that are drawn one by one


def picture(state: Facts) -> str:
    """The SVG text; an empty text when nothing stands."""
    if not stands(state):
        return ""
    edge, y = _edge(state)
    inside, height = _network(state, y)
    if state.get("load_balancer"):
        # From whoever stands before it, the readers themselves or CloudFront, to the load balancer.
        edge += arrow(500, 134 if state.get("distribution") else 50, 500, y + 50)
    return (
        f'<svg class="platform broad" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="Picture of the platform">'
        f"{tip('tip')}{edge}{inside}</svg>"
    )


def stands(state: Facts) -> bool:
    """Whether there is anything to draw."""
    parts = ("network", "load_balancer", "services", "database", "cache", "distribution")
    return any(state.get(part) for part in parts)


def _edge(state: Facts) -> tuple[str, float]:
    """Readers, CloudFront with its firewall, buckets and functions; and where what follows begins."""
    distribution, buckets, functions = (
        state.get("distribution"),
        state.get("buckets") or [],
        state.get("functions") or [],
    )
    parts = [box(400, 10, 200, 40, "Readers", "", "person")]
    if not distribution:
        if buckets:
            parts.append(box(770, 10, 210, 58, "S3", joined([ACCOUNT.sub("", one) for one in buckets], 3), "store"))
        return "".join(parts), 80
    guarded = "behind WAF" if distribution.get("web_acl") else "without WAF"
    name = (distribution.get("aliases") or [distribution["domain_name"]])[0]
    parts += [
        arrow(500, 50, 500, 74),
        box(330, 76, 340, 58, f"CloudFront, {guarded}", str(name), "edge"),
    ]
    if buckets:
        parts += [
            arrow(670, 105, 758, 105),
            box(760, 76, 220, 58, "S3", joined([ACCOUNT.sub("", one) for one in buckets], 3), "store"),
        ]
    if functions:
        parts += [arrow(870, 134, 870, 152), box(760, 154, 220, 44, "Lambda", joined(functions, 3), "task")]
    return "".join(parts), 178 + (34 if functions else 0)


def _network(state: Facts, top: float) -> tuple[str, float]:
    """The VPC with its zones; and the drawing's height."""
    network = state.get("network") or {}
    zones = [zone["name"] for zone in network.get("zones", [])] or ["no zone"]
    left, right = 20, _WIDTH - 20
    wide = (right - left - 20) / len(zones)
    y = top + 34
    parts: list[str] = []
    bands = [
        ("public", 126, _public(state, zones, left + 10, wide, y)),
        ("app", 150, _app(state, left + 10, right - left - 20, y + 136)),
        ("data", 122, _data(state, zones, left + 10, wide, y + 296)),
    ]
    height = y + 296 + 24 + 50 * max(1, _rows(state, zones)) + 20
    cidr = f" {network['cidr_block']}" if network.get("cidr_block") else ""
    parts.append(f'<rect class="vpc" x="{left}" y="{top}" width="{right - left}" height="{height - top - 8}" rx="14"/>')
    parts.append(f'<text class="small" x="{left + 14}" y="{top + 20}">Network{escape(cidr)}</text>')
    for at, zone in enumerate(zones):
        x = left + 10 + at * wide
        parts.append(
            f'<rect class="zone" x="{x + 3:.1f}" y="{y - 8}" width="{wide - 6:.1f}" height="{height - y - 6}" rx="10"/>'
        )
        parts.append(f'<text class="small" x="{x + wide - 14:.1f}" y="{y + 8}" text-anchor="end">{escape(zone)}</text>')
    at_y = y
    for name, high, drawn in bands:
        parts.append(f'<text class="tier" x="{left + 20}" y="{at_y + 10}">{name}</text>{drawn}')
        at_y += high + 10
    return "".join(parts), height


def _rows(state: Facts, zones: Sequence[str]) -> int:
    """How many boxes stand one above the other in the fullest zone of the data tier."""
    database, cache = state.get("database") or {}, state.get("cache") or {}
    places = [one["zone"] for one in (*database.get("instances", []), *cache.get("nodes", []))]
    return min(2, max((places.count(zone) for zone in zones), default=1))


def _public(state: Facts, zones: Sequence[str], x: float, wide: float, y: float) -> str:
    nat = (state.get("network") or {}).get("nat_zones", [])
    parts = [
        box(x + (zones.index(zone) + 1) * wide - 110, y + 92, 96, 26, "NAT", "", "gate")
        for zone in nat
        if zone in zones
    ]
    balancer = state.get("load_balancer")
    if balancer:
        ports = ", ".join(str(port) for port in balancer.get("ports", []))
        parts.append(box(350, y + 18, 300, 58, "Load balancer", f"ports {ports}", "edge"))
    return "".join(parts)


def _app(state: Facts, x: float, wide: float, y: float) -> str:
    """Both slots across all zones: ECS spreads their tasks."""
    services, balancer = state.get("services") or [], state.get("load_balancer") or {}
    if not services:
        return ""
    parts = []
    half = (wide - 60) / 2
    for at, service in enumerate(sorted(services, key=lambda one: str(one["slot"]))[:2]):
        slot = str(service["slot"])
        weight = (balancer.get("weights") or {}).get(slot, 0)
        left = x + 20 + at * (half + 20)
        live = " live" if weight else ""
        parts.append(
            f'<rect class="slot {slot}{live}" x="{left:.1f}" y="{y + 20}" width="{half:.1f}" height="118" rx="10"/>'
        )
        parts.append(f'<text class="name" x="{left + 16:.1f}" y="{y + 44}">{escape(slot)}</text>')
        parts.append(
            f'<text class="small" x="{left + half - 14:.1f}" y="{y + 44}" text-anchor="end">'
            f"{weight} % of the traffic</text>"
        )
        healthy = (balancer.get("healthy") or {}).get(slot, 0)
        told = f"{service['running']} of {service['desired']} tasks run, {healthy} healthy"
        parts.append(f'<text class="small" x="{left + 16:.1f}" y="{y + 126}">{escape(told)}</text>')
        for square in range(min(int(service["running"]), _MOST_SQUARES)):
            column, row = square % 12, square // 12
            parts.append(
                f'<rect class="taskdot {slot}" x="{left + 16 + column * 30:.1f}" y="{y + 56 + row * 28}" '
                'width="22" height="22" rx="5"/>'
            )
        if weight:
            middle = left + half / 2
            parts += [arrow(500, y - 60, middle, y + 18), arrow(middle, y + 138, middle, y + 176)]
    return "".join(parts)


def _data(state: Facts, zones: Sequence[str], x: float, wide: float, y: float) -> str:
    """Database and cache nodes, each in its zone."""
    database, cache = state.get("database") or {}, state.get("cache") or {}
    parts, used = [], dict.fromkeys(zones, 0)

    def put(zone: str, title: str, text: str, look: str) -> None:
        where = zone if zone in used else min(used, key=lambda one: used[one])
        if used[where] >= 2:
            return
        left = x + zones.index(where) * wide
        parts.append(box(left + 14, y + 18 + used[where] * 50, wide - 28, 44, title, text, look))
        used[where] += 1

    proxy = ", behind a proxy" if state.get("proxy") else ""
    for instance in database.get("instances", []):
        role = f"writer{proxy}" if instance["writer"] else "reader"
        put(instance["zone"], f"Aurora {role}", str(instance["class"]), "data")
    for node in cache.get("nodes", []):
        role = "primary" if node["primary"] else "replica"
        put(node["zone"], f"Redis {role}", str(cache.get("node_type", "")), "cache")
    return "".join(parts)


def box(x: float, y: float, wide: float, high: float, title: str, text: str, look: str) -> str:
    """A box with a bold title and a smaller text below it."""
    middle = x + wide / 2
    room = int(wide / 7)
    first = y + (high / 2 + 5 if not text else high / 2 - 3)
    lower = (
        f'<text class="small" x="{middle:.1f}" y="{y + high / 2 + 14:.1f}" text-anchor="middle">'
        f"{_cut(text, room)}</text>"
        if text
        else ""
    )
    return (
        f'<rect class="box {look}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high}" rx="9"/>'
        f'<text class="name" x="{middle:.1f}" y="{first:.1f}" text-anchor="middle">{_cut(title, room)}</text>{lower}'
    )


def arrow(x1: float, y1: float, x2: float, y2: float, tip: str = "tip") -> str:
    """A line with a head, which the marker of this id draws."""
    return f'<line class="arrow" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" marker-end="url(#{tip})"/>'


def tip(ident: str) -> str:
    """The head of arrows."""
    return (
        f'<defs><marker id="{ident}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto">'
        '<path d="M0 0 8 4 0 8z" class="tip"/></marker></defs>'
    )


def joined(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = f" +{len(names) - most}" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _cut(text: str, room: int) -> str:
    return escape(text if len(text) <= room else text[: max(1, room - 1)] + "…")
