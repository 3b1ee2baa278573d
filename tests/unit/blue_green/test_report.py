"""The report of the proofs, which is generated, and the figures in it."""

from __future__ import annotations

from tests.acceptance.blue_green.proofs import lines
from tests.acceptance.blue_green.results import REPORT, Results, report


def test_the_report_is_what_was_measured() -> None:
    results = Results()
    assert REPORT.read_text(encoding="utf-8") == report(lines(results), results.versions)


def test_nothing_that_was_measured_did_not_hold() -> None:
    told = lines(Results())
    assert [case for line in told for case in line.broken] == []
    assert sum(line.lost for line in told) == 0
    assert sum(line.violated for line in told) == 0
