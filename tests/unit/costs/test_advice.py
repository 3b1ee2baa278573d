"""Advice on money: from figures and offers, with numbers, and never a purchase."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._costs.advice import advice, not_measured
from ansible_collections.stories1001.platform.plugins.module_utils._costs.measured import Series, figures, metrics

from tests.unit.costs.test_bill import described, prices

MONTH = 30 * 24
YEAR = 31_536_000


def series(now: float, before: float | None = None, hours: int = MONTH) -> Series:
    points = [(age + 0.5, now) for age in range(hours)]
    points += [(MONTH + age + 0.5, before) for age in range(hours)] if before is not None else []
    return Series(tuple(points))


def offer(price: float, **changes: Any) -> dict[str, Any]:
    charges = [{"RecurringChargeAmount": price, "RecurringChargeFrequency": "Hourly"}]
    plain = {"Duration": YEAR, "OfferingType": "No Upfront", "FixedPrice": 0.0, "UsagePrice": 0.0}
    return {"ReservedDBInstancesOfferingId": "offer-1", "RecurringCharges": charges, **plain, **changes}


def one(found: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [told] = [each for each in found if each["kind"] == kind]
    return told


def test_figures_are_those_of_thirty_days_and_growth_compares_with_the_thirty_before() -> None:
    told = figures({"requests": series(7200, 6000), "database_cpu": series(10), "database_cpu_peak": series(40)})
    assert told["requests_per_s"] == 2.0
    assert told["monthly_percent"] == 20.0
    assert told["days"] == 60.0
    assert told["request_hours"] == MONTH
    assert told["database"] == {"cpu_percent": 10.0, "cpu_peak_percent": 40.0, "hours": MONTH}
    assert told["cache"] is None


@pytest.mark.parametrize("hours", [0, 24, 19 * 24])
def test_too_few_hours_say_nothing_about_growth(hours: int) -> None:
    assert figures({"requests": series(7200, 6000, hours)})["monthly_percent"] is None


def test_only_what_stands_is_asked_for() -> None:
    assert metrics({}) == {}
    assert set(metrics({"db_cluster": "x"})) == {"connections", "database_cpu", "database_cpu_peak"}
    assert "tasks_cpu" not in metrics({"ecs_cluster": "x"})


def test_an_idle_database_is_told_the_next_smaller_size_with_its_saving() -> None:
    idle = {"database": {"cpu_percent": 9.0, "cpu_peak_percent": 31.0, "hours": 720}}
    description = described("standard", rds_aurora_instance_class="db.r6g.xlarge")
    told = one(advice(description, prices(), idle, {}), "right-sizing")
    assert "db.r6g.large instead of db.r6g.xlarge" in told["text"]
    assert told["monthly_saving_usd"] == pytest.approx((0.519 - 0.26) * 730 * 3, abs=0.01)


def test_a_busy_database_is_told_the_next_larger_size_and_what_that_costs_more() -> None:
    busy = {"database": {"cpu_percent": 80.0, "cpu_peak_percent": 99.0, "hours": 720}}
    told = one(advice(described(), prices(), busy, {}), "right-sizing")
    assert "db.t4g.large instead of db.t4g.medium" in told["text"]
    assert told["monthly_saving_usd"] < 0
    assert told["sentence"].startswith("Right-sizing, db.t4g.medium: CPU 80.0 %")
    assert "Costs $106.58 a month" in told["sentence"]


@pytest.mark.parametrize(
    "busy",
    [
        {"cpu_percent": 9.0, "cpu_peak_percent": 90.0, "hours": 720},  # it needs its size at times
        {"cpu_percent": 9.0, "cpu_peak_percent": 31.0, "hours": 24},  # a day says nothing
        None,
    ],
)
def test_no_advice_without_reason(busy: dict[str, Any] | None) -> None:
    assert advice(described("standard"), prices(), {"database": busy}, {}) == []


def test_idle_cache_and_tasks_are_told_too() -> None:
    idle = {"cpu_percent": 5.0, "memory_percent": 20.0, "hours": 720}
    found = advice(described("standard"), prices(), {"cache": idle, "tasks": idle}, {})
    assert {told["what"] for told in found} == {"cache.t3.medium", "tasks of 512 CPU units"}
    assert all(told["monthly_saving_usd"] > 0 and told["command"] == "" for told in found)


def test_what_cannot_be_judged_is_said() -> None:
    assert len(not_measured({})) == 3
    assert "CloudWatch has 24 hours" in not_measured({"database": {"hours": 24}})[0]


def test_the_best_offer_is_told_with_its_saving_and_a_command_for_a_person() -> None:
    offers = {
        "reserved_db": [
            offer(0.20, ReservedDBInstancesOfferingId="dear"),
            offer(0.173, ReservedDBInstancesOfferingId="best"),
            offer(0.10, OfferingType="All Upfront"),
            offer(0.10, Duration=3 * YEAR),
        ]
    }
    told = one(advice(described("standard"), prices(), {}, offers), "reserved database instances")
    assert told["monthly_saving_usd"] == pytest.approx((0.26 - 0.173) * 730 * 3, abs=0.01)
    assert told["command"] == (
        "aws rds purchase-reserved-db-instances-offering --reserved-db-instances-offering-id best --db-instance-count 3"
    )


def test_an_offer_that_saves_nothing_is_not_told() -> None:
    assert advice(described("standard"), prices(), {}, {"reserved_db": [offer(0.30)]}) == []


def test_a_savings_plan_covers_the_tasks_that_always_run_and_no_more() -> None:
    rates = {"USE1-Fargate-ARM-vCPU-Hours:perCPU": 0.0259, "USE1-Fargate-ARM-GB-Hours": 0.00285}
    told = one(advice(described(), prices(), {}, {"savings_rates": rates}), "savings plan")
    assert "commitment of $0.0316 an hour" in told["text"]  # 2 x (0.5 x 0.0259 + 0.00285)
    assert told["monthly_saving_usd"] == pytest.approx(
        730 * 2 * (0.5 * (0.03238 - 0.0259) + 0.00356 - 0.00285), abs=0.01
    )
    assert advice(described("standard"), prices(), {}, {"savings_rates": rates}) == []  # x86 has no rate here
