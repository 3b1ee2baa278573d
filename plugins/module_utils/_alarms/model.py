# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The alarms that are wanted, as resources, and the canonical form of what CloudWatch shows of them; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# API reference of PutMetricAlarm and PutCompositeAlarm.
_NAME, _DESCRIPTION, _RULE, _CHILDREN, _ACTIONS = 255, 1024, 10240, 100, 5
_DAY, _WEEK, _HOUR = 86_400, 604_800, 3600
_STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
_PERCENTILE = re.compile(r"(p|tm|wm|tc|ts)(100|\d{1,2}(\.\d{1,10})?)|IQM|(PR|TM|WM|TC|TS)\([^)]+\)")
_METRIC_ID = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")
# Comparisons with a band that CloudWatch learns instead of a number.
_BAND = re.compile(r"ANOMALY_DETECTION_BAND\(.+\)")
_BANDS = ("LessThanLowerThreshold", "GreaterThanUpperThreshold", "LessThanLowerOrGreaterThanUpperThreshold")
_CHILD = re.compile(r"""(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*["']?([^"')]+)["']?\s*\)""")

# Our names of fields and AWS's, for both sorts of alarm.
_COMMON = {
    "actions_enabled": "ActionsEnabled",
    "alarm_actions": "AlarmActions",
    "description": "AlarmDescription",
    "insufficient_data_actions": "InsufficientDataActions",
    "ok_actions": "OKActions",
}
METRIC = {
    **_COMMON,
    "comparison": "ComparisonOperator",
    "datapoints_to_alarm": "DatapointsToAlarm",
    "dimensions": "Dimensions",
    "evaluation_periods": "EvaluationPeriods",
    "extended_statistic": "ExtendedStatistic",
    "low_samples": "EvaluateLowSampleCountPercentile",
    "metric_name": "MetricName",
    "metrics": "Metrics",
    "namespace": "Namespace",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "threshold_metric": "ThresholdMetricId",
    "treat_missing_data": "TreatMissingData",
    "unit": "Unit",
}
COMPOSITE = {
    **_COMMON,
    "rule": "AlarmRule",
    "suppressor": "ActionsSuppressor",
    "suppressor_extension": "ActionsSuppressorExtensionPeriod",
    "suppressor_wait": "ActionsSuppressorWaitPeriod",
}


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `cloudwatch_alarms` call: metric alarms first. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    tags = params["tags"]
    return [
        *(
            Resource("metric_alarm", one["name"], metric_fields(_metric_alarm(one)), tags=tags)
            for one in params["alarms"]
        ),
        *(
            Resource("composite_alarm", one["name"], composite_fields(_composite_alarm(one)), tags=tags)
            for one in params["composite_alarms"]
        ),
    ]


def metric_fields(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """A metric alarm as AWS shows it or takes it, in the one form in which two equal alarms are equal."""
    fields = {name: alarm.get(key) for name, key in METRIC.items()}
    return {
        **fields,
        **_canonical_common(alarm),
        # AWS shows it only where it was given; left out, all periods must breach.
        "datapoints_to_alarm": alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods"),
        "dimensions": _dimensions(alarm.get("Dimensions")),
        "metrics": [_metric(one) for one in alarm.get("Metrics") or []],
        "threshold": None if alarm.get("ThresholdMetricId") else float(alarm.get("Threshold") or 0),
        "treat_missing_data": alarm.get("TreatMissingData") or "missing",
    }


def composite_fields(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """A composite alarm as AWS shows it or takes it, in canonical form."""
    return {**{name: alarm.get(key) for name, key in COMPOSITE.items()}, **_canonical_common(alarm)}


def request(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """What PutMetricAlarm or PutCompositeAlarm takes for canonical fields; what is unset is left out."""
    told = {names[name]: value for name, value in fields.items() if value not in (None, [], {})}
    if "Dimensions" in told:
        told["Dimensions"] = _to_dimensions(told["Dimensions"])
    if "Metrics" in told:
        told["Metrics"] = [_to_metric(one) for one in told["Metrics"]]
    return told


def _canonical_common(alarm: Mapping[str, Any]) -> dict[str, Any]:
    actions = ("AlarmActions", "OKActions", "InsufficientDataActions")
    ours = {key: name for name, key in _COMMON.items()}
    return {
        "actions_enabled": alarm.get("ActionsEnabled", True),
        "description": alarm.get("AlarmDescription") or None,
        **{ours[key]: sorted(alarm.get(key) or []) for key in actions},
    }


def _dimensions(given: Any) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in given or []}


def _to_dimensions(given: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": str(value)} for name, value in sorted(given.items())]


def _metric(query: Mapping[str, Any]) -> dict[str, Any]:
    """A MetricDataQuery of an alarm."""
    told: dict[str, Any] = {
        "id": query["Id"],
        "label": query.get("Label") or None,
        "return_data": query.get("ReturnData", True),
    }
    if query.get("Expression"):
        return {**told, "expression": query["Expression"], "period": query.get("Period")}
    stat = query["MetricStat"]
    metric = stat["Metric"]
    return {
        **told,
        "namespace": metric["Namespace"],
        "metric_name": metric["MetricName"],
        "dimensions": _dimensions(metric.get("Dimensions")),
        "period": stat["Period"],
        "statistic": stat["Stat"],
        "unit": stat.get("Unit"),
    }


def _to_metric(metric: Mapping[str, Any]) -> dict[str, Any]:
    """Inverse of `_metric`."""
    told: dict[str, Any] = {"Id": metric["id"], "ReturnData": metric["return_data"]}
    if metric["label"]:
        told["Label"] = metric["label"]
    if "expression" in metric:
        return {
            **told,
            "Expression": metric["expression"],
            **({"Period": metric["period"]} if metric["period"] else {}),
        }
    stat = {
        "Metric": {
            "Namespace": metric["namespace"],
            "MetricName": metric["metric_name"],
            "Dimensions": _to_dimensions(metric["dimensions"]),
        },
        "Period": metric["period"],
        "Stat": metric["statistic"],
    }
    return {**told, "MetricStat": {**stat, **({"Unit": metric["unit"]} if metric["unit"] else {})}}


def _metric_alarm(one: Mapping[str, Any]) -> dict[str, Any]:
    """A metric alarm of the module's parameters in AWS's shape."""
    told = _given(one, METRIC)
    told["Metrics"] = [_to_metric(_query(query)) for query in one["metrics"]]
    if one["metrics"]:
        return {name: value for name, value in told.items() if name not in ("Dimensions", "Period", "Statistic")}
    told["Dimensions"] = _to_dimensions(one["dimensions"])
    told["Statistic"] = one["statistic"] if one["statistic"] in _STATISTICS else None
    told["ExtendedStatistic"] = None if told["Statistic"] else one["statistic"]
    return told


def _query(one: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: one[name] for name in ("id", "label", "return_data")}
    if one["expression"]:
        return {**told, "expression": one["expression"], "period": one["period"]}
    names = ("namespace", "metric_name", "dimensions", "period", "statistic", "unit")
    return {**told, **{name: one[name] for name in names}}


def _composite_alarm(one: Mapping[str, Any]) -> dict[str, Any]:
    told = _given(one, COMPOSITE)
    if not one["suppressor"]:
        told["ActionsSuppressorExtensionPeriod"] = told["ActionsSuppressorWaitPeriod"] = None
    return told


def _given(one: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {key: one[name] for name, key in names.items() if one.get(name) is not None}


# What CloudWatch would refuse.


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the alarms, one sentence each."""
    metric, composite = params["alarms"], params["composite_alarms"]
    names = [one["name"] for one in [*metric, *composite]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read alarm {name} twice. Name each alarm once."
    for one in [*metric, *composite]:
        yield from _common_problems(one, params["name"])
    for one in metric:
        yield from _metric_problems(one)
    for one in composite:
        yield from _composite_problems(one, {alarm["name"] for alarm in metric})


def _common_problems(one: Mapping[str, Any], prefix: str) -> Iterator[str]:
    name = one["name"]
    if not name.startswith(f"{prefix}-"):
        yield f"Read the alarm name {name!r}; it does not begin with {prefix}-, by which it is found. Rename it."
    if len(name) > _NAME:
        yield f"Read an alarm name of {len(name)} characters, {name[:40]}…; CloudWatch takes {_NAME}. Shorten it."
    if len(one["description"] or "") > _DESCRIPTION:
        yield (
            f"Read a description of alarm {name} longer than CloudWatch takes ({_DESCRIPTION} characters). Shorten it."
        )
    for field in ("alarm_actions", "ok_actions", "insufficient_data_actions"):
        if len(one[field]) > _ACTIONS:
            yield f"Read {len(one[field])} {field} for alarm {name}; CloudWatch takes {_ACTIONS}. Leave some out."


def _metric_problems(one: Mapping[str, Any]) -> Iterator[str]:
    name, periods = one["name"], one["evaluation_periods"]
    if bool(one["metric_name"]) == bool(one["metrics"]):
        yield (
            f"Read alarm {name} with metric_name {one['metric_name']!r} and {len(one['metrics'])} metrics. Give "
            "one of them."
        )
        return
    if one["metric_name"] and not one["namespace"]:
        yield f"Read alarm {name} without the namespace of {one['metric_name']}. Name it, such as AWS/ECS."
    parts = [one] if one["metric_name"] else [part for part in one["metrics"] if not part["expression"]]
    for part in parts:
        yield from _period_problems(name, part["period"], periods)
        if part["statistic"] not in _STATISTICS and not _PERCENTILE.fullmatch(part["statistic"] or ""):
            yield (
                f"Read statistic {part['statistic']!r} for alarm {name}. Take Average, Sum, Maximum, Minimum, or "
                "one like p95."
            )
    if (one["datapoints_to_alarm"] or 1) > periods:
        yield (
            f"Read datapoints_to_alarm {one['datapoints_to_alarm']} for alarm {name}, which looks at {periods} "
            "periods. Lower it."
        )
    if one["low_samples"] and (one["metrics"] or one["statistic"] in _STATISTICS):
        yield f"Read low_samples for alarm {name}, which is on no percentile. Leave it out."
    yield from _threshold_problems(one)
    yield from _expression_problems(name, [part for part in one["metrics"] if part["id"] != one["threshold_metric"]])


def _threshold_problems(one: Mapping[str, Any]) -> Iterator[str]:
    name, band = one["name"], one["threshold_metric"]
    if (one["threshold"] is None) is not bool(band):
        yield f"Read alarm {name} with threshold {one['threshold']} and threshold_metric {band}. Give one of them."
    if bool(band) is not (one["comparison"] in _BANDS):
        yield (
            f"Read comparison {one['comparison']} for alarm {name} with threshold_metric {band}; "
            f"{', '.join(_BANDS)} go with one, the others with none. Mend it."
        )
    if band and not any(part["id"] == band and _BAND.fullmatch(part["expression"] or "") for part in one["metrics"]):
        yield (
            f"Read threshold_metric {band} for alarm {name} and found no expression ANOMALY_DETECTION_BAND(…) of that "
            "id among its metrics. Describe it."
        )


def _period_problems(name: str, period: int | None, periods: int) -> Iterator[str]:
    if not period or (period not in (10, 20, 30) and period % 60):
        yield f"Read period {period} for alarm {name}; CloudWatch takes 10, 20, 30 and multiples of 60 s. Choose one."
    elif period * periods > (_WEEK if period >= _HOUR else _DAY):
        yield (
            f"Read alarm {name} over {periods} periods of {period} s; CloudWatch looks back a day at most, and a week "
            "for periods of an hour and more. Shorten it."
        )


def _expression_problems(name: str, metrics: Collection[Mapping[str, Any]]) -> Iterator[str]:
    idents = [part["id"] for part in metrics]
    if not metrics:
        return
    if sum(part["return_data"] for part in metrics) != 1:
        yield (
            f"Read alarm {name} with {len(metrics)} metrics, of which not exactly one has return_data. Choose the one."
        )
    for ident in idents:
        if not _METRIC_ID.fullmatch(ident) or idents.count(ident) > 1:
            yield (
                f"Read the metric id {ident!r} in alarm {name}; an id begins with a small letter and is its own. "
                "Change it."
            )
    for part in metrics:
        words = set(re.findall(r"\b[a-z][A-Za-z0-9_]*\b", part["expression"] or ""))
        if unknown := sorted(words - set(idents)):
            yield f"Read {', '.join(unknown)} in an expression of alarm {name}; it has {', '.join(idents)}. Mend it."


def _composite_problems(one: Mapping[str, Any], metric: Collection[str]) -> Iterator[str]:
    name, children = one["name"], _CHILD.findall(one["rule"])
    if not children and one["rule"] not in ("TRUE", "FALSE"):
        yield f'Read the rule {one["rule"]!r} of alarm {name} and found no alarm in it. Write ALARM("name") AND …'
    if len(one["rule"]) > _RULE or len(set(children)) > _CHILDREN:
        yield (
            f"Read a rule of alarm {name} longer than CloudWatch takes ({_RULE} characters, {_CHILDREN} alarms). "
            "Split it."
        )
    if unknown := sorted(set(children) - set(metric)):
        yield (
            f"Read {', '.join(unknown)} in the rule of alarm {name}; no such metric alarm is described. Describe "
            "or drop it."
        )
