# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform's promises as data: names, limits, where each is measured, what to do when one is missed; pure."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._engine.steps import PlanRefused


@dataclass(frozen=True)
class Kpi:
    """One promise.

    unit: of the limit and of what is measured. at_least: the measured value must reach the limit; else stay below it.
    source: where it is measured. advice: what to change when it is missed.
    """

    name: str
    title: str
    unit: str
    source: str
    advice: str
    at_least: bool = False

    def met(self, value: float, limit: float) -> bool:
        """Whether a measured value keeps the promise; a limit that is reached exactly is no longer below."""
        return value >= limit if self.at_least else value < limit


KPIS: Mapping[str, Kpi] = {
    kpi.name: kpi
    for kpi in (
        Kpi(
            "page_p95_ms",
            "Page load, 95th percentile",
            "ms",
            "load test",
            "Raise ecs_service_max_capacity or ecs_service_cpu, lower the request count per task at which it scales, "
            "or let CloudFront keep what is the same for everybody.",
        ),
        Kpi(
            "api_p95_ms",
            "API answer, 95th percentile",
            "ms",
            "load test",
            "Look at the slowest statements (query_average_ms) and at CPU of the tasks; raise "
            "ecs_service_max_capacity.",
        ),
        Kpi(
            "query_average_ms",
            "Database statement, average",
            "ms",
            "pg_stat_statements",
            "Add the missing indexes (playbooks/index_migrations.yml), then a larger rds_aurora_instance_class.",
        ),
        Kpi(
            "uptime_percent",
            "Uptime",
            "%",
            "CloudWatch, load balancer",
            "Read docs/runbooks/ for the outage's cause; check that tasks and the database stand in two zones or more.",
            at_least=True,
        ),
        Kpi(
            "concurrent_users",
            "Users at the same time",
            "users",
            "load test",
            "Run the test at full size (load_test_scale_percent: 100); if it fails there, raise "
            "ecs_service_max_capacity.",
            at_least=True,
        ),
        Kpi(
            "scaling_seconds",
            "Scaling, slowest of late",
            "s",
            "Application Auto Scaling, activities",
            "Make the image smaller, shorten load_balancer_health_check_interval, keep more tasks "
            "(ecs_service_min_capacity).",
        ),
        Kpi(
            "database_connections",
            "Database connections at the same time",
            "connections",
            "connections opened",
            "Put the proxy before the database (rds_aurora_proxy) or raise rds_aurora_instance_class.",
            at_least=True,
        ),
        Kpi(
            "global_latency_ms",
            "Latency around the world, slowest region",
            "ms",
            "CloudWatch, Route 53 health checks",
            "Widen cloudfront_waf_price_class and cache more at the edge.",
        ),
        Kpi(
            "cost_per_active_user_usd",
            "Cost of an active user in a month",
            "USD",
            "Cost Explorer",
            "Read the recommendations of playbooks/plan.yml; the profile lean costs least.",
        ),
        Kpi(
            "utilisation_percent",
            "Utilisation of the tasks under load",
            "%",
            "CloudWatch, ECS",
            "Lower ecs_service_cpu and ecs_service_memory, or raise the target at which the service scales.",
            at_least=True,
        ),
        Kpi(
            "cost_growth_percent",
            "Growth of cost, as a share of growth of users",
            "%",
            "Cost Explorer",
            "Read the recommendations of playbooks/plan.yml; reserve what runs all year.",
        ),
        Kpi(
            "rto_minutes",
            "Time to restore the service (RTO)",
            "min",
            "recovery drill",
            "Read the newest drill's slowest step (playbooks/dr_drill.yml); keep a reader in another region.",
        ),
        Kpi(
            "rpo_minutes",
            "Writes that may be lost (RPO)",
            "min",
            "recovery drill",
            "Check that point-in-time recovery is on; across regions only a global database keeps this.",
        ),
        Kpi(
            "mttr_minutes",
            "Time to recover from a failure, average",
            "min",
            "alarms and audit of swaps",
            "Shorten the bake and the alarms' periods, and rehearse docs/runbooks/.",
        ),
        Kpi(
            "error_percent",
            "Requests that failed",
            "%",
            "load test",
            "Read the failed steps of the load test and the application's log; see that no alarm is in ALARM.",
        ),
    )
}

_PERCENT_AT_MOST_100 = ("uptime_percent", "utilisation_percent", "error_percent")


def checked(given: Mapping[str, Any]) -> dict[str, float]:
    """The table as numbers. Raises PlanRefused with everything that is missing, unknown, no number or contradictory."""
    wrong = list(_problems(given))
    if wrong:
        raise PlanRefused(wrong)
    return {name: float(given[name]) for name in KPIS}


def _problems(given: Mapping[str, Any]) -> Iterator[str]:
    where = "platform_kpis (inventories/profiles/kpis.yml)"
    if missing := [name for name in KPIS if given.get(name) is None]:
        yield f"Read {where} and found no {', '.join(missing)}. Give each a number."
    for name in sorted(set(given) - set(KPIS)):
        near = difflib.get_close_matches(name, KPIS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(KPIS)}."
        yield f"Read {name} in {where}; no KPI is called so. {hint}"
    numbers: dict[str, float] = {}
    for name in KPIS:
        value = given.get(name)
        if value is None:
            continue
        number = _number(value)
        if number is None or number <= 0 or (name in _PERCENT_AT_MOST_100 and number > 100):
            high = " and at most 100" if name in _PERCENT_AT_MOST_100 else ""
            yield f"Read {name} {value!r} in {where}; it is a number above 0{high}. Mend it."
        else:
            numbers[name] = number
    yield from _contradictions(numbers)


def _contradictions(numbers: Mapping[str, float]) -> Iterator[str]:
    """Promises that cannot both be kept, or of which one says nothing."""

    def both(*names: str) -> bool:
        return all(name in numbers for name in names)

    if both("error_percent", "uptime_percent") and round(numbers["error_percent"], 6) > round(
        100 - numbers["uptime_percent"], 6
    ):
        yield (
            f"Read error_percent {numbers['error_percent']:g} and uptime_percent {numbers['uptime_percent']:g}; more "
            "requests might fail than the uptime allows. Lower the one or the other."
        )
    if both("api_p95_ms", "page_p95_ms") and numbers["api_p95_ms"] > numbers["page_p95_ms"]:
        yield (
            f"Read api_p95_ms {numbers['api_p95_ms']:g} above page_p95_ms {numbers['page_p95_ms']:g}; a page waits for "
            "the API. Lower the first or raise the second."
        )
    if both("query_average_ms", "api_p95_ms") and numbers["query_average_ms"] > numbers["api_p95_ms"]:
        yield (
            f"Read query_average_ms {numbers['query_average_ms']:g} above api_p95_ms {numbers['api_p95_ms']:g}; an "
            "answer waits for its statements. Lower the first or raise the second."
        )
    if both("mttr_minutes", "rto_minutes") and numbers["mttr_minutes"] > numbers["rto_minutes"]:
        yield (
            f"Read mttr_minutes {numbers['mttr_minutes']:g} above rto_minutes {numbers['rto_minutes']:g}; the average "
            "failure would take longer than the worst. Lower the first or raise the second."
        )


def _number(value: Any) -> float | None:
    """None for what is no number; an endless one would be kept by everything."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
