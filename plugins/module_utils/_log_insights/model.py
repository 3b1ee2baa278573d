# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Saved queries and metric filters that are wanted, as resources, and their canonical forms; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# API reference of PutQueryDefinition and PutMetricFilter.
_QUERY_NAME, _QUERY, _GROUPS = 255, 10_000, 50
_FILTER = re.compile(r"[^:*]{1,512}")
_PATTERN, _DIMENSIONS = 1024, 3
_METRIC = re.compile(r"[^:*$]{1,255}")


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `cloudwatch_log_insights` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    prefix = params["name"]
    return [
        *(
            Resource("query_definition", query_name(prefix, one["name"]), _query(one["query"], one["log_groups"]))
            for one in params["queries"]
        ),
        *(Resource("metric_filter", one["name"], _filter(one, prefix)) for one in params["metric_filters"]),
    ]


def query_name(prefix: str, name: str) -> str:
    """The console shows what stands before a slash as a folder."""
    return f"{prefix}/{name}"


def _query(text: str, groups: Any) -> dict[str, Any]:
    return {"log_groups": sorted(groups or []), "query": text.strip()}


def query_fields(shown: Mapping[str, Any]) -> dict[str, Any]:
    """A QueryDefinition in canonical form."""
    return _query(shown["queryString"], shown.get("logGroupNames"))


def _filter(one: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    return {
        "log_group": one["log_group"],
        "pattern": one["pattern"],
        "metric": f"{namespace}/{one['metric']}",
        "value": one["value"],
        "default_value": one["default_value"],
        "dimensions": dict(one["dimensions"]),
        "unit": one["unit"],
    }


def filter_fields(shown: Mapping[str, Any]) -> dict[str, Any]:
    """A MetricFilter in canonical form."""
    metric = shown["metricTransformations"][0]
    return {
        "log_group": shown["logGroupName"],
        "pattern": shown.get("filterPattern", ""),
        "metric": f"{metric['metricNamespace']}/{metric['metricName']}",
        "value": metric["metricValue"],
        "default_value": metric.get("defaultValue"),
        "dimensions": metric.get("dimensions") or {},
        "unit": metric.get("unit") or "None",
    }


def transformation(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The MetricTransformation of canonical fields."""
    namespace, _slash, name = fields["metric"].rpartition("/")
    told = {"metricNamespace": namespace, "metricName": name, "metricValue": fields["value"], "unit": fields["unit"]}
    if fields["default_value"] is not None:
        told["defaultValue"] = fields["default_value"]
    if fields["dimensions"]:
        told["dimensions"] = dict(fields["dimensions"])
    return told


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with queries and filters, one sentence each."""
    for sort in ("queries", "metric_filters"):
        names = [one["name"] for one in params[sort]]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"Read {name!r} twice in {sort}. Name each once."
    for one in params["queries"]:
        if not 1 <= len(query_name(params["name"], one["name"])) <= _QUERY_NAME:
            yield f"Read a query name of {len(one['name'])} characters; CloudWatch takes {_QUERY_NAME}. Shorten it."
        if not 1 <= len(one["query"].strip()) <= _QUERY:
            yield (
                f"Read query {one['name']}, empty or longer than CloudWatch takes ({_QUERY} characters). Write it anew."
            )
        if not 1 <= len(one["log_groups"]) <= _GROUPS:
            yield (
                f"Read {len(one['log_groups'])} log groups for query {one['name']}; a query asks 1 to {_GROUPS}. "
                "Choose them."
            )
    for one in params["metric_filters"]:
        yield from _filter_problems(one)


def _filter_problems(one: Mapping[str, Any]) -> Iterator[str]:
    name = one["name"]
    if not _FILTER.fullmatch(name):
        yield f"Read the metric filter name {name!r}; it takes up to 512 characters without : and *. Rename it."
    if not _METRIC.fullmatch(one["metric"]) or "/" in one["metric"]:
        yield f"Read the metric {one['metric']!r} of filter {name}; a name is without : * $ and /. Rename it."
    if len(one["pattern"]) > _PATTERN:
        yield f"Read a pattern of filter {name} longer than CloudWatch takes ({_PATTERN} characters). Shorten it."
    if len(one["dimensions"]) > _DIMENSIONS:
        yield (
            f"Read {len(one['dimensions'])} dimensions for filter {name}; CloudWatch takes {_DIMENSIONS}. Leave "
            "some out."
        )
    if one["dimensions"] and one["default_value"] is not None:
        yield f"Read a default_value and dimensions for filter {name}; CloudWatch takes one of them. Leave one out."
