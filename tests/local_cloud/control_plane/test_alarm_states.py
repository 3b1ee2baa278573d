# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When an alarm on one metric rings, without a cloud."""

from __future__ import annotations

from typing import Any

import pytest

from local_cloud.control_plane.services.alarm_states import state_of

NOW = 10_000.0
ALARM = {
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 0,
    "Period": 60,
    "EvaluationPeriods": 5,
    "DatapointsToAlarm": 3,
}


def state(values: dict[int, float], **changes: Any) -> str | None:
    """values: by minutes before now."""
    points = [{"Timestamp": NOW - 60 * minute - 1, "Value": value} for minute, value in values.items()]
    found = state_of({**ALARM, **changes}, points, lambda some: max(one["Value"] for one in some), NOW)
    return found and found[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({0: 1}, "OK"),  # one bad minute of five
        ({0: 1, 1: 1, 2: 1}, "ALARM"),
        ({0: 0, 1: 1, 2: 1, 4: 1}, "ALARM"),  # three of five, whichever
        ({5: 1, 6: 1, 7: 1, 0: 0}, "OK"),  # too long ago
        ({}, None),
    ],
)
def test_an_alarm_rings_when_so_many_of_its_periods_are_bad(values: dict[int, float], expected: str | None) -> None:
    assert state(values) == expected


def test_all_periods_count_where_no_number_is_named() -> None:
    assert state({0: 1, 1: 1, 2: 1}, DatapointsToAlarm=None) == "OK"
    assert state({0: 1}, DatapointsToAlarm=None, EvaluationPeriods=1) == "ALARM"


def test_silence_is_bad_where_the_alarm_says_so() -> None:
    assert state({0: 0}, TreatMissingData="breaching") == "ALARM"
    assert state({0: 0}, TreatMissingData="notBreaching") == "OK"
