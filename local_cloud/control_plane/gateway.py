# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ASGI application in front of ministack: logs each AWS call, lets faults strike, answers the admin routes."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import time
import uuid
from typing import Any
from urllib.parse import parse_qs

from ministack import app as ministack
from ministack.core.responses import get_account_id, request_scope

from local_cloud.control_plane import asgi
from local_cloud.control_plane.call_log import CallLog, Entry, redacted
from local_cloud.control_plane.faults import Faults
from local_cloud.control_plane.handlers import Handlers, Pending
from local_cloud.control_plane.overlay import AdminRequest, Call, Params, Registry
from local_cloud.control_plane.persistence import Saver
from local_cloud.control_plane.wire import models, requests, responses
from local_cloud.control_plane.wire.models import Classified, HttpRequest, Signature
from local_cloud.control_plane.wire.responses import AwsError, HttpResponse

logger = logging.getLogger("local_cloud")

INTERNAL_HEADER = "x-local-cloud-internal"
_ADMIN_PREFIX = "/_cloud"


class Gateway:
    """One cloud's front door."""

    def __init__(self, registry: Registry, call_log: CallLog, faults: Faults, saver: Saver) -> None:
        self.registry = registry
        self.call_log = call_log
        self.faults = faults
        self.saver = saver
        self.parts_ready: dict[str, bool] = {}
        self.calls_under_way = 0  # of clients; one that was killed has left its last call behind
        self._handlers = Handlers(self, registry)
        self._background: set[asyncio.Future[None]] = set()

    async def forward(self, call: Call, params: Params | None) -> Params:
        """What the next handler below says to this call, or ministack. Raises AwsError."""
        return await self._handlers.forward(call, params)

    async def invoke(self, service: str, operation: str, params: Params, region: str, account: str) -> Params:
        """The answer to a call of the cloud's own: not logged, no faults, no IAM. Raises AwsError."""
        answer = await self._handlers.invoke(service, operation, params, region, account)
        if models.is_write(operation):
            self.saver.mark()
        return answer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(_ADMIN_PREFIX + "/"):
            await self._admin(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _lifespan(self, scope: Any, receive: Any, send: Any) -> None:
        async def started(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                for hook in (*self.registry.start_hooks, self.saver.run):
                    self._background.add(asyncio.ensure_future(hook(self)))
                self.parts_ready["control_plane"] = True
            await send(message)

        await ministack.app(scope, receive, started)
        for task in self._background:
            task.cancel()

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        request = asgi.request_head(scope) if scope["type"] == "http" else None
        signature = models.signature_of(request) if request else None
        if request is None or signature is None:
            await ministack.app(scope, receive, send)  # a website's or a function's traffic, or a web socket
            return
        body = await asgi.whole_body(receive)
        path, decoded = request.path, body
        if signature.signing_name == "s3":
            bucket = ministack._extract_s3_vhost_bucket(request.headers.get("host", ""))
            path = f"/{bucket}{path}" if bucket else path
        else:
            decoded = ministack._decompress_request_body(body, request.headers)
        request = dataclasses.replace(request, path=path, body=decoded)
        internal = INTERNAL_HEADER in request.headers
        self.calls_under_way += not internal
        try:
            await self._aws_call(scope, body, request, signature, send)
        finally:
            self.calls_under_way -= not internal

    async def _aws_call(self, scope: Any, body: bytes, request: HttpRequest, signature: Signature, send: Any) -> None:
        began, seq = time.time(), self.call_log.next_seq()
        classified = models.classify(request, signature)
        internal = INTERNAL_HEADER in request.headers
        took_effect, lost = True, False
        response: HttpResponse | None = None
        if classified and not internal:
            delay = self.faults.table_latency_ms(classified)
            for fault in self.faults.striking(classified):
                if fault.kind == "latency":
                    delay += fault.latency_ms
                elif fault.kind == "lost_reply":
                    lost = True
                elif response is None:
                    response = responses.failure(classified, fault.answer(classified), str(uuid.uuid4()))
                    took_effect = False
            if delay:
                await asyncio.sleep(delay / 1000)
        if response is None:
            response = await self._handlers.through_ministack(
                scope, body, Pending(classified, request) if classified else None
            )
        if not internal:
            self._log(seq, began, classified, request, signature, response, took_effect, lost)
        if took_effect and (classified is None or classified.writes) and response.status < 300:
            await self._after_write(classified, request)
        if lost:
            await asgi.drop_connection(send)
            return
        await asgi.send_response(send, response, head=request.method == "HEAD")

    async def _after_write(self, classified: Classified | None, request: HttpRequest) -> None:
        self.saver.mark()
        if classified is None or not self.registry.write_hooks:
            return
        with request_scope(get_account_id(), classified.signature.region):
            call = Call(self, classified, _parameters(classified, request), get_account_id(), request)
            for hook in self.registry.write_hooks:
                try:
                    await hook(call)
                except Exception:  # a part that cannot follow must not undo the client's call
                    logger.exception("a write hook failed after %s:%s", call.service, call.operation)

    def _log(
        self,
        seq: int,
        began: float,
        classified: Classified | None,
        request: HttpRequest,
        signature: Signature,
        response: HttpResponse,
        took_effect: bool,
        lost: bool,
    ) -> None:
        parameters: Any = {}
        error = None
        if classified:
            parameters = redacted(_parameters(classified, request), classified.operation.input_shape)
            if response.status >= 300:
                error = _error_code(classified, response)
        writes = classified.writes if classified else request.method not in ("GET", "HEAD")
        if isinstance(parameters, dict) and (parameters.get("DryRun") or parameters.get("dryRun")):
            writes = False
        headers = {name.lower(): value for name, value in response.headers.items()}
        self.call_log.add(
            Entry(
                seq=seq,
                time=began,
                service=classified.service if classified else signature.signing_name,
                action=classified.operation.name if classified else f"{request.method} {request.path}",
                region=signature.region,
                writes=writes,
                parameters=parameters,
                status=0 if lost else response.status,
                error="LostReply" if lost else error,
                request_id=headers.get("x-amzn-requestid") or headers.get("x-amz-request-id", ""),
                latency_ms=round((time.time() - began) * 1000, 2),
                took_effect=took_effect and response.status < 300,
            )
        )

    # Admin routes.

    async def _admin(self, scope: Any, receive: Any, send: Any) -> None:
        body = await asgi.whole_body(receive)
        route = self.registry.admin_routes.get((scope["method"], scope["path"].removeprefix(_ADMIN_PREFIX)))
        query = {
            name: values[0] for name, values in parse_qs(scope["query_string"].decode(), keep_blank_values=True).items()
        }
        status, answer = 200, None
        try:
            if route is None:
                known = ", ".join(
                    sorted(f"{method} {_ADMIN_PREFIX}{path}" for method, path in self.registry.admin_routes)
                )
                raise AwsError("NoSuchRoute", f"no route {scope['method']} {scope['path']}; there are: {known}", 404)
            answer = await route(AdminRequest(self, query, json.loads(body) if body else None))
        except AwsError as error:
            status, answer = error.status or 400, {"error": error.code, "message": error.message}
        except (ValueError, KeyError, TypeError) as error:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            status, answer = 400, {"error": type(error).__name__, "message": str(error)}
        content = json.dumps(answer, default=str).encode()
        await asgi.send_response(send, HttpResponse(status, {"Content-Type": "application/json"}, content), head=False)


def _parameters(classified: Classified, request: HttpRequest) -> Params:
    try:
        return requests.parameters(classified, request)
    except Exception:  # the client sent nonsense; ministack has said so, the log need not
        logger.warning("unreadable parameters in %s:%s", classified.service, classified.operation.name, exc_info=True)
        return {}


def _error_code(classified: Classified, response: HttpResponse) -> str:
    try:
        responses.parse(classified, response)
    except AwsError as error:
        return error.code
    except Exception:  # an answer in no protocol's form, such as an HTML page
        return str(response.status)
    return str(response.status)
