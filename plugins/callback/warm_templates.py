# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lets the tasks of a run share the templates that one of them has compiled."""

from __future__ import annotations

DOCUMENTATION = r"""
name: warm_templates
type: notification
short_description: Compile each template once in a run
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Ansible compiles a template in each task that meets it. With this callback the first task leaves what it compiled to
    all others, in memory that ends with the run.
  - It does nothing under an ansible-core that it was not verified with, nor where the warm worker is switched off.
requirements:
  - enabled in C(callbacks_enabled)
  - Linux
"""

import os
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as core_version

from ..plugin_utils.warm_templates import SharedCode, share
from ..plugin_utils.warm_worker import eligible


class CallbackModule(CallbackBase):
    """One `SharedCode` for each ansible-playbook; it lives in the process from which all tasks are forked."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "stories1001.platform.warm_templates"
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
        if self._code:
            self._code.catch_up()
