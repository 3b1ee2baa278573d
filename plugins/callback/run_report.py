# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps a record of every run of a platform's playbooks and draws the report from it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: run_report
type: notification
short_description: Leave a report of each run, a page to look at and the figures behind it
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Writes one HTML file that needs nothing from the network, and a JSON record, into the folder
    C(<platform_reports_folder>/<platform_prefix>). The newest page is always C(report.html).
  - Runs whose inventory names no C(platform_reports_folder) leave nothing.
  - Trouble with the folder is a warning; it never fails a run.
requirements:
  - enabled in C(callbacks_enabled)
options:
  enabled:
    description: Whether runs are recorded.
    type: bool
    default: true
    env:
      - name: STORIES1001_REPORT
    ini:
      - section: callback_run_report
        key: enabled
"""

import atexit
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible.template import Templar

from ..module_utils._report.page import page
from ..module_utils._report.run import Run
from ..module_utils._report.store import Store

_VARIABLES = ("platform_prefix", "platform_region", "platform_aws_endpoint_url", "platform_reports_folder")


class CallbackModule(CallbackBase):
    """One `Run` for each playbook."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "stories1001.platform.run_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._run: Run | None = None
        self._play: Any = None
        self._folder = ""
        self._begun: dict[str, float] = {}
        self._process = os.getpid()
        # A run that is broken off (Ctrl-C, a cancelled job) has no last word of Ansible's.
        atexit.register(self._end, interrupted=True)

    def v2_playbook_on_start(self, playbook: Any) -> None:
        name = Path(str(playbook._file_name)).stem
        from ansible import context  # read when a run begins: the command line is parsed by then

        self._run = Run(name, time.time(), bool(context.CLIARGS.get("check")))
        self._folder = ""

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play
        if self._run:
            self._run.play(play.get_name().strip(), time.time())

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._begun[task._uuid] = time.time()
        if self._run and not self._folder:
            self._learn(host)

    def _learn(self, host: Any) -> None:
        """Whose platform this is and where its reports go, from the inventory and the play."""
        known = self._play.get_variable_manager().get_vars(play=self._play, host=host)
        templar = Templar(loader=self._play.get_loader(), variables=known)
        told: dict[str, str] = {}
        for name in _VARIABLES:
            if name not in known:
                continue
            try:
                told[name] = str(templar.template(known[name]))
            except Exception as error:  # a description that cannot be read is told by the play itself
                self._display.vvv(f"run_report could not read {name}: {error}")
        if self._run and told.get("platform_prefix") and told.get("platform_reports_folder"):
            self._folder = told["platform_reports_folder"]
            self._run.platform = {
                "prefix": told["platform_prefix"],
                "region": told.get("platform_region", ""),
                "endpoint": told.get("platform_aws_endpoint_url", ""),
            }

    def v2_runner_on_ok(self, result: Any) -> None:
        self._ended(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._ended(result, failed=True, ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._ended(result, failed=True)

    def _ended(self, result: Any, **how: bool) -> None:
        if not self._run:
            return
        task, ended = result.task, time.time()
        role = task._role.get_name() if task._role else ""
        self._run.task(
            task.get_name().partition(" : ")[2] or task.get_name(),
            role.rpartition(".")[2],
            str(task.resolved_action or task.action),
            self._begun.get(task._uuid, ended),
            ended,
            result.result,
            **how,
        )

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._end()

    def _end(self, interrupted: bool = False) -> None:
        """Keep the record and draw the page, once for each run."""
        run, self._run = self._run, None
        if not run or not self._folder or os.getpid() != self._process or not self.get_option("enabled"):
            return
        store = Store(Path(self._folder) / run.platform["prefix"])
        document = run.document(time.time(), interrupted)
        try:
            name = store.keep(document)
            runs = store.runs()
            current = next(one for one in runs if one["started"] == document["started"])
            path = store.keep_page(name, page(current, runs, store.load_tests(), store.drills()))
        except OSError as error:
            self._display.warning(
                f"Tried to write the report below {self._folder}: {error.strerror}. Set platform_reports_folder to a "
                "folder that you may write to."
            )
            return
        # Not among the lines of a callback whose output a program reads.
        self._display.display(f"Report: {_near(path)}", stderr=True)


def _near(path: Path) -> str:
    """The path from here, if it is below here."""
    whole = path.resolve()
    try:
        return str(whole.relative_to(Path.cwd()))
    except ValueError:
        return str(whole)
