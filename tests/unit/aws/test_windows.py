"""Backup and maintenance windows."""

from __future__ import annotations

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._aws.windows import problems


@pytest.mark.parametrize(
    ("daily", "weekly"),
    [
        ("03:00-04:00", "sun:04:00-sun:05:00"),
        ("03:00-04:00", "Sun:04:00-Sun:05:00"),
        ("23:30-00:30", "sun:01:00-sun:02:00"),
        ("12:00-13:00", "sun:23:30-mon:00:30"),
    ],
)
def test_windows_apart_from_each_other_are_fine(daily: str, weekly: str) -> None:
    assert problems(daily, weekly, 60) == []


@pytest.mark.parametrize(
    ("daily", "weekly", "sentence"),
    [
        ("3:00-4:00", "sun:04:00-sun:05:00", "Write it like 03:00-04:00"),
        ("03:00-04:00", "sunday 04:00", "Write it like sun:04:00-sun:05:00"),
        ("03:00-03:20", "sun:04:00-sun:05:00", "backup window of 20 minutes"),
        ("03:00-04:00", "sun:05:00-sun:05:30", "maintenance window of 30 minutes"),
        ("03:00-04:00", "mon:03:30-mon:05:00", "overlap"),
        ("23:30-00:30", "mon:00:00-mon:01:00", "overlap"),
        ("00:00-01:00", "sun:23:30-mon:00:30", "overlap"),
    ],
)
def test_a_wrong_window_is_named_with_what_to_do(daily: str, weekly: str, sentence: str) -> None:
    assert any(sentence in problem for problem in problems(daily, weekly, 60))
