# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A target as one node sees it: its health, its connections."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from local_cloud.data_plane.load_balancer.metrics import GroupCounts

if TYPE_CHECKING:
    from local_cloud.data_plane.load_balancer.upstream import Upstream

Address = tuple[str, int]

INITIAL = {
    "State": "initial",
    "Reason": "Elb.InitialHealthChecking",
    "Description": "Initial health checks in progress",
}
HEALTHY = {"State": "healthy"}


class Target:
    """One registered or draining target of a group. Connections in `idle` are the newest last."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.health: dict[str, str] = INITIAL
        self.passed = 0  # health checks in a row
        self.failed = 0
        self.draining = False
        self.idle: deque[Upstream] = deque()
        self.busy: set[Upstream] = set()
        self.checking: asyncio.Task[None] | None = None

    @property
    def is_healthy(self) -> bool:
        return self.health["State"] == "healthy"

    def drain(self) -> None:
        """No more requests; those in flight may finish."""
        self.draining = True
        self._stop_checking()
        while self.idle:
            self.idle.pop().close()

    def remove(self) -> None:
        """End whatever still goes to the target."""
        self.drain()
        for connection in list(self.busy):
            connection.close()

    def _stop_checking(self) -> None:
        if self.checking:
            self.checking.cancel()
            self.checking = None


class Group:
    """A target group as one node knows it at the moment."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.config: dict[str, Any] = {}
        self.targets: dict[Address, Target] = {}
        self.counts = GroupCounts()
        self._turn = 0

    def choose(self) -> Target | None:
        """The next target, round robin among the healthy ones; among all of them if none is healthy (fail open)."""
        serving = [target for target in self.targets.values() if not target.draining]
        if not serving:
            return None
        healthy = [target for target in serving if target.is_healthy] or serving
        self._turn += 1
        return healthy[self._turn % len(healthy)]

    def healthy_hosts(self) -> tuple[int, int]:
        """(healthy, unhealthy) targets."""
        states = [target.is_healthy for target in self.targets.values() if not target.draining]
        return sum(states), len(states) - sum(states)
