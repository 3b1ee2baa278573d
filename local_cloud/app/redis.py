# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A client for the few Redis commands that the application uses. Protocol: RESP2."""

from __future__ import annotations

import asyncio
import ssl

from local_cloud.app.settings import RedisSettings

_TIMEOUT = 2.0  # seconds


class RedisError(Exception):
    """The server refused a command."""


class Redis:
    """One connection, opened when first used and again after a failure. Commands wait for their turn."""

    ERRORS = (RedisError, OSError, TimeoutError, asyncio.IncompleteReadError)

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def command(self, *words: str) -> str | int | None:
        """The server's reply. Raises one of `ERRORS`."""
        async with self._turn:
            try:
                async with asyncio.timeout(_TIMEOUT):
                    reader, writer = self._streams or await self._connect()
                    return await _ask(reader, writer, words)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                self.close()
                raise

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        where = self._settings
        context = ssl.create_default_context(cafile=where.ca_file) if where.tls else None
        reader, writer = await asyncio.open_connection(where.host, where.port, ssl=context)
        self._streams = reader, writer
        if where.password:
            await _ask(reader, writer, ("AUTH", *([where.username] if where.username else []), where.password))
        return reader, writer

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: tuple[str, ...]) -> str | int | None:
    encoded = [word.encode() for word in words]
    writer.write(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
    line = (await reader.readuntil(b"\r\n"))[:-2].decode()
    kind, rest = line[:1], line[1:]
    if kind == "-":
        raise RedisError(rest)
    if kind == ":":
        return int(rest)
    if kind == "$":
        if rest == "-1":
            return None
        return (await reader.readexactly(int(rest) + 2))[:-2].decode()
    return rest
