# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One node of the load balancers: what it knows, learned at its own pace."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any

from local_cloud.data_plane.load_balancer.client import Client
from local_cloud.data_plane.load_balancer.health import check_forever
from local_cloud.data_plane.load_balancer.metrics import BalancerCounts
from local_cloud.data_plane.load_balancer.rules import Rule
from local_cloud.data_plane.load_balancer.targets import Address, Group, Target

logger = logging.getLogger("load_balancer")

Record = dict[str, Any]

_IDLE_TIMEOUT = 60.0  # seconds, ELB's default


class Node:
    """Node `number` of every load balancer. It serves by what it has learned, which may be older than what is set."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.listeners: dict[tuple[str, int], list[Rule]] = {}  # (load balancer, port) → rules in order
        self.groups: dict[str, Group] = {}
        self.clients: set[Client] = set()
        self.idle_timeouts: dict[str, float] = {}
        self._counts: dict[str, BalancerCounts] = {}
        self._version = -1
        self._time_scale = 1.0
        self._background: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def balancer_counts(self, balancer: str) -> BalancerCounts:
        return self._counts.setdefault(balancer, BalancerCounts())

    def learn(self, version: int, document: Record) -> None:
        """Serve by `document` from now on, unless a newer one is known."""
        if version <= self._version:
            return
        self._version = version
        rescaled = document["settings"]["time_scale"] != self._time_scale
        self._time_scale = document["settings"]["time_scale"]
        listeners = {}
        for balancer in document["load_balancers"]:
            self.idle_timeouts[balancer["arn"]] = balancer["idle_timeout"]
            for listener in balancer["listeners"]:
                try:
                    rules = [Rule.compile(rule) for rule in listener["rules"]]
                except (KeyError, ValueError) as error:
                    logger.warning("listener %s: %s; it serves by its default rule", listener["arn"], error)
                    rules = [Rule.compile(listener["rules"][-1])]
                listeners[(balancer["arn"], listener["port"])] = rules
        self.listeners = listeners
        for client in list(self.clients):
            if (client.listener.balancer, client.listener.port) not in listeners:
                client.close_when_idle()
        known = {group["arn"] for group in document["target_groups"]}
        for arn in self.groups.keys() - known:
            for target in self.groups.pop(arn).targets.values():
                target.remove()
        for group in document["target_groups"]:
            self._learn_group(group, rescaled)

    def _learn_group(self, config: Record, rescaled: bool) -> None:
        group = self.groups.setdefault(config["arn"], Group(config["arn"]))
        recheck = rescaled or group.config.get("health_check") != config["health_check"]
        group.config = config
        registered = {(host, port) for host, port in config["targets"]}
        draining = {(host, port) for host, port in config["draining"]}
        for address in group.targets.keys() - registered - draining:
            group.targets.pop(address).remove()
        for address in registered:
            if address in group.targets and group.targets[address].draining:
                group.targets.pop(address).remove()  # it was registered anew
            target = group.targets.setdefault(address, Target(address))
            if config["used"] and (target.checking is None or recheck):
                if target.checking:
                    target.checking.cancel()
                check = check_forever(target, config["health_check"], self._time_scale)
                target.checking = asyncio.get_running_loop().create_task(check)
            elif not config["used"]:
                if target.checking:
                    target.checking.cancel()
                group.targets[address] = Target(address)
        for address in draining & group.targets.keys():
            group.targets[address].drain()

    def drained(self, arn: str, address: Address) -> bool:
        """True if this node knows that the target drains, and has no request there."""
        group = self.groups.get(arn)
        target = group.targets.get(address) if group else None
        if target is None:
            return group is not None and list(address) in group.config["draining"]
        return target.draining and not target.busy

    def look_for_timeouts(self) -> None:
        now = time.monotonic()
        for client in list(self.clients):
            client.look_for_timeouts(now, self.idle_timeouts.get(client.listener.balancer, _IDLE_TIMEOUT))
        # Before the targets' own keep-alive ends: a request on a connection that is being closed would be lost.
        longest = min(self.idle_timeouts.values(), default=_IDLE_TIMEOUT)
        for group in self.groups.values():
            for target in group.targets.values():
                while target.idle and now - target.idle[0].idle_since > longest:
                    target.idle.popleft().close()

    def take_balancer_counts(self) -> dict[str, BalancerCounts]:
        return {balancer: counts.take() for balancer, counts in self._counts.items()}
