# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Advice on money: smaller sizes, reserved instances, savings plans. Numbers and commands, never a purchase; pure.

Sizes are judged by what CloudWatch showed, commitments by what AWS itself offers for exactly what the description runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .bill import Description
from .prices import HOURS, Prices

# A week of hours; fewer say nothing about a size.
_ENOUGH_HOURS = 7 * 24
_IDLE_CPU, _IDLE_PEAK, _IDLE_MEMORY = 20.0, 50.0, 40.0
_BUSY_CPU = 70.0
_YEAR = 31_536_000
_NO_UPFRONT = "No Upfront"


@dataclass(frozen=True)
class Advice:
    """One recommendation. monthly_saving_usd: negative when it costs more. command: to be run by a person, if ever."""

    kind: str
    what: str
    text: str
    monthly_saving_usd: float
    command: str = ""


def advice(
    description: Description, prices: Prices, figures: Mapping[str, Any], offers: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """All recommendations, the largest saving first.

    figures: see `measured.figures`. offers: ``reserved_db`` and ``reserved_cache`` as AWS describes offerings,
    ``savings_rates`` ({usage type: US dollars an hour of a one-year No Upfront Compute plan}).
    """
    found = [
        *_database_size(description, prices, figures.get("database")),
        *_cache_size(description, prices, figures.get("cache")),
        *_task_size(description, prices, figures.get("tasks")),
        *_reserved(
            "reserved database instances",
            str(description["rds_aurora_instance_class"]),
            int(description["rds_aurora_instance_count"]),
            prices.of(f"aurora/instance_hour/{description['rds_aurora_instance_class']}"),
            offers.get("reserved_db") or (),
            "rds purchase-reserved-db-instances-offering --reserved-db-instances-offering-id {id} "
            "--db-instance-count {count}",
        ),
        *_reserved(
            "reserved cache nodes",
            str(description["elasticache_node_type"]),
            int(description["elasticache_num_cache_clusters"]),
            prices.of(f"elasticache/{description['elasticache_engine']}_hour/{description['elasticache_node_type']}"),
            offers.get("reserved_cache") or (),
            "elasticache purchase-reserved-cache-nodes-offering --reserved-cache-nodes-offering-id {id} "
            "--cache-node-count {count}",
        ),
        *_savings_plan(description, prices, offers.get("savings_rates") or {}),
    ]
    best_first = sorted(found, key=lambda one: -one.monthly_saving_usd)
    return [{**asdict(one), "sentence": _sentence(one)} for one in best_first]


def _sentence(one: Advice) -> str:
    verb = "Saves" if one.monthly_saving_usd >= 0 else "Costs"
    return f"{one.kind.capitalize()}, {one.what}: {one.text} {verb} ${abs(one.monthly_saving_usd):,.2f} a month."


def not_measured(figures: Mapping[str, Any]) -> list[str]:
    """What cannot be judged for want of data, said so."""
    parts = {"database": "the database", "cache": "the cache", "tasks": "the tasks"}
    return [
        f"No advice on the size of {words}: CloudWatch has {(figures.get(part) or {}).get('hours', 0)} hours of it, "
        f"and {_ENOUGH_HOURS} are needed."
        for part, words in parts.items()
        if not _known(figures.get(part))
    ]


def _known(part: Mapping[str, Any] | None) -> bool:
    return bool(part) and part is not None and part["hours"] >= _ENOUGH_HOURS


def _database_size(description: Description, prices: Prices, busy: Mapping[str, Any] | None) -> Iterator[Advice]:
    if not _known(busy) or busy is None:
        return
    kind, count = str(description["rds_aurora_instance_class"]), int(description["rds_aurora_instance_count"])
    peak = busy.get("cpu_peak_percent") or busy["cpu_percent"]
    shown = f"CPU {busy['cpu_percent']} % on average, {peak} % at the peak of 30 days"
    if busy["cpu_percent"] < _IDLE_CPU and peak < _IDLE_PEAK:
        yield from _other_size(prices, "aurora/instance_hour", kind, count, -1, f"{shown}: a size smaller suffices")
    elif busy["cpu_percent"] > _BUSY_CPU:
        yield from _other_size(prices, "aurora/instance_hour", kind, count, 1, f"{shown}: take a size larger")


def _cache_size(description: Description, prices: Prices, busy: Mapping[str, Any] | None) -> Iterator[Advice]:
    if not _known(busy) or busy is None:
        return
    memory = busy.get("memory_percent")
    if busy["cpu_percent"] < _IDLE_CPU and memory is not None and memory < _IDLE_MEMORY:
        shown = f"CPU {busy['cpu_percent']} %, memory at most {memory} % of 30 days: a size smaller suffices"
        where = f"elasticache/{description['elasticache_engine']}_hour"
        nodes = int(description["elasticache_num_cache_clusters"])
        yield from _other_size(prices, where, str(description["elasticache_node_type"]), nodes, -1, shown)


_SIZES = ("micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")


def _other_size(prices: Prices, where: str, kind: str, count: int, step: int, why: str) -> Iterator[Advice]:
    """The neighbour in the same family, where the list has its price."""
    family, _dot, size = kind.rpartition(".")
    if size not in _SIZES or not 0 <= _SIZES.index(size) + step < len(_SIZES):
        return
    other = f"{family}.{_SIZES[_SIZES.index(size) + step]}"
    if not prices.has(f"{where}/{other}"):
        return
    saving = (prices.of(f"{where}/{kind}") - prices.of(f"{where}/{other}")) * HOURS * count
    yield Advice("right-sizing", kind, f"{why}: {other} instead of {kind}.", round(saving, 2))


def _task_size(description: Description, prices: Prices, busy: Mapping[str, Any] | None) -> Iterator[Advice]:
    if not _known(busy) or busy is None:
        return
    memory = busy.get("memory_percent")
    cpu = int(description["ecs_service_cpu"])
    # The smallest task that Fargate takes has 256 CPU units.
    if busy["cpu_percent"] >= _IDLE_CPU or memory is None or memory >= _IDLE_MEMORY or cpu < 512:
        return
    tasks = float(description["ecs_service_min_capacity"]) + description.usage("extra_tasks")
    architecture = description["ecs_service_cpu_architecture"]
    hourly = (
        cpu / 1024 * prices.of(f"fargate/vcpu_hour/{architecture}")
        + int(description["ecs_service_memory"]) / 1024 * prices.of(f"fargate/gb_hour/{architecture}")
    ) / 2
    yield Advice(
        "right-sizing",
        f"tasks of {cpu} CPU units",
        f"CPU {busy['cpu_percent']} %, memory {memory} % of 30 days: half of both suffices, ecs_service_cpu {cpu // 2} "
        f"and ecs_service_memory {int(description['ecs_service_memory']) // 2}.",
        round(hourly * HOURS * tasks, 2),
    )


def _reserved(
    kind: str, size: str, count: int, on_demand: float, offers: Sequence[Mapping[str, Any]], command: str
) -> Iterator[Advice]:
    """The best one-year offer without payment in advance, if it saves anything."""
    fitting = [one for one in offers if one["Duration"] == _YEAR and one["OfferingType"] == _NO_UPFRONT]
    if not fitting or not on_demand:
        return
    best = min(fitting, key=_hourly)
    saving = (on_demand - _hourly(best)) * HOURS * count
    if saving <= 0:
        return
    [identity] = [value for name, value in best.items() if name.endswith("OfferingId")]
    yield Advice(
        kind,
        f"{count} x {size}",
        f"Reserved for a year without payment in advance they cost ${_hourly(best):.4f} an hour instead of "
        f"${on_demand:.4f}. It is owed for the whole year, used or not: decide after a month at a size that stays.",
        round(saving, 2),
        f"aws {command.format(id=identity, count=count)}",
    )


def _hourly(offer: Mapping[str, Any]) -> float:
    charges = [
        one["RecurringChargeAmount"] for one in offer["RecurringCharges"] if one["RecurringChargeFrequency"] == "Hourly"
    ]
    return float(offer["UsagePrice"]) + sum(charges) + float(offer["FixedPrice"]) * 3600 / offer["Duration"]


def _savings_plan(description: Description, prices: Prices, rates: Mapping[str, float]) -> Iterator[Advice]:
    """A Compute Savings Plan for the tasks that always run, and for no task more."""
    arm = "ARM-" if description["ecs_service_cpu_architecture"] == "ARM64" else ""
    architecture = description["ecs_service_cpu_architecture"]
    units = {
        f"Fargate-{arm}vCPU-Hours:perCPU": (int(description["ecs_service_cpu"]) / 1024, "vcpu_hour"),
        f"Fargate-{arm}GB-Hours": (int(description["ecs_service_memory"]) / 1024, "gb_hour"),
    }
    told = {usage: next((rate for name, rate in rates.items() if name.endswith(usage)), None) for usage in units}
    if any(rate is None for rate in told.values()):
        return
    always = int(description["ecs_service_min_capacity"])
    commitment = always * sum(size * float(told[usage] or 0) for usage, (size, _unit) in units.items())
    on_demand = always * sum(size * prices.of(f"fargate/{unit}/{architecture}") for size, unit in units.values())
    if commitment >= on_demand:
        return
    yield Advice(
        "savings plan",
        f"{always} tasks that always run",
        f"A Compute Savings Plan of one year without payment in advance with a commitment of ${commitment:.4f} an hour "
        f"covers them; on demand they cost ${on_demand:.4f}. It is owed for the whole year, used or not.",
        round((on_demand - commitment) * HOURS, 2),
        f"aws savingsplans create-savings-plan --commitment {commitment:.4f} --savings-plan-offering-id <offering>",
    )
