"""The capacity plan: growth, its limits, and what to do about each in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._costs.capacity import capacity, most_connections
from ansible_collections.stories1001.platform.plugins.module_utils._costs.cost import cost
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused

from tests.unit.costs.test_bill import ROOT, described, prices, read, without

KPIS = {"concurrent_users": 1000, "cost_per_active_user_usd": 0.10, "cost_growth_percent": 50}


def plan(months: int = 12, measured: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return capacity(described(**{"platform_kpis": KPIS, **changes}), prices(), months, measured)


def limit(told: Mapping[str, Any], word: str) -> dict[str, Any]:
    [found] = [one for one in told["limits"] if word in one["limit"]]
    return dict(found)


def test_the_first_month_costs_what_the_description_costs() -> None:
    assert plan()["months"][0]["monthly_usd"] == cost(described(), prices())["monthly_usd"]


def test_readers_grow_by_the_rate_and_the_rest_follows() -> None:
    last = plan()["months"][-1]
    assert last["users"] == 466  # 100 x 1.15^11
    assert last["requests_per_s"] == 233.0
    assert last["tasks"] == 10
    assert last["connections"] == 94
    assert last["monthly_usd"] > 500


def test_without_growth_nothing_changes() -> None:
    months = plan(platform_growth_monthly_percent=0)["months"]
    assert {key: value for key, value in months[0].items() if key != "month"} == {
        key: value for key, value in months[-1].items() if key != "month"
    }


@pytest.mark.parametrize(
    ("word", "changes", "month", "advice"),
    [
        ("ecs_service_max_capacity", {"ecs_service_max_capacity": 4}, 6, "to 20"),
        (
            "requests a second",
            {"ecs_service_max_capacity": 3, "ecs_service_requests_per_target": 1200},
            3,
            "CloudFront",
        ),
        ("reader instance", {"platform_growth_connections_per_reader": 25}, 3, "rds_aurora_reader_autoscaling"),
        ("connections from the proxy", {"platform_growth_connections_per_user": 2}, 7, "rds_aurora_instance_class"),
        ("KPI: 1000 readers", {"platform_growth_users": 900}, 2, "load test"),
        ("budget", {}, 11, "Decide on the budget in time"),
        ("active user", {"platform_usage_active_users": 3000}, 1, "smaller"),
        ("50 %", {"platform_growth_connections_per_reader": 3}, 2, "jump"),
    ],
)
def test_each_limit_tells_its_month_and_what_to_do(word: str, changes: dict[str, Any], month: int, advice: str) -> None:
    told = limit(plan(**changes), word)
    assert told["reached_in_month"] == month
    assert advice in told["what_to_do"]


def test_limits_that_growth_does_not_reach_come_last_and_have_no_month() -> None:
    months = [one["reached_in_month"] for one in plan()["limits"]]
    reached = [month for month in months if month]
    assert months == sorted(reached) + [None] * (len(months) - len(reached))


def test_each_quarter_has_its_recommendation() -> None:
    told = plan()["recommendations"]
    assert [one["quarter"] for one in told] == ["Q1 (month 3)", "Q2 (month 6)", "Q3 (month 9)", "Q4 (month 12)"]
    assert "Nothing to change" in told[0]["text"]
    assert "budget: $500" in told[3]["text"]
    assert len(plan(months=7)["recommendations"]) == 2


def test_what_cloudwatch_shows_wins_over_the_inventory() -> None:
    told = plan(measured={"requests_per_s": 120.0, "monthly_percent": 5.0})
    assert told["baseline"] == {
        "users": 240,
        "monthly_percent": 5.0,
        "source": "readers from CloudWatch and growth from CloudWatch",
    }
    assert plan(measured={"requests_per_s": None, "monthly_percent": None})["baseline"]["source"] == "inventory"
    assert plan(measured={"monthly_percent": -8.0})["baseline"]["monthly_percent"] == 0


def test_the_first_visits_to_a_new_platform_do_not_plan_its_year() -> None:
    told = plan(measured={"requests_per_s": 0.2, "request_hours": 3})["baseline"]
    assert (told["users"], told["monthly_percent"]) == (100, 15)
    assert "CloudWatch has 3 hours with traffic and 168 are needed" in told["source"]
    assert plan(measured={"requests_per_s": 120.0, "request_hours": 168})["baseline"]["users"] == 240


def test_a_limit_tells_which_figure_of_the_months_it_bounds() -> None:
    told = plan()
    for limit in told["limits"]:
        if limit["of"]:
            above = [month["month"] for month in told["months"] if month[limit["of"]] > limit["value"]]
            assert limit["reached_in_month"] == (above[0] if above else None)
    assert {limit["of"] for limit in told["limits"]} >= {"users", "tasks", "connections", "readers", "monthly_usd"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"platform_growth_monthly_percent": -5}, "platform_growth_monthly_percent -5; it cannot be negative"),
        ({"platform_growth_users_per_task": 0}, "divides by it"),
        ({"platform_growth_users": "few"}, "platform_growth_users 'few'"),
        ({"rds_aurora_instance_class": "db.z9.large"}, "db.z9.large"),
    ],
)
def test_nonsense_in_the_growth_is_one_clear_error(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(PlanRefused, match=named):
        plan(**changes)


def test_missing_growth_and_a_silly_length_are_named_together() -> None:
    with pytest.raises(PlanRefused) as refused:
        capacity(without(described(), "platform_growth_users"), prices(), months=0)
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize(
    ("instance_class", "expected"),
    [
        ("db.t4g.medium", 450),
        ("db.r6g.large", 1802),
        ("db.r6g.8xlarge", 5000),
        ("db.serverless", 0),
        ("db.q1.large", 0),
    ],
)
def test_connections_follow_from_memory(instance_class: str, expected: int) -> None:
    assert most_connections(instance_class) == expected


@pytest.mark.parametrize("profile", ["lean", "standard"])
def test_a_profile_may_grow_to_the_number_of_users_that_is_promised(profile: str) -> None:
    description = described(profile)
    held = int(description["ecs_service_max_capacity"]) * float(description["platform_growth_users_per_task"])
    assert held >= read(ROOT / "inventories/profiles/kpis.yml")["platform_kpis"]["concurrent_users"]
