"""Each phase killed at random points and run again: no duplicate of anything, and the third run changes nothing.

Between the kill and the second run stands a check of what is half built: it writes nothing and lists what the run then
does.

A phase begins where those before it ended: their state is kept once and gone back to for each attempt, so that one
attempt of one phase is run alone in little more than its own time, with `-k phase-6-attempt-5`. Phase 8 is not here: it
visits and judges, and makes nothing.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.ansible import PlayResult, playbook_command, playbook_environment, run_playbook
from tests.support.cloud import Cloud, running
from tests.support.inventory import contents

# The first attempt of a late phase runs all earlier ones.
pytestmark = pytest.mark.timeout(900)

PREFIX = "stories-local"
PHASES = (1, 2, 3, 4, 5, 6, 7)
SITE = "playbooks/site.yml"
# Killed in every test run: the network, whose gateways cost money twice, and the database with its secrets.
SHORT = (1, 2)
_ATTEMPTS = 10
_SEED = 1001  # fixed, so that a failure can be repeated


@dataclass(frozen=True)
class Undisturbed:
    """What a phase does and leaves when nobody kills it, on top of the phases before it."""

    writes: int
    standing: Counter[str]


@dataclass
class Roadmap:
    """A cloud that is put where a phase begins. kept: the state before a phase, by the phase."""

    cloud: Cloud
    folder: Path
    kept: dict[int, Path] = field(default_factory=dict)
    undisturbed: dict[int, Undisturbed] = field(default_factory=dict)

    def begin(self, phase: int) -> None:
        """Make the cloud what the earlier phases leave behind."""
        if phase in self.kept:
            self.cloud.go_back(self.kept[phase])
            return
        nearest = max((one for one in self.kept if one < phase), default=None)
        if nearest is None:
            self.cloud.reset()
        else:
            self.cloud.go_back(self.kept[nearest])
        for earlier in range(nearest or PHASES[0], phase):
            finish(self.cloud, earlier)
        if phase > PHASES[0]:
            self.cloud.keep(self.folder / f"before-{phase}")
            self.kept[phase] = self.folder / f"before-{phase}"

    def look(self, phase: int) -> Undisturbed:
        """The phase run once to its end."""
        if phase not in self.undisturbed:
            self.begin(phase)
            with self.cloud.recorded() as calls:
                finish(self.cloud, phase)
            writes = sum(call["writes"] for call in calls)
            self.undisturbed[phase] = Undisturbed(writes, Counter(contents(self.cloud, PREFIX)))
        return self.undisturbed[phase]


@pytest.fixture(scope="module")
def roadmap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roadmap]:
    with running(tmp_path_factory.mktemp("cloud"), data_plane=True) as cloud:
        yield Roadmap(cloud, tmp_path_factory.mktemp("kept"))


def playbook(phase: int) -> str:
    return f"playbooks/phase{phase}.yml"


def finish(cloud: Cloud, phase: int, *options: str) -> PlayResult:
    """Run the phase to its end."""
    result = run_playbook(cloud, playbook(phase), *options)
    assert result.returncode == 0, result.errors
    return result


def kill_after_writes(cloud: Cloud, phase: int, writes: int) -> None:
    """Kill the phase as soon as that many writes are logged."""
    kill_when(cloud, playbook(phase), lambda logged: len(logged) >= writes)


def kill_when(cloud: Cloud, name: str, reached: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Start the playbook and kill -9 all of it as soon as the writes that are logged have reached that."""
    cloud.admin("DELETE", "/calls")
    mark = f"STORIES_RUN={uuid.uuid4()}"
    process = subprocess.Popen(
        playbook_command(cloud, name),
        env={**playbook_environment(cloud), **dict([mark.split("=")])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        if reached(cloud.calls(writes=True)):
            while started := bearing(mark):
                for pid in started:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                process.poll()
            cloud.settle()
            return
        time.sleep(0.02)
    raise AssertionError(f"{name} ended before that")


def bearing(mark: str) -> list[int]:
    """The living processes that were started with this in their environment.

    Ansible's tasks and the worker that their modules run in have sessions of their own, so no process group holds all.
    """
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is another user's
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def attempts() -> Iterator[Any]:
    """Phase by phase, as states are kept; one in each tenth of a phase's writes."""
    for phase in PHASES:
        for attempt in range(_ATTEMPTS):
            marks = [] if phase in SHORT and attempt == 5 else [pytest.mark.long]
            yield pytest.param(phase, attempt, id=f"phase-{phase}-attempt-{attempt}", marks=marks)


@pytest.mark.parametrize(("phase", "attempt"), list(attempts()))
def test_a_phase_killed_at_a_random_point_is_finished_by_the_next_run_without_duplicates(
    roadmap: Roadmap, phase: int, attempt: int
) -> None:
    undisturbed = roadmap.look(phase)
    share = undisturbed.writes / _ATTEMPTS
    point = max(1, int(random.Random(f"{_SEED}.{phase}.{attempt}").uniform(attempt, attempt + 1) * share))
    where = f"phase {phase} killed at write {point} of {undisturbed.writes}"
    roadmap.begin(phase)
    kill_after_writes(roadmap.cloud, phase, point)
    with roadmap.cloud.recorded() as calls:
        planned = finish(roadmap.cloud, phase, "--check")
    assert [call["action"] for call in calls if call["writes"]] == [], where
    # What is begun early is finished late, so the order may differ.
    assert sorted(planned.steps) == sorted(finish(roadmap.cloud, phase).steps), where
    assert finish(roadmap.cloud, phase).changed == 0, f"third run after {where}"
    assert Counter(contents(roadmap.cloud, PREFIX)) == undisturbed.standing, where


def test_a_run_of_all_weeks_killed_before_it_finished_the_network_is_finished_by_the_next(roadmap: Roadmap) -> None:
    cloud = roadmap.cloud
    cloud.reset()
    kill_when(cloud, SITE, lambda logged: any(call["action"] == "CreateDBCluster" for call in logged))
    # The containers would have no way out; phase 2, which needs none, may be run alone.
    finish(cloud, 2)
    early = run_playbook(cloud, playbook(3))
    assert "found no route table" in early.errors[0], early.errors
    finished = run_playbook(cloud, SITE)
    assert finished.returncode == 0, finished.errors
    assert f"route_table/{PREFIX}-app-1:create" in finished.steps
    standing = contents(cloud, PREFIX)
    assert sorted(set(standing)) == standing
    again = run_playbook(cloud, SITE)
    assert (again.returncode, again.changed) == (0, 0), again.errors
