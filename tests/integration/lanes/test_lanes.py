"""Tasks beside others in a real ansible-playbook: what waits for what, and that nothing else is changed by it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.ansible import PlayResult, callback_environment
from tests.support.ansible import _parsed as parsed

_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
Task = Mapping[str, Any]


def shell(words: str, **keywords: Any) -> Task:
    return {"name": words, "ansible.builtin.shell": words, **keywords}


def command(words: str, **keywords: Any) -> Task:
    return {"name": words, "ansible.builtin.command": f"sh -c '{words}'", **keywords}


class Play:
    """A play on one host or more, written into a folder where its commands run. said: what they wrote, in order."""

    def __init__(self, folder: Path, lanes: Mapping[str, Any], *tasks: Task, **keywords: Any) -> None:
        self._folder, self.file = folder, folder / "play.yml"
        variables = {"platform_lanes": lanes, "ansible_python_interpreter": sys.executable}
        head = {"hosts": "all", "gather_facts": False, "strategy": "ansible.builtin.linear", "vars": variables}
        play = {**head, "tasks": list(tasks), **keywords}
        self.file.write_text(json.dumps([play]), encoding="utf-8")

    def command(self, hosts: Sequence[str] = ("one",), **variables: Any) -> list[str]:
        inventory = ",".join(hosts) + ","
        return [str(_PLAYBOOK), "-i", inventory, "-c", "local", "-e", json.dumps(variables), str(self.file)]

    def run(self, *hosts: str, **variables: Any) -> PlayResult:
        done = subprocess.run(
            self.command(hosts or ("one",), **variables),
            cwd=self._folder,
            env=callback_environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return parsed(done)

    @property
    def said(self) -> list[str]:
        file = self._folder / "said"
        return file.read_text().split() if file.exists() else []


def ends_after(what: str) -> str:
    """A command's beginning that goes on only when something later in the play has said this, or after 20 seconds."""
    return f"for try in $(seq 200); do grep -qsx {what} said && break; sleep 0.1; done"


SLOW = command(f"{ends_after('after')}; echo slow >> said", name="Slow", register="slow")
AFTER = shell("echo after >> said")


def test_a_task_of_a_lane_runs_beside_those_after_it_until_one_of_them_needs_it(tmp_path: Path) -> None:
    needs = {"name": "Needs it", "ansible.builtin.assert": {"that": "slow.rc == 0"}}
    play = Play(tmp_path, {"slow": {"tasks": ["command"], "before": ["assert"]}}, SLOW, AFTER, needs, AFTER)
    result = play.run()
    assert (result.returncode, play.said) == (0, ["after", "slow", "after"])
    assert (result.stats["ok"], result.stats["changed"]) == (4, 3)


def test_the_tasks_of_a_lane_keep_their_order(tmp_path: Path) -> None:
    play = Play(tmp_path, {"slow": {"tasks": ["command"]}}, SLOW, command("echo second >> said"), AFTER)
    assert play.run().returncode == 0
    assert play.said.index("slow") < play.said.index("second")


def test_two_lanes_run_beside_each_other_and_the_play_ends_when_both_have(tmp_path: Path) -> None:
    lanes = {"slow": {"tasks": ["command"]}, "quick": {"tasks": ["shell"]}}
    play = Play(tmp_path, lanes, command(f"{ends_after('quick')}; echo slow >> said"), shell("echo quick >> said"))
    assert play.run().stats["ok"] == 2
    assert play.said == ["quick", "slow"]


def test_handlers_wait_and_are_notified_by_a_lane(tmp_path: Path) -> None:
    handler = {"name": "told", "ansible.builtin.shell": "echo handler >> said"}
    play = Play(tmp_path, {"slow": {"tasks": ["command"]}}, {**SLOW, "notify": "told"}, AFTER, handlers=[handler])
    assert play.run().returncode == 0
    assert play.said == ["after", "slow", "handler"]


def test_a_failure_in_a_lane_is_told_of_its_task_and_ends_the_play(tmp_path: Path) -> None:
    broken = command(f"{ends_after('after')}; echo broken >> said; exit 3")
    needs = {"name": "Needs it", "ansible.builtin.assert": {"that": True}}
    play = Play(tmp_path, {"broken": {"tasks": ["command"], "before": ["assert"]}}, broken, AFTER, needs, AFTER)
    result = play.run()
    assert (result.returncode, play.said) == (2, ["after", "broken"])
    failed = [(name, told["rc"]) for name, told in result.tasks if told.get("failed")]
    assert failed == [(broken["name"], 3)]


def test_a_failure_beside_a_lane_still_takes_in_what_the_lane_did(tmp_path: Path) -> None:
    play = Play(tmp_path, {"slow": {"tasks": ["command"]}}, SLOW, shell("echo after >> said; exit 3"), AFTER)
    result = play.run()
    assert (result.returncode, play.said) == (2, ["after", "slow"])
    assert dict(result.tasks)[SLOW["name"]]["changed"]


def test_a_failure_in_a_lane_does_not_lead_into_the_rescue_of_others(tmp_path: Path) -> None:
    broken = command("sleep 1; exit 3")
    block = {"block": [AFTER], "rescue": [shell("echo rescued >> said")]}
    play = Play(tmp_path, {"broken": {"tasks": ["command"]}}, broken, block)
    assert play.run().returncode == 2
    assert play.said == []


def test_each_host_has_lanes_of_its_own(tmp_path: Path) -> None:
    slow = command(
        f"{ends_after('after-one')}; echo slow-{{{{ inventory_hostname }}}} >> said", name="Slow", register="slow"
    )
    needs = {"name": "Needs it", "ansible.builtin.assert": {"that": "slow.rc == 0"}}
    after = shell("echo after-{{ inventory_hostname }} >> said")
    lanes = {"slow": {"tasks": ["command"], "before": ["assert"]}}
    play = Play(tmp_path, lanes, slow, after, needs)
    result = play.run("one", "two")
    assert result.returncode == 0
    assert play.said.index("after-one") < play.said.index("slow-one")
    assert set(play.said) == {"slow-one", "slow-two", "after-one", "after-two"}


@pytest.mark.parametrize(
    "variables", [{"platform_warm_worker": False}, {"platform_state": "absent"}, {"platform_lanes": {}}]
)
def test_without_lanes_the_play_goes_task_by_task(tmp_path: Path, variables: dict[str, Any]) -> None:
    play = Play(tmp_path, {"slow": {"tasks": ["command"]}}, command("sleep 1; echo slow >> said"), AFTER)
    assert play.run(**variables).returncode == 0
    assert play.said == ["slow", "after"]


def test_what_is_told_of_a_run_is_the_same_with_lanes_and_without(tmp_path: Path) -> None:
    lanes = {"slow": {"tasks": ["command"]}, "quick": {"tasks": ["shell"]}}
    play = Play(tmp_path, lanes, command("sleep 1; echo 1"), shell("echo 2"), {"ansible.builtin.debug": {"msg": "3"}})
    beside, one_by_one = play.run(), play.run(platform_lanes={})

    def told(result: PlayResult) -> list[tuple[str, Any]]:
        return [(name, (one.get("changed"), one.get("stdout"), one.get("msg"))) for name, one in result.tasks]

    assert told(beside) == told(one_by_one)
    assert beside.stats == one_by_one.stats


def test_a_run_that_is_broken_off_leaves_no_task_behind(tmp_path: Path) -> None:
    play = Play(tmp_path, {"slow": {"tasks": ["command"]}}, command("sleep 3; echo slow >> said"), shell("sleep 60"))
    running = subprocess.Popen(
        play.command(),
        cwd=tmp_path,
        env=callback_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(2)
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(10) != 0
    time.sleep(3)
    assert play.said == []
