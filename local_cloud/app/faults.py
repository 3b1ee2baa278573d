# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Misbehaviour on request: `APP_FAULT=slow=0.8:0.05,errors_above_rps=40:0.5`.

| fault                          | effect                                                                       |
|--------------------------------|------------------------------------------------------------------------------|
| start_slowly=S                 | listens only S seconds after the start                                       |
| never_healthy                  | /api/health answers 503                                                      |
| wrong_body                     | every page and API answer has a body that is not its own                     |
| wrong_version=V                | reports version V                                                            |
| errors=SHARE                   | that share of requests answers 500                                           |
| errors_above_rps=N:SHARE       | above N requests in the last second, that share answers 500                  |
| errors_above_concurrency=N:SHARE | above N requests at a time, that share answers 500                         |
| slow=S:SHARE                   | that share of requests takes S seconds more                                  |
| crash_after=S                  | ends with status 1, S seconds after the start                                |
| ignore_sigterm                 | only SIGKILL ends it                                                         |

Health checks are spared by the request faults, as a fault that shows only under load would spare them.
"""

from __future__ import annotations

import random
import time
from collections import deque
from dataclasses import dataclass

_FLAGS = ("never_healthy", "wrong_body", "ignore_sigterm")
_NUMBERS = ("start_slowly", "crash_after", "errors")
_PAIRS = ("errors_above_rps", "errors_above_concurrency", "slow")


@dataclass(frozen=True)
class Faults:
    start_slowly: float = 0.0  # seconds
    crash_after: float | None = None  # seconds
    never_healthy: bool = False
    wrong_body: bool = False
    ignore_sigterm: bool = False
    wrong_version: str | None = None
    errors: float = 0.0  # share of requests, 0 to 1
    errors_above_rps: tuple[float, float] | None = None  # (requests a second, share)
    errors_above_concurrency: tuple[float, float] | None = None  # (requests at a time, share)
    slow: tuple[float, float] | None = None  # (seconds, share)

    @classmethod
    def parse(cls, text: str) -> Faults:
        """From `name=value,name,…`. Raises ValueError on an unknown fault or a value of the wrong form."""
        found: dict[str, object] = {}
        for item in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = item.partition("=")
            if name in _FLAGS:
                found[name] = True
            elif name in _NUMBERS:
                found[name] = float(value)
            elif name in _PAIRS:
                limit, _, share = value.partition(":")
                found[name] = (float(limit), float(share or 1))
            elif name == "wrong_version":
                found[name] = value
            else:
                raise ValueError(f"APP_FAULT names {name!r}; known are {', '.join(cls.__dataclass_fields__)}")
        return cls(**found)  # type: ignore[arg-type]  # the names choose the types above


class Load:
    """Counts requests, to tell whether a fault that shows under load shows now."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._recent: deque[float] = deque()
        self.in_flight = 0

    def begin(self) -> None:
        self.in_flight += 1
        if self._faults.errors_above_rps:
            now = time.monotonic()
            self._recent.append(now)
            while self._recent[0] < now - 1:
                self._recent.popleft()

    def end(self) -> None:
        self.in_flight -= 1

    def fails(self) -> bool:
        """True if the present request is one of those that fail."""
        share = self._faults.errors
        if (limit := self._faults.errors_above_rps) and len(self._recent) > limit[0]:
            share = max(share, limit[1])
        if (limit := self._faults.errors_above_concurrency) and self.in_flight > limit[0]:
            share = max(share, limit[1])
        return share > 0 and random.random() < share

    def delay(self) -> float:
        """Seconds that the present request waits."""
        slow = self._faults.slow
        return slow[0] if slow and random.random() < slow[1] else 0.0
