# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the parts of the data plane shall do, as versioned documents that they wait for."""

from __future__ import annotations

import asyncio
import json
from typing import Any


class Document:
    """A JSON value with a version; `wait` returns when it is newer than the reader's."""

    def __init__(self) -> None:
        self.version = 0
        self.content: Any = None
        self._text = ""
        self._changed = asyncio.Event()

    def publish(self, content: Any) -> None:
        """Replace the value; nobody is told when it is equal."""
        text = json.dumps(content, sort_keys=True, default=str)
        if text != self._text:
            self._text = text
            self.content = json.loads(text)
            self.version += 1
            self._changed.set()
            self._changed = asyncio.Event()

    async def wait(self, version: int, seconds: float) -> dict[str, Any]:
        """{"version", "content"}, after at most `seconds`."""
        if self.version == version:
            changed = self._changed
            try:
                async with asyncio.timeout(seconds):
                    await changed.wait()
            except TimeoutError:
                pass
        return {"version": self.version, "content": self.content}


class Signal:
    """Tells one worker, from any thread, which services have changed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None
        self._services: set[str] = set()

    def bind(self) -> None:
        """Call in the worker, before anything else."""
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def changed(self, service: str) -> None:
        self._services.add(service)
        if self._loop and self._event:
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> set[str]:
        """The services that changed since the last call; waits at most `seconds` for one."""
        assert self._event is not None
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
        services, self._services = self._services, set()
        return services
