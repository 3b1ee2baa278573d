# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run tells while it works, and what its result holds. Only reduced, masked data leaves here."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from .lane import Timing
from .model import Index, Migration, Name, Observed
from .plan import Item, Plan
from .steps import Build, Drop, IndexStep, Restore


class Log:
    """Progress lines with the seconds since the start, appended to a file; without a file they are dropped."""

    def __init__(self, path: str | None) -> None:
        self._path, self._begun, self._lock = path, time.monotonic(), threading.Lock()

    def line(self, text: str) -> None:
        if not self._path:
            return
        stamped = f"[{time.monotonic() - self._begun:7.1f} s] {text}\n"
        with self._lock, open(self._path, "a", encoding="utf-8") as file:
            file.write(stamped)


def render(observed: Observed, steps: Sequence[IndexStep]) -> dict[str, str]:
    """For the diff: the definitions of the indexes that the steps touch."""
    touched = [_name(step) for step in steps]
    return {str(name): _shown(observed.indexes[name]) for name in touched if name and name in observed.indexes}


def _name(step: IndexStep) -> Name | None:
    match step:
        case Build() | Restore():
            return step.name
        case Drop():
            return step.index.name
    return None


def _shown(index: Index) -> str:
    return f"{'' if index.valid else 'INVALID '}{index.shape}"


def details(plan: Plan) -> dict[str, Any]:
    """The plan as the module returns it, also when it is refused."""
    return {
        "indexes": [item.told() for item in plan.items],
        "advice": [{"kind": one.kind, "index": one.index, "sentence": one.sentence} for one in plan.advice],
    }


def not_yet(wish: Sequence[Migration]) -> dict[str, Any]:
    """As `details`, for a database that a plan on an empty account has yet to make."""
    items = [Item(one.migration, one.name, one.table, "no_database") for each in wish for one in each.indexes]
    return {"indexes": [item.told() for item in items], "advice": []}


def timings(of: Sequence[Timing]) -> list[dict[str, Any]]:
    return [
        {
            "index": str(one.index),
            "action": one.action,
            "seconds": round(one.seconds, 3),
            "waited_seconds": round(one.waited, 3),
            "attempts": one.attempts,
            "size_bytes": one.size,
        }
        for one in of
    ]
