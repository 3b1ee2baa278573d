# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a release knows: two slots, the routes to them, and the record of a swap under way; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

Actions = tuple[Mapping[str, Any], ...]  # of a listener or rule, in AWS's shape


@dataclass(frozen=True)
class Scaling:
    """A scalable target of Application Auto Scaling: capacity limits and what is suspended."""

    minimum: int
    maximum: int
    suspended_in: bool = False
    suspended_out: bool = False
    suspended_scheduled: bool = False

    def held(self, minimum: int) -> Scaling:
        """No scale-in, no schedules, never below ``minimum``; scale-out stays on."""
        return Scaling(minimum, max(self.maximum, minimum), True, False, True)

    def retired(self) -> Scaling:
        """Nothing may start a task."""
        return Scaling(0, self.maximum, True, True, True)


@dataclass(frozen=True)
class Slot:
    """One ECS service and its target group as AWS shows them.

    rollout: rolloutState of the primary deployment. deployments: how many there are (1 when settled).
    fields: the service's task definition in the shape of `definition.task_fields`.
    scaling: None when the service has no scalable target.
    """

    name: str
    service: str
    target_group: str
    task_definition: str
    image: str
    version: str
    desired: int
    running: int
    healthy: int
    rollout: str = "COMPLETED"
    deployments: int = 1
    scaling: Scaling | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """A listener's default action or a rule that forwards to the slots.

    arn: of the listener or of the rule. weights: by slot name. stickiness: seconds, 0 for none.
    """

    arn: str
    title: str
    is_rule: bool
    weights: Mapping[str, int]
    actions: Actions
    stickiness: int = 0

    @property
    def live(self) -> str | None:
        """The one slot that has weight; None when both have or none has."""
        having = [slot for slot, weight in self.weights.items() if weight > 0]
        return having[0] if len(having) == 1 else None

    def share(self, slot: str) -> float:
        """Per cent of the traffic that a slot gets."""
        total = sum(self.weights.values())
        return 100 * self.weights.get(slot, 0) / total if total else 0.0


@dataclass(frozen=True)
class Swap:
    """What one swap is to do; known before it begins.

    kind: ``deploy`` brings a new image up, ``rollback`` brings the retired slot back as it was.
    task_definition: the revision to run; empty while it is not registered yet.
    """

    kind: str
    source: str
    target: str
    image: str
    version: str
    task_definition: str = ""
    steps: tuple[int, ...] = (100,)


@dataclass(frozen=True)
class Intent:
    """The record of a swap under way, kept in DynamoDB with compare-and-set.

    epoch: raised by each take-over; a writer of an older epoch is refused.
    lease_until: seconds since 1970. abort: who asked for a rollback meanwhile, or empty.
    undoing: why the swap is being undone, or empty.
    paused: True while the caller does something of his own between two runs; his next run need not wait for the lease.
    begun, done: ids of steps. scaling, desired, task_definitions: by slot, as they were before the swap.
    actions: by route ARN, as they were before the swap.
    """

    swap_id: str
    swap: Swap
    owner: str = ""
    epoch: int = 1
    lease_until: float = 0.0
    abort: str = ""
    undoing: str = ""
    paused: bool = False
    begun: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    scaling: Mapping[str, Scaling | None] = field(default_factory=dict)
    desired: Mapping[str, int] = field(default_factory=dict)
    task_definitions: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, Actions] = field(default_factory=dict)
    started: float = 0.0
    actor: str = ""
    reason: str = ""
    events: tuple[Mapping[str, Any], ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON data; owner, epoch, lease and abort are attributes of their own and left out."""
        data = asdict(self)
        for name in ("owner", "epoch", "lease_until", "abort"):
            del data[name]
        return data

    @classmethod
    def of(cls, document: Mapping[str, Any], **attributes: Any) -> Intent:
        """Inverse of `document`; ``attributes`` are owner, epoch, lease_until and abort."""
        data = {**document, **attributes}
        swap = {**data["swap"], "steps": tuple(data["swap"]["steps"])}
        scaling = {slot: Scaling(**one) if one else None for slot, one in data["scaling"].items()}
        tuples = {name: tuple(data[name]) for name in ("begun", "done", "events")}
        actions = {arn: tuple(one) for arn, one in data["actions"].items()}
        return cls(**{**data, **tuples, "swap": Swap(**swap), "scaling": scaling, "actions": actions})

    @property
    def committed(self) -> bool:
        """True once the old slot is being retired: from here a swap only goes forward."""
        return any(step.startswith("retire/") for step in self.begun)

    @property
    def shifted(self) -> bool:
        """True once any traffic may have reached the new slot."""
        return any(step.startswith(("shift/", "canary/")) for step in self.begun)


@dataclass(frozen=True)
class Record:
    """The outcome of an earlier swap. outcome: ``deployed``, ``rolled_back`` or ``undone``."""

    swap_id: str
    outcome: str
    source: str
    target: str
    image: str
    started: float = 0.0


@dataclass(frozen=True)
class Template:
    """A task definition that revisions are made from. fields: in the shape of `definition.task_fields`."""

    family: str
    fields: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Observed:
    """Everything that a plan is made of.

    templates: by slot, the newest revision that a new one for it is made from.
    image, version: what is wanted, pinned by digest; empty when nothing is to be deployed.
    alarms: state by name; a missing alarm has none. at: seconds since 1970.
    taken: titles of rules of others that have the priority of the testers' rule.
    """

    slots: Mapping[str, Slot]
    routes: tuple[Route, ...]
    test_routes: tuple[Route, ...]
    intent: Intent | None = None
    last: Record | None = None
    templates: Mapping[str, Template] = field(default_factory=dict)
    image: str = ""
    version: str = ""
    alarms: Mapping[str, str] = field(default_factory=dict)
    active_slot_tag: str = ""
    taken: tuple[str, ...] = ()
    at: float = 0.0

    @property
    def live(self) -> str | None:
        """The slot that every production route forwards to alone."""
        slots = {route.live for route in self.routes}
        return slots.pop() if len(slots) == 1 else None

    def with_slot(self, slot: str, **changes: Any) -> Observed:
        return replace(self, slots={**self.slots, slot: replace(self.slots[slot], **changes)})

    def with_weights(self, weights: Mapping[str, int]) -> Observed:
        return replace(self, routes=tuple(replace(route, weights=weights) for route in self.routes))


@dataclass(frozen=True)
class Check:
    """One request to the test listener and what its answer must be.

    status: accepted codes. body: regular expression, or empty. headers: name to regular expression.
    ``{version}`` in an expression stands for the version that the slot must run. p95: milliseconds, 0 for any.
    """

    path: str
    status: tuple[int, ...] = (200,)
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    p95: float = 0.0


@dataclass(frozen=True)
class CanaryHeader:
    """Testers who send this header reach the new slot before everybody else."""

    name: str
    value: str
    priority: int


@dataclass(frozen=True)
class Desired:
    """The caller's wishes. Times are seconds, ``maximum_p95`` is milliseconds, rates are shares of 1."""

    state: str
    application: str
    cluster: str
    load_balancer: str
    table: str
    slots: tuple[str, str] = ("blue", "green")
    container: str = "app"
    image: str = ""
    version: str = ""
    task_definition: str = ""
    production_ports: tuple[int, ...] = (443,)
    test_ports: tuple[int, ...] = (8443,)
    steps: tuple[int, ...] = (1, 10, 50, 100)
    settle: float = 60
    bake: float = 120
    rollback_window: float = 900
    poll: float = 5
    minimum_healthy: int = 2
    stable_polls: int = 3
    start_timeout: float = 900
    drain_timeout: float = 900
    minimum_samples: int = 20
    maximum_error_rate: float = 0.01
    maximum_p95: float = 0.0
    metric_period: int = 60
    alarms: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hook_timeout: float = 900
    lease: float = 90
    keep_slot: str = ""
    until: str = "done"
    canary: CanaryHeader | None = None
    maximum_stickiness: int = 3600
    credentials_expire_at: float = 0.0
    reason: str = ""
    actor: str = ""

    def other(self, slot: str) -> str:
        return next(name for name in self.slots if name != slot)

    def resource(self, slot: str) -> str:
        """Name of a slot's service and of its target group."""
        return f"{self.application}-{slot}"

    @property
    def duration(self) -> float:
        """Seconds that an undisturbed swap takes at least."""
        return len(self.steps) * (self.settle + self.bake) + self.rollback_window
