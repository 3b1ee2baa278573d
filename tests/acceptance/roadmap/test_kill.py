"""Killed at random points and run again: no duplicate of anything, and the third run changes nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.ansible import playbook_command, playbook_environment, run_playbook
from tests.support.cloud import Cloud, running
from tests.support.inventory import contents

# Fixed, so that a failure can be repeated; the points differ between phases.
_SEED = 1001
_KILLS = {"short": 1, "long": 10}


@pytest.fixture
def fresh_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running(tmp_path_factory.mktemp("cloud"), data_plane=True) as cloud:
        yield cloud


def kill_after_writes(cloud: Cloud, playbook: str, writes: int) -> bool:
    """Start the playbook and kill -9 all of it once that many writes are logged. False when it ended before."""
    before = len(cloud.calls(writes=True))
    process = subprocess.Popen(
        playbook_command(cloud, playbook),
        env=playbook_environment(cloud),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while process.poll() is None:
        if len(cloud.calls(writes=True)) - before >= writes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.02)
    return False


def lay_ground(cloud: Cloud, phase: int) -> None:
    """An account in which exactly the phases before this one have run."""
    cloud.reset()
    for earlier in range(1, phase):
        result = run_playbook(cloud, f"playbooks/phase{earlier}.yml")
        assert result.returncode == 0, result.errors


def writes_of(cloud: Cloud, playbook: str) -> int:
    before = len(cloud.calls(writes=True))
    result = run_playbook(cloud, playbook)
    assert result.returncode == 0, result.errors
    return len(cloud.calls(writes=True)) - before


@pytest.mark.parametrize("phase", [1, 2, 3])
@pytest.mark.parametrize("form", ["short", pytest.param("long", marks=pytest.mark.long)])
def test_a_phase_killed_at_random_points_is_finished_by_the_next_run_without_duplicates(
    fresh_cloud: Cloud, phase: int, form: str
) -> None:
    cloud, playbook = fresh_cloud, f"playbooks/phase{phase}.yml"
    lay_ground(cloud, phase)
    total = writes_of(cloud, playbook)
    wanted = Counter(contents(cloud, "stories-local"))
    points = random.Random(_SEED + phase).sample(range(1, total), _KILLS[form])
    for point in points:
        lay_ground(cloud, phase)
        assert kill_after_writes(cloud, playbook, point), f"ended before write {point} of {total}"
        again = run_playbook(cloud, playbook)
        assert again.returncode == 0, (point, again.errors)
        assert run_playbook(cloud, playbook).changed == 0, f"third run after a kill at write {point}"
        assert Counter(contents(cloud, "stories-local")) == wanted, f"killed at write {point}"
