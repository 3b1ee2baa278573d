# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Our handlers in front of ministack's, behind its routing and IAM: an AWS call's way through the layers."""

from __future__ import annotations

import dataclasses
import inspect
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlencode

from botocore.serialize import create_serializer
from ministack import app as ministack
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, request_scope

from local_cloud.control_plane import asgi
from local_cloud.control_plane.overlay import Call, Params, Registry
from local_cloud.control_plane.wire import models, requests, responses
from local_cloud.control_plane.wire.models import Classified, HttpRequest, Signature
from local_cloud.control_plane.wire.responses import AwsError, HttpResponse

if TYPE_CHECKING:
    from local_cloud.control_plane.gateway import Gateway

Backend = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[tuple[int, dict[str, str], Any]]]

logger = logging.getLogger("local_cloud")

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
class Pending:
    """The call that the current request is, until its handler has begun, and the request as it came."""

    classified: Classified
    request: HttpRequest


_pending: ContextVar[Pending | None] = ContextVar("_pending", default=None)

# Where our handler leaves the request id of its answer, for the headers that ministack writes over.
_answered: ContextVar[list[str] | None] = ContextVar("_answered", default=None)


class Handlers:
    """Puts the registry's handlers in front of ministack's, and lets them call one another."""

    def __init__(self, gateway: Gateway, registry: Registry) -> None:
        self._gateway = gateway
        self._registry = registry
        self._backends: dict[str, Backend] = dict(ministack.SERVICE_HANDLERS)
        self._put_behind_ministacks_routing()

    def _put_behind_ministacks_routing(self) -> None:
        lacking = self._registry.services - {_BOTOCORE_NAMES.get(name, name) for name in self._backends}
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
        return call.service in self._registry.services or (call.service, call.operation.name) in self._registry.handlers

    async def _answer(self, pending: Pending, request: HttpRequest) -> HttpResponse:
        """Our handlers' response. `request` is what ministack made of the pending one: its path is unquoted."""
        classified = pending.classified
        request_id = str(uuid.uuid4())
        ours = _answered.get()
        if ours is not None:
            ours.append(request_id)
        try:
            params = requests.parameters(classified, pending.request)
            call = Call(self._gateway, classified, params, get_account_id(), request)
            return responses.success(classified, await self._run(call), request_id)
        except AwsError as error:
            return responses.failure(classified, error, request_id)
        except Exception:  # a defect of ours must answer as a defect of AWS would
            logger.exception("%s:%s failed in the overlay", classified.service, classified.operation.name)
            defect = AwsError("InternalFailure", "The local cloud's handler failed; see its log.", 500)
            return responses.failure(classified, defect, request_id)

    async def _run(self, call: Call) -> Params:
        handlers = self._registry.handlers.get((call.service, call.operation), [])
        if call.layer < len(handlers):
            answer = handlers[call.layer](call)
            return await answer if inspect.isawaitable(answer) else answer
        if call.service in self._registry.services:
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
            call = Call(self._gateway, classified, params, account, self._build_request(classified, params))
            token = _pending.set(None)
            try:
                answer = await self._run(call)
            finally:
                _pending.reset(token)
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

    # Through ministack's routing.

    async def through_ministack(self, scope: Any, body: bytes, pending: Pending | None) -> HttpResponse:
        """The response to a whole request of a client."""
        ours: list[str] = []
        tokens = _pending.set(pending), _answered.set(ours)
        try:
            response = await asgi.collect(ministack.app, scope, body)
        finally:
            _pending.reset(tokens[0])
            _answered.reset(tokens[1])
        if ours:
            named = {"x-amzn-requestid": ours[0], "x-amz-request-id": ours[0]}
            kept = {name: value for name, value in response.headers.items() if name.lower() not in named}
            response = dataclasses.replace(response, headers={**kept, **named})
        return response


def _wire_protocol(service: str) -> str:
    protocol = models.service_model(service).resolved_protocol
    return "json" if protocol == "smithy-rpc-v2-cbor" else str(protocol)
