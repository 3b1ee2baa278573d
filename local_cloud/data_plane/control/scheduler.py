# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ECS service scheduler: from what a service wants and has to what happens next. Pure: no clock, no I/O.

Follows the API reference of `DeploymentConfiguration` and the developer guide's pages on rolling updates and on the
deployment circuit breaker: launches up to maximumPercent, stops old tasks down to minimumHealthyPercent, counts tasks
that fail, gives up at the threshold (half of the desired count, at least 3, at most 200) and rolls back to the last
completed deployment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

BACKOFF = 1.0  # seconds of pause for each failed task of a deployment
LONGEST_BACKOFF = 30.0  # seconds
LEAST_GRACE = 5.0  # seconds of a grace period that no time scale shortens: processes start in real time
STABLE_AFTER = 1.0  # seconds that a task without a load balancer must run to count as healthy


@dataclass(frozen=True)
class Task:
    """A task of the service that is not STOPPED.

    `health`: "healthy" or "unhealthy" in its target groups, or "unknown"; `running_for`: seconds since RUNNING.
    """

    arn: str
    deployment: str
    wanted: bool
    running_for: float | None = None
    health: str = "unknown"
    unhealthy_reason: str = ""


@dataclass(frozen=True)
class Deployment:
    """`last_failure`: seconds since a task of it failed, or None."""

    id: str
    task_definition: str
    primary: bool
    rollout_state: str
    failed_tasks: int = 0
    last_failure: float | None = None


@dataclass(frozen=True)
class Service:
    name: str
    desired: int
    deployments: tuple[Deployment, ...]
    tasks: tuple[Task, ...]
    balanced: bool  # has target groups
    minimum_percent: int = 100
    maximum_percent: int = 200
    breaker: bool = False
    rollback: bool = False
    grace: float = 0.0  # seconds after RUNNING in which failing health checks are forgiven
    last_completed: str | None = None  # task definition of the last deployment that completed
    active: bool = True
    time_scale: float = 1.0

    @property
    def primary(self) -> Deployment:
        return next(deployment for deployment in self.deployments if deployment.primary)


@dataclass
class Decision:
    """What happens next. `rollout`: the primary deployment's (state, reason) if it changes."""

    launch: int = 0
    stop: list[tuple[str, str, bool]] = field(default_factory=list)  # (task, reason, whether the task failed)
    rollout: tuple[str, str] | None = None
    roll_back_to: str | None = None
    gone: list[str] = field(default_factory=list)  # deployments without tasks
    events: list[str] = field(default_factory=list)


def failure_threshold(desired: int) -> int:
    """Failed tasks at which the circuit breaker opens."""
    return min(200, max(3, math.ceil(desired / 2)))


def is_healthy(task: Task, service: Service) -> bool:
    if task.running_for is None or not task.wanted:
        return False
    return task.health == "healthy" if service.balanced else task.running_for >= STABLE_AFTER * service.time_scale


def decide(service: Service) -> Decision:
    """The next step of the service. Called again after each change and each tick; idle when nothing is to do."""
    decision = Decision()
    if not service.active:
        decision.stop = [(task.arn, "Service deleted", False) for task in service.tasks if task.wanted]
        return decision
    if _breaker_opens(service, decision):
        return decision
    _stop_failing(service, decision)
    stopping = {arn for arn, _, _ in decision.stop}
    live = [task for task in service.tasks if task.wanted and task.arn not in stopping]
    primary = service.primary
    new = [task for task in live if task.deployment == primary.id]
    old = [task for task in live if task.deployment != primary.id]
    _launch(service, new, old, decision)
    _scale_in(service, new, decision)
    _stop_old(service, new, old, decision)
    used = {task.deployment for task in live}
    decision.gone = [item.id for item in service.deployments if not item.primary and item.id not in used]
    settled = not old and len(new) == service.desired and all(is_healthy(task, service) for task in new)
    if settled and primary.rollout_state == "IN_PROGRESS":
        decision.rollout = ("COMPLETED", f"ECS deployment {primary.id} completed.")
        decision.events += [
            f"(service {service.name}) (deployment {primary.id}) deployment completed.",
            f"(service {service.name}) has reached a steady state.",
        ]
    return decision


def _breaker_opens(service: Service, decision: Decision) -> bool:
    primary = service.primary
    if not service.breaker or primary.rollout_state != "IN_PROGRESS":
        return False
    if primary.failed_tasks < failure_threshold(service.desired):
        return False
    decision.rollout = ("FAILED", "ECS deployment circuit breaker: tasks failed to start.")
    failure = "deployment failed: tasks failed to start."
    decision.events.append(f"(service {service.name}) (deployment {primary.id}) {failure}")
    if service.rollback and service.last_completed and service.last_completed != primary.task_definition:
        decision.roll_back_to = service.last_completed
        decision.events.append(f"(service {service.name}) rolling back to {service.last_completed.rpartition('/')[2]}.")
    return True


def _stop_failing(service: Service, decision: Decision) -> None:
    for task in service.tasks:
        if not task.wanted or task.running_for is None or task.health != "unhealthy":
            continue
        if task.running_for >= max(service.grace * service.time_scale, min(service.grace, LEAST_GRACE)):
            decision.stop.append((task.arn, task.unhealthy_reason, True))
            name = task.arn.rpartition("/")[2]
            decision.events.append(f"(service {service.name}) (task {name}) {task.unhealthy_reason}")


def _launch(service: Service, new: list[Task], old: list[Task], decision: Decision) -> None:
    primary = service.primary
    if primary.rollout_state == "FAILED":
        return
    missing = service.desired - len(new)
    if missing <= 0:
        return
    if primary.last_failure is not None:
        pause = min(LONGEST_BACKOFF, BACKOFF * primary.failed_tasks) * service.time_scale
        if primary.last_failure < pause:
            return
    most = max(1, service.desired * service.maximum_percent // 100)
    decision.launch = max(0, min(missing, most - len(new) - len(old)))


def _scale_in(service: Service, new: list[Task], decision: Decision) -> None:
    surplus = len(new) - service.desired
    if surplus > 0:
        # Those that serve nothing yet first, then the youngest.
        order = sorted(new, key=lambda task: (is_healthy(task, service), task.running_for or 0.0))
        decision.stop += [(task.arn, "Scaling activity initiated by deployment", False) for task in order[:surplus]]


def _stop_old(service: Service, new: list[Task], old: list[Task], decision: Decision) -> None:
    if not old or service.primary.rollout_state == "FAILED":
        return
    least = math.ceil(service.desired * service.minimum_percent / 100)
    healthy_new = min(service.desired, sum(is_healthy(task, service) for task in new))
    healthy_old = [task for task in old if is_healthy(task, service)]
    idle_old = [task for task in old if not is_healthy(task, service)]
    spare = healthy_new + len(healthy_old) - least
    # Where no task may be added, old ones that serve nothing make room at once.
    stop = (idle_old if service.maximum_percent <= 100 else []) + healthy_old[: max(0, spare)]
    if healthy_new >= service.desired:
        stop = old
    decision.stop += [
        (task.arn, f"Scaling activity initiated by (deployment {service.primary.id})", False) for task in stop
    ]
