# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The few pieces of HTML that every section is made of; everything that comes from outside is escaped here."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Raw:
    """Text that is HTML already."""

    text: str


@dataclass(frozen=True)
class Column:
    """title: in the head. number: to the right. prose: sentences, which a phone shows below their title."""

    title: str
    number: bool = False
    prose: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[Any]], total: Sequence[Any] = ()) -> str:
    """A table that becomes a list of cards on a phone. total: a last row that sums up."""

    def cells(row: Sequence[Any], tag: str) -> str:
        found = []
        for at, (column, value) in enumerate(zip(columns, row, strict=True)):
            kinds = (("n", column.number), ("prose", column.prose), ("title", at == 0))
            looks = [look for look, wanted in kinds if wanted]
            named = f' class="{" ".join(looks)}"' if looks else ""
            found.append(f'<{tag}{named} data-label="{escape(column.title)}"><span>{text(value)}</span></{tag}>')
        return "".join(found)

    head = "".join(f"<th{' class=n' if column.number else ''}>{escape(column.title)}</th>" for column in columns)
    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    foot = f"<tfoot><tr>{cells(total, 'td')}</tr></tfoot>" if total else ""
    parts = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}"
    return f'<div class="wide"><table class="stack">{parts}</table></div>'


def text(value: Any) -> str:
    """A value as HTML."""
    if isinstance(value, Raw):
        return value.text
    if value is None:
        return ""
    if isinstance(value, float):
        return escape(f"{value:,.2f}".rstrip("0").rstrip("."))
    return escape(str(value))


def chip(verdict: str) -> Raw:
    """met, missed, not measured, as a coloured word."""
    return Raw(f'<span class="chip {verdict.replace(" ", "")}">{escape(verdict)}</span>')


def section(ident: str, title: str, body: str, note: str = "") -> str:
    """A card of the page."""
    soft = f'<p class="note">{escape(note)}</p>' if note else ""
    return f'<section id="{ident}"><h2>{escape(title)}</h2>{soft}{body}</section>'


def nothing(sentence: str) -> str:
    """What stands where a figure would, had anybody measured it."""
    return f'<p class="soft">{escape(sentence)}</p>'


def moment(at: float) -> str:
    """Seconds since 1970 as a person reads them, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at)) + " UTC"


_ISO = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?(?:Z|\+00:00)")


def readable(words: str) -> str:
    """A text with its moments as a person reads them: 2026-01-31T12:30:00Z becomes 2026-01-31 12:30 UTC."""
    return _ISO.sub(r"\1 \2 UTC", words)


def quantity(value: float, unit: str) -> str:
    """A figure with its unit, no longer than it says something: 52 ms, 99.95 %, $0.21, 1.4 s for 0.0233 min."""
    if unit == "USD":
        return usd(value)
    if unit == "min" and 0 < value < 1:
        return lasting(value * 60)
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{number} {unit}"


def counted(number: int, word: str) -> str:
    """1 change, 2 changes."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def lasting(seconds: float) -> str:
    """A length of time: 4.2 s, 3 min 20 s, 1 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def usd(value: float) -> str:
    """Dollars with a separator."""
    return f"${value:,.2f}"
