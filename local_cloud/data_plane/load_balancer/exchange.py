# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One request and its answer: finds the rule, the group and the target, and carries the bytes both ways."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from local_cloud.data_plane.load_balancer.rules import Seen, choose_group, redirect_location
from local_cloud.data_plane.load_balancer.targets import Group, Target
from local_cloud.data_plane.load_balancer.upstream import CONNECT_TIMEOUT, Upstream

if TYPE_CHECKING:
    from local_cloud.data_plane.load_balancer.client import Client

Header = tuple[bytes, bytes]

_HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"expect"}
_REPLACED = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port", b"x-amzn-trace-id"}
_MAX_WAITING_BODY = 256 * 1024  # bytes kept while the connection to the target is being made
_TARGET_COOKIE, _GROUP_COOKIE = "AWSALB", "AWSALBTG"
_GROUP_STICKINESS_DEFAULT = 3600  # seconds


class Exchange:
    """Lives from the request's first byte to the answer's last."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.url = b""
        self.headers: list[Header] = []
        self.received = False  # the whole request
        self.keep_alive = True  # the client's wish
        self.last_activity = time.monotonic()
        self._body: list[bytes] = []
        self._waiting_bytes = 0
        self._chunked_request = False
        self._upstream: Upstream | None = None
        self._group: Group | None = None
        self._target: Target | None = None
        self._action: dict[str, Any] = {}
        self._answered = False  # the answer is complete
        self._begun = False  # the answer's head is sent
        self._chunked_answer = False
        self._until_close = False
        self._upgraded = False
        self._sent_at = 0.0

    # The request.

    def start(self) -> None:
        """The head is complete and it is this request's turn: act on it."""
        names = {name.lower(): value for name, value in self.headers}
        url, _, query = self.url.partition(b"?")
        listener = self.client.listener
        seen = Seen(
            method=self.method.decode("latin-1"),
            host=names.get(b"host", b"").decode("latin-1"),
            path=url.decode("latin-1"),
            query=query.decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in names.items()},
            client=self.client.address,
            protocol=listener.protocol,
            port=listener.port,
        )
        self._names = names
        rules = self.client.rules()
        self.client.counts().requests += 1
        if rules is None:  # the listener is gone
            self.client.close()
            return
        action = next(rule for rule in rules if rule.matches(seen)).actions[-1]
        if action["Type"] == "forward":
            self._forward(action)
        elif action["Type"] == "redirect":
            config = action["RedirectConfig"]
            status = int(config["StatusCode"].removeprefix("HTTP_"))
            self._answer(
                status,
                b"",
                "text/html",
                [(b"Location", redirect_location(config, seen, listener.offset).encode("latin-1"))],
            )
        elif action["Type"] == "fixed-response":
            config = action["FixedResponseConfig"]
            body = (config.get("MessageBody") or "").encode()
            self._answer(int(config["StatusCode"]), body, config.get("ContentType") or "text/plain")
        else:
            self.fail(500)

    @property
    def method(self) -> bytes:
        return self._method

    @method.setter
    def method(self, method: bytes) -> None:
        self._method = method

    def body(self, data: bytes) -> None:
        """More of the request's body."""
        self.last_activity = time.monotonic()
        if self._upstream:
            self._upstream.transport.write(self._framed(data))
            return
        self._body.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > _MAX_WAITING_BODY:
            self.client.pause_reading()

    def request_ends(self, keep_alive: bool) -> None:
        self.received = True
        self.keep_alive = self.keep_alive and keep_alive
        if self._upstream and self._chunked_request:
            self._upstream.transport.write(b"0\r\n\r\n")
        if self._answered:
            self.client.finished(self)

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked_request else data

    def _forward(self, action: dict[str, Any]) -> None:
        stuck_group, stuck_target = self._read_cookies()
        arn = choose_group(action, stuck_group)
        group = self.client.node.groups.get(arn) if arn else None
        if group is None:
            self.fail(503)
            return
        target = None
        if stuck_target and group.config["stickiness"]["enabled"]:
            target = group.targets.get(stuck_target)
            if target and (target.draining or not target.is_healthy):
                target = None
        target = target or group.choose()
        if target is None:
            self.fail(503)
            return
        self._action, self._group, self._target = action, group, target
        group.counts.requests += 1
        while target.idle:
            upstream = target.idle.pop()
            if not upstream.transport.is_closing():
                self._send(upstream)
                return
        self.client.node.spawn(self._connect(target, group))

    async def _connect(self, target: Target, group: Group) -> None:
        host, port = target.address
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, upstream = await asyncio.get_running_loop().create_connection(lambda: Upstream(target), host, port)
        except TimeoutError:
            group.counts.connection_errors += 1
            self.fail(504)
        except OSError:
            group.counts.connection_errors += 1
            self.fail(502)
        else:
            if self.client.gone:
                upstream.transport.close()
            else:
                self._send(upstream)

    def _send(self, upstream: Upstream) -> None:
        self._upstream = upstream
        upstream.carry(self)
        self._sent_at = self.last_activity = time.monotonic()
        upstream.transport.write(self._head_for_target())
        for data in self._body:
            upstream.transport.write(self._framed(data))
        if self.received and self._chunked_request:
            upstream.transport.write(b"0\r\n\r\n")
        self._body.clear()
        self.client.resume_reading()

    def _head_for_target(self) -> bytes:
        names, listener = self._names, self.client.listener
        lines = [b"%b %b HTTP/1.1" % (self.method, self.url)]
        lines += [
            b"%b: %b" % (name, value)
            for name, value in self.headers
            if name.lower() not in _HOP_BY_HOP and name.lower() not in _REPLACED
        ]
        forwarded = names.get(b"x-forwarded-for")
        client = self.client.address.encode()
        trace = b"Root=1-%x-%b" % (int(time.time()), binascii.hexlify(os.urandom(12)))
        lines += [
            b"X-Forwarded-For: " + (forwarded + b", " + client if forwarded else client),
            b"X-Forwarded-Proto: " + listener.protocol.lower().encode(),
            b"X-Forwarded-Port: %d" % listener.port,
            b"X-Amzn-Trace-Id: " + names.get(b"x-amzn-trace-id", trace),
        ]
        if b"upgrade" in names:
            lines += [b"Connection: Upgrade", b"Upgrade: " + names[b"upgrade"]]
        else:
            lines.append(b"Connection: keep-alive")
        self._chunked_request = b"chunked" in names.get(b"transfer-encoding", b"")
        if self._chunked_request:
            lines.append(b"Transfer-Encoding: chunked")
        return b"\r\n".join(lines) + b"\r\n\r\n"

    # The answer.

    def answer_begins(self, status: int, reason: bytes, headers: list[Header]) -> None:
        now = time.monotonic()
        self.last_activity = now
        self._begun = True
        assert self._group is not None
        self._group.counts.answered(status, now - self._sent_at)
        names = {name.lower(): value for name, value in headers}
        lines = [b"HTTP/1.1 %d %b" % (status, reason)]
        lines += [b"%b: %b" % (name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]
        lines += [b"Set-Cookie: " + cookie for cookie in self._cookies()]
        if status == 101:
            self._upgraded = True
            lines += [b"Connection: Upgrade", b"Upgrade: " + names.get(b"upgrade", b"")]
        else:
            bodiless = self.method == b"HEAD" or status in (204, 304)
            if b"content-length" not in names and not bodiless:
                self._until_close = b"chunked" not in names.get(b"transfer-encoding", b"")
                self._chunked_answer = self.client.speaks_http_1_1
                self.keep_alive = self.keep_alive and self._chunked_answer
                if self._chunked_answer:
                    lines.append(b"Transfer-Encoding: chunked")
            self.keep_alive = self.keep_alive and not self.client.closing
            lines.append(b"Connection: keep-alive" if self.keep_alive else b"Connection: close")
        self.client.write(b"\r\n".join(lines) + b"\r\n\r\n")
        if self.method == b"HEAD":
            self.answer_ends(reusable=b"content-length" in names)

    def answer_continues(self, data: bytes) -> None:
        if self._answered:
            return
        self.last_activity = time.monotonic()
        self.client.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked_answer else data)

    def answer_ends(self, reusable: bool) -> None:
        if self._answered or self._upgraded:
            return
        if self._chunked_answer:
            self.client.write(b"0\r\n\r\n")
        self._answered = True
        upstream, self._upstream = self._upstream, None
        if upstream:
            upstream.release(reusable and self.received)
        if not self.received:
            self.keep_alive = False
        self.client.finished(self)

    def target_closed(self, headers_complete: bool) -> None:
        """The target closed the connection before the answer was complete."""
        self._upstream = None
        if not headers_complete:
            self.fail(502)
        elif self._until_close:
            self.answer_ends(reusable=False)
        else:
            self.client.close()

    def timed_out(self) -> None:
        """Nothing came from the target for the idle timeout."""
        self._drop_upstream()
        if self._begun:
            self.client.close()
        else:
            self.fail(504)

    def fail(self, status: int) -> None:
        """Answer with an error of the load balancer's own."""
        self.client.counts().own_codes[status] += 1
        if self.client.gone or self._begun:
            return
        phrase = HTTPStatus(status).phrase
        body = (
            f"<html>\r\n<head><title>{status} {phrase}</title></head>\r\n<body>\r\n"
            f"<center><h1>{status} {phrase}</h1></center>\r\n</body>\r\n</html>\r\n"
        )
        self._answer(status, body.encode(), "text/html")

    def _answer(self, status: int, body: bytes, content_type: str, more: list[Header] | None = None) -> None:
        self._begun = True
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = ""
        keep = self.keep_alive and not self.client.closing
        self.keep_alive = keep
        lines = [
            b"HTTP/1.1 %d %b" % (status, phrase.encode()),
            b"Server: awselb/2.0",
            b"Content-Type: " + content_type.encode(),
            b"Content-Length: %d" % len(body),
            b"Connection: keep-alive" if keep else b"Connection: close",
            *(b"%b: %b" % header for header in more or []),
        ]
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        self.client.write(head if self.method == b"HEAD" else head + body)
        self._answered = True
        if self.received:
            self.client.finished(self)

    def abandon(self) -> None:
        """The client has gone."""
        self._drop_upstream()

    def _drop_upstream(self) -> None:
        upstream, self._upstream = self._upstream, None
        if upstream:
            upstream.exchange = None
            upstream.close()

    # WebSocket and other upgrades.

    def tunnel_to_client(self, data: bytes) -> None:
        self.last_activity = time.monotonic()
        self.client.write(data)

    def tunnel_to_target(self, data: bytes) -> None:
        self.last_activity = time.monotonic()
        if self._upstream:
            self._upstream.transport.write(data)

    def pause_target(self) -> None:
        if self._upstream:
            self._upstream.transport.pause_reading()

    def resume_target(self) -> None:
        if self._upstream:
            self._upstream.transport.resume_reading()

    # Stickiness.

    def _read_cookies(self) -> tuple[str | None, tuple[str, int] | None]:
        """(target group, target) that the client's cookies name, while they have not expired."""
        header = self._names.get(b"cookie")
        if header is None or b"AWSALB" not in header:
            return None, None
        jar = dict(part.strip().partition("=")[::2] for part in header.decode("latin-1").split(";"))
        group = _unpack(jar.get(_GROUP_COOKIE, ""))
        target = _unpack(jar.get(_TARGET_COOKIE, ""))
        return (group[0] if group else None), ((target[0], int(target[1])) if len(target) > 1 else None)

    def _cookies(self) -> list[bytes]:
        """Set-Cookie values for this answer."""
        cookies = []
        assert self._group is not None
        assert self._target is not None
        stickiness = self._group.config["stickiness"]
        if stickiness["enabled"] and stickiness["type"] == "lb_cookie":
            host, port = self._target.address
            cookies += _cookie_pair(_TARGET_COOKIE, [host, str(port)], stickiness["seconds"])
        sticky_groups = (self._action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
        if sticky_groups.get("Enabled"):
            seconds = float(sticky_groups.get("DurationSeconds") or _GROUP_STICKINESS_DEFAULT)
            cookies += _cookie_pair(_GROUP_COOKIE, [self._group.arn], seconds)
        return cookies


def _cookie_pair(name: str, parts: list[str], seconds: float) -> list[bytes]:
    """The cookie and its twin for cross-origin requests, as ELB sets them."""
    until = time.time() + seconds
    value = base64.urlsafe_b64encode("|".join([*parts, str(int(until))]).encode()).decode()
    expires = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(until))
    return [
        f"{name}={value}; Expires={expires}; Path=/".encode(),
        f"{name}CORS={value}; Expires={expires}; Path=/; SameSite=None; Secure".encode(),
    ]


def _unpack(value: str) -> list[str]:
    """The parts of a cookie that has not expired; none for one that is not ours."""
    try:
        *parts, until = base64.urlsafe_b64decode(value).decode().split("|")
        return parts if float(until) > time.time() else []
    except (ValueError, binascii.Error):
        return []
