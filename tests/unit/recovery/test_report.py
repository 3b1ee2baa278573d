"""The comparison of a restored database with its original, and the verdict of a drill."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._recovery import report
from ansible_collections.stories1001.platform.plugins.module_utils._recovery.fingerprint import compare, table

NOW = datetime(2026, 11, 22, 23, 50, tzinfo=UTC)


class Row(NamedTuple):
    bucket: int
    rows: int
    old_rows: int
    checksum: str


def held(**changed: str) -> dict[str, Any]:
    """A table of 64 rows, one in each bucket; changed: checksums by bucket, such as b7="9"."""
    return table([Row(number, 1, 1, changed.get(f"b{number}", "5")) for number in range(64)])


SAME = {"books": held()}
EMPTY: dict[str, Any] = {"books": table([])}


@pytest.mark.parametrize(
    ("before", "after", "restored", "result", "verified"),
    [
        (SAME, SAME, SAME, "same", 64),
        (EMPTY, EMPTY, EMPTY, "same", 64),
        (SAME, SAME, EMPTY, "differs", 0),
        (SAME, SAME, {}, "missing", 0),
        (SAME, SAME, {"books": held(b7="9")}, "differs", 63),
        (SAME, {"books": held(b7="9")}, SAME, "same where it stood still", 63),
        (SAME, {"books": held(b7="9")}, {"books": held(b7="8")}, "same where it stood still", 63),
        (SAME, {"books": held(b7="9")}, {"books": held(b8="8")}, "differs", 62),
        (SAME, EMPTY, SAME, "moved", 0),
        ({}, SAME, SAME, "made later", 0),
        (SAME, {}, SAME, "dropped later", 0),
        ({}, {}, SAME, "differs", 0),
    ],
)
def test_a_table_must_be_as_it_was_wherever_it_stood_still(
    before: dict[str, Any], after: dict[str, Any], restored: dict[str, Any], result: str, verified: int
) -> None:
    (verdict,) = compare(before, after, restored)
    assert (verdict.result, verdict.verified) == (result, verified)


def built(**changed: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "name_prefix": "stories-test",
        "source": "stories-test",
        "restored_as": "stories-test-drill",
        "restore_point": "2026-11-22T23:40:00Z",
        "before": {"tables": SAME},
        "after": {"tables": SAME},
        "restored": {"tables": SAME, "answered_at": "2026-11-22T23:49:00+00:00"},
        "restore": {
            "began": "2026-11-22T23:41:00+00:00",
            "looked_at": "2026-11-22T23:41:00+00:00",
            "latest_restorable": "2026-11-22T23:37:00+00:00",
        },
        "newest_copy": "2026-11-22T05:00:00+00:00",
        "rto_limit_minutes": 60,
        "rpo_limit_minutes": 15,
        "cross_region_rpo_limit_minutes": 1560,
        **changed,
    }
    return report.build(given, NOW)


def test_times_are_measured_against_their_limits() -> None:
    good = built()
    assert good["passed"]
    assert [one["seconds"] for one in good["measured"]] == [480.0, 240.0, 67800.0]
    assert (good["rto_seconds"], good["rpo_seconds"], good["verdict"]) == (480.0, 240.0, "passed")
    text = report.markdown(good)
    for part in ("**Passed.**", "8.0 min", "4.0 min", "18.8 h", "| books | 64 | 64 |"):
        assert part in text


@pytest.mark.parametrize(
    ("changed", "failure"),
    [
        ({"rto_limit_minutes": 8}, "RTO"),
        ({"rpo_limit_minutes": 4}, "RPO within the region"),
        ({"restore": {"began": "2026-11-22T23:41:00+00:00"}}, "RPO within the region"),
        ({"cross_region_rpo_limit_minutes": 15}, "RPO for the loss of the region"),
        ({"restored": {"tables": {}, "answered_at": "2026-11-22T23:49:00+00:00"}}, "Data"),
        ({"after": {"tables": {}}}, "nothing is proved"),
    ],
)
def test_a_promise_that_was_missed_or_could_not_be_measured_fails_the_drill(
    changed: dict[str, Any], failure: str
) -> None:
    found = built(**changed)
    assert not found["passed"]
    assert failure in found["failures"][0]
    assert "**Failed.**" in report.markdown(found)


def test_that_there_is_no_copy_in_another_region_is_told_and_not_held_against_the_drill() -> None:
    found = built(newest_copy="")
    assert found["passed"]
    assert found["measured"][2]["verdict"] == "not measured"
