# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A priced plan as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        for one in mine:
            if one["monthly_usd"] > 0 or one["action"] in ("change", "destroy"):
                yield f" {_SIGNS[one['action']]} {one['monthly_usd']:>9,.2f}  {one['kind']} {one['name']}  {one['how']}"
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


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[action]} {words}" for action, words in _WORDS.items())
