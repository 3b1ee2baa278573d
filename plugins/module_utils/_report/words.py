# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run says, as lines for a terminal; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# By the first word of a change, as plans have it: + made, - gone, ~ other than before.
_SIGNS = {"Create": "+", "Make": "+", "Delete": "-", "Remove": "-", "Deregister": "-", "Forget": "-"}


def sign(sentence: str) -> str:
    """The sign before a change that is told in words."""
    return _SIGNS.get(sentence.partition(" ")[0], "~")


def lines_of(value: Any) -> list[str]:
    """A message of a playbook as a person reads it: a list line by line, a mapping as names and values."""
    if isinstance(value, list | tuple):
        return [line for item in value for line in (_item(item) if isinstance(item, Mapping | list) else _text(item))]
    return list(_nested(value, "")) if isinstance(value, Mapping) else _text(value)


def _text(value: Any) -> list[str]:
    return str(value).splitlines() or [""]


def _item(value: Any) -> list[str]:
    """An entry of a list that has parts of its own."""
    told = list(_nested(value, "")) if isinstance(value, Mapping) else lines_of(value)
    return [f"{'  ' if at else '- '}{line}" for at, line in enumerate(told)]


def _nested(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, part in value.items():
        if isinstance(part, Mapping | list) and part:
            yield f"{indent}{name}:"
            yield from (f"{indent}  {line}" for line in lines_of(part))
        else:
            # Nothing in it is said as what it is; an empty list would look like a mistake.
            yield f"{indent}{name}: {'none' if part is None or part in ([], {}) else part}"
