# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks and tells the control plane, over HTTP on loopback."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

logger = logging.getLogger("data_plane")

_WAIT = 20.0  # seconds that a question for news stays open
_PAUSE = 0.3  # seconds before asking a control plane again that did not answer
_TIMEOUT = 15.0  # seconds
_WORTH_SAYING = 20  # attempts in vain; the parts of a cloud start together, and the control plane takes a while


class ControlPlaneError(Exception):
    """The control plane refused, with its error's code and message."""


class ControlPlane:
    """One request a connection: simple, and seldom enough."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80

    async def ask(self, path: str, timeout: float = _TIMEOUT) -> Any:
        """GET /_cloud<path>. Raises OSError, TimeoutError or ControlPlaneError."""
        return await self._request("GET", path, None, timeout)

    async def tell(self, path: str, body: Any) -> Any:
        """POST /_cloud<path>. Raises OSError, TimeoutError or ControlPlaneError."""
        return await self._request("POST", path, body, _TIMEOUT)

    async def tell_surely(self, path: str, body: Any) -> Any:
        """As `tell`, again and again while the control plane does not answer."""
        while True:
            try:
                return await self.tell(path, body)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                logger.warning("%s: the control plane does not answer: %s", path, error)
                await asyncio.sleep(_PAUSE)

    async def news(self, path: str) -> AsyncIterator[Any]:
        """Each new content of the document at `path`."""
        version, silent = -1, 0
        while True:
            try:
                answer = await self.ask(f"{path}?version={version}&wait={_WAIT:.0f}", _WAIT + _TIMEOUT)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                silent += 1
                if silent % _WORTH_SAYING == 0:
                    logger.warning("%s: the control plane does not answer: %s", path, error)
                await asyncio.sleep(_PAUSE)
                version = -1
                continue
            silent = 0
            if answer["version"] != version and answer["content"] is not None:
                version = answer["version"]
                yield answer["content"]
            elif answer["content"] is None:  # it has only just started
                await asyncio.sleep(_PAUSE)

    async def _request(self, method: str, path: str, body: Any, timeout: float) -> Any:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(self.host, self.port)
            try:
                content = b"" if body is None else json.dumps(body).encode()
                writer.write(
                    f"{method} /_cloud{path} HTTP/1.1\r\nhost: {self.host}:{self.port}\r\nconnection: close\r\n"
                    f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n".encode()
                    + content
                )
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                status = int(head.split(" ", 2)[1])
                fields = dict(line.lower().split(":", 1) for line in head.split("\r\n")[1:] if ":" in line)
                answer = json.loads(await reader.readexactly(int(fields["content-length"])))
            finally:
                writer.close()
        if status >= 400:
            raise ControlPlaneError(f"{answer.get('error')}: {answer.get('message')}")
        return answer
