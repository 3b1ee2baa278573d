"""kill -9 before and after every write, forwards and back: the next run finishes, and nobody was hurt."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import StepFailed

from tests.unit.blue_green.test_swap import handed_over, safe
from tests.unit.blue_green.world import Killed, Run, Version, World, wish

Story = tuple[Callable[[World], None], Callable[[World], Run], str]


def _deploy(world: World) -> Run:
    return Run(world, wish(), f"run {world.now}")


def _two_steps(world: World) -> Run:
    return Run(world, wish(steps=(10, 100)), f"run {world.now}")


def _roll_back(world: World) -> Run:
    return Run(world, wish(state="rolled_back", image=""), f"run {world.now}")


def writes_of(prepare: Callable[[World], None], act: Callable[[World], Run]) -> tuple[int, int]:
    """Numbers of the first and the last write of the run under test."""
    world = World()
    prepare(world)
    first = len(world.writes)
    act(world).go()
    return first, len(world.writes)


def nothing(world: World) -> None: ...


def released(world: World) -> None:
    _deploy(world).go()


def killed_in_the_middle(world: World) -> None:
    """A run that died at 50 %."""
    world.before_write = lambda operation: _die_at_half(world)
    with pytest.raises(Killed):
        _deploy(world).go()
    world.before_write = lambda operation: None


def _die_at_half(world: World) -> None:
    if world.weights(world.actions)["green"] == 50:
        raise Killed


STORIES: dict[str, Story] = {
    "a release": (nothing, _deploy, "green"),
    "a rollback": (released, _roll_back, "blue"),
    "an undo": (killed_in_the_middle, _roll_back, "blue"),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("story", STORIES)
def test_a_run_killed_at_any_write_is_finished_by_the_next_and_a_third_finds_nothing_to_do(
    story: str, when: str
) -> None:
    prepare, act, live = STORIES[story]
    first, last = writes_of(prepare, act)
    assert last - first > 20
    for number in range(first, last):
        world = World()
        prepare(world)
        world.kill_at = (number, when)
        with pytest.raises(Killed):
            act(world).go()
        world.kill_at = None
        act(world).go()
        assert act(world).go() == [], (number, world.writes[number])
        safe(world)
        handed_over(world, live)
        # No second revision of the same content: what the killed run had registered was found again.
        assert len(world.definitions) == len({str(one["containerDefinitions"]) for one in world.definitions})


def test_no_bake_is_skipped_by_a_kill() -> None:
    """Whatever happened before: a finished swap has each whole bake on record."""
    first, last = writes_of(nothing, _two_steps)
    for number in range(first, last):
        world = World()
        world.kill_at = (number, "after")
        with pytest.raises(Killed):
            _two_steps(world).go()
        world.kill_at = None
        run = _two_steps(world)
        run.go()
        watched = {one["step"]: one["seconds"] for one in run.store.history(1)[0]["phases"]}
        assert min(watched.get("bake/10", 0), watched.get("bake/100", 0)) >= 20, (number, watched)


def test_a_run_killed_twice_and_in_its_undo_still_ends_well() -> None:
    """Random schedules: up to three kills, then a run to the end, over bad and good versions."""
    for seed in range(60):
        world = World(seed=seed)
        world.versions["v2"] = Version(errors=world.random.choice([0.0, 0.0, 1.0]))
        for _ in range(world.random.randint(1, 3)):
            world.kill_at = (len(world.writes) + world.random.randint(0, 80), world.random.choice(["before", "after"]))
            with suppress(Killed, StepFailed):
                _deploy(world).go()
        world.kill_at = None
        with suppress(StepFailed):
            _deploy(world).go()
        assert world.violations == [], seed
        assert ("stories-test-app", "intent") not in world.items, seed
        handed_over(world, "blue" if world.versions["v2"].errors else "green")


def test_of_two_runs_that_race_one_writes_and_the_other_is_told_who() -> None:
    """The second comes at any write of the first, which stands still meanwhile: past its lease, it has lost it."""
    for seed in range(50):
        world = World(seed=seed)
        told: list[str] = []

        def race(operation: str, world: World = world, told: list[str] = told) -> None:
            if not told and world.random.random() < 0.05:
                world.before_write = lambda operation: None  # the second has no third in its way
                told.append(_outcome(Run(world, wish(), "second")))

        world.before_write = race
        outcomes = [_outcome(Run(world, wish(), "first")), *told]
        world.before_write = lambda operation: None
        assert outcomes.count("done") == 1, outcomes
        Run(world, wish(), "third").go()
        safe(world)
        handed_over(world, "green")


def _outcome(run: Run) -> str:
    try:
        run.go()
    except StepFailed as refusal:
        return str(refusal)
    return "done"
