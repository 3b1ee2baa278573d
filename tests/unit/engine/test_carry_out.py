"""How a plan is carried out: side by side where nothing speaks against it, waiting late, stopping where AWS refuses."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._autoscaling.kinds import ScalingPolicy
from ansible_collections.stories1001.platform.plugins.module_utils._engine.kinds import Kind, converge_resources
from ansible_collections.stories1001.platform.plugins.module_utils._engine.resources import (
    Found,
    Ref,
    Resource,
    Traits,
)
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import StepFailed
from ansible_collections.stories1001.platform.plugins.module_utils._log_insights.kinds import MetricFilter
from ansible_collections.stories1001.platform.plugins.module_utils._rds.instances import DbInstance


class World:
    """An account in memory, with a diary of everything that was done to it."""

    def __init__(self) -> None:
        self.things: dict[tuple[str, str], Found] = {}
        self.diary: list[str] = []
        self.refuse_after: int | None = None
        self.slow = False  # whether what is made is under way until somebody waits for it
        self.not_yet: tuple[str, ...] = ()  # kinds that AWS does not take as things stand

    def write(self, what: str) -> None:
        if self.refuse_after is not None and len([one for one in self.diary if "wait" not in one]) >= self.refuse_after:
            raise StepFailed(f"Tried to {what}; AWS answered AccessDenied.")
        self.diary.append(what)


def kind_of(world: World, name: str) -> Kind:
    class Thing(Kind):
        kind = name
        traits = Traits(name)

        def observe(self) -> Iterable[Found]:
            return [found for found in world.things.values() if found.kind == name]

        def can_begin(self, wanted: Resource) -> bool:
            return name not in world.not_yet

        def create(self, wanted: Resource) -> Found:
            world.write(f"create {name} {wanted.name}")
            ident = f"{name}-{wanted.name}"
            made = Found(name, wanted.name, ident, wanted.fields, wanted.tags, settled=not world.slow)
            world.things[made.key] = made
            return made

        def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
            world.write(f"change {name} {found.name}")
            world.things[found.key] = Found(name, found.name, found.id, wanted.fields, found.tags)

        def delete(self, found: Found) -> None:
            world.write(f"delete {name} {found.name}")
            del world.things[found.key]

        def wait(self, found: Found) -> None:
            world.diary.append(f"wait {name} {found.name}")
            settled = world.things[found.key]
            world.things[found.key] = Found(name, found.name, found.id, settled.fields, settled.tags)

    return Thing()


class Ended(Exception):
    """What exit_json and fail_json do to a module."""


class Module:
    def __init__(self, check_mode: bool = False) -> None:
        self.check_mode = check_mode
        self.result: dict[str, Any] = {}

    def exit_json(self, **result: Any) -> Any:
        self.result = result
        raise Ended

    def fail_json(self, msg: str, **result: Any) -> Any:
        self.result = {"failed": True, "msg": msg, **result}
        raise Ended


WISH = [
    Resource("nat", "a", {}),
    Resource("database", "d", {}),
    Resource("route", "r", {"through": Ref("nat", "a")}),
]


def run(
    world: World,
    desired: list[Resource] | None = WISH,
    check: bool = False,
    wait: bool = True,
    purge: Sequence[str] = (),
) -> dict[str, Any]:
    module = Module(check)
    kinds = [kind_of(world, name) for name in ("nat", "database", "route")]
    with pytest.raises(Ended):
        converge_resources(module, kinds, desired, purge=purge, wait=wait)
    return module.result


def test_a_slow_creation_is_awaited_only_when_a_later_step_needs_it() -> None:
    world = World()
    run(world)
    assert world.diary == [
        "create nat a",
        "create database d",
        "wait nat a",
        "create route r",
        "wait database d",
        "wait route r",
    ]


def test_without_waiting_what_is_slow_is_begun_and_what_depends_on_it_is_left() -> None:
    world = World()
    world.slow = True
    begun = run(world, wait=False)
    assert world.diary == ["create nat a", "create database d"]
    assert [step["sentence"] for step in begun["steps"]] == ["Create nat a", "Create database d"]
    assert begun["unfinished"] == ["nat a", "database d", "Create route r"]


def test_without_waiting_what_aws_does_not_take_yet_is_left() -> None:
    world = World()
    world.not_yet = ("database",)
    assert run(world, wait=False)["unfinished"] == ["Create database d", "Create route r"]
    assert [step["sentence"] for step in run(world)["steps"]] == ["Create database d", "Create route r"]


def test_a_run_that_waits_finishes_what_another_began() -> None:
    world = World()
    world.slow = True
    run(world, wait=False)
    finished = run(world)
    assert [step["sentence"] for step in finished["steps"]] == ["Create route r"]
    assert finished["unfinished"] == []
    assert run(world, wait=False) == run(world) == {**finished, "changed": False, "steps": [], "diff": []}


def test_without_waiting_nothing_is_begun_twice() -> None:
    world = World()
    world.slow = True
    run(world, wait=False)
    assert run(world, wait=False)["steps"] == []
    assert world.diary == ["create nat a", "create database d"]


def test_without_waiting_what_shall_go_stays_until_all_that_is_left_is_made() -> None:
    world = World()
    run(world)
    world.slow = True
    wish = [Resource("nat", "b", {}), WISH[1], Resource("route", "r", {"through": Ref("nat", "b")})]
    world.diary.clear()
    begun = run(world, wish, wait=False, purge=["nat"])
    assert world.diary == ["create nat b"]
    assert begun["unfinished"] == ["nat b", "Change through of route r", "Delete nat a"]
    assert [step["sentence"] for step in run(world, wish, purge=["nat"])["steps"]] == begun["unfinished"][1:]
    assert world.diary[1:] == ["wait nat b", "change route r", "delete nat a", "wait route r"]


def test_check_mode_lists_everything_whether_it_would_wait_or_not() -> None:
    planned = run(World(), check=True, wait=False)
    assert planned["steps"] == run(World(), check=True)["steps"]
    assert planned["unfinished"] == []


def test_check_mode_does_nothing_and_lists_what_the_run_then_does() -> None:
    world = World()
    planned = run(world, check=True)
    assert world.diary == []
    assert run(world)["steps"] == planned["steps"]


def test_a_second_run_changes_nothing() -> None:
    world = World()
    run(world)
    assert run(world)["changed"] is False


@pytest.mark.parametrize("after", range(3))
def test_a_run_that_was_stopped_after_any_step_is_finished_by_the_next(after: int) -> None:
    world = World()
    world.refuse_after = after
    assert "AccessDenied" in run(world)["msg"]
    world.refuse_after = None
    assert len(run(world)["steps"]) == len(WISH) - after
    assert run(world)["changed"] is False
    assert [one for one in world.diary if "create" in one] == ["create nat a", "create database d", "create route r"]


def test_what_aws_is_still_making_is_awaited_and_not_made_again() -> None:
    world = World()
    run(world)
    world.things["nat", "a"] = Found("nat", "a", "nat-a", {}, settled=False)
    world.diary.clear()
    assert run(world)["changed"] is False
    assert world.diary == ["wait nat a"]


def test_a_change_that_does_not_last_is_an_error() -> None:
    world = World()
    run(world)
    stubborn = [Resource("database", "d", {"size": 2})]
    module, kind = Module(), kind_of(world, "database")
    kind.change = lambda *_: None  # type: ignore[method-assign]
    with pytest.raises(Ended):
        converge_resources(module, [kind], stubborn)
    assert "found work left: Change size of database d" in module.result["msg"]


def test_absent_removes_everything_in_reverse() -> None:
    world = World()
    run(world)
    world.diary.clear()
    run(world, desired=None)
    assert world.diary == ["delete route r", "delete database d", "delete nat a"]


class Crowd(Kind):
    """Alarms of an account whose API lets a call end only when as many as `at_once` have begun."""

    kind = "alarm"
    traits = Traits("alarm")

    def __init__(self, at_once: int, *, alone: bool = False, takes: float = 0, refused: Sequence[str] = ()) -> None:
        self.gate = threading.Barrier(at_once)
        self.takes = takes  # seconds
        self.alone = alone
        self.refused = refused
        self.begun: list[str] = []
        self.made: dict[str, Found] = {}
        self.inside = self.most = 0
        self._counting = threading.Lock()

    def observe(self) -> Iterable[Found]:
        return list(self.made.values())

    def one_at_a_time(self, wanted: Resource) -> Hashable:
        return "all" if self.alone else super().one_at_a_time(wanted)

    def _take(self, name: str) -> None:
        with self._counting:
            self.begun.append(name)
            self.inside += 1
            self.most = max(self.most, self.inside)
        try:
            self.gate.wait(timeout=20)
            time.sleep(self.takes)
            if name in self.refused:
                raise StepFailed(f"Tried to create alarm {name}; AWS answered LimitExceeded.")
        finally:
            with self._counting:
                self.inside -= 1

    def create(self, wanted: Resource) -> Found:
        self._take(wanted.name)
        self.made[wanted.name] = Found("alarm", wanted.name, wanted.name, wanted.fields)
        return self.made[wanted.name]

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._take(found.name)
        self.made[found.name] = Found("alarm", found.name, found.name, wanted.fields)

    def delete(self, found: Found) -> None:
        self._take(found.name)
        del self.made[found.name]


def alarms(count: int, **fields: Any) -> list[Resource]:
    return [Resource("alarm", f"{number:02}", fields) for number in range(count)]


def converge_alarms(kind: Crowd, desired: list[Resource] | None) -> dict[str, Any]:
    module = Module()
    with pytest.raises(Ended):
        converge_resources(module, [kind], desired)
    return module.result


def test_neighbours_of_one_kind_are_created_at_the_same_time() -> None:
    result = converge_alarms(Crowd(at_once=4), alarms(4))
    assert [step["sentence"] for step in result["steps"]] == [f"Create alarm {number:02}" for number in range(4)]


def test_what_aws_takes_one_at_a_time_is_created_in_the_order_of_the_plan() -> None:
    kind = Crowd(at_once=1, alone=True)
    converge_alarms(kind, alarms(6))
    assert kind.begun == [f"{number:02}" for number in range(6)]
    assert kind.most == 1


def test_what_needs_its_neighbour_is_created_after_it() -> None:
    kind = Crowd(at_once=1, takes=0.05)
    first, other = alarms(2)
    converge_alarms(kind, [first, Resource("alarm", other.name, {}, on=(first.key,))])
    assert (kind.begun, kind.most) == ([first.name, other.name], 1)


def test_changes_and_deletions_go_one_by_one() -> None:
    kind = Crowd(at_once=1)
    converge_alarms(kind, alarms(6))
    kind.begun, kind.most = [], 0
    converge_alarms(kind, alarms(6, threshold=1))
    assert (kind.begun, kind.most) == ([f"{number:02}" for number in range(6)], 1)
    converge_alarms(kind, None)
    assert kind.most == 1


def test_of_several_refusals_the_first_of_the_plan_is_told_and_nothing_more_begins() -> None:
    kind = Crowd(at_once=1, takes=0.05, refused=["03", "07"])
    assert "create alarm 03;" in converge_alarms(kind, alarms(90))["msg"]
    assert len(kind.begun) < 45  # ten at a time; a second ten may have begun before the refusal was known
    # What was under way stands, and the next run makes the others and nothing twice.
    left = {one.name for one in alarms(90)} - set(kind.made)
    assert {"03", "07"} <= left
    kind.takes, kind.refused, kind.begun = 0, [], []
    assert len(converge_alarms(kind, alarms(90))["steps"]) == len(left)
    assert sorted(kind.begun) == sorted(left)


def test_what_several_wait_for_is_awaited_once() -> None:
    world = World()
    run(world, [Resource("nat", "a", {}), *(Resource("route", name, {"through": Ref("nat", "a")}) for name in "rs")])
    assert world.diary.count("wait nat a") == 1
    assert world.diary.index("wait nat a") < min(world.diary.index(f"create route {name}") for name in "rs")


@pytest.mark.parametrize(
    ("kind", "together"),
    [
        (DbInstance, [Resource("db_instance", "stories-1", {}), Resource("db_instance", "stories-2", {})]),
        (MetricFilter, [Resource("metric_filter", name, {"log_group": "app"}) for name in ("errors", "logins")]),
        (ScalingPolicy, [Resource("scaling_policy", f"app/{name}", {}) for name in ("cpu", "memory")]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_aws_is_not_asked_for_two_at_once_of(kind: Any, together: list[Resource]) -> None:
    made = kind.__new__(kind)
    made.name, made.targets = "stories", {"app": {}}
    assert len({made.one_at_a_time(resource) for resource in together}) == 1
