# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries a plan out: one lane for each table, side by side, under one watchdog."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from .._engine.steps import StepFailed
from .._postgres.connection import Connections
from .bench import Bench
from .fence import Fence
from .history import History
from .lane import Lane, Timing
from .model import Name
from .steps import Build, CreateHistory, Drop, IndexStep, Restore
from .watch import Limits, Watch


def carry_out(
    steps: Sequence[IndexStep],
    connections: Connections,
    fence: Fence,
    history: History,
    limits: Limits,
    settings: dict[str, str],
    report: Callable[[str], None],
) -> tuple[list[Timing], list[str]]:
    """All steps. Returns how each index fared and what to warn of.

    settings: of the building sessions, such as maintenance_work_mem.
    Raises StepFailed with a sentence for every index that could not be done; the others are.
    """
    watch = Watch(connections, limits, report)

    def lane(of: list[IndexStep]) -> Lane:
        return Lane(Bench(connections, watch, fence, limits, settings), of, history, limits.retries, report)

    first = lane([step for step in steps if isinstance(step, CreateHistory)])
    first.run()
    if first.failures:
        raise StepFailed("\n".join(first.failures))
    lanes = [lane(of) for of in _by_table(steps).values()]
    waiting, ended = deque(lanes), deque[Lane]()
    watch.expect(len(lanes))

    def work() -> None:
        while True:
            try:
                one = waiting.popleft()
            except IndexError:
                return
            try:
                one.run()
            except Exception as error:  # an unforeseen error of one thread must reach the user
                one.failures.append(f"Worked on a table and met an error of the module itself: {error!r}.")
            finally:
                ended.append(one)
                watch.lane_ended()

    threads = [threading.Thread(target=work, daemon=True) for _number in range(min(limits.tables, len(lanes)))]
    for thread in threads:
        thread.start()
    watch.run(lambda: len(ended) == len(lanes))
    if failures := [failure for one in lanes for failure in one.failures]:
        raise StepFailed("\n".join(failures))
    return [timing for one in lanes for timing in one.timings], watch.warnings


def _by_table(steps: Sequence[IndexStep]) -> dict[Name, list[IndexStep]]:
    """The steps of each table, the table with the most to build first, so that it does not end alone."""
    lanes: dict[Name, list[IndexStep]] = {}
    for step in steps:
        if isinstance(step, Build | Drop | Restore):
            lanes.setdefault(step.table, []).append(step)
    weight = {table: (len(of), sum(step.size for step in of if isinstance(step, Build))) for table, of in lanes.items()}
    return dict(sorted(lanes.items(), key=lambda lane: weight[lane[0]], reverse=True))
