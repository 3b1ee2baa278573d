"""What the worker remembers for all modules is what each of them would have worked out."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from types import FunctionType
from typing import Any

import boto3
import pytest
from ansible_collections.stories1001.platform.plugins.plugin_utils.warm_worker import preload
from botocore import hooks, loaders

UTILS = "ansible_collections.stories1001.platform.plugins.module_utils."
_IMPORT = (
    "import os, sys\nfrom ansible_collections.stories1001.platform.plugins.plugin_utils.warm_worker import preload\n"
)


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore as in the worker, put back after the test."""
    monkeypatch.setattr(hooks, "accepts_kwargs", hooks.accepts_kwargs)
    monkeypatch.setattr(hooks.EventAliaser, "_alias_event_name", hooks.EventAliaser._alias_event_name)
    monkeypatch.setattr(loaders.Loader, "list_available_services", loaders.Loader.list_available_services)
    preload.share_listings()
    preload.share_handlers()


def test_a_session_and_a_client_look_through_no_folder_and_ask_no_function_again(
    remembered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    own_listdir, own_ask = os.listdir, inspect.getfullargspec
    monkeypatch.setattr(os, "listdir", lambda path=".": asked.append(path) or own_listdir(path))
    monkeypatch.setattr(inspect, "getfullargspec", lambda function: asked.append(function) or own_ask(function))
    session = boto3.session.Session()
    assert [one for one in asked if not callable(one)] == []
    # Handlers that are objects, or made for each session, are asked each time.
    assert [one for one in asked if isinstance(one, FunctionType) and one.__module__ == "botocore.handlers"] == []
    asked.clear()
    session.client("sns", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    assert [one for one in asked if isinstance(one, str) and "botocore" in one and "sns" not in one] == []


def test_events_have_the_names_that_botocore_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"before-call.{old}.Do" for old in hooks.EVENT_ALIASES] + ["needs-retry.s3.GetObject", "provide-client"]
    expected = [hooks.EventAliaser(None)._alias_event_name(name) for name in names]
    monkeypatch.setattr(hooks, "accepts_kwargs", hooks.accepts_kwargs)
    monkeypatch.setattr(hooks.EventAliaser, "_alias_event_name", hooks.EventAliaser._alias_event_name)
    preload.share_handlers()
    for _time in range(2):
        assert [hooks.EventAliaser(None)._alias_event_name(name) for name in names] == expected
    assert expected != names


def test_a_session_with_aliases_of_its_own_is_not_answered_from_memory(remembered: None) -> None:
    assert hooks.EventAliaser(None)._alias_event_name("before-call.mine.Do") == "before-call.mine.Do"
    assert (
        hooks.EventAliaser(None, {"mine": "yours"})._alias_event_name("before-call.mine.Do") == "before-call.yours.Do"
    )


def test_what_a_handler_takes_is_asked_of_each_handler(remembered: None) -> None:
    emitter = hooks.HierarchicalEmitter()
    emitter.register("before-call", lambda **given: None)
    with pytest.raises(ValueError, match="must accept keyword arguments"):
        emitter.register("before-call", lambda event: None)


def test_a_module_names_what_it_imported_of_the_collections_and_the_worker_takes_it_in() -> None:
    """In processes of their own, where nothing is imported yet."""
    told = _run(
        f"{_IMPORT}preload.learn_by(1); known = frozenset(sys.modules); import colorsys; "
        f"import {UTILS}_kpis.judge; preload.teach_imports(known)"
    )
    assert f"{UTILS}_kpis.judge" in told.split()
    assert "colorsys" not in told
    learned = _run(
        f"{_IMPORT}[preload.learn(name) for name in {told.split()!r}]; print('{UTILS}_kpis.judge' in sys.modules)"
    )
    assert learned.strip() == "True"


def test_what_cannot_be_imported_is_left_to_the_module_that_needs_it() -> None:
    preload.learn(f"{UTILS}no_such_part")


def _run(program: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", program], check=True, stdout=-1, text=True, env=environment).stdout
