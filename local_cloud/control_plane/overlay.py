# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The overlay's registry: what we add to ministack, and what a handler gets to work with.

How to change an API (files in `services/`, and `local_cloud/data_plane/overlay.py` if that exists, are imported
at start):

    @registry.handles("elbv2", "DescribeTargetHealth")
    async def describe_target_health(call: Call) -> dict[str, Any]:
        answer = await call.forward()          # what ministack says, shaped as boto3 shows it
        answer["TargetHealthDescriptions"] = …
        return answer

- Service and operation are botocore's names. `call.params` has the shape that a boto3 user writes; the answer has
  the shape that boto3 returns, without ResponseMetadata. The overlay translates both for the client's protocol.
- `raise AwsError("TargetGroupNotFound", "…")` answers as AWS does; the HTTP status comes from botocore's model.
- `call.forward()` asks the next handler of the same operation, registered earlier, and in the end ministack;
  `call.forward({...})` asks with other parameters. Not calling it replaces the operation. The data plane's handlers
  are registered last, so they stand in front of those in `services/`.
- `call.invoke("secretsmanager", "CreateSecret", {...})` makes another call in the same account and region, past
  the call log and fault injection, through the handlers registered here.
- A handler may be a plain function when it neither forwards nor invokes.
- `registry.new_service("application-autoscaling")` declares a service that ministack does not have.

What must outlive a restart belongs in a `Store` (`stores.py`): a dict of JSON values, one for each account and
region, saved and reset with ministack's state.

Admin routes (JSON in, JSON out):

    @registry.admin("GET", "/calls")
    async def calls(request: AdminRequest) -> Any: …

answers `GET /_cloud/calls?since=…`. It raises AwsError(code, message, status) for an error.

`registry.after_write(hook)`: `await hook(call)` after each call that changed something and succeeded.
`registry.at_reset(hook)`: `await hook()` when the account is emptied.
`registry.at_start(hook)`: `await hook(gateway)` in the background, as long as the cloud runs.

A part of the cloud that calls the APIs over HTTP sends the header `x-local-cloud-internal: 1`: such calls are not
logged and no fault strikes them. The data plane says `POST /_cloud/parts {"name": "data_plane", "ready": true}` when
it serves; `up` waits for that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from local_cloud.control_plane.wire import models
from local_cloud.control_plane.wire.models import Classified, HttpRequest
from local_cloud.control_plane.wire.responses import AwsError

if TYPE_CHECKING:
    from local_cloud.control_plane.gateway import Gateway

__all__ = ["AdminRequest", "AwsError", "Call", "Params", "Registry", "registry"]

Params = dict[str, Any]
Handler = Callable[["Call"], Params | Awaitable[Params]]
Hook = TypeVar("Hook", bound=Callable[..., Awaitable[Any]])


@dataclass
class AdminRequest:
    """A request to `/_cloud/…`: the query's first values and the JSON body (None when empty)."""

    gateway: Gateway
    query: dict[str, str]
    body: Any


@dataclass
class Call:
    """One AWS call on its way through the overlay."""

    gateway: Gateway
    classified: Classified
    params: Params
    account: str
    request: HttpRequest
    layer: int = 0  # how many of the operation's handlers this call has passed

    @property
    def service(self) -> str:
        return self.classified.service

    @property
    def operation(self) -> str:
        return self.classified.operation.name

    @property
    def region(self) -> str:
        return self.classified.signature.region

    async def forward(self, params: Params | None = None) -> Params:
        """The answer of the handler below, or of ministack; to other parameters if given. Raises AwsError."""
        return await self.gateway.forward(self, params)

    async def invoke(self, service: str, operation: str, params: Params, region: str | None = None) -> Params:
        """The answer to another call in this account. Raises AwsError."""
        return await self.gateway.invoke(service, operation, params, region or self.region, self.account)


class Registry:
    """What the overlay adds to ministack. Filled by decorators at import."""

    def __init__(self) -> None:
        self.handlers: dict[tuple[str, str], list[Handler]] = {}  # the first is asked first
        self.admin_routes: dict[tuple[str, str], Callable[[AdminRequest], Awaitable[Any]]] = {}
        self.services: set[str] = set()
        self.write_hooks: list[Callable[[Call], Awaitable[None]]] = []
        self.reset_hooks: list[Callable[[], Awaitable[None]]] = []
        self.start_hooks: list[Callable[[Gateway], Awaitable[None]]] = []

    def handles(self, service: str, *operations: str) -> Callable[[Handler], Handler]:
        """Answer these operations with the decorated function."""

        def register(handler: Handler) -> Handler:
            for operation in operations:
                if operation not in models.service_model(service).operation_names:
                    raise ValueError(f"{service} has no operation {operation} in botocore's model")
                self.handlers.setdefault((service, operation), []).insert(0, handler)
            return handler

        return register

    def new_service(self, service: str) -> None:
        """Declare a service that ministack lacks; operations without a handler answer 501 NotImplemented."""
        self.services.add(service)

    def admin(self, method: str, path: str) -> Callable[[Hook], Hook]:
        """Answer `method /_cloud<path>` with the decorated coroutine function."""

        def register(route: Hook) -> Hook:
            self.admin_routes[(method, path)] = route
            return route

        return register

    def after_write(self, hook: Hook) -> Hook:
        self.write_hooks.append(hook)
        return hook

    def at_reset(self, hook: Hook) -> Hook:
        self.reset_hooks.append(hook)
        return hook

    def at_start(self, hook: Hook) -> Hook:
        self.start_hooks.append(hook)
        return hook


registry = Registry()
