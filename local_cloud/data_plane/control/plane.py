# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control plane's half of the data plane: follows what is written, publishes what the parts shall do."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ministack.core.responses import request_scope

from local_cloud.control_plane.overlay import AwsError
from local_cloud.control_plane.services.elbv2 import state as elbv2
from local_cloud.data_plane.control import ecs, edge, snapshot
from local_cloud.data_plane.control.hub import Document, Signal
from local_cloud.data_plane.control.settings import Settings
from local_cloud.data_plane.control.targets import Targets

if TYPE_CHECKING:
    from local_cloud.control_plane.gateway import Gateway

logger = logging.getLogger("local_cloud.data_plane")

Record = dict[str, Any]
Scope = tuple[str, str]  # (account, region)
Lister = tuple[Callable[[], set[Scope]], Callable[["Plane", Scope], Awaitable[list[Record]]]]

_TICK = 0.25  # seconds between looks at what only time changes
_LOOK_AGAIN = 20  # ticks after which all is read again, whatever was said to have changed

registered_only: ContextVar[bool] = ContextVar("registered_only", default=False)


class Plane:
    """`states`: database or cache → what the agent last said of it; `proxied`: DB proxy → its cluster's ARN."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.signal = Signal()
        self.targets = Targets()
        self.ecs = ecs.Ecs(self.targets, self.invoke)
        self.agent = Document()
        self.load_balancer = Document()
        self.status: dict[str, Any] = {}
        self.states: dict[str, str] = {}
        self.details: dict[str, str] = {}  # the same for people
        self.proxied: dict[str, str] = {}
        self.list_former: Callable[[], set[str]] = set  # ARNs of databases that were renamed: their addresses are kept
        self.list_snapshots: Callable[[], dict[str, str]] = dict  # key of a snapshot → key of the server to copy
        self.listers: dict[str, tuple[str, Lister]] = {}  # document member → (service, how to list it)
        self._listed: dict[str, list[Record]] = {}
        self._gateway: Gateway | None = None

    async def invoke(self, scope: Scope, service: str, operation: str, parameters: Record) -> Record:
        """A call of the data plane's own. Raises AwsError."""
        assert self._gateway is not None
        if operation in ("RegisterTargets", "DeregisterTargets"):
            self.signal.changed("elbv2")
        return await self._gateway.invoke(service, operation, parameters, scope[1], scope[0])

    async def registered(self, scope: Scope, group: str) -> Record:
        """DescribeTargetHealth as the control plane alone would answer it."""
        token = registered_only.set(True)
        try:
            return await self.invoke(scope, "elbv2", "DescribeTargetHealth", {"TargetGroupArn": group})
        finally:
            registered_only.reset(token)

    @staticmethod
    def in_scope(scope: Scope) -> AbstractContextManager[None]:
        """In which a store holds the records of that account and region."""
        return request_scope(*scope)

    async def run(self, gateway: Gateway) -> None:
        """Follow the control plane as long as it runs."""
        self._gateway = gateway
        self.signal.bind()
        self.ecs.forget_former_life()
        ticks = 0
        while True:
            changed = await self.signal.wait(_TICK)
            ticks += 1
            try:
                await self._step(changed, everything=ticks % _LOOK_AGAIN == 1)
            except Exception:  # one resource that cannot be read must not stop all others
                logger.exception("the data plane could not follow a change of %s", changed or "time")

    async def _step(self, changed: set[str], everything: bool) -> None:
        self.ecs.time_scale = self.settings.time_scale
        for scope in self.ecs.scopes():
            await self.ecs.step(scope)
        if everything or self.targets.end_of_drains() or changed & {"elbv2", "cloudfront", "settings", "acm"}:
            await self._publish_load_balancers()
        for member, (service, lister) in self.listers.items():
            # A password may change in Secrets Manager.
            if everything or changed & {service, "settings", "secretsmanager"}:
                try:
                    self._listed[member] = await self._list(lister)
                except (AwsError, KeyError, ValueError):  # the servers stay as they are; the next look may succeed
                    logger.exception("reading the %s of %s", member, service)
                else:
                    living = {item["arn"] for item in self._listed[member]} | self.list_former()
                    self.settings.release(member.removesuffix("s"), living)
                    self._forget_states()
        tasks = [
            task
            for scope in sorted(self.ecs.scopes())
            for task in await snapshot.tasks(self.invoke, scope, self.ecs.tasks(scope))
        ]
        self.agent.publish(
            {
                "settings": self._shared_settings(),
                "tasks": tasks,
                "images": self.settings.images,
                "snapshots": self.list_snapshots(),
                **{member: self._listed.get(member, []) for member in self.listers},
            }
        )

    def _forget_states(self) -> None:
        """What is gone may come again under its name, and is not available then because it once was."""
        living = {item["key"] for items in self._listed.values() for item in items}
        for known in (self.states, self.details):
            for key in known.keys() - living:
                del known[key]

    async def _list(self, lister: Lister) -> list[Record]:
        scopes, specs = lister
        return [spec for scope in sorted(scopes()) for spec in await specs(self, scope)]

    def _shared_settings(self) -> Record:
        return {"network": self.settings.network, **self.settings.public()}

    async def _publish_load_balancers(self) -> None:
        scopes = {
            (account, region)
            for records in (elbv2.load_balancers, elbv2.target_groups)
            for account, region, _ in list(records._data)
        }
        balancers, groups = [], []
        for scope in sorted(scopes):
            try:
                found = await snapshot.load_balancers(self, scope, self.targets, self.settings)
            except AwsError as error:  # deleted while it was being read
                logger.info("load balancers of %s: %s; reading again", scope[1], error)
                self.signal.changed("elbv2")
                return
            balancers += found[0]
            groups += found[1]
        self.targets.forget_all_but({group["arn"] for group in groups})
        self.settings.release("load_balancer", {balancer["arn"] for balancer in balancers})
        doors, behind = edge.doors(self.settings, int(os.environ.get("GATEWAY_PORT", "4566")))
        self.load_balancer.publish(
            {
                "settings": self._shared_settings(),
                "load_balancers": balancers + doors,
                "target_groups": groups + behind,
            }
        )
