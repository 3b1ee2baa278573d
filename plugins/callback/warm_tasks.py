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
  - Tasks that only work templates out, and modules for the warm worker that run on one host with nothing beside them,
    get no process of their own.
  - With it, a play may name tasks that it need not wait for in its variable C(platform_lanes), a dictionary of lanes.
    Each has C(tasks), named C(role.module), which run beside those after them, and C(before), tasks that wait for it.
  - All lanes are awaited by the end of the play, by handlers and by blocks with C(rescue) or C(always). As many tasks
    run at once as C(forks) allows. They run one by one where C(platform_state) is not C(present), with
    C(-e platform_lanes=false), and without this callback.
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

from ansible._internal._templating._engine import TemplateEngine
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import connection_loader, filter_loader, lookup_loader, shell_loader, test_loader
from ansible.release import __version__ as core_version

from ..plugin_utils import inline_tasks
from ..plugin_utils.lanes import NO_LANES, Beside, Lanes
from ..plugin_utils.warm_templates import SharedCode, share
from ..plugin_utils.warm_variables import parse_once, wrap_once
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
        self._beside = Beside()
        self._lanes_known = False
        self._decided = eligible.unsupported(core_version) is not None  # the warm worker warns of it

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play
        self._beside.new_play()
        self._lanes_known = False

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Called just before the task's process is forked, which knows what is known here by then."""
        if not self._decided:
            self._decided = True
            if eligible.switched_on(self._variables(host), os.environ):
                self._code = SharedCode()
                share(self._code)
                self._beside.install()
                inline_tasks.install(self._beside.is_alone)
                wrap_once()
                parse_once()
                _load_plugins()
                gc.collect()
        if self._code:
            if not self._lanes_known:
                self._lanes_known = True
                self._beside.lanes = self._lanes(host)
            self._code.catch_up()
            # What is here stays; a collection in the task's process would only copy these pages.
            gc.freeze()

    def _variables(self, host: Any) -> dict[str, Any]:
        known: dict[str, Any] = self._play.get_variable_manager().get_vars(play=self._play, host=host)
        return known

    def _lanes(self, host: Any) -> Lanes:
        """Those of the play, unless it removes what it would make: that goes one by one, in its own order."""
        if "platform_lanes" not in self._play.get_vars():
            return NO_LANES
        known = self._variables(host)
        described = known["platform_lanes"]
        if not isinstance(described, dict) or known.get("platform_state", "present") != "present":
            return NO_LANES
        return Lanes.described(described)


def _load_plugins() -> None:
    """Those that nearly every task loads. A test or a filter loads all of its kind that are Ansible's own."""
    for collection in eligible.COLLECTIONS:
        with contextlib.suppress(ImportError):
            importlib.import_module(f"ansible_collections.{collection}")
    TemplateEngine().environment.lexer  # noqa: B018 - kept by Ansible from the first time that it is asked for
    filter_loader.get("ansible.builtin.default")
    test_loader.get("ansible.builtin.defined")
    connection_loader.get("ansible.builtin.local", class_only=True)
    shell_loader.get("ansible.builtin.sh", class_only=True)
    lookup_loader.get("ansible.builtin.vars", class_only=True)
