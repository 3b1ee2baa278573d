# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A connection from a node to a target: carries one request at a time, waits in the target's pool between them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, cast

import httptools

if TYPE_CHECKING:
    from local_cloud.data_plane.load_balancer.exchange import Exchange
    from local_cloud.data_plane.load_balancer.targets import Target

CONNECT_TIMEOUT = 10.0  # seconds, as ELB's


class Upstream(asyncio.Protocol):
    """httptools calls the on_… methods while it parses the target's answer."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.exchange: Exchange | None = None
        self.idle_since = 0.0  # in time.monotonic()
        self._tunnel = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def carry(self, exchange: Exchange) -> None:
        """Become the connection of `exchange`."""
        self.exchange = exchange
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._reason = b""
        self._informational = False
        self._headers_complete = False
        self.target.busy.add(self)

    def release(self, reusable: bool) -> None:
        """The exchange is over."""
        self.exchange = None
        self.target.busy.discard(self)
        if reusable and not self.target.draining and not self.transport.is_closing():
            self.idle_since = time.monotonic()
            self.target.idle.append(self)
        else:
            self.transport.close()

    def close(self) -> None:
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.exchange is None:  # nothing was asked: the target misbehaves
            self.transport.abort()
        elif self._tunnel:
            self.exchange.tunnel_to_client(data)
        else:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._tunnel = True
                if rest := data[upgrade.args[0] :]:
                    self.exchange.tunnel_to_client(rest)
            except httptools.HttpParserError:
                self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        exchange, self.exchange = self.exchange, None
        self.target.busy.discard(self)
        if self in self.target.idle:
            self.target.idle.remove(self)
        if exchange:
            exchange.target_closed(self._headers_complete)

    def pause_writing(self) -> None:
        if self.exchange:
            self.exchange.client.pause_reading()

    def resume_writing(self) -> None:
        if self.exchange:
            self.exchange.client.resume_reading()

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self._informational = 100 <= status < 200 and status != 101
        if self._informational:
            self._headers, self._reason = [], b""
            return
        self._headers_complete = True
        if self.exchange:
            self.exchange.answer_begins(status, self._reason, self._headers)

    def on_body(self, body: bytes) -> None:
        if self.exchange:
            self.exchange.answer_continues(body)

    def on_message_complete(self) -> None:
        if self.exchange and not self._informational:
            self.exchange.answer_ends(self._parser.should_keep_alive())
