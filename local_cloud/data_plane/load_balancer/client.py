# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A client's connection to a node: parses requests, answers them in order."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import httptools

from local_cloud.data_plane.load_balancer.exchange import Exchange
from local_cloud.data_plane.load_balancer.metrics import BalancerCounts
from local_cloud.data_plane.load_balancer.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_cloud.data_plane.load_balancer.node import Node


@dataclass(frozen=True)
class Listener:
    """Which listener a socket belongs to. `port` is the listener's; the socket's is higher by `offset`."""

    balancer: str
    port: int
    protocol: str
    offset: int = 0


class Client(asyncio.Protocol):
    """httptools calls the on_… methods while it parses."""

    def __init__(self, listener: Listener, choose_node: Callable[[], Node | None]) -> None:
        self.listener = listener
        self._choose_node = choose_node
        self._parser = httptools.HttpRequestParser(self)
        self._exchanges: list[Exchange] = []
        self._tunnel = False
        self.gone = False
        self.closing = False
        self.last_activity = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.address = transport.get_extra_info("peername")[0]
        node = self._choose_node()
        if node is None:
            self.transport.abort()
            return
        self.node = node
        node.clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        if hasattr(self, "node"):
            self.node.clients.discard(self)
        for exchange in self._exchanges:
            exchange.abandon()
        self._exchanges.clear()

    def data_received(self, data: bytes) -> None:
        self.last_activity = time.monotonic()
        if self._tunnel:
            if self._exchanges:
                self._exchanges[0].tunnel_to_target(data)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._tunnel = True
            if (rest := data[upgrade.args[0] :]) and self._exchanges:
                self._exchanges[0].tunnel_to_target(rest)
        except httptools.HttpParserError:
            self.counts().own_codes[400] += 1
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\nServer: awselb/2.0\r\nContent-Length: 0\r\n\r\n")
            self.transport.close()

    def on_message_begin(self) -> None:
        self._exchanges.append(Exchange(self))

    def on_url(self, url: bytes) -> None:
        self._exchanges[-1].url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._exchanges[-1].headers.append((name, value))
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_headers_complete(self) -> None:
        exchange = self._exchanges[-1]
        exchange.method = self._parser.get_method()
        self.speaks_http_1_1 = self._parser.get_http_version() != "1.0"
        exchange.keep_alive = self._parser.should_keep_alive()
        if len(self._exchanges) == 1:
            exchange.start()

    def on_body(self, body: bytes) -> None:
        if self._exchanges:
            self._exchanges[-1].body(body)

    def on_message_complete(self) -> None:
        if self._exchanges:
            self._exchanges[-1].request_ends(self._parser.should_keep_alive())

    # For the exchange.

    def rules(self) -> list[Rule] | None:
        """The listener's rules as this client's node knows them now."""
        return self.node.listeners.get((self.listener.balancer, self.listener.port))

    def counts(self) -> BalancerCounts:
        return self.node.balancer_counts(self.listener.balancer)

    def write(self, data: bytes) -> None:
        if not self.gone:
            self.transport.write(data)

    def finished(self, exchange: Exchange) -> None:
        """The exchange is complete; the next one's turn."""
        if self._exchanges and self._exchanges[0] is exchange:
            self._exchanges.pop(0)
        self.last_activity = time.monotonic()
        if not exchange.keep_alive or self.closing:
            self.transport.close()
        elif self._exchanges:
            self._exchanges[0].start()

    def close(self) -> None:
        self.transport.abort()

    def close_when_idle(self) -> None:
        self.closing = True
        if not self._exchanges:
            self.transport.close()

    def look_for_timeouts(self, now: float, idle_timeout: float) -> None:
        if self._exchanges:
            if now - self._exchanges[0].last_activity > idle_timeout:
                self._exchanges[0].timed_out()
        elif now - self.last_activity > idle_timeout:
            self.transport.close()

    def pause_reading(self) -> None:
        if not self.gone and self.transport.is_reading():
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if not self.gone and not self.transport.is_reading():
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        if self._exchanges:
            self._exchanges[0].pause_target()

    def resume_writing(self) -> None:
        if self._exchanges:
            self._exchanges[0].resume_target()
