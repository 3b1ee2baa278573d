"""What a task's process finds ready, and that nothing is done where the warm worker is off."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

import pytest
from ansible._internal._templating._jinja_bits import AnsibleEnvironment
from ansible.plugins.loader import filter_loader
from ansible_collections.stories1001.platform.plugins.callback.warm_tasks import CallbackModule
from ansible_collections.stories1001.platform.plugins.plugin_utils.lanes import Beside

from .conftest import Counted


def begin(variables: dict[str, Any]) -> CallbackModule:
    """The callback at the first task of a play with these variables."""
    callback = CallbackModule()
    manager = SimpleNamespace(get_vars=lambda play, host: variables)
    callback.v2_playbook_on_play_start(
        SimpleNamespace(get_variable_manager=lambda: manager, get_vars=lambda: variables)
    )
    callback.v2_runner_on_start(None, None)
    return callback


@pytest.fixture(autouse=True)
def _thawed(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("PLATFORM_WARM_WORKER", raising=False)
    monkeypatch.setattr(Beside, "install", lambda beside: None)  # it would stay for all later tests
    yield
    gc.unfreeze()


def test_filters_are_loaded_and_what_is_there_is_left_out_of_collections(counted: Counted) -> None:
    filter_loader._cached_non_collection_wrappers.clear()
    begin({})
    assert "combine" in filter_loader._cached_non_collection_wrappers
    assert gc.get_freeze_count() > 10_000


def test_the_lanes_of_a_play_are_those_of_its_variable_unless_it_removes(counted: Counted) -> None:
    lanes = {"platform_lanes": {"roles": {"tasks": ["security.iam_roles"]}}}
    assert begin(lanes)._beside.lanes.of == {"security.iam_roles": "roles"}
    assert not begin({**lanes, "platform_state": "absent"})._beside.lanes.of
    assert not begin({"platform_lanes": "false"})._beside.lanes.of


def test_the_lexer_of_templates_is_ready(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnsibleEnvironment, "_lexer_cache", {})
    begin({})
    assert len(AnsibleEnvironment._lexer_cache) == 1


def test_a_run_without_the_warm_worker_is_left_as_it_is(counted: Counted) -> None:
    assert begin({"platform_warm_worker": False})._code is None
    assert gc.get_freeze_count() == 0
