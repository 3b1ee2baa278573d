# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch alarms with everything that AWS shows of them: expressions, percentiles, suppressors, all actions.

Alarms on single metrics are evaluated here, the rules of composite alarms by ministack. An alarm on an expression is
kept and stays where it is: INSUFFICIENT_DATA until someone sets its state.
"""

from __future__ import annotations

import time
from typing import Any

from ministack.services import cloudwatch

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.services.alarm_states import state_of
from local_cloud.control_plane.stores import store

kept = store("cloudwatch_alarms")  # name -> what ministack does not keep of an alarm

_MORE = (
    "ActionsSuppressor",
    "ActionsSuppressorExtensionPeriod",
    "ActionsSuppressorWaitPeriod",
    "EvaluateLowSampleCountPercentile",
    "InsufficientDataActions",
    "Metrics",
    "ThresholdMetricId",
)
# What an alarm on an expression does not have.
_OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


@registry.handles("cloudwatch", "PutMetricAlarm")
async def put_metric_alarm(call: Call) -> Params:
    wanted = call.params
    metrics = wanted.get("Metrics")
    if bool(metrics) == bool(wanted.get("MetricName")):
        raise _invalid("Exactly one of MetricName and Metrics must be specified")
    band = wanted.get("ThresholdMetricId")
    if band and (wanted.get("Threshold") is not None or band not in [metric["Id"] for metric in metrics or []]):
        raise _invalid("ThresholdMetricId stands for Threshold and names an element of the metrics list.")
    compared = [metric for metric in metrics or [] if metric["Id"] != band]
    if compared and sum(metric.get("ReturnData", True) for metric in compared) != 1:
        raise _invalid("Exactly one element of the metrics list should return data.")
    answer = await call.forward()
    _keep(wanted)
    return answer


@registry.handles("cloudwatch", "PutCompositeAlarm")
async def put_composite_alarm(call: Call) -> Params:
    answer = await call.forward()
    _keep(call.params)
    return answer


def _keep(wanted: Params) -> None:
    kept[wanted["AlarmName"]] = {name: wanted[name] for name in _MORE if wanted.get(name) not in (None, [])}


@registry.handles("cloudwatch", "DeleteAlarms")
async def delete_alarms(call: Call) -> Params:
    answer = await call.forward()
    for name in call.params["AlarmNames"]:
        kept.pop(name, None)
    return answer


@registry.handles("cloudwatch", "DescribeAlarms")
async def describe_alarms(call: Call) -> Params:
    answer = await call.forward()
    for alarm in answer.get("MetricAlarms", []):
        _complete(alarm)
        if alarm.get("ExtendedStatistic"):
            alarm.pop("Statistic", None)
        if alarm.get("ThresholdMetricId"):
            alarm.pop("Threshold", None)
        if alarm.get("Metrics"):
            for name in _OF_ONE_METRIC:
                alarm.pop(name, None)
    for alarm in answer.get("CompositeAlarms", []):
        _complete(alarm)
    return answer


def _complete(alarm: dict[str, Any]) -> None:
    alarm.update(kept.get(alarm["AlarmName"], {}))


def _evaluate(alarm: dict[str, Any]) -> None:
    """An alarm on one metric, by the points of its own dimensions; what follows a change of state is ministack's.

    ministack would take all points of a metric's name together, whatever they belong to, and all periods as one: a bad
    second of one slot would ring the alarms of both for as long as they look back.
    """
    if not alarm.get("Namespace") or not alarm.get("MetricName"):
        return
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
    points = cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or []
    name = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    found = state_of(
        alarm, points, lambda some: cloudwatch._stat_value(cloudwatch._calc_stats(some), name, some), time.time()
    )
    before = alarm["StateValue"]
    if found is None or found[0] == before:
        return
    state, reason = found
    alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


if not hasattr(cloudwatch, "_evaluate_alarm"):
    raise RuntimeError("ministack's cloudwatch has no _evaluate_alarm; this overlay is for ministack 1.5.33")
cloudwatch._evaluate_alarm = _evaluate
