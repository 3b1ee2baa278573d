"""Rules of the description that only phase 6 has."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._platform.rules import backups

GOOD: dict[str, Any] = {
    "platform_region": "us-east-1",
    "platform_dr_region": "us-west-2",
    "backup_plan_lock": "governance",
    "backup_plan_lock_min_retention_days": 7,
    "backup_plan_lock_max_retention_days": 2555,
    "backup_plan_daily_cold_days": 30,
    "backup_plan_daily_delete_days": 365,
    "backup_plan_weekly_cold_days": 90,
    "backup_plan_weekly_delete_days": 2555,
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"platform_dr_region": "us-east-1"}, "own region"),
        ({"backup_plan_daily_delete_days": 100}, "Delete after 120 days"),
        ({"backup_plan_lock_max_retention_days": 365}, "weekly_delete_days 2555 and a lock for 7 to 365"),
    ],
)
def test_a_description_that_cannot_keep_backups_is_refused(changed: dict[str, Any], said: str) -> None:
    (told,) = backups({**GOOD, **changed})
    assert said in told


def test_the_numbers_of_the_design_and_a_platform_without_another_region_are_taken() -> None:
    assert list(backups(GOOD)) == []
    assert list(backups({**GOOD, "platform_dr_region": "", "backup_plan_lock": "none"})) == []
