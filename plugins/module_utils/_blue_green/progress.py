# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person sees while a release works: one line a change, in a file that the action plugin shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .clock import Clock
from .model import Observed


class Progress:
    """Writes JSON lines {at, line, …}; says the same line only once in `quiet` seconds."""

    def __init__(self, clock: Clock, path: str = "", quiet: float = 10.0) -> None:
        self._clock, self._path, self._quiet = clock, path, quiet
        self._said_at = 0.0
        self.lines: list[str] = []
        self.latest: dict[str, Any] = {}

    def say(self, line: str, **facts: Any) -> None:
        """Something happened: a step began, was done, or failed."""
        now = self._clock.now()
        self._said_at = now
        self.latest = {"at": now, "line": line, **facts}
        self.lines.append(line)
        if self._path:
            with Path(self._path).open("a", encoding="utf-8") as file:
                file.write(json.dumps(self.latest) + "\n")

    def tick(self, line: str, **facts: Any) -> None:
        """A wait goes on; said from time to time, kept for `status` always."""
        if self._clock.now() - self._said_at >= self._quiet:
            self.say(line, **facts)
        else:
            self.latest = {"at": self._clock.now(), "line": line, **facts}


def shown(observed: Observed) -> Mapping[str, Any]:
    """What ``--diff`` and ``state: status`` show of a state."""
    return {
        "live": observed.live,
        "routes": {route.title: dict(sorted(route.weights.items())) for route in observed.routes},
        "slots": {
            name: {
                "image": slot.image,
                "version": slot.version,
                "task_definition": slot.task_definition,
                "desired": slot.desired,
                "healthy": slot.healthy,
                "scaling": vars(slot.scaling) if slot.scaling else None,
            }
            for name, slot in sorted(observed.slots.items())
        },
        "swap_under_way": observed.intent.swap_id if observed.intent else None,
    }
