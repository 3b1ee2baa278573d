# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The capacity plan: what growth asks of the platform month by month, what that costs, and which limit comes when.

The model is deliberately small: readers at the busiest hour grow by a fixed percentage a month; tasks, connections
and reader instances follow from them by the ratios of the inventory; usage and cost grow with readers. Month 1 is now.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._engine.steps import PlanRefused
from .bill import Description, bill, total
from .data import processors
from .prices import Prices
from .rules import RULES
from .usage import BUDGET, growth_problems, is_number, usage_problems

_QUARTERS = (3, 6, 9, 12)
# What grows with readers. Releases, retention and what is fixed by the design do not.
_GROWING = (
    "active_users",
    "requests",
    "origin_requests",
    "cdn_gb",
    "origin_gb",
    "nat_gb",
    "endpoint_gb",
    "cross_zone_gb",
    "database_gb",
    "database_million_io",
    "database_backup_gb",
    "media_gb",
    "uploads",
    "log_gb",
    "flow_log_gb",
    "log_bucket_gb",
    "traces",
    "kms_requests",
    "secret_requests",
    "backup_gb",
    "backup_copy_gb",
)
# A week of hours with traffic: the first visits to a new platform are no busiest hour to plan a year from.
_ENOUGH_HOURS = 7 * 24
_MOST_READERS = 15  # Aurora's own limit
# Aurora PostgreSQL's default max_connections: LEAST({DBInstanceClassMemory/9531392}, 5000).
# Source: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Managing.html
_BYTES_OF_A_CONNECTION = 9531392
_MOST_CONNECTIONS = 5000
_GIB_OF_A_PROCESSOR = {"r": 8, "x": 16, "t": 4}


@dataclass(frozen=True)
class Month:
    """One month. users, requests_per_s, tasks, connections: at the busiest hour. readers: reader instances."""

    month: int
    users: int
    requests_per_s: float
    tasks: int
    instances: int
    readers: int
    connections: int
    monthly_usd: float


@dataclass(frozen=True)
class Limit:
    """A limit of the platform as described. reached_in_month: None when not within the months of the plan.

    of, value: the field of `Month` that it bounds, and where; empty for a limit that moves with the months.
    """

    limit: str
    reached_in_month: int | None
    what_to_do: str
    of: str = ""
    value: float | None = None


def capacity(
    description: Description, prices: Prices, months: int = 12, measured: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Months, limits and quarterly recommendations. measured: what CloudWatch showed; it wins over the inventory.

    Raises PlanRefused with everything that is missing or makes no sense.
    """
    wrong = [*usage_problems(description), *growth_problems(description)]
    if not 1 <= months <= 60:
        wrong.append(f"Asked for a plan of {months} months; give 1 to 60.")
    if wrong:
        raise PlanRefused(wrong)
    start, growth, source = baseline(description, measured or {})
    path = [
        _month(number, start * (1 + growth) ** (number - 1), start, description, prices)
        for number in range(1, months + 1)
    ]
    prices.check()
    limits = _limits(path, description)
    return {
        "baseline": {"users": round(start), "monthly_percent": round(growth * 100, 2), "source": source},
        "months": [asdict(one) for one in path],
        "limits": [asdict(one) for one in limits],
        "recommendations": _recommendations(path, limits, description),
    }


def baseline(description: Description, measured: Mapping[str, Any]) -> tuple[float, float, str]:
    """(readers now, growth of a month as a fraction, where both come from)."""
    users = float(description["platform_growth_users"])
    growth = float(description["platform_growth_monthly_percent"]) / 100
    sources = []
    per_user = float(description["platform_growth_requests_per_user"])
    hours = measured.get("request_hours", _ENOUGH_HOURS)
    if is_number(measured.get("requests_per_s")) and per_user > 0 and float(measured["requests_per_s"]) > 0:
        if hours >= _ENOUGH_HOURS:
            users = float(measured["requests_per_s"]) / per_user
            sources.append("readers from CloudWatch")
        else:
            sources.append(f"inventory, since CloudWatch has {hours} hours with traffic and {_ENOUGH_HOURS} are needed")
    if is_number(measured.get("monthly_percent")):
        # A month with fewer readers is no trend to plan a smaller platform on.
        growth = max(0.0, float(measured["monthly_percent"]) / 100)
        sources.append("growth from CloudWatch")
    return users, growth, " and ".join(sources) or "inventory"


def most_connections(instance_class: str) -> int:
    """Default max_connections of an Aurora PostgreSQL instance class; 0 where its memory is not known."""
    family = instance_class.split(".")[1][:1] if instance_class.count(".") == 2 else ""
    gib = _GIB_OF_A_PROCESSOR.get(family, 0) * processors(instance_class)
    if family == "t":
        gib = {"medium": 4, "large": 8}.get(instance_class.rpartition(".")[2], 0)
    return min(_MOST_CONNECTIONS, gib * 2**30 // _BYTES_OF_A_CONNECTION)


def _month(number: int, users: float, start: float, description: Description, prices: Prices) -> Month:
    people = math.ceil(users - 1e-9)
    least = int(description["ecs_service_min_capacity"])
    tasks = max(least, math.ceil(people / float(description["platform_growth_users_per_task"])))
    connections = math.ceil(people * float(description["platform_growth_connections_per_user"]))
    needed = math.ceil(connections / float(description["platform_growth_connections_per_reader"]))
    readers = min(_MOST_READERS, max(int(description["rds_aurora_instance_count"]) - 1, needed))
    grown = _grown(description, users / start, tasks, readers + 1)
    return Month(
        month=number,
        users=people,
        requests_per_s=round(people * float(description["platform_growth_requests_per_user"]), 1),
        tasks=tasks,
        instances=readers + 1,
        readers=readers,
        connections=connections,
        monthly_usd=total(bill(grown, prices, RULES)),
    )


def _grown(description: Description, factor: float, tasks: int, instances: int) -> Description:
    """The description as it must be for so many readers more."""
    average = tasks * float(description["platform_growth_average_load_percent"]) / 100
    extra = max(description.usage("extra_tasks"), average - float(description["ecs_service_min_capacity"]))
    return Description(
        {
            **description,
            **{f"platform_usage_{name}": description.usage(name) * factor for name in _GROWING},
            "platform_usage_extra_tasks": extra,
            "rds_aurora_instance_count": instances,
        }
    )


def _first(path: Sequence[Month], reached: Sequence[bool]) -> int | None:
    return next((one.month for one, is_reached in zip(path, reached, strict=True) if is_reached), None)


def _limits(path: Sequence[Month], description: Description) -> list[Limit]:
    """Every limit of the platform as described, the nearest first."""
    most_tasks = int(description["ecs_service_max_capacity"])
    per_second = int(description["ecs_service_requests_per_target"]) / 60
    described = int(description["rds_aurora_instance_count"]) - 1
    kind = description["rds_aurora_instance_class"]
    pooled = int(most_connections(kind) * int(description["rds_aurora_proxy_max_connections_percent"]) / 100)
    budget = float(description[BUDGET])
    kpis = description.get("platform_kpis") or {}
    last = path[-1]
    per_task = float(description["platform_growth_users_per_task"])
    # What was promised counts even if growth does not get there within the plan.
    promised = math.ceil(float(kpis.get("concurrent_users", 0)) / per_task)
    wanted = max(*(one.tasks for one in path), promised, most_tasks + 1)
    limits = [
        Limit(
            f"ecs_service_max_capacity: {most_tasks} tasks, {most_tasks * per_task:g} readers at once",
            _first(path, [one.tasks > most_tasks for one in path]),
            f"Raise ecs_service_max_capacity to {wanted}, or give a task more than {description['ecs_service_cpu']} "
            "CPU units and prove with the load test what it holds.",
            "tasks",
            most_tasks,
        ),
        Limit(
            f"{most_tasks} tasks x {per_second:g} requests a second",
            _first(path, [one.requests_per_s > most_tasks * per_second for one in path]),
            "Let CloudFront answer more of them, raise ecs_service_max_capacity, or prove with the load test that a "
            "task holds more and raise ecs_service_requests_per_target.",
            "requests_per_s",
            most_tasks * per_second,
        ),
        Limit(
            f"rds_aurora_instance_count: {described} {'reader instance' if described == 1 else 'reader instances'}",
            _first(path, [one.readers > described for one in path]),
            f"Raise rds_aurora_instance_count to {max(described + 2, *(one.instances for one in path))}, or turn "
            "rds_aurora_reader_autoscaling on.",
            "readers",
            described,
        ),
        Limit(
            f"budget: ${budget:,.0f} a month",
            _first(path, [one.monthly_usd > budget for one in path]),
            f"Decide on the budget in time: month {last.month} costs ${last.monthly_usd:,.0f}. Advice on smaller sizes "
            "and commitments: ansible-playbook playbooks/capacity.yml.",
            "monthly_usd",
            budget,
        ),
    ]
    if pooled:
        limits.append(
            Limit(
                f"{kind}: {pooled} connections from the proxy",
                _first(path, [one.connections > pooled for one in path]),
                "Choose a larger rds_aurora_instance_class; max_connections follows from its memory.",
                "connections",
                pooled,
            )
        )
    if users := kpis.get("concurrent_users"):
        limits.append(
            Limit(
                f"KPI: {users} readers at the same time",
                _first(path, [one.users > float(users) for one in path]),
                "Raise the KPI and prove it with the load test before it is needed.",
                "users",
                float(users),
            )
        )
    if cost := kpis.get("cost_per_active_user_usd"):
        first = path[0].users
        active = [description.usage("active_users") * one.users / first for one in path]
        reached = [one.monthly_usd > float(cost) * many for one, many in zip(path, active, strict=True)]
        limits.append(
            Limit(
                f"KPI: ${float(cost):.2f} for an active user",
                _first(path, reached),
                "Fewer or smaller instances, or more readers on the same ones.",
            )
        )
    if share := kpis.get("cost_growth_percent"):
        limits.append(
            Limit(
                f"KPI: cost grows at most {share:g} % as fast as readers",
                _first(path, [_too_fast(one, path[0], float(share)) for one in path]),
                "Look at the jump in the plan: a reader instance more, or tasks that autoscaling does not take back.",
            )
        )
    far = len(path) + 1
    return sorted(limits, key=lambda one: one.reached_in_month or far)


def _too_fast(one: Month, first: Month, share: float) -> bool:
    more_users = one.users / first.users - 1
    return more_users > 0 and one.monthly_usd / first.monthly_usd - 1 > more_users * share / 100


def _recommendations(path: Sequence[Month], limits: Sequence[Limit], description: Description) -> list[dict[str, str]]:
    """What to decide in each quarter of the first year."""
    told = []
    for quarter, month in enumerate(_QUARTERS, start=1):
        if month > len(path):
            break
        one = path[month - 1]
        due = [limit for limit in limits if limit.reached_in_month and month - 2 <= limit.reached_in_month <= month]
        readers = "reader" if one.users == 1 else "readers"
        state = (
            f"{one.users} {readers} at once, {one.requests_per_s:g} requests a second: {one.tasks} tasks, "
            f"{one.instances} database instances, {one.connections} connections, ${one.monthly_usd:,.0f} a month."
        )
        todo = " ".join(f"Month {limit.reached_in_month}: {limit.limit}. {limit.what_to_do}" for limit in due)
        told.append({"quarter": f"Q{quarter} (month {month})", "text": f"{state} {todo or 'Nothing to change.'}"})
    return told
