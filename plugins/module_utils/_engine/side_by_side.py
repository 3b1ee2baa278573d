# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What does not depend on each other, done at the same time: each call spends nearly all its time waiting for AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, TypeVar

_MOST = 10  # at a time: the connections that a boto3 client keeps

A = TypeVar("A")
B = TypeVar("B")


def side_by_side(read: Callable[[A], B], of: Iterable[A]) -> list[B]:
    """``read`` of each, in the order given. When several fail, the first in that order is raised."""
    things = list(of)
    if len(things) < 2:
        return [read(thing) for thing in things]
    with ThreadPoolExecutor(min(_MOST, len(things))) as pool:
        return list(pool.map(read, things))


def together(*reads: Callable[[], Any]) -> list[Any]:
    """What each of these reads, in their order; as `side_by_side` does."""
    return side_by_side(lambda read: read(), reads)


def strands_side_by_side(step: Callable[[int], None], strands: Iterable[Sequence[int]]) -> None:
    """``step`` of each number: those of a strand one after another, the strands at the same time.

    Once one fails, or this thread is interrupted, no further step begins; those under way are awaited, since what
    they write stands. Of several that failed, that of the least number is raised.
    """
    parts = [strand for strand in strands if strand]
    if len(parts) < 2:
        for number in (number for strand in parts for number in strand):
            step(number)
        return
    stop = Event()
    failed: dict[int, BaseException] = {}

    def follow(strand: Sequence[int]) -> None:
        for number in strand:
            if stop.is_set():
                return
            try:
                step(number)
            except BaseException as error:  # also SystemExit, by which a module ends itself
                failed[number] = error
                stop.set()

    with ThreadPoolExecutor(min(_MOST, len(parts))) as pool:
        try:
            list(pool.map(follow, parts))
        finally:
            stop.set()
    if failed:
        raise failed[min(failed)]
