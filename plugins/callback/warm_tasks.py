# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lets the tasks of a run begin with what would else be worked out in each of them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: warm_tasks
type: notification
short_description: Work out once in a run what Ansible works out in each task
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Ansible runs each task in a process of its own, which compiles the templates that it meets and loads the filters and
    plugins that it needs. With this callback the first task leaves its compiled templates to all others, in memory that
    ends with the run, plugins are loaded before the processes part, and a task's variables are wrapped for all of its
    templates at once.
  - It does nothing under an ansible-core that it was not verified with, nor where the warm worker is switched off.
requirements:
  - enabled in C(callbacks_enabled)
  - Linux
"""

import contextlib
import gc
import importlib
import os
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import connection_loader, filter_loader, lookup_loader, shell_loader, test_loader
from ansible.release import __version__ as core_version

from ..plugin_utils.warm_templates import SharedCode, share
from ..plugin_utils.warm_variables import wrap_once
from ..plugin_utils.warm_worker import eligible


class CallbackModule(CallbackBase):
    """One `SharedCode` for each ansible-playbook; it lives in the process from which all tasks are forked."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "stories1001.platform.warm_tasks"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._play: Any = None
        self._code: SharedCode | None = None
        self._decided = eligible.unsupported(core_version) is not None  # the warm worker warns of it

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Called just before the task's process is forked, which knows what is known here by then."""
        if not self._decided:
            self._decided = True
            variables = self._play.get_variable_manager().get_vars(play=self._play, host=host)
            if eligible.switched_on(variables, os.environ):
                self._code = SharedCode()
                share(self._code)
                wrap_once()
                _load_plugins()
                gc.collect()
        if self._code:
            self._code.catch_up()
            # What is here stays; a collection in the task's process would only copy these pages.
            gc.freeze()


def _load_plugins() -> None:
    """Those that nearly every task loads. A test or a filter loads all of its kind that are Ansible's own."""
    for collection in eligible.COLLECTIONS:
        with contextlib.suppress(ImportError):
            importlib.import_module(f"ansible_collections.{collection}")
    filter_loader.get("ansible.builtin.default")
    test_loader.get("ansible.builtin.defined")
    connection_loader.get("ansible.builtin.local", class_only=True)
    shell_loader.get("ansible.builtin.sh", class_only=True)
    lookup_loader.get("ansible.builtin.vars", class_only=True)
