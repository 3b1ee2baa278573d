# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads that do not depend on each other, made at the same time: each spends nearly all its time waiting for AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_MOST = 8  # at a time; more only meets AWS's request limits

A = TypeVar("A")
B = TypeVar("B")


def side_by_side(read: Callable[[A], B], of: Iterable[A]) -> list[B]:
    """``read`` of each, in the order given. When several fail, the first in that order is raised."""
    things = list(of)
    if len(things) < 2:
        return [read(thing) for thing in things]
    with ThreadPoolExecutor(min(_MOST, len(things))) as pool:
        return list(pool.map(read, things))
