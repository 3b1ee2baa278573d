# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes what each task of a run told of its resources, one JSON object a line, for the priced plan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan_record
type: notification
short_description: Record the steps and resources of each task
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Used by M(stories1001.platform.platform_cost), which enables it for the run that it starts. It records names of
    plays, tasks and resources and the ids of steps; never arguments, values or outputs.
requirements:
  - enabled with C(callbacks_enabled=stories1001.platform.plan_record)
options:
  path:
    description: The file to write. Nothing is recorded without one.
    type: path
    default: ""
    env:
      - name: STORIES1001_PLAN_RECORD
"""

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

PATH = "STORIES1001_PLAN_RECORD"


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "stories1001.platform.plan_record"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, display: Any = None, options: Any = None) -> None:
        super().__init__(display=display, options=options)
        self._path = Path(os.environ[PATH]) if os.environ.get(PATH) else None
        self._play = ""
        self.disabled = self._path is None

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play.get_name()
        self._write({"play": self._play})

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            self._record(result, failed=True)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record(result, failed=True)

    def _record(self, result: Any, failed: bool = False) -> None:
        told = result.result
        # A loop tells its items under `results`.
        parts = told.get("results") if isinstance(told.get("results"), list) else [told]
        for part in parts:
            if not isinstance(part, dict) or part.get("skipped"):
                continue
            steps = [step["id"] for step in part.get("steps") or () if isinstance(step, dict) and "id" in step]
            found = part.get("resources")
            kinds = found.items() if isinstance(found, dict) else ()
            resources = {kind: sorted(names) for kind, names in kinds if isinstance(names, dict)}
            if not failed and not steps and not resources and not part.get("changed"):
                continue
            entry = {
                "play": self._play,
                "task": result.task.get_name(),
                "changed": bool(part.get("changed")),
                "steps": steps,
                "resources": resources,
            }
            if failed:
                entry["failed"] = str(part.get("msg") or told.get("msg") or told.get("censored") or "")
            self._write(entry)

    def _write(self, entry: dict[str, Any]) -> None:
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
