"""The priced plan of the whole roadmap, as a user runs it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.ansible import PlayResult, run_playbook
from tests.support.cloud import ROOT, Cloud

LEAN = ("-e", f"@{ROOT / 'inventories' / 'profiles' / 'lean.yml'}")


def planned(done: PlayResult) -> dict[str, Any]:
    assert done.returncode == 0, done.output
    [plan] = [result for name, result in done.tasks if name == "Run the roadmap in check mode"]
    return plan


def test_the_plan_of_an_empty_account_writes_nothing_and_adds_up(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        plan = planned(run_playbook(cloud, "playbooks/plan.yml", *LEAN))
    assert [call for call in calls if call["writes"]] == []
    assert plan["counts"]["create"] > 150
    assert plan["counts"]["destroy"] == plan["counts"]["keep"] == 0
    assert plan["monthly_usd"] == round(sum(one["monthly_usd"] for one in plan["resources"]), 2)
    assert plan["monthly_usd"] == round(sum(one["monthly_usd"] for one in plan["phases"]), 2)
    assert not plan["over_budget"]
    assert plan["unpriced"] == []
    # What the guard reckons from the description alone is what the run in check mode finds.
    described = run_playbook(cloud, "playbooks/capacity.yml", *LEAN)
    assert described.returncode == 0, described.output
    [cost] = [result for name, result in described.tasks if name.endswith("Reckon what the description costs")]
    # To the half dollar: the guard counts alarms by a formula, the plan one by one.
    assert _by_kind(cost) == pytest.approx(_by_kind(plan), abs=0.5)
    assert cost["monthly_usd"] == pytest.approx(plan["monthly_usd"], abs=1)


def _by_kind(told: dict[str, Any]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for one in told["resources"]:
        if one["monthly_usd"]:
            sums[one["kind"]] = round(sums.get(one["kind"], 0) + one["monthly_usd"], 2)
    return sums


def test_a_description_above_the_budget_stops_before_the_first_write(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        done = run_playbook(cloud, "playbooks/site.yml", variables={"platform_accept_cost_usd": 0})
    assert done.returncode != 0
    assert [call for call in calls if call["writes"]] == []
    [error] = done.errors
    assert "against platform_monthly_budget_usd 500" in error
    assert "-e platform_accept_cost_usd=" in error


def test_bad_input_of_a_plan_is_one_clear_error(cloud: Cloud) -> None:
    done = run_playbook(
        cloud,
        "playbooks/plan.yml",
        variables={"platform_usage_nat_gb": -1, "elasticache_node_type": "cache.none.large"},
    )
    [error] = done.errors
    assert error == "Read platform_usage_nat_gb -1; it cannot be negative. Give 0 or more."
    done = run_playbook(cloud, "playbooks/capacity.yml", variables={"platform_growth_monthly_percent": -3})
    assert "platform_growth_monthly_percent -3; it cannot be negative" in done.errors[0]
