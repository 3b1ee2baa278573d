"""The lines that a module appends are shown while it works, each once and whole."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

FOLLOWER = "ansible_collections.stories1001.platform.plugins.plugin_utils._follower"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    module = importlib.import_module(FOLLOWER)
    monkeypatch.setattr(module, "Display", lambda: SimpleNamespace(display=lines.append))
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    return lines


def action(work: Any, transport: str = "local", **arguments: Any) -> Any:
    return SimpleNamespace(
        _task=SimpleNamespace(args=arguments),
        _connection=SimpleNamespace(transport=transport),
        _execute_module=lambda module_args, task_vars: work(module_args),
    )


def follow(one: Any) -> Any:
    return importlib.import_module(FOLLOWER).run_followed(one, "progress_log", None, str.upper)


def test_whole_lines_are_shown_once_and_the_file_is_gone_afterwards(shown: list[str]) -> None:
    paths = []

    def work(arguments: dict[str, Any]) -> dict[str, Any]:
        paths.append(arguments["progress_log"])
        with open(paths[0], "a", encoding="utf-8") as file:
            file.write("\n")  # an empty line has a length too
            for part in ("on", "e\ntwo é\nun", "finished"):
                file.write(part)
                file.flush()
                importlib.import_module("time").sleep(0.05)
        return {"changed": True}

    assert follow(action(work)) == {"changed": True}
    assert shown == ["", "ONE", "TWO É"]
    assert not os.path.exists(paths[0])


def test_a_file_that_the_task_names_is_kept_and_its_old_lines_are_not_shown(shown: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\n", encoding="utf-8")

    def work(arguments: dict[str, Any]) -> dict[str, Any]:
        with log.open("a", encoding="utf-8") as file:
            file.write("new\n")
        return {}

    follow(action(work, progress_log=str(log)))
    assert shown == ["NEW"]
    assert log.read_text(encoding="utf-8") == "old\nnew\n"


def test_a_module_on_another_machine_runs_unfollowed(shown: list[str]) -> None:
    assert follow(action(lambda arguments: {"given": arguments}, transport="ssh")) == {"given": {}}
    assert shown == []
