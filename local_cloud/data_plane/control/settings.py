# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the data plane remembers beside AWS's resources: settings, images, addresses. One JSON file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud.data_plane import addresses


@dataclass
class Settings:
    """`time_scale` multiplies health-check intervals, drain delays, grace periods and pauses; 1 is AWS's time.

    `lag`: seconds after which a load-balancer node learns of a change, by node number; nodes not named: `default_lag`.
    """

    path: Path
    network: int  # second octet of the cloud's addresses
    time_scale: float = 1.0
    nodes: int = 2  # of each load balancer, 1 to 6
    default_lag: float = 0.05
    lag: dict[str, float] = field(default_factory=dict)
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocks: dict[str, dict[str, int]] = field(default_factory=dict)

    members: dict[str, dict[str, int]] = field(default_factory=dict)

    _SAVED = ("time_scale", "nodes", "default_lag", "lag", "images", "blocks", "members")

    @classmethod
    def load(cls, path: Path, network: int) -> Settings:
        settings = cls(path, network)
        if path.exists():
            for name, value in json.loads(path.read_text()).items():
                setattr(settings, name, value)
        return settings

    def save(self) -> None:
        """Replace the file in one step, so that a kill leaves the old or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps({name: getattr(self, name) for name in self._SAVED}))
        os.replace(beside, self.path)

    def change(self, wanted: dict[str, Any]) -> None:
        """Take new settings. Raises ValueError on one that is unknown or out of range; then none is taken."""
        known: dict[str, Callable[[Any], Any]] = {"time_scale": float, "nodes": int, "lag": lambda lag: lag}
        if unknown := wanted.keys() - known.keys():
            raise ValueError(f"unknown settings {sorted(unknown)}; known are {sorted(known)}")
        new = {name: known[name](value) for name, value in wanted.items()}
        if not 0 < new.get("time_scale", 1) <= 10 or not 1 <= new.get("nodes", 1) <= 6:
            raise ValueError("time_scale is above 0 and at most 10, nodes are 1 to 6")
        lag = new.pop("lag", None)
        if isinstance(lag, dict):
            self.lag = {str(int(node)): float(seconds) for node, seconds in lag.items()}
        elif lag is not None:
            self.default_lag, self.lag = float(lag), {}
        for name, value in new.items():
            setattr(self, name, value)
        self.save()

    def public(self) -> dict[str, Any]:
        return {"time_scale": self.time_scale, "nodes": self.nodes, "lag": {"default": self.default_lag, **self.lag}}

    def block(self, kind: str, owner: str) -> list[str]:
        """The addresses of a load balancer, database or cache; given when first asked for."""
        given = self.blocks.setdefault(kind, {})
        if owner not in given:
            given[owner] = next(number for number in range(10_000) if number not in given.values())
            self.save()
        return addresses.block(self.network, kind, given[owner])

    def member(self, owner: str, name: str) -> int:
        """The number of a member of a database cluster, 0 first; given when first asked for."""
        given = self.members.setdefault(owner, {})
        if name not in given:
            given[name] = next(number for number in range(10_000) if number not in given.values())
            self.save()
        return given[name]

    def release(self, kind: str, living: set[str]) -> None:
        """Take back the addresses of what exists no more."""
        given = self.blocks.get(kind, {})
        if gone := given.keys() - living:
            for owner in gone:
                del given[owner]
                self.members.pop(owner, None)
            self.save()
