# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Target states: what is registered, what drains, what the load balancer's health checks say."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

Target = tuple[str, int]  # (id, port)

# Reason codes and descriptions of the ELBv2 API reference, "TargetHealth".
_INITIAL = {
    "State": "initial",
    "Reason": "Elb.RegistrationInProgress",
    "Description": "Target registration is in progress",
}
_UNUSED = {
    "State": "unused",
    "Reason": "Target.NotInUse",
    "Description": "Target group is not configured to receive traffic from the load balancer",
}
_UNREGISTERED = {
    "State": "unused",
    "Reason": "Target.NotRegistered",
    "Description": "Target is not registered to the target group",
}
_DRAINING = {
    "State": "draining",
    "Reason": "Target.DeregistrationInProgress",
    "Description": "Target deregistration is in progress",
}


@dataclass
class Group:
    """One target group, as the last look at the control plane found it."""

    arn: str
    used: bool = False  # a listener or rule forwards to it
    registered: set[Target] = field(default_factory=set)
    draining: dict[Target, float] = field(default_factory=dict)  # until, in time.monotonic()
    health: dict[Target, dict[str, str]] = field(default_factory=dict)

    def state(self, target: Target) -> dict[str, str]:
        """The TargetHealth of one target."""
        if target in self.draining:
            return _DRAINING
        if target not in self.registered:
            return _UNREGISTERED
        return self.health.get(target, _INITIAL) if self.used else _UNUSED


class Targets:
    """All target groups of all regions. Times are in seconds of the scaled clock."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}

    def observe(self, arn: str, used: bool, registered: set[Target], delay: float) -> Group:
        """Take note of a group's state; targets that left it drain for `delay` seconds if they had traffic."""
        group = self.groups.setdefault(arn, Group(arn))
        for target in group.registered - registered:
            if used and group.used:
                group.draining[target] = time.monotonic() + delay
            group.health.pop(target, None)
        for target in registered & group.draining.keys():
            del group.draining[target]
        group.registered, group.used = registered, used
        if not used:
            group.draining.clear()
            group.health.clear()
        return group

    def forget_all_but(self, arns: set[str]) -> None:
        self.groups = {arn: group for arn, group in self.groups.items() if arn in arns}

    def report(self, arn: str, health: dict[Target, dict[str, str]], drained: list[Target]) -> None:
        """What the load balancer says: states of the registered targets, and draining ones that are idle."""
        group = self.groups.get(arn)
        if group:
            group.health.update({target: state for target, state in health.items() if target in group.registered})
            for target in drained:
                group.draining.pop(target, None)

    def end_of_drains(self) -> bool:
        """Drop the targets whose deregistration delay is over. True if there were some."""
        now, ended = time.monotonic(), False
        for group in self.groups.values():
            for target in [target for target, until in group.draining.items() if until <= now]:
                del group.draining[target]
                ended = True
        return ended

    def state(self, arn: str, target: Target) -> dict[str, str] | None:
        """The TargetHealth of one target, or None if it is neither registered nor draining."""
        group = self.groups.get(arn)
        if group is None or target not in group.registered | group.draining.keys():
            return None
        return group.state(target)
