# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows what a release does while it does it; Ansible itself shows nothing before a task ends.

Plain lines, no cursor movements: they read alike in a terminal, in a CI log and in AWX.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

_PAUSE = 0.5  # seconds between two looks


class ActionModule(ActionBase):
    """Runs the module of the same name. Lines are shown on a local connection, where its file can be read."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self._task.args
        if self._connection.transport != "local" or arguments.get("progress_path"):
            return {**result, **self._execute_module(module_args=arguments, task_vars=task_vars)}
        handle, path = tempfile.mkstemp(prefix="ecs-blue-green-")
        os.close(handle)
        ended = threading.Event()
        follower = threading.Thread(target=_follow, args=(path, ended), daemon=True)
        follower.start()
        try:
            told = self._execute_module(module_args={**arguments, "progress_path": path}, task_vars=task_vars)
            return {**result, **told}
        finally:
            ended.set()
            follower.join(timeout=5)
            os.unlink(path)


def _follow(path: str, ended: threading.Event) -> None:
    """Show each whole line that is appended to the file, until the end and once more after it."""
    with open(path, encoding="utf-8") as file:
        rest, last = "", False
        while not last:
            last = ended.wait(_PAUSE)
            *lines, rest = (rest + file.read()).split("\n")
            for line in lines:
                told = json.loads(line)
                moment = time.strftime("%H:%M:%S", time.gmtime(told["at"]))
                Display().display(f"{moment} {told.get('step', ''):18} {told['line']}")
