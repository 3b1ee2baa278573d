"""Each phase killed at random points and run again: no duplicate of anything, and the third run changes nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.support.ansible import playbook_command, playbook_environment, run_playbook
from tests.support.cloud import Cloud, running
from tests.support.inventory import contents

PREFIX = "stories-local"
PHASES = (1, 2, 3, 4, 7)
# Killed in every test run: the network, whose gateways cost money twice, and the database with its secrets.
SHORT = (1, 2)
_SEED = 1001  # fixed, so that a failure can be repeated


@dataclass(frozen=True)
class Undisturbed:
    """What a phase does and leaves when nobody kills it, on top of the phases before it."""

    writes: int
    standing: Counter[str]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running(tmp_path_factory.mktemp("cloud"), data_plane=True) as one:
        yield one


@pytest.fixture(scope="module")
def undisturbed(request: pytest.FixtureRequest, cloud: Cloud) -> Mapping[int, Undisturbed]:
    """Each phase run once to its end; the first ones only, unless the long tests were asked for."""
    seen = {}
    everything = any(item.get_closest_marker("long") for item in request.session.items)
    for phase in PHASES if everything else SHORT:
        before = len(cloud.calls(writes=True))
        finish(cloud, phase)
        writes = len(cloud.calls(writes=True)) - before
        seen[phase] = Undisturbed(writes, Counter(contents(cloud, PREFIX)))
    return seen


def playbook(phase: int) -> str:
    return f"playbooks/phase{phase}.yml"


def finish(cloud: Cloud, phase: int) -> int:
    """Run the phase to its end; how many tasks changed something."""
    result = run_playbook(cloud, playbook(phase))
    assert result.returncode == 0, result.errors
    return result.changed


def kill_after_writes(cloud: Cloud, phase: int, writes: int) -> None:
    """Start the phase and kill -9 all of it as soon as that many writes are logged."""
    before = len(cloud.calls(writes=True))
    process = subprocess.Popen(
        playbook_command(cloud, playbook(phase)),
        env=playbook_environment(cloud),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while process.poll() is None:
        if len(cloud.calls(writes=True)) - before >= writes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return
        time.sleep(0.05)
    raise AssertionError(f"phase {phase} ended before write {writes}")


_OTHERS = [number for number in range(10) if number != 5]


@pytest.mark.parametrize("attempt", [5, *(pytest.param(number, marks=pytest.mark.long) for number in _OTHERS)])
def test_a_phase_killed_at_a_random_point_is_finished_by_the_next_run_without_duplicates(
    cloud: Cloud, undisturbed: Mapping[int, Undisturbed], attempt: int
) -> None:
    cloud.reset()
    for phase in undisturbed:
        # Ten attempts spread over the phase: one point in each tenth of its writes.
        share = undisturbed[phase].writes / 10
        point = max(1, int(random.Random(f"{_SEED}.{phase}.{attempt}").uniform(attempt, attempt + 1) * share))
        kill_after_writes(cloud, phase, point)
        finish(cloud, phase)
        where = f"phase {phase} killed at write {point} of {undisturbed[phase].writes}"
        assert finish(cloud, phase) == 0, f"third run after {where}"
        assert Counter(contents(cloud, PREFIX)) == undisturbed[phase].standing, where
