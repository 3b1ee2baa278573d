# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Saves the account's state soon after a write, so that it outlives a kill -9. (ministack saves at shutdown only.)"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from ministack import app as ministack
from ministack.core.persistence import save_all

_SETTLE = 1.0  # seconds without a write before a save
_LONGEST = 5.0  # seconds that a write waits for its save at most

logger = logging.getLogger("local_cloud")


class Saver:
    """Collects writes and saves all services' state to their files."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0

    def mark(self) -> None:
        """Something was written."""
        self._last = time.monotonic()
        if self._first is None:
            self._first = self._last

    async def run(self, _gateway: Any) -> None:
        """Save whenever writes have settled. Runs as long as the cloud does."""
        while True:
            await asyncio.sleep(_SETTLE / 2)
            now = time.monotonic()
            if self._first is not None and (now - self._last >= _SETTLE or now - self._first >= _LONGEST):
                self.save()

    def save(self) -> float:
        """Save now, on the event loop's thread, so that no call changes what is being written. Returns seconds."""
        self._first = None
        began = time.monotonic()
        save_all(ministack._build_persistence_save_dict())
        return time.monotonic() - began
