"""Ansible's templating as a run with the callback has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible._internal._templating._jinja_bits import AnsibleEnvironment
from ansible._internal._templating._lazy_containers import _AnsibleLazyTemplateDict
from ansible_collections.stories1001.platform.plugins.plugin_utils.warm_templates import SharedCode, share
from ansible_collections.stories1001.platform.plugins.plugin_utils.warm_variables import wrap_once


class Counted:
    """Ansible's own compiler with a count."""

    def __init__(self, own: Callable[..., Any]) -> None:
        self.own, self.compiled = own, 0

    def compile(self, environment: Any, *arguments: Any) -> Any:
        self.compiled += 1
        return self.own(environment, *arguments)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    """Templating that shares, put back after the test."""
    counter = Counted(AnsibleEnvironment.compile)
    monkeypatch.setattr(AnsibleEnvironment, "compile", lambda self, *arguments: counter.compile(self, *arguments))
    # The callback changes both.
    monkeypatch.setattr(_AnsibleLazyTemplateDict, "_lazy_values", _AnsibleLazyTemplateDict._lazy_values)
    share(SharedCode())
    return counter


@pytest.fixture
def wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templating that wraps variables once, put back after the test."""
    monkeypatch.setattr(_AnsibleLazyTemplateDict, "_lazy_values", _AnsibleLazyTemplateDict._lazy_values)
    wrap_once()
