# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the gateway needs of ASGI: read a request, run an application to its end, send, drop a connection."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs

from hypercorn.events import Closed

from local_cloud.control_plane.wire.models import HttpRequest
from local_cloud.control_plane.wire.responses import HttpResponse


def request_head(scope: Any) -> HttpRequest:
    """The request without its body, which `whole_body` reads."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    return HttpRequest(scope["method"], scope["raw_path"].decode("latin-1"), query, headers, b"")


async def whole_body(receive: Any) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(chunks)
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def collect(app: Any, scope: Any, body: bytes) -> HttpResponse:
    """Run an ASGI application to its end and keep what it sends."""
    sent: list[bytes] = []
    start: dict[str, Any] = {"status": 500, "headers": []}
    delivered = False

    async def receive() -> dict[str, Any]:
        nonlocal delivered
        if delivered:
            await asyncio.Event().wait()  # the client waits for its answer: no disconnect to report
        delivered = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            sent.append(message.get("body", b""))

    await app(scope, receive, send)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return HttpResponse(start["status"], headers, b"".join(sent))


async def send_response(send: Any, response: HttpResponse, head: bool) -> None:
    headers = {name.lower(): value for name, value in response.headers.items() if name.lower() != "transfer-encoding"}
    if not head:
        headers["content-length"] = str(len(response.body))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if head else response.body})


async def drop_connection(send: Any) -> None:
    """Close the client's connection without an answer. ASGI has no word for it: this is hypercorn 0.18's stream."""
    stream = send.__self__
    stream.closed = True
    await stream.send.__self__.send(Closed())
