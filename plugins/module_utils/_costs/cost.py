# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole answer about money: resources, their sum, the budget, and whether a run may go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._engine.steps import PlanRefused
from .bill import Description, Line, bill, total
from .plan import Record, counts, planned_lines, unpriced
from .prices import Prices
from .rules import RULES
from .usage import ACCEPTED, BUDGET, usage_problems

GUARD = "platform_budget_guard"


def cost(description: Description, prices: Prices, records: Sequence[Record] | None = None) -> dict[str, Any]:
    """What the platform costs in a month, from its description, or from a plan of it if there is one.

    Raises PlanRefused with everything that is missing: usage, budget, prices.
    """
    if wrong := usage_problems(description):
        raise PlanRefused(wrong)
    lines = bill(description, prices, RULES) if records is None else planned_lines(records, description, prices)
    prices.check()
    sum_of_lines, budget = total(lines), float(description[BUDGET])
    told: dict[str, Any] = {
        "currency": "USD",
        "region": prices.region,
        "price_list": {"date": prices.date, "source": prices.source},
        "resources": [one.as_dict() for one in lines],
        "monthly_usd": sum_of_lines,
        "budget_usd": budget,
        "over_budget": sum_of_lines > budget,
        "accepted_usd": float(description.get(ACCEPTED) or 0),
    }
    if records is not None:
        told |= {"counts": counts(lines), "unpriced": unpriced(records), "phases": by_phase(lines)}
    return told


def by_phase(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Counts and sum of each phase, in order."""
    phases = sorted({one.phase for one in lines})
    return [
        {"phase": phase, **counts(mine), "monthly_usd": total(mine)}
        for phase in phases
        for mine in [[one for one in lines if one.phase == phase]]
    ]


def refusal(told: dict[str, Any], description: Description) -> str | None:
    """Why a run may not go on; None when the sum is inside the budget or was accepted by name."""
    accepted = float(description.get(ACCEPTED) or 0)
    if not told["over_budget"] or told["monthly_usd"] <= accepted:
        return None
    also = f" and {ACCEPTED} {accepted:,.0f}" if accepted else ""
    needed = int(told["monthly_usd"]) + 1
    return (
        f"Reckoned what this platform costs in {told['region']} and found ${told['monthly_usd']:,.2f} a month, against "
        f"{BUDGET} {told['budget_usd']:,.0f}{also}. Nothing was written. See each part with playbooks/plan.yml; then "
        f"choose smaller sizes (profile lean), raise the budget, or accept the sum by name: -e {ACCEPTED}={needed}."
    )
