"""What `./dev` starts."""

from __future__ import annotations

import pytest

from devtools import commands


@pytest.mark.parametrize(
    ("given", "started"),
    [
        ([], ["benchmarks.roadmap"]),
        (["--repeat", "1", "--cases", "again"], ["benchmarks.roadmap", "--repeat", "1", "--cases", "again"]),
        (["roadmap", "--latency", "0"], ["benchmarks.roadmap", "--latency", "0"]),
        (["waits", "--share", "0.1"], ["benchmarks.waits", "--share", "0.1"]),
    ],
)
def test_a_benchmark_gets_its_own_options(given: list[str], started: list[str]) -> None:
    assert commands.bench_command(given)[2:] == started
