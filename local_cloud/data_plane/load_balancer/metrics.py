# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node counts, and how it becomes CloudWatch metric data (namespace AWS/ApplicationELB)."""

from __future__ import annotations

from collections import Counter
from typing import Any

Datum = dict[str, Any]


class GroupCounts:
    """Requests of one target group since the last harvest. Response times in seconds."""

    def __init__(self) -> None:
        self.requests = 0
        self.codes: Counter[int] = Counter()  # 2 to 5, the first digit
        self.times: Counter[float] = Counter()  # rounded to a tenth of a millisecond
        self.connection_errors = 0

    def answered(self, status: int, seconds: float) -> None:
        self.codes[status // 100] += 1
        self.times[round(seconds, 4)] += 1

    def take(self) -> GroupCounts:
        """What was counted so far; counting starts anew."""
        taken = GroupCounts()
        taken.__dict__.update(self.__dict__)
        self.__init__()  # type: ignore[misc]  # start anew
        return taken

    def add(self, other: GroupCounts) -> None:
        self.requests += other.requests
        self.codes.update(other.codes)
        self.times.update(other.times)
        self.connection_errors += other.connection_errors


class BalancerCounts:
    """What one load balancer answered itself."""

    def __init__(self) -> None:
        self.requests = 0
        self.own_codes: Counter[int] = Counter()  # whole status codes, such as 502

    def take(self) -> BalancerCounts:
        taken = BalancerCounts()
        taken.__dict__.update(self.__dict__)
        self.__init__()  # type: ignore[misc]  # start anew
        return taken

    def add(self, other: BalancerCounts) -> None:
        self.requests += other.requests
        self.own_codes.update(other.own_codes)


def dimension(arn: str) -> str:
    """The dimension value of a load balancer's or target group's ARN: app/name/id, targetgroup/name/id."""
    resource = arn.split(":", 5)[5]
    return resource.removeprefix("loadbalancer/")


def group_data(balancers: list[str], group: str, counts: GroupCounts, healthy: int, unhealthy: int) -> list[Datum]:
    """Metric data of a target group, for each load balancer that uses it."""
    data = []
    for balancer in balancers:
        dimensions = [
            {"Name": "LoadBalancer", "Value": dimension(balancer)},
            {"Name": "TargetGroup", "Value": dimension(group)},
        ]
        data += [
            _datum("HealthyHostCount", healthy, "Count", dimensions),
            _datum("UnHealthyHostCount", unhealthy, "Count", dimensions),
            _datum("RequestCount", counts.requests, "Count", dimensions),
        ]
        data += [
            _datum(f"HTTPCode_Target_{digit}XX_Count", counts.codes[digit], "Count", dimensions)
            for digit in (2, 3, 4, 5)
            if counts.codes[digit] or (digit == 5 and counts.requests)
        ]
        if counts.connection_errors:
            data.append(_datum("TargetConnectionErrorCount", counts.connection_errors, "Count", dimensions))
        # A metric datum has at most 150 values.
        times = sorted(counts.times.items())
        for start in range(0, len(times), 150):
            some = times[start : start + 150]
            data.append(
                {
                    "MetricName": "TargetResponseTime",
                    "Unit": "Seconds",
                    "Dimensions": dimensions,
                    "Values": [time for time, _ in some],
                    "Counts": [float(count) for _, count in some],
                }
            )
    return data


def balancer_data(balancer: str, counts: BalancerCounts) -> list[Datum]:
    """Metric data of a load balancer."""
    dimensions = [{"Name": "LoadBalancer", "Value": dimension(balancer)}]
    data = [_datum("RequestCount", counts.requests, "Count", dimensions)]
    for digit in (4, 5):
        total = sum(count for code, count in counts.own_codes.items() if code // 100 == digit)
        if total:
            data.append(_datum(f"HTTPCode_ELB_{digit}XX_Count", total, "Count", dimensions))
    data += [
        _datum(f"HTTPCode_ELB_{code}_Count", count, "Count", dimensions)
        for code, count in counts.own_codes.items()
        if code >= 500
    ]
    return data


def _datum(name: str, value: float, unit: str, dimensions: list[dict[str, str]]) -> Datum:
    return {"MetricName": name, "Value": float(value), "Unit": unit, "Dimensions": dimensions}
