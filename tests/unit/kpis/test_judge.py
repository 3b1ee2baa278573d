"""The verdicts: nothing is met without a figure, and every figure tells its conditions."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.stories1001.platform.plugins.module_utils._kpis import judge
from ansible_collections.stories1001.platform.plugins.module_utils._kpis.judge import Measured
from ansible_collections.stories1001.platform.plugins.module_utils._kpis.table import KPIS, checked

from tests.support.cloud import ROOT

LIMITS = checked(yaml.safe_load((ROOT / "inventories/profiles/kpis.yml").read_text())["platform_kpis"])
LOAD_TEST: dict[str, Any] = {
    "scale_percent": 100,
    "target_users": 1000,
    "users": 1000,
    "requests": 50000,
    "started": "2026-01-31T12:00:00Z",
    "p95_ms": {"page": 400.0, "api": 90.0},
    "error_percent": 0.01,
    "passed": True,
}


def row(name: str, value: float | None) -> dict[str, Any]:
    rows = judge.verdicts(LIMITS, {name: Measured(value, "a note")})
    return next(one for one in rows if one["name"] == name)


def test_without_any_figure_nothing_is_met() -> None:
    assert {one["verdict"] for one in judge.verdicts(LIMITS, {})} == {"not measured"}


@pytest.mark.parametrize("name", KPIS)
def test_a_promise_is_met_on_one_side_of_its_limit_and_missed_on_the_other(name: str) -> None:
    better, worse = (1.01, 0.99) if KPIS[name].at_least else (0.99, 1.01)
    assert row(name, LIMITS[name] * better)["verdict"] == "met"
    missed = row(name, LIMITS[name] * worse)
    assert missed["verdict"] == "missed"
    assert missed["advice"]


def test_a_missed_promise_is_a_sentence_with_limit_figure_and_advice() -> None:
    (told,) = judge.complaints([row("api_p95_ms", 640.0)], [])
    assert "below 500 ms" in told
    assert "640" in told
    assert "ecs_service_max_capacity" in told


def test_a_promise_that_had_to_be_measured_and_was_not_is_a_complaint() -> None:
    rows = judge.verdicts(LIMITS, {})
    assert judge.complaints(rows, []) == []
    (told,) = judge.complaints(rows, ["page_p95_ms"])
    assert "not measured" in told


def test_a_full_load_test_proves_the_number_of_users() -> None:
    assert judge.from_load_test(LOAD_TEST, "x")["concurrent_users"].value == 1000


@pytest.mark.parametrize(
    ("change", "value", "words"),
    [
        ({"scale_percent": 3, "users": 30}, None, "3 % of 1000 users"),
        ({"passed": False}, 0.0, "did not bear"),
    ],
)
def test_a_smaller_or_failed_load_test_does_not(change: dict[str, Any], value: float | None, words: str) -> None:
    found = judge.from_load_test({**LOAD_TEST, **change}, "x")["concurrent_users"]
    assert found.value == value
    assert words in found.note


def test_a_kind_of_request_that_nobody_made_is_not_measured() -> None:
    found = judge.from_load_test({**LOAD_TEST, "p95_ms": {"page": 1.0}, "error_percent": None}, "x")
    assert found["api_p95_ms"].value is None
    assert found["error_percent"].value is None


def test_no_load_test_and_no_drill_say_what_to_run() -> None:
    assert all("phase8.yml" in one.note for one in judge.from_load_test(None, "x").values())
    assert all("dr_drill.yml" in one.note for one in judge.from_drill(None, "x").values())


def test_a_drill_is_told_in_minutes() -> None:
    found = judge.from_drill({"rto_seconds": 90, "rpo_seconds": 30, "date": "2026-01-31"}, "x")
    assert (found["rto_minutes"].value, found["rpo_minutes"].value) == (1.5, 0.5)


@pytest.mark.parametrize(
    ("periods", "percent"),
    [
        ([], None),
        ([(10, 10)], None),  # never up
        ([(10, 0)], None),  # not one whole period since it came up
        ([(10, 10), (10, 5), (10, 0), (10, 0)], 100.0),  # what failed while it was built does not count
        ([(10, 0), (10, 6), (10, 0), (10, 0), (0, 0), (10, 5)], 75.0),
    ],
)
def test_uptime_counts_periods_in_which_most_requests_were_answered(
    periods: list[tuple[float, float]], percent: float | None
) -> None:
    assert judge.uptime(periods, 5).value == percent


def test_only_what_an_alarm_scaled_counts_as_scaling() -> None:
    by_hand = {"start": 0.0, "end": 0.0, "cause": "minimum capacity was set to 2"}
    by_alarm = [{"start": 0.0, "end": end, "cause": "monitor alarm X in state ALARM"} for end in (40.0, 95.0)]
    assert judge.scaling([by_hand], 30).value is None
    assert judge.scaling([by_hand, *by_alarm], 30).value == 95.0


def test_recoveries_are_alarms_that_ended_and_swaps_that_were_undone() -> None:
    alarms = [(0.0, True), (600.0, False), (700.0, False), (800.0, True)]
    undone = {"outcome": "rolled_back", "ended": 1000.0, "phases": [{"step": "undo-weights", "at": 880.0}]}
    assert judge.recoveries(alarms, [undone, {"outcome": "deployed"}], 30).value == pytest.approx((600 + 120) / 2 / 60)
    assert judge.recoveries([(800.0, True)], [], 30).value is None


def test_utilisation_says_nothing_while_redundancy_sets_the_number_of_tasks() -> None:
    assert judge.utilisation([20.0], running=2, floor=2, scale_percent=100).value is None
    assert judge.utilisation([], running=4, floor=2, scale_percent=100).value is None
    assert judge.utilisation([70.0, 80.0], running=4, floor=2, scale_percent=100).value == 75.0
    assert judge.utilisation([1.0], running=4, floor=2, scale_percent=3).value is None


def test_the_cost_of_a_user_comes_from_a_bill_and_the_plan_is_only_told() -> None:
    planned = judge.cost_per_user(None, 5000, 440)
    assert planned.value is None
    assert "0.088 USD" in planned.note
    assert judge.cost_per_user(450.0, 5000, 440).value == pytest.approx(0.09)
    assert judge.cost_per_user(450.0, None, None).value is None


def test_cost_growth_needs_two_bills_and_two_numbers_of_users() -> None:
    months = [{"users": 100, "monthly_usd": 400}, {"users": 200, "monthly_usd": 500}]
    planned = judge.cost_growth(months, [], [])
    assert planned.value is None
    assert "25 %" in planned.note
    assert judge.cost_growth([], [400, 500], [100, 200]).value == pytest.approx(25)


def test_a_database_that_was_not_asked_says_why() -> None:
    assert judge.connections(None, "no way to it").note == "no way to it"
    assert judge.query_time({"calls": 0, "reason": "no extension"}, "").note == "no extension"
    assert judge.query_time({"calls": 10, "average_ms": 1.5}, "").value == 1.5
    assert judge.connections({"opened": 500}, "").value == 500
