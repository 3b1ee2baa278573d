# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Line charts as SVG text: no library, no script, light and dark by the page's own colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_WIDTH, _HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 34
_LINES = 4  # of the grid


def capacity_charts(plan: Mapping[str, Any], budget: float, tasks: int, users: float | None) -> dict[str, str]:
    """The pictures of a capacity plan by name. tasks, users, budget: limits drawn as a dashed line."""
    months = plan["months"]

    def chart(title: str, field: str, limit: float | None, money: bool = False) -> str:
        return line_chart(title, [(one["month"], one[field]) for one in months], limit, money)

    return {
        "users": chart("Readers at the same time", "users", users),
        "tasks": chart("Tasks at the busiest hour", "tasks", tasks),
        "connections": chart("Database connections", "connections", None),
        "monthly_usd": chart("US dollars a month", "monthly_usd", budget, money=True),
    }


def line_chart(title: str, points: Sequence[tuple[int, float]], limit: float | None = None, money: bool = False) -> str:
    """One line over months, with a grid, and a dashed line where a limit lies."""
    highest = max([value for _month, value in points] + ([limit] if limit else []) + [1])
    step = _round_step(highest / _LINES)
    top = step * math.ceil(highest / step)
    first, last = points[0][0], points[-1][0]

    def x(month: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (month - first) / max(1, last - first)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / top

    def amount(value: float) -> str:
        return f"${value:,.0f}" if money else f"{value:,.0f}"

    said = f"{title}: {amount(points[0][1])} in month {first}, {amount(points[-1][1])} in month {last}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" class="chart" '
        f'aria-label="{escape(said)}" font-family="system-ui, sans-serif" font-size="12" fill="currentColor">',
        f'<text x="{_LEFT}" y="18" font-size="14" font-weight="600">{escape(title)}</text>',
    ]
    for number in range(round(top / step) + 1):
        value = number * step
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="currentColor" '
            f'stroke-opacity="0.15"/><text x="{_LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">'
            f"{amount(value)}</text>"
        )
    for month, _value in points:
        parts.append(f'<text x="{x(month):.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{month}</text>')
    if limit:
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(limit):.1f}" y2="{y(limit):.1f}" '
            'stroke="var(--limit, #c2410c)" stroke-width="1.5" stroke-dasharray="6 4"/>'
            f'<text x="{_WIDTH - _RIGHT}" y="{y(limit) - 5:.1f}" text-anchor="end" fill="var(--limit, #c2410c)">'
            f"limit {amount(limit)}</text>"
        )
    way = " ".join(f"{x(month):.1f},{y(value):.1f}" for month, value in points)
    parts.append(f'<polyline points="{way}" fill="none" stroke="var(--line, #2563eb)" stroke-width="2.5"/>')
    for month, value in points:
        parts.append(
            f'<circle cx="{x(month):.1f}" cy="{y(value):.1f}" r="3.5" fill="var(--line, #2563eb)">'
            f"<title>Month {month}: {amount(value)}</title></circle>"
        )
    return "".join([*parts, "</svg>"])


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, at least as large, and no fraction."""
    if rough <= 1:
        return 1
    power = 10 ** math.floor(math.log10(rough))
    return float(next(times * power for times in (1, 2, 5, 10) if times * power >= rough))
