# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ASGI application: logs each AWS call, lets faults strike, answers with our handlers or with ministack."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from botocore.serialize import create_serializer
from hypercorn.events import Closed
from ministack import app as ministack
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, request_scope

from local_cloud.control_plane.call_log import CallLog, Entry, redacted
from local_cloud.control_plane.faults import Faults
from local_cloud.control_plane.overlay import AdminRequest, Call, Params, Registry
from local_cloud.control_plane.persistence import Saver
from local_cloud.control_plane.wire import models, requests, responses
from local_cloud.control_plane.wire.models import Classified, HttpRequest, Signature
from local_cloud.control_plane.wire.responses import AwsError, HttpResponse

Backend = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[tuple[int, dict[str, str], Any]]]

logger = logging.getLogger("local_cloud")

INTERNAL_HEADER = "x-local-cloud-internal"
_ADMIN_PREFIX = "/_cloud"

# ministack's name of a service, where it is not botocore's.
_MINISTACK_NAMES = {
    "elbv2": "elasticloadbalancing",
    "cloudwatch": "monitoring",
    "stepfunctions": "states",
    "resourcegroupstaggingapi": "tagging",
    "efs": "elasticfilesystem",
    "sesv2": "ses",
    "s3control": "s3",
    "opensearch": "es",
}

_BOTOCORE_NAMES = {name: service for service, name in _MINISTACK_NAMES.items()}


@dataclass(frozen=True)
class _Pending:
    """The call that the current request is, until its handler has begun, and the request as it came."""

    classified: Classified
    request: HttpRequest


_pending: ContextVar[_Pending | None] = ContextVar("_pending", default=None)

# Where our handler leaves the request id of its answer, for the headers that ministack writes over.
_answered: ContextVar[list[str] | None] = ContextVar("_answered", default=None)


class Gateway:
    """One cloud's front door."""

    def __init__(self, registry: Registry, call_log: CallLog, faults: Faults, saver: Saver) -> None:
        self.registry = registry
        self.call_log = call_log
        self.faults = faults
        self.saver = saver
        self.parts_ready: dict[str, bool] = {}
        self._backends: dict[str, Backend] = dict(ministack.SERVICE_HANDLERS)
        self._background: set[asyncio.Task[None]] = set()
        self._put_handlers_behind_ministacks_routing()

    # Behind ministack's routing: IAM is enforced there, before a handler runs.

    def _put_handlers_behind_ministacks_routing(self) -> None:
        lacking = self.registry.services - {_BOTOCORE_NAMES.get(name, name) for name in self._backends}
        for name in {*self._backends, *lacking}:
            ministack.SERVICE_HANDLERS[name] = self._handler_of(name)
        detect = ministack.detect_service

        def detect_ours_too(method: str, path: str, headers: dict[str, str], query: dict[str, list[str]]) -> str:
            pending = _pending.get()
            service = pending.classified.service if pending else ""
            return service if service in lacking else detect(method, path, headers, query)

        ministack.detect_service = detect_ours_too
        name_action = iam_actions.extract_iam_action

        def name_ours_too(service: str, *request: Any) -> str | None:
            pending = _pending.get()
            if pending and pending.classified.service in lacking:
                return f"{pending.classified.signature.signing_name}:{pending.classified.operation.name}"
            return name_action(service, *request)

        iam_actions.extract_iam_action = name_ours_too

    def _handler_of(self, ministack_name: str) -> Backend:
        async def handle(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
        ) -> tuple[int, dict[str, str], Any]:
            pending = _pending.get()
            service = pending.classified.service if pending else ""
            ours = _MINISTACK_NAMES.get(service, service) == ministack_name
            if pending and service == "ec2" and b"DryRun=true" in body:
                would = AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
                answer = responses.failure(pending.classified, would, str(uuid.uuid4()))
                return answer.status, answer.headers, answer.body
            if pending is None or not ours or not self._is_handled(pending.classified):
                return await self._backends[ministack_name](method, path, headers, body, query)
            token = _pending.set(None)  # what ministack calls from here on is not this call
            try:
                response = await self._answer(pending, HttpRequest(method, path, query, headers, body))
            finally:
                _pending.reset(token)
            return response.status, response.headers, response.body

        return handle

    def _is_handled(self, call: Classified) -> bool:
        return call.service in self.registry.services or (call.service, call.operation.name) in self.registry.handlers

    async def _answer(self, pending: _Pending, request: HttpRequest) -> HttpResponse:
        """Our handlers' response. `request` is what ministack made of the pending one: its path is unquoted."""
        classified = pending.classified
        request_id = str(uuid.uuid4())
        ours = _answered.get()
        if ours is not None:
            ours.append(request_id)
        try:
            params = requests.parameters(classified, pending.request)
            call = Call(self, classified, params, get_account_id(), request)
            return responses.success(classified, await self._run(call), request_id)
        except AwsError as error:
            return responses.failure(classified, error, request_id)
        except Exception:  # a defect of ours must answer as a defect of AWS would
            logger.exception("%s:%s failed in the overlay", classified.service, classified.operation.name)
            defect = AwsError("InternalFailure", "The local cloud's handler failed; see its log.", 500)
            return responses.failure(classified, defect, request_id)

    async def _run(self, call: Call) -> Params:
        handlers = self.registry.handlers.get((call.service, call.operation), [])
        if call.layer < len(handlers):
            answer = handlers[call.layer](call)
            return await answer if inspect.isawaitable(answer) else answer
        if call.service in self.registry.services:
            raise AwsError("NotImplemented", f"The local cloud lacks {call.service}:{call.operation}.", 501)
        return await self._ask_ministack(call)

    # Calls from handlers.

    async def forward(self, call: Call, params: Params | None) -> Params:
        """What the next handler below says to this call, or ministack. Raises AwsError."""
        request = call.request if params is None else self._build_request(call.classified, params)
        wanted = call.params if params is None else params
        return await self._run(dataclasses.replace(call, params=wanted, request=request, layer=call.layer + 1))

    async def _ask_ministack(self, call: Call) -> Params:
        request = call.request
        backend = self._backends[_MINISTACK_NAMES.get(call.service, call.service)]
        status, headers, body = await backend(
            request.method, request.path, request.headers, request.body, request.query
        )
        response = HttpResponse(status, headers, body.encode() if isinstance(body, str) else body or b"")
        return responses.parse(call.classified, response)

    async def invoke(self, service: str, operation: str, params: Params, region: str, account: str) -> Params:
        """The answer to a call of the cloud's own: not logged, no faults, no IAM. Raises AwsError."""
        model = models.service_model(service)
        signature = Signature("internal", region, model.signing_name)
        classified = Classified(service, model.operation_model(operation), _wire_protocol(service), signature)
        with request_scope(account, region):
            call = Call(self, classified, params, account, self._build_request(classified, params))
            token = _pending.set(None)
            try:
                answer = await self._run(call)
            finally:
                _pending.reset(token)
        if classified.writes:
            self.saver.mark()
        return answer

    @staticmethod
    def _build_request(classified: Classified, params: Params) -> HttpRequest:
        serializer = create_serializer(classified.protocol, include_validation=False)
        wire = serializer.serialize_to_request(params, classified.operation)
        body = wire["body"]
        if isinstance(body, dict):
            body = urlencode(body)
        path, _, fixed = wire["url_path"].partition("?")
        query = parse_qs(fixed, keep_blank_values=True)
        for name, value in (wire["query_string"] or {}).items():
            query[name] = [str(item) for item in value] if isinstance(value, list) else [str(value)]
        scope = classified.signature
        headers = {name.lower(): str(value) for name, value in wire["headers"].items()}
        headers["host"] = "127.0.0.1"
        credential = f"{scope.access_key_id}/20260101/{scope.region}/{scope.signing_name}/aws4_request"
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}"
        return HttpRequest(
            wire["method"], unquote(path), query, headers, body if isinstance(body, bytes) else str(body).encode()
        )

    # In front of ministack: ASGI.

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
                    self._background.add(asyncio.create_task(hook(self)))  # type: ignore[arg-type]
                self.parts_ready["control_plane"] = True
            await send(message)

        await ministack.app(scope, receive, started)
        for task in self._background:
            task.cancel()

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        request = _request_head(scope) if scope["type"] == "http" else None
        signature = models.signature_of(request) if request else None
        if request is None or signature is None:
            await ministack.app(scope, receive, send)  # a website's or a function's traffic, or a web socket
            return
        body = await _whole_body(receive)
        path, decoded = request.path, body
        if signature.signing_name == "s3":
            bucket = ministack._extract_s3_vhost_bucket(request.headers.get("host", ""))
            path = f"/{bucket}{path}" if bucket else path
        else:
            decoded = ministack._decompress_request_body(body, request.headers)
        request = dataclasses.replace(request, path=path, body=decoded)
        await self._aws_call(scope, body, request, signature, send)

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
            response = await self._through_ministack(scope, body, _Pending(classified, request) if classified else None)
        if not internal:
            self._log(seq, began, classified, request, signature, response, took_effect, lost)
        if took_effect and (classified is None or classified.writes) and response.status < 300:
            await self._after_write(classified, request)
        if lost:
            await _drop_connection(send)
            return
        await _send(send, response, head=request.method == "HEAD")

    async def _through_ministack(self, scope: Any, body: bytes, pending: _Pending | None) -> HttpResponse:
        ours: list[str] = []
        tokens = _pending.set(pending), _answered.set(ours)
        try:
            response = await _collect(ministack.app, scope, body)
        finally:
            _pending.reset(tokens[0])
            _answered.reset(tokens[1])
        if ours:
            named = {"x-amzn-requestid": ours[0], "x-amz-request-id": ours[0]}
            kept = {name: value for name, value in response.headers.items() if name.lower() not in named}
            response = dataclasses.replace(response, headers={**kept, **named})
        return response

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
        body = await _whole_body(receive)
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
        await _send(send, HttpResponse(status, {"Content-Type": "application/json"}, content), head=False)


def _request_head(scope: Any) -> HttpRequest:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    return HttpRequest(scope["method"], scope["raw_path"].decode("latin-1"), query, headers, b"")


def _wire_protocol(service: str) -> str:
    protocol = models.service_model(service).resolved_protocol
    return "json" if protocol == "smithy-rpc-v2-cbor" else str(protocol)


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


async def _whole_body(receive: Any) -> bytes:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(chunks)
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _collect(app: Any, scope: Any, body: bytes) -> HttpResponse:
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


async def _send(send: Any, response: HttpResponse, head: bool) -> None:
    headers = {name.lower(): value for name, value in response.headers.items() if name.lower() != "transfer-encoding"}
    if not head:
        headers["content-length"] = str(len(response.body))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if head else response.body})


async def _drop_connection(send: Any) -> None:
    """Close the client's connection without an answer. ASGI has no word for it: this is hypercorn 0.18's stream."""
    stream = send.__self__
    stream.closed = True
    await stream.send.__self__.send(Closed())
