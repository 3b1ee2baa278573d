"""What keeps a test run from lasting for ever."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from devtools import gates
from tests.support.cloud import cloud_port


@pytest.fixture(autouse=True)
def _reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "_REPORTS", tmp_path)


def test_a_gate_that_takes_too_long_is_ended_with_all_that_it_started_and_counts_as_failed(tmp_path: Path) -> None:
    left = tmp_path / "left"
    gate = gates.Gate("slow", ["sh", "-c", f"(sleep 2; touch {left}) & sleep 60"], seconds=0.3)
    verdict = gates._judge(gate)
    assert (verdict.passed, verdict.failed) == (0, 1)
    assert "it took more than" in (tmp_path / "slow.txt").read_text()
    time.sleep(2.5)
    assert not left.exists()


@pytest.mark.parametrize(("command", "count"), [("true", (1, 0)), ("false", (0, 1))])
def test_a_gate_counts_as_its_command_ended(command: str, count: tuple[int, int]) -> None:
    verdict = gates._judge(gates.Gate("quick", [command]))
    assert (verdict.passed, verdict.failed) == count


def test_clouds_that_stand_side_by_side_have_addresses_of_their_own() -> None:
    with cloud_port() as one, cloud_port() as two, cloud_port() as three:
        assert len({port % 128 for port in (one, two, three)}) == 3
