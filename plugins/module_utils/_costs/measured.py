# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What CloudWatch shows of a standing platform: traffic, growth, how busy its parts are. Pure but for `measure`.

Figures are by the hour, which CloudWatch keeps for 455 days; the last 30 days are compared with the 30 before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .._aws.api import Aws

HOUR = 3600
_MONTH = 30 * 24  # hours
# Fewer hours than this say nothing about a month.
_ENOUGH = 20 * 24


@dataclass(frozen=True)
class Series:
    """One metric by the hour. points: (hours before now, value), in any order."""

    points: tuple[tuple[float, float], ...]

    def within(self, first: float, last: float) -> list[float]:
        return [value for age, value in self.points if first <= age < last]


def metrics(where: Mapping[str, Any]) -> dict[str, tuple[str, str, dict[str, str], str]]:
    """{name: (namespace, metric, dimensions, statistic)} of what there is to ask.

    where: load_balancer, db_cluster, cache, ecs_cluster, ecs_service; None for what is not there.
    """
    asked: dict[str, tuple[str, str, dict[str, str], str]] = {}
    if balancer := where.get("load_balancer"):
        asked["requests"] = ("AWS/ApplicationELB", "RequestCount", {"LoadBalancer": balancer}, "Sum")
    if cluster := where.get("db_cluster"):
        of_cluster = {"DBClusterIdentifier": cluster}
        asked["connections"] = ("AWS/RDS", "DatabaseConnections", of_cluster, "Maximum")
        asked["database_cpu"] = ("AWS/RDS", "CPUUtilization", of_cluster, "Average")
        asked["database_cpu_peak"] = ("AWS/RDS", "CPUUtilization", of_cluster, "Maximum")
    if cache := where.get("cache"):
        of_node = {"CacheClusterId": f"{cache}-001"}
        asked["cache_cpu"] = ("AWS/ElastiCache", "CPUUtilization", of_node, "Average")
        asked["cache_memory"] = ("AWS/ElastiCache", "DatabaseMemoryUsagePercentage", of_node, "Maximum")
    if (cluster := where.get("ecs_cluster")) and (service := where.get("ecs_service")):
        of_service = {"ClusterName": cluster, "ServiceName": service}
        asked["tasks_cpu"] = ("AWS/ECS", "CPUUtilization", of_service, "Average")
        asked["tasks_memory"] = ("AWS/ECS", "MemoryUtilization", of_service, "Average")
    return asked


def measure(aws: Aws, where: Mapping[str, Any], now: datetime) -> dict[str, Series]:
    """Every series of `metrics`, in one question to CloudWatch (and its further pages)."""
    asked = metrics(where)
    if not asked:
        return {}
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                },
                "Period": HOUR,
                "Stat": statistic,
            },
        }
        for number, (namespace, metric, dimensions, statistic) in enumerate(asked.values())
    ]
    results = aws.pages(
        "read the metrics of the last 60 days",
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        MetricDataQueries=queries,
        StartTime=now - timedelta(hours=2 * _MONTH),
        EndTime=now,
    )
    points: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    names = dict(enumerate(asked))
    for result in results:
        name = names[int(result["Id"].removeprefix("m"))]
        for stamp, value in zip(result["Timestamps"], result["Values"], strict=True):
            points[name].append(((now - stamp).total_seconds() / HOUR, float(value)))
    return {name: Series(tuple(found)) for name, found in points.items()}


def figures(series: Mapping[str, Series]) -> dict[str, Any]:
    """The figures of the last 30 days; None for what was not measured. Percentages are of 100."""
    nothing = Series(())
    requests = series.get("requests", nothing)
    return {
        "request_hours": len(requests.within(0, _MONTH)),
        "days": round(max([age for one in series.values() for age, _value in one.points], default=0) / 24, 1),
        "requests_per_s": _rounded(max(requests.within(0, _MONTH), default=None), HOUR),
        "monthly_percent": _growth(requests),
        "connections": max(series.get("connections", nothing).within(0, _MONTH), default=None),
        "database": _busy(series, "database_cpu", "database_cpu_peak"),
        "cache": _busy(series, "cache_cpu", "cache_memory"),
        "tasks": _busy(series, "tasks_cpu", "tasks_memory"),
    }


def _growth(requests: Series) -> float | None:
    """Percent by which the last 30 days had more requests an hour than the 30 before."""
    now, before = requests.within(0, _MONTH), requests.within(_MONTH, 2 * _MONTH)
    if len(now) < _ENOUGH or len(before) < _ENOUGH or not sum(before):
        return None
    return round((_average(now) / _average(before) - 1) * 100, 2)


def _busy(series: Mapping[str, Series], cpu: str, other: str) -> dict[str, Any] | None:
    """Average and peak of a processor or the like, and from how many hours; None without any."""
    values = series.get(cpu, Series(())).within(0, _MONTH)
    if not values:
        return None
    peak = series.get(other, Series(())).within(0, _MONTH)
    name = other.rpartition("_")[2]
    return {
        "cpu_percent": round(_average(values), 1),
        f"{'cpu_' if name == 'peak' else ''}{name}_percent": round(max(peak), 1) if peak else None,
        "hours": len(values),
    }


def _average(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _rounded(value: float | None, divisor: float) -> float | None:
    return None if value is None else round(value / divisor, 3)
