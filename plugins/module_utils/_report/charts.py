# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small plots as SVG text: lines over time or months, bars of a share; pure, no library.

Colours come from the page's CSS variables, so that a plot follows light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# About as wide as it is shown, so that its words are as large as those around it.
_WIDTH, _HEIGHT = 460, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 34


@dataclass(frozen=True)
class Series:
    """name: in the legend. points: (x, y), x rising. colour: a CSS variable's name. dashed: a limit."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str = "--c1"
    dashed: bool = False


def lines(title: str, series: Sequence[Series], x_label: str) -> str:
    """A plot of lines from zero upwards, under its title. An empty text without points."""
    drawn = [one for one in series if one.points]
    if not drawn:
        return ""
    x_most = max(x for one in drawn for x, _y in one.points)
    x_least = min(x for one in drawn for x, _y in one.points)
    y_most = nice(max(y for one in drawn for _x, y in one.points))
    span = (x_most - x_least) or 1.0
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + (x - x_least) / span * wide, _TOP + high - y / y_most * high

    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
    ]
    for at in range(5):
        value = y_most * at / 4
        _x, y = place(x_least, value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short(value)}</text>')
    for value in _ticks(x_least, x_most):
        x, _y = place(value, 0)
        parts.append(f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - 16}" text-anchor="middle">{short(value)}</text>')
    parts.append(
        f'<text class="tick" x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 2}" text-anchor="end">{escape(x_label)}</text>'
    )
    for one in drawn:
        path = " ".join(
            f"{'M' if at == 0 else 'L'}{place(x, y)[0]:.1f} {place(x, y)[1]:.1f}"
            for at, (x, y) in enumerate(one.points)
        )
        dash = ' stroke-dasharray="5 5"' if one.dashed else ""
        parts.append(f'<path class="line" d="{path}" style="stroke:var({one.colour})"{dash}/>')
    parts.append("</svg>")
    legend = "".join(_named(one) for one in drawn)
    return (
        f'<figure class="figure"><figcaption>{escape(title)}</figcaption>{"".join(parts)}'
        f'<div class="legend">{legend}</div></figure>'
    )


def _named(one: Series) -> str:
    look = ' class="limit"' if one.dashed else ""
    return f'<span><i{look} style="background:var({one.colour})"></i>{escape(one.name)}</span>'


def _ticks(least: float, most: float) -> list[float]:
    """Round places on the axis, five or six of them."""
    step = nice((most - least) / 6, steps=(1, 2, 5, 10))
    first = math.ceil(least / step)
    return [step * at for at in range(first, math.floor(most / step) + 1)]


def nice(value: float, steps: Sequence[float] = (1, 2, 2.5, 5, 10)) -> float:
    """The next round number above: 1, 2, 2.5 or 5 times a power of ten; 1 for nothing."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return float(next(step * power for step in steps if value <= step * power * 1.0000001))


def short(value: float) -> str:
    """A number in few characters: 1200 becomes 1.2k."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
