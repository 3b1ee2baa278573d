"""Whose turn it is to build, and how often the watchdog looks; no server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._pg_indexes.watch import Limits, Watch


class Builds:
    """Builds, by process id, that begin when they may and end when they are told to."""

    def __init__(self, **limits: Any) -> None:
        connections: Any = None  # the watch's own loop does not run
        self.watch = Watch(connections, Limits(**limits), lambda line: None)
        self.begun: list[int] = []
        self._ends: dict[int, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def want(self, *pids: int) -> None:
        """These want to begin, one after the other."""
        for pid in pids:
            self._ends[pid] = threading.Event()
            self._threads.append(threading.Thread(target=self._build, args=(pid,)))
            self._threads[-1].start()
            eventually(lambda pid=pid: pid in self.begun or pid in [one.pid for one in self.watch._turns])

    def only_waits(self, pid: int) -> None:
        """This one has stood behind other transactions for a minute."""
        with self.watch._changed:
            self.watch._works[pid].waiting_since = time.monotonic() - 60
            self.watch._changed.notify_all()

    def end(self, pid: int) -> None:
        self._ends[pid].set()

    def close(self) -> None:
        for end in self._ends.values():
            end.set()
        for thread in self._threads:
            thread.join(10)

    def _build(self, pid: int) -> None:
        with self.watch.over(f"index {pid}", pid, build=True):
            self.begun.append(pid)
            self._ends[pid].wait(10)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def builds() -> Iterator[Builds]:
    made = Builds(builds=1)
    yield made
    made.close()


def test_builds_take_turns_in_the_order_in_which_they_came(builds: Builds) -> None:
    builds.want(1, 2, 3, 4)
    assert builds.begun == [1]
    for pid in (1, 2, 3):
        builds.end(pid)
        eventually(lambda pid=pid: pid + 1 in builds.begun)
    assert builds.begun == [1, 2, 3, 4]


def test_a_build_that_only_waits_gives_its_turn_to_one_more_and_not_to_all(builds: Builds) -> None:
    builds.want(1, 2, 3)
    builds.only_waits(1)
    eventually(lambda: len(builds.begun) > 1)
    assert builds.begun == [1, 2]


def test_as_many_builds_work_at_once_as_are_allowed() -> None:
    two = Builds(builds=2)
    two.want(1, 2, 3)
    time.sleep(0.05)  # for one too many to begin
    assert two.begun == [1, 2]
    two.end(1)
    eventually(lambda: 3 in two.begun)
    two.close()


def test_a_build_shares_the_processors_until_the_last_lane_is_left() -> None:
    two = Builds(builds=2)
    two.watch.expect(2)
    assert two.watch.shared
    two.watch.lane_ended()
    assert not two.watch.shared


def test_builds_that_never_overlap_share_nothing(builds: Builds) -> None:
    builds.watch.expect(2)
    assert not builds.watch.shared


def test_the_watchdog_looks_less_often_while_all_only_wait_and_nobody_wants_a_turn(builds: Builds) -> None:
    builds.want(1)
    assert not builds.watch._only_waits()
    builds.only_waits(1)
    assert builds.watch._only_waits()
    builds.want(2, 3)  # 2 works and 3 stands in the queue
    builds.only_waits(2)
    eventually(lambda: 3 in builds.begun)
    assert not builds.watch._only_waits()


def test_looks_follow_the_length_of_the_phases_between_a_tenth_and_half_a_second(builds: Builds) -> None:
    builds.want(1)
    shown = []
    for age in (0, 3, 3600):
        builds.watch._works[1].since = time.monotonic() - age
        shown.append(round(builds.watch._pause(), 1))
    assert shown == [0.1, 0.3, 0.5]


def test_the_watchdog_stays_alert_when_it_must_give_way_to_ddl() -> None:
    alert = Builds(builds=1, yield_to_ddl=True)
    alert.want(1)
    alert.only_waits(1)
    assert not alert.watch._only_waits()
    alert.watch._works[1].since = time.monotonic() - 3600
    assert alert.watch._pause() <= 0.2
    alert.close()
