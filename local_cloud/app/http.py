# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small HTTP/1.1 server: keep-alive, pipelining, a graceful end. Parsing by httptools."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl

import httptools

logger = logging.getLogger("app")
MAX_BODY = 8 * 1024 * 1024  # bytes; a photograph of a telephone
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """Header names are in lower case; the query holds each name's last value."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    client: str


@dataclass(slots=True)
class Response:
    body: bytes
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Response:
        return cls(json.dumps(value, indent=1).encode() + b"\n", status, "application/json")

    @classmethod
    def html(cls, text: str, status: int = 200) -> Response:
        return cls(text.encode(), status, "text/html; charset=utf-8")


Handler = Callable[[Request], Awaitable[Response]]


class Server:
    """Listens on host:port and answers with `handler` until `close`."""

    def __init__(self, handler: Handler, keep_alive: float) -> None:
        self.handler = handler
        self.keep_alive = keep_alive
        self.closing = False
        self.connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> None:
        """Raises OSError if the address is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port, backlog=512)

    async def close(self, grace: float) -> None:
        """Accept no more connections, finish the requests in flight (at most `grace` seconds), close all."""
        self.closing = True
        if self._server:
            self._server.close()
        deadline = asyncio.get_running_loop().time() + grace
        for connection in list(self.connections):
            connection.close_when_idle()
        while self.connections and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        for connection in list(self.connections):
            connection.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: list[tuple[Request, bool]] = []
        self._worker: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._client = transport.get_extra_info("peername")[0]
        self._server.connections.add(self)
        self._start_idle_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._stop_idle_timer()

    def data_received(self, data: bytes) -> None:
        self._stop_idle_timer()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._write(Response(b"the request is not HTTP\n", 400), keep=False)

    # httptools calls these.
    def on_message_begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > MAX_BODY:
            self._write(Response(b"the body is too large\n", 413), keep=False)

    def on_message_complete(self) -> None:
        url = httptools.parse_url(self._url)
        request = Request(
            method=self._parser.get_method().decode(),
            path=url.path.decode() if url.path else "/",
            query=dict(parse_qsl(url.query.decode())) if url.query else {},
            headers=self._headers,
            body=self._body,
            client=self._client,
        )
        self._waiting.append((request, self._parser.should_keep_alive()))
        if self._worker is None:
            self._worker = asyncio.ensure_future(self._answer())

    async def _answer(self) -> None:
        while self._waiting and not self._transport.is_closing():
            request, keep = self._waiting.pop(0)
            try:
                response = await self._server.handler(request)
            except Exception:  # whatever a handler did not expect becomes a 500, and is logged
                logger.exception("%s %s failed", request.method, request.path)
                response = Response(b"internal error\n", 500)
            self._write(response, keep and not self._server.closing, request.method == "HEAD")
        self._worker = None
        self._start_idle_timer()

    def _write(self, response: Response, keep: bool, head: bool = False) -> None:
        if self._transport.is_closing():
            return
        lines = [
            f"HTTP/1.1 {response.status} {_REASONS.get(response.status, '')}",
            f"content-type: {response.content_type}",
            f"content-length: {len(response.body)}",
            f"connection: {'keep-alive' if keep else 'close'}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        self._transport.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (b"" if head else response.body))
        if not keep:
            self._transport.close()

    def close_when_idle(self) -> None:
        if self._worker is None:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def _start_idle_timer(self) -> None:
        self._stop_idle_timer()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self._server.keep_alive, self.close_when_idle)

    def _stop_idle_timer(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None
