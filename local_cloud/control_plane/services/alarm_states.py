# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When an alarm on one metric rings: period by period, M of N; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Point = Mapping[str, Any]
Statistic = Callable[[Sequence[Point]], float | None]

_BREACHING: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def state_of(
    alarm: Mapping[str, Any], points: Sequence[Point], statistic: Statistic, now: float
) -> tuple[str, str] | None:
    """(state, reason) by the points of the alarm's own metric; None where they say nothing and it stays as it is.

    statistic: the alarm's, of the points of one period.

    Periods end now, and not at whole minutes as on AWS: what happened shows at once.
    """
    breaches = _BREACHING.get(alarm.get("ComparisonOperator", ""))
    if breaches is None:
        return None
    period, periods = int(alarm.get("Period") or 60), int(alarm.get("EvaluationPeriods") or 1)
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    threshold = float(alarm.get("Threshold") or 0)
    spans = [(now - period * (at + 1), now - period * at) for at in range(periods)]
    within = [[point for point in points if begin < point["Timestamp"] <= end] for begin, end in spans]
    values = [statistic(some) if some else None for some in within]
    known = [value for value in values if value is not None]
    if not known:
        return None
    bad = [value for value in known if breaches(value, threshold)]
    missing = len(values) - len(known) if alarm.get("TreatMissingData") == "breaching" else 0
    told = (
        f"{len(bad)} of the last {periods} periods: {', '.join(f'{value:g}' for value in known)} against {threshold:g}"
    )
    return ("ALARM" if len(bad) + missing >= needed else "OK"), f"Threshold Crossed: {told}"
