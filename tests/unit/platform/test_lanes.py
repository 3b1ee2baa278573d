"""What the phase files say of lanes: every named task exists, and nobody uses a result that may not have come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stories1001.platform.plugins.plugin_utils.lanes import Lanes, key

ROOT = Path(__file__).resolve().parents[3]
PHASES = sorted((ROOT / "playbooks").glob("phase?.yml"))
WITH_LANES = [phase for phase in PHASES if "platform_lanes" in phase.read_text()]


def lanes_of(phase: Path) -> dict[str, Any]:
    (play,) = yaml.safe_load(phase.read_text())
    lanes: dict[str, Any] = play["vars"]["platform_lanes"]
    return lanes


def tasks_of(role: str, file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Key and description of each task in a file of a role, in order, imported files in their place."""
    for task in in_order(yaml.safe_load(file.read_text())):
        if "ansible.builtin.import_tasks" in task:
            yield from tasks_of(role, file.parent / task["ansible.builtin.import_tasks"])
        action = next(name for name in task if "." in name)
        yield key(role, action), task


def in_order(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The tasks themselves, those in blocks too."""
    for task in tasks:
        parts = [part for name in ("block", "rescue", "always") for part in task.get(name, ())]
        if parts:
            yield from in_order(parts)
        else:
            yield task


def with_imports(phase: Path, steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those of the phase, and behind each that takes in a file of tasks, what stands in it."""
    for step in steps:
        yield step
        for word in ("import_tasks", "include_tasks"):
            if file := step.get(f"ansible.builtin.{word}"):
                yield from yaml.safe_load((phase.parent / file).read_text())


def files_of(phase: Path) -> list[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    (play,) = yaml.safe_load(phase.read_text())
    steps = list(with_imports(phase, [*play.get("pre_tasks", []), *play["tasks"]]))
    found: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = []
    own = []
    for step in steps:
        action = next(name for name in step if "." in name)
        own.append((key("", action), step))
        if action.endswith("_role"):
            role = step[action]["name"].rpartition(".")[2]
            for file in sorted((ROOT / "roles" / role / "tasks").glob("*.yml")):
                if file.stem != "absent":  # removal knows no lanes
                    found.append((role, list(tasks_of(role, file))))
    return [("", own), *found]


def dependent(role: str, name: str) -> set[str]:
    """The variable and all variables of the role that are made from it."""
    described: dict[str, Any] = {}
    for folder in ("vars", "defaults"):
        for file in (ROOT / "roles" / role / folder).rglob("*.yml"):
            described |= yaml.safe_load(file.read_text()) or {}
    names: set[str] = set()
    more = {name}
    while more:
        names |= more
        more = {one for one, value in described.items() if mentions(value, names)} - names
    return names


def mentions(value: Any, names: set[str]) -> bool:
    return bool(re.search(rf"\b({'|'.join(map(re.escape, names))})\b", str(value)))


@pytest.mark.parametrize("phase", WITH_LANES, ids=lambda phase: phase.stem)
def test_every_task_that_the_lanes_name_is_one_of_the_phase(phase: Path) -> None:
    there = {name for _role, tasks in files_of(phase) for name, _task in tasks}
    named = {task for lane in lanes_of(phase).values() for part in ("tasks", "before") for task in lane.get(part, ())}
    assert named <= there


@pytest.mark.parametrize("phase", WITH_LANES, ids=lambda phase: phase.stem)
def test_whoever_uses_what_a_lane_registers_waits_for_the_lane(phase: Path) -> None:
    lanes = Lanes.described(lanes_of(phase))
    too_early = []
    for role, tasks in files_of(phase):
        for place, (name, task) in enumerate(tasks):
            lane = lanes.of.get(name)
            if not lane or "register" not in task:
                continue
            names = dependent(role, task["register"])
            for later, described in tasks[place + 1 :]:
                if lane in lanes.awaited(later):
                    break
                if mentions(described, names):
                    too_early.append(f"{later} uses {task['register']} of lane {lane}")
    assert not too_early


@pytest.mark.parametrize("phase", WITH_LANES, ids=lambda phase: phase.stem)
def test_json_output_gives_each_result_to_its_own_task(phase: Path) -> None:
    (play,) = yaml.safe_load(phase.read_text())
    assert play["strategy"] == "ansible.builtin.linear"


def test_a_task_waits_for_its_own_lane_and_for_those_that_name_it() -> None:
    one, two = {"tasks": ["a.x"], "before": ["a.z"]}, {"tasks": ["a.y"], "before": ["a.z"]}
    lanes = Lanes.described({"one": one, "two": two})
    assert lanes.awaited("a.x") == {"one"}
    assert lanes.awaited("a.z") == {"one", "two"}
    assert lanes.awaited("a.other") == set()


def test_a_task_is_named_by_its_role_and_module_without_their_collection() -> None:
    assert key("stories1001.platform.security", "stories1001.platform.iam_roles") == "security.iam_roles"
    assert key("", "stories1001.platform.platform_info") == "platform_info"
