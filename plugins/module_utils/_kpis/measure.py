# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS itself knows of the promises: uptime, scaling, recoveries, utilisation, latency, bills."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from .._aws.api import Aws
from .._engine.steps import StepFailed
from .._load_balancer.slots import SLOTS, slot_name
from . import judge
from .judge import Measured

_PERIOD = 300  # seconds; CloudWatch keeps five minutes for 63 days
_SHORT_PERIOD = 60  # seconds, for a platform that is younger than a day
_MOST_ACTIVITIES = 100
# The promise is about the way to the nearest edge. The first byte of what no edge keeps comes from further away.
_LATENCY = "ConnectionTime"
_ABSENT = ("ResourceNotFoundException", "ClusterNotFoundException", "LoadBalancerNotFound", "ObjectNotFoundException")
# Cost Explorer is switched on by hand, and read by few.
_NO_BILL = ("DataUnavailableException", "AccessDeniedException", "OptInRequired")


class Account:
    """Reads one platform's figures. days: how far back."""

    def __init__(self, aws: Aws, prefix: str, tags: Mapping[str, str], days: int, now: datetime) -> None:
        self._aws, self._prefix, self._tags, self._days, self._now = aws, prefix, tags, days, now

    def uptime(self, balancer: str, groups: Sequence[str]) -> Measured:
        """balancer, groups: full names, as CloudWatch's dimensions have them."""
        for days, period in ((1, _SHORT_PERIOD), (self._days, _PERIOD)):
            found = judge.uptime(self._requests(balancer, groups, days, period), period / 60)
            if days == self._days or (found.value is not None and not self._served_before(balancer)):
                return found
        return found

    def _served_before(self, balancer: str) -> bool:
        """Whether the load balancer had traffic more than a day ago."""
        end = self._now - timedelta(days=1)
        query = [_query("requests", "AWS/ApplicationELB", "RequestCount", "Sum", 86400, LoadBalancer=balancer)]
        return bool(sum(self._values(query, end - timedelta(days=self._days), end)["requests"].values()))

    def _requests(self, balancer: str, groups: Sequence[str], days: int, period: int) -> list[tuple[float, float]]:
        space = "AWS/ApplicationELB"
        queries = [
            _query("requests", space, "RequestCount", "Sum", period, LoadBalancer=balancer),
            _query("refused", space, "HTTPCode_ELB_5XX_Count", "Sum", period, LoadBalancer=balancer),
            *(
                _query(
                    f"failed{at}",
                    space,
                    "HTTPCode_Target_5XX_Count",
                    "Sum",
                    period,
                    LoadBalancer=balancer,
                    TargetGroup=one,
                )
                for at, one in enumerate(groups)
            ),
        ]
        found = self._values(queries, self._now - timedelta(days=days), self._now)
        requests = found.pop("requests")
        return [(requests[at], sum(one.get(at, 0.0) for one in found.values())) for at in sorted(requests)]

    def _values(self, queries: Sequence[Any], start: datetime, end: datetime) -> dict[str, dict[datetime, float]]:
        """Query id to the value of each moment."""
        results = self._aws.pages(
            f"read metrics of {self._prefix}",
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            MetricDataQueries=list(queries),
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        found: dict[str, dict[datetime, float]] = {query["Id"]: {} for query in queries}
        for one in results:
            found[one["Id"]].update(zip(one["Timestamps"], one["Values"], strict=True))
        return found

    def scaling(self) -> Measured:
        since = self._now - timedelta(days=self._days)
        activities = [
            {
                "start": one["StartTime"].timestamp(),
                "end": one["EndTime"].timestamp() if one.get("EndTime") else None,
                "cause": one.get("Cause", ""),
            }
            for slot in SLOTS
            for one in self._aws.pages(
                f"read scaling activities of {slot_name(self._prefix, slot)}",
                "application-autoscaling",
                "describe_scaling_activities",
                "ScalingActivities",
                ServiceNamespace="ecs",
                ResourceId=f"service/{self._prefix}/{slot_name(self._prefix, slot)}",
                missing=_ABSENT,
            )[:_MOST_ACTIVITIES]
            if one["StartTime"] >= since and one.get("StatusCode") == "Successful"
        ]
        return judge.scaling(activities, self._days)

    def recoveries(self, swaps: Sequence[Mapping[str, Any]]) -> Measured:
        history = self._aws.pages(
            f"read the alarm history of {self._prefix}",
            "cloudwatch",
            "describe_alarm_history",
            "AlarmHistoryItems",
            HistoryItemType="StateUpdate",
            StartDate=self._now - timedelta(days=self._days),
            EndDate=self._now,
            ScanBy="TimestampAscending",
        )
        mine = [one for one in history if one["AlarmName"].startswith(f"{self._prefix}-")]
        changes = [
            (one["Timestamp"].timestamp(), _new_state(one) == "ALARM")
            for one in sorted(mine, key=lambda one: (one["AlarmName"], one["Timestamp"]))
        ]
        return judge.recoveries(changes, swaps, self._days)

    def utilisation(self, slot: str | None, load_test: Mapping[str, Any] | None) -> Measured:
        """CPU of the live slot's tasks from the load test's begin to its end."""
        if load_test is None or slot is None:
            return judge.not_measured("no load test has run" if slot else "no slot gets all the traffic just now")
        start = datetime.fromisoformat(load_test["started"])
        end = start + timedelta(seconds=load_test["seconds"])
        service = slot_name(self._prefix, slot)
        query = _query("cpu", "AWS/ECS", "CPUUtilization", "Average", 60, ClusterName=self._prefix, ServiceName=service)
        averages = list(self._values([query], start, end)["cpu"].values())
        return judge.utilisation(
            averages, self._running(service), self._floor(service), float(load_test["scale_percent"])
        )

    def _running(self, service: str) -> int:
        answer = self._aws.call_unless(
            _ABSENT, f"look at service {service}", "ecs", "describe_services", cluster=self._prefix, services=[service]
        )
        found = (answer or {}).get("services") or [{}]
        return int(found[0].get("runningCount", 0))

    def _floor(self, service: str) -> int:
        targets = self._aws.pages(
            f"read the scaling bounds of {service}",
            "application-autoscaling",
            "describe_scalable_targets",
            "ScalableTargets",
            ServiceNamespace="ecs",
            ResourceIds=[f"service/{self._prefix}/{service}"],
        )
        return max((int(one["MinCapacity"]) for one in targets), default=0)

    def latency(self) -> Measured:
        """Time to reach the nearest edge as Route 53's health checks see it, of the slowest of their regions."""
        checks = self._health_checks()
        if not checks:
            return judge.not_measured(
                "no Route 53 health check of the platform measures latency around the world (role monitoring)"
            )
        metrics = self._aws.pages(
            f"list latency metrics of {self._prefix}",
            "cloudwatch",
            "list_metrics",
            "Metrics",
            region="us-east-1",  # where Route 53 writes its metrics
            Namespace="AWS/Route53",
            MetricName=_LATENCY,
        )
        named = [{one["Name"]: one["Value"] for one in metric["Dimensions"]} for metric in metrics]
        worst: tuple[float, str] | None = None
        for dimensions in named:
            if dimensions.get("HealthCheckId") in checks and "Region" in dimensions:
                average = self._average_latency(dimensions)
                if average is not None and (worst is None or average > worst[0]):
                    worst = (average, dimensions["Region"])
        if worst is None:
            return judge.not_measured(
                "the platform's health checks have no latency figures yet (monitoring_site_latency)"
            )
        return Measured(worst[0], f"seen from {worst[1]}")

    def _average_latency(self, dimensions: Mapping[str, str]) -> float | None:
        end = self._now
        answer = self._aws.call(
            f"read latency of {self._prefix} from {dimensions['Region']}",
            "cloudwatch",
            "get_metric_statistics",
            region="us-east-1",
            Namespace="AWS/Route53",
            MetricName=_LATENCY,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=end - timedelta(days=1),
            EndTime=end,
            Period=86400,
            Statistics=["Average"],
        )
        points = [point["Average"] for point in answer.get("Datapoints", [])]
        return float(max(points)) if points else None

    def _health_checks(self) -> set[str]:
        listed = self._aws.pages("list health checks", "route53", "list_health_checks", "HealthChecks")
        ids = [one["Id"] for one in listed]
        mine = set()
        for start in range(0, len(ids), 10):  # Route 53 tells the tags of ten at once
            answer = self._aws.call(
                "read tags of health checks",
                "route53",
                "list_tags_for_resources",
                ResourceType="healthcheck",
                ResourceIds=ids[start : start + 10],
            )
            for one in answer["ResourceTagSets"]:
                tags = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
                if all(tags.get(name) == value for name, value in self._identity().items()):
                    mine.add(one["ResourceId"])
        return mine

    def bills(self) -> list[float]:
        """USD of the last two whole months with the platform's tags, older first; empty where there is no bill."""
        this_month = self._now.date().replace(day=1)
        answer = self._aws.call_unless(
            _NO_BILL,
            f"read the bill of {self._prefix}",
            "ce",
            "get_cost_and_usage",
            region="us-east-1",  # Cost Explorer's only endpoint
            TimePeriod={"Start": _month_before(_month_before(this_month)).isoformat(), "End": this_month.isoformat()},
            Granularity="MONTHLY",
            Metrics=["UnblendedCost"],
            Filter={
                "And": [{"Tags": {"Key": name, "Values": [value]}} for name, value in sorted(self._identity().items())]
            },
        )
        periods = (answer or {}).get("ResultsByTime", [])
        return [float(one["Total"].get("UnblendedCost", {}).get("Amount", 0)) for one in periods]

    def _identity(self) -> dict[str, str]:
        return {name: value for name, value in self._tags.items() if name in ("Project", "Environment")}

    def swaps(self, table: str) -> list[dict[str, Any]]:
        """The audit records of swaps, newest first; empty where nothing was ever released."""
        answer = self._aws.call_unless(
            ("ResourceNotFoundException",),
            f"read the releases in table {table}",
            "dynamodb",
            "query",
            TableName=table,
            KeyConditionExpression="Application = :a AND begins_with(#r, :p)",
            ExpressionAttributeNames={"#r": "Record"},
            ExpressionAttributeValues={":a": {"S": f"{self._prefix}-app"}, ":p": {"S": "swap#"}},
            ScanIndexForward=False,
            Limit=50,
        )
        return [json.loads(item["Document"]["S"]) for item in (answer or {}).get("Items", [])]


def asked(question: Callable[[], Measured]) -> Measured:
    """The answer, or why AWS gave none: a promise that this caller may not look into is not measured, not met."""
    try:
        return question()
    except StepFailed as failure:
        return judge.not_measured(str(failure).rstrip("."))


def newest(folder: Path, pattern: str, having: Sequence[str]) -> dict[str, Any] | None:
    """The newest JSON file below a folder that has these keys, by its name; None when there is none."""
    for path in sorted(folder.glob(pattern), key=lambda path: path.name, reverse=True):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue  # cut short by a kill; the one before it stands
        if isinstance(told, dict) and all(key in told for key in having):
            return told
    return None


def _new_state(item: Mapping[str, Any]) -> str:
    try:
        return str(json.loads(item.get("HistoryData") or "{}").get("newState", {}).get("stateValue", ""))
    except ValueError:
        return ""


def _month_before(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def _query(ident: str, space: str, metric: str, statistic: str, period: int, **dimensions: str) -> dict[str, Any]:
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    told = {"Namespace": space, "MetricName": metric, "Dimensions": named}
    return {"Id": ident, "MetricStat": {"Metric": told, "Period": period, "Stat": statistic}}


def utc_now() -> datetime:
    return datetime.now(UTC)
