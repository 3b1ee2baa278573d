# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch's figures of one target group; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .judge import Traffic

# A request that no target could take at all counts as an error beside those that it answered with 5xx.
_SUMS = {
    "requests": "RequestCount",
    "errors": "HTTPCode_Target_5XX_Count",
    "refused": "TargetConnectionErrorCount",
}


def bake_queries(balancer_arn: str, group_arn: str, period: int, with_p95: bool) -> list[dict[str, Any]]:
    """MetricDataQueries for `traffic_of`. period: seconds."""
    dimensions = [
        {"Name": "LoadBalancer", "Value": balancer_arn.partition("loadbalancer/")[2]},
        {"Name": "TargetGroup", "Value": group_arn.rpartition(":")[2]},
    ]

    def query(ident: str, metric: str, statistic: str) -> dict[str, Any]:
        named = {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions}
        return {"Id": ident, "MetricStat": {"Metric": named, "Period": period, "Stat": statistic}}

    queries = [query(ident, metric, "Sum") for ident, metric in _SUMS.items()]
    return [*queries, query("p95", "TargetResponseTime", "p95")] if with_p95 else queries


def traffic_of(values: Mapping[str, Sequence[float]]) -> Traffic:
    """What the answers to `bake_queries` say; CloudWatch leaves out what was not counted."""
    return Traffic(
        requests=sum(values.get("requests", ())),
        errors=sum(values.get("errors", ())) + sum(values.get("refused", ())),
        p95=1000 * max(values.get("p95", ()), default=0.0),
    )
