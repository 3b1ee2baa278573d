# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A priced plan as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_SIGNS = {"create": "+", "change": "~", "destroy": "-", "keep": " ", "": " "}
_WORDS = {"create": "to create", "change": "to change", "destroy": "to destroy"}


def table(told: Mapping[str, Any]) -> list[str]:
    """Each phase with its counts and its sum, each resource that costs or changes, the total against the budget."""
    return list(_lines(told))


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"On-demand list prices of {told['region']}, {told['price_list']['date']}; US dollars a month. "
        "+ create  ~ change  - destroy"
    )
    for phase in told["phases"]:
        mine = [one for one in told["resources"] if one["phase"] == phase["phase"]]
        yield ""
        yield f"Phase {phase['phase']}: {_counted(phase)}; ${phase['monthly_usd']:,.2f}"
        for group in alike(one for one in mine if one["monthly_usd"] > 0 or one["action"] in ("change", "destroy")):
            yield _line(group)
        if free := sum(one["action"] == "create" and one["monthly_usd"] == 0 for one in mine):
            yield f" +      0.00  {free} more that cost nothing of themselves"
    yield ""
    if told["unpriced"]:
        yield f"Not in the price table, so not counted: {', '.join(told['unpriced'])}."
    verdict = "ABOVE" if told["over_budget"] else "within"
    yield (
        f"Total: {_counted(told['counts'])}; ${told['monthly_usd']:,.2f} a month, "
        f"{verdict} the budget of ${told['budget_usd']:,.2f}."
    )


def alike(resources: Iterable[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Resources of one kind, action and price together: eighty alarms are one line."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for one in resources:
        groups.setdefault((one["kind"], one["action"], one["how"]), []).append(one)
    return sorted(groups.values(), key=lambda group: -sum(one["monthly_usd"] for one in group))


def _line(group: Sequence[Mapping[str, Any]]) -> str:
    first = group[0]
    usd = sum(one["monthly_usd"] for one in group)
    many = f"{len(group)} x " if len(group) > 1 else ""
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    return (
        f" {_SIGNS[first['action']]} {usd:>9,.2f}  {many}{first['kind']} {first['name']}{more}  {first['how']}".rstrip()
    )


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[action]} {words}" for action, words in _WORDS.items())
