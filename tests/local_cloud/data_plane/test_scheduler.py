# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ECS service scheduler's decisions, without a cloud."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local_cloud.data_plane.control.scheduler import Decision, Deployment, Service, Task, decide, failure_threshold


def tasks(deployment: str, count: int, health: str = "healthy", running_for: float | None = 60.0) -> tuple[Task, ...]:
    return tuple(Task(f"{deployment}-{number}", deployment, True, running_for, health) for number in range(count))


def service(*, new: int = 0, old: int = 0, pending: int = 0, desired: int = 2, **more: object) -> Service:
    """A service that moves from deployment "old" to "new", with this many healthy and pending tasks."""
    pending_tasks = tuple(Task(f"pending-{number}", "new", True) for number in range(pending))
    base = Service(
        name="app",
        desired=desired,
        deployments=(
            Deployment("new", "app:2", True, "IN_PROGRESS"),
            *([Deployment("old", "app:1", False, "COMPLETED")] if old else []),
        ),
        tasks=(*tasks("new", new), *pending_tasks, *tasks("old", old)),
        balanced=True,
        last_completed="app:1",
    )
    return replace(base, **more)  # type: ignore[arg-type]  # the tests name the fields


def outcome(decision: Decision) -> tuple[int, list[str], str | None]:
    return decision.launch, [arn for arn, _, _ in decision.stop], decision.rollout[0] if decision.rollout else None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (service(), (2, [], None)),
        (service(pending=2), (0, [], None)),
        (service(new=2), (0, [], "COMPLETED")),
        (service(desired=0), (0, [], "COMPLETED")),
        (service(old=2), (2, [], None)),
        (service(old=2, maximum_percent=100, minimum_percent=50), (0, ["old-0"], None)),
        (service(old=1, pending=1, maximum_percent=100, minimum_percent=50), (0, [], None)),
        (service(old=1, new=1, maximum_percent=100, minimum_percent=50), (0, ["old-0"], None)),
        (service(old=2, new=1, pending=1), (0, ["old-0"], None)),
        (service(old=2, new=2), (0, ["old-0", "old-1"], None)),
        (service(new=3), (0, ["new-0"], None)),
        (service(new=2, pending=1), (0, ["pending-0"], None)),
    ],
    ids=[
        "a new service launches all its tasks",
        "pending tasks count as launched",
        "healthy tasks complete the deployment",
        "a service that wants none is complete",
        "a rollout adds up to maximumPercent",
        "without room to add, old tasks stop down to minimumHealthyPercent",
        "no further old task stops before the new one is healthy",
        "each healthy new task lets an old one go",
        "a healthy new task lets an old one go while others start",
        "all old tasks stop when all new ones are healthy",
        "a surplus task stops",
        "a surplus task that serves nothing stops first",
    ],
)
def test_the_scheduler_takes_the_next_step(given: Service, expected: tuple[int, list[str], str | None]) -> None:
    assert outcome(decide(given)) == expected


def test_the_old_deployment_goes_when_it_has_no_tasks() -> None:
    given = service(new=2)
    gone = Deployment("old", "app:1", False, "COMPLETED")
    assert decide(replace(given, deployments=(*given.deployments, gone))).gone == ["old"]


@pytest.mark.parametrize(("desired", "threshold"), [(1, 3), (6, 3), (7, 4), (100, 50), (1000, 200)])
def test_the_circuit_breaker_opens_at_half_of_the_desired_count_within_its_bounds(desired: int, threshold: int) -> None:
    assert failure_threshold(desired) == threshold


@pytest.mark.parametrize(
    ("rollback", "last_completed", "back_to"),
    [(True, "app:1", "app:1"), (False, "app:1", None), (True, None, None), (True, "app:2", None)],
)
def test_an_open_circuit_breaker_fails_the_deployment_and_rolls_back_if_there_is_where_to(
    rollback: bool, last_completed: str | None, back_to: str | None
) -> None:
    failing = Deployment("new", "app:2", True, "IN_PROGRESS", failed_tasks=3, last_failure=0.1)
    given = service(old=2, breaker=True, rollback=rollback, last_completed=last_completed)
    decision = decide(replace(given, deployments=(failing, given.deployments[1])))
    assert (decision.launch, decision.stop, decision.roll_back_to) == (0, [], back_to)
    assert decision.rollout is not None
    assert decision.rollout[0] == "FAILED"


def test_a_failed_deployment_launches_nothing_and_leaves_the_old_tasks() -> None:
    failed = Deployment("new", "app:2", True, "FAILED", failed_tasks=3)
    given = service(old=2)
    assert outcome(decide(replace(given, deployments=(failed, given.deployments[1])))) == (0, [], None)


def test_a_deployment_whose_tasks_fail_pauses_longer_each_time() -> None:
    given = service()
    for failures, since, launched in ((1, 0.5, 0), (1, 1.5, 2), (5, 1.5, 0), (5, 5.5, 2)):
        failing = replace(given.deployments[0], failed_tasks=failures, last_failure=since)
        assert decide(replace(given, deployments=(failing,))).launch == launched


def test_an_unhealthy_task_is_forgiven_in_the_grace_period_only() -> None:
    sick = (*tasks("new", 1), Task("sick", "new", True, 30.0, "unhealthy", "Task failed ELB health checks"))
    assert decide(service(grace=60.0, tasks=sick)).stop == []
    decision = decide(service(grace=20.0, tasks=sick))
    assert decision.stop == [("sick", "Task failed ELB health checks", True)]
    assert decision.launch == 1


def test_a_deleted_service_stops_its_tasks() -> None:
    decision = decide(service(new=2, active=False))
    assert [arn for arn, _, _ in decision.stop] == ["new-0", "new-1"]
