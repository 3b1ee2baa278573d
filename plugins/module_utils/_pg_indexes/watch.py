# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The watchdog: sees every build of ours from a connection of its own.

It tells how far each is and whom it waits for, lets the next build begin when the others only wait, and
cancels one that has waited too long. Timeouts of the server would not do: a lock_timeout that strikes in a
waiting phase throws away a finished build.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .._engine.steps import StepFailed
from .._postgres.connection import Connections
from .._postgres.driver import Connection, psycopg
from .model import Blocker
from .sessions import Progress, progress, queued_behind, waiting_for

# Seconds between two looks, each of which costs the server a little: a tenth of what the present phase has taken.
_SHORTEST, _LONGEST, _SHARE = 0.1, 0.5, 0.1
_ALERT = 0.2  # at most, where DDL that queues behind a build must not wait
_REST = 1.0  # while all that is under way only waits
_SETTLED = 0.3  # seconds that a build must have waited before another takes its place at work
_TELL_EVERY = 10.0  # seconds between two lines about a phase that goes on


@dataclass(frozen=True)
class Limits:
    """What a run may take.

    tables: lanes, one table each. builds: builds that work at the same time; those that only wait for
    transactions do not count.
    patience: seconds that one build may wait for the same others.
    retries: further attempts after a deadlock, a cancellation or a lost connection.
    """

    tables: int = 8
    builds: int = 2
    patience: float = 900
    retries: int = 5
    yield_to_ddl: bool = False


@dataclass
class Work:
    """One statement of ours that may wait. Times are of the monotonic clock."""

    what: str
    pid: int
    counts: bool
    limited: bool = True
    since: float = field(default_factory=time.monotonic)
    phase: str = ""
    phase_since: float = 0
    waiting_since: float | None = None
    waited: float = 0
    told: float = 0
    blockers: list[Blocker] = field(default_factory=list)
    cancelled: str = ""

    @property
    def at_work(self) -> bool:
        """A build that keeps a processor busy now."""
        return self.counts and (self.waiting_since is None or time.monotonic() - self.waiting_since < _SETTLED)


class Watch:
    """Shared by the lanes, each in a thread; `run` is the watchdog's own loop."""

    def __init__(self, connections: Connections, limits: Limits, report: Callable[[str], None]) -> None:
        self._connections, self._limits, self._report = connections, limits, report
        self._connection: Connection | None = None
        self._changed = threading.Condition()
        self._look_now = threading.Event()
        self._resting = False
        self._works: dict[int, Work] = {}
        self._turns: list[Work] = []  # builds that wait for their turn, in the order in which they came
        self._lanes = 1  # that have not ended
        self._warned: set[int] = set()
        self.warnings: list[str] = []

    @contextmanager
    def over(self, what: str, pid: int, *, build: bool = False, limited: bool = True) -> Iterator[Work]:
        """Watch a statement of the process ``pid`` inside the block. A build waits here for its turn.

        limited: False for a statement that ends by itself and is never cancelled.
        """
        work = Work(what, pid, counts=build, limited=limited)
        with self._changed:
            if self._resting:
                self._look_now.set()
            if build:
                self._await_turn(work)
            self._works[pid] = work
        try:
            yield work
        finally:
            with self._changed:
                self._works.pop(pid, None)
                if work.waiting_since is not None:
                    work.waited += time.monotonic() - work.waiting_since
                self._changed.notify_all()

    def run(self, done: Callable[[], bool]) -> None:
        """Look until ``done``; the lanes' own errors are theirs to report."""
        while not done():
            with self._changed:
                works = dict(self._works)
            if works:
                try:
                    self._look(works)
                except (psycopg.Error, StepFailed):
                    # The lanes meet the same outage and decide; the watchdog only comes back.
                    self._connection = None
            with self._changed:
                self._changed.notify_all()
                self._resting = self._only_waits()
                pause = self._pause()
            self._look_now.wait(pause)
            self._look_now.clear()
        if self._connection is not None:
            self._connection.close()

    def pids(self) -> set[int]:
        """The processes of our own statements that are under way."""
        with self._changed:
            return set(self._works)

    def expect(self, lanes: int) -> None:
        """So many lanes are to end; each says so by `lane_ended`."""
        self._lanes = lanes

    def lane_ended(self) -> None:
        with self._changed:
            self._lanes -= 1
        self._look_now.set()

    @property
    def shared(self) -> bool:
        """Whether a build that begins now has, or will have, others beside it."""
        return self._limits.builds > 1 and self._lanes > 1

    def _await_turn(self, work: Work) -> None:
        """First come, first served: a table that is left for the end has nobody to share its waits with."""
        self._turns.append(work)
        try:
            self._changed.wait_for(lambda: self._turns[0] is work and self._room())
        finally:
            self._turns.remove(work)
            self._changed.notify_all()
        work.since = time.monotonic()

    def _only_waits(self) -> bool:
        """Nothing works and nobody waits for a turn; then nothing depends on a quick look."""
        hurry = self._turns or self._limits.yield_to_ddl
        return not hurry and all(work.waiting_since is not None for work in self._works.values())

    def _pause(self) -> float:
        """Seconds until the next look."""
        if self._resting:
            return _REST
        now = time.monotonic()
        ages = [now - max(work.since, work.phase_since) for work in self._works.values() if work.waiting_since is None]
        longest = _ALERT if self._limits.yield_to_ddl else _LONGEST
        return min(longest, max(_SHORTEST, _SHARE * min(ages, default=0.0)))

    def _room(self) -> bool:
        """Whether one more build may begin."""
        return sum(work.at_work for work in self._works.values()) < self._limits.builds

    def _look(self, works: dict[int, Work]) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = self._connections.open("watchdog")
            self._connection.prepare_threshold = 1  # the same few queries again and again
        connection, pids = self._connection, list(works)
        seen = progress(connection, pids)
        waiting = waiting_for(connection, [pid for pid in pids if pid not in seen or seen[pid].waiting])
        queued = queued_behind(connection, pids)
        for pid, work in works.items():
            self._judge(connection, work, seen.get(pid), waiting.get(pid, []), queued.get(pid, []))

    def _judge(
        self,
        connection: Connection,
        work: Work,
        seen: Progress | None,
        blockers: list[Blocker],
        queued: list[Blocker],
    ) -> None:
        now = time.monotonic()
        phase = seen.phase if seen else ""
        if phase != work.phase:
            work.phase, work.phase_since, work.told = phase, now, 0
        work.blockers = blockers
        if blockers and work.waiting_since is None:
            work.waiting_since = now
        elif not blockers and work.waiting_since is not None:
            work.waited += now - work.waiting_since
            work.waiting_since = None
        if now - work.told > _TELL_EVERY and (seen or blockers):
            self._report(_line(work, seen, now))
            work.told = now
        if queued:
            self._queue(connection, work, queued)
        waiting = now - work.waiting_since if work.waiting_since is not None else 0.0
        if work.limited and waiting > self._limits.patience and not work.cancelled:
            waits = "; ".join(map(str, blockers))
            self._cancel(connection, work, f"it waited {self._limits.patience:.0f} s for {waits}")

    def _queue(self, connection: Connection, work: Work, queued: list[Blocker]) -> None:
        """DDL and ANALYZE that wait for a build may make it the victim of a deadlock."""
        for one in queued:
            if one.pid not in self._warned:
                self._warned.add(one.pid)
                self.warnings.append(f"While working on {work.what}, pid {one.pid} ({one.user}) queued: {one.query}")
                self._report(self.warnings[-1])
        if self._limits.yield_to_ddl and work.counts and not work.cancelled:
            self._cancel(connection, work, f"it gave way to {queued[0].query}")

    def _cancel(self, connection: Connection, work: Work, why: str) -> None:
        work.cancelled = why
        self._report(f"{work.what}: cancelled, {why}")
        connection.execute("SELECT pg_cancel_backend(%s)", [work.pid])


def _line(work: Work, seen: Progress | None, now: float) -> str:
    parts = [f"{work.what}: {seen.phase if seen else 'waiting for a lock'}"]
    if seen and seen.done is not None and not seen.waiting:
        parts.append(f"{seen.detail} ({seen.done:.0%})")
        elapsed = now - work.phase_since
        if 0.02 < seen.done < 1 and elapsed > 1:
            parts.append(f"about {elapsed * (1 - seen.done) / seen.done:.0f} s left in this phase")
    if work.blockers:
        parts.append("waits for " + "; ".join(map(str, work.blockers)))
    return ", ".join(parts)
