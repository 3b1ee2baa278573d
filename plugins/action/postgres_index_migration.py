# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows the module's progress lines while it works; Ansible itself shows nothing before a task ends."""

from __future__ import annotations

import os
import tempfile
import threading
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

_PAUSE = 0.5  # seconds between two looks at the log


class ActionModule(ActionBase):
    """Runs the module of the same name. Lines are shown on a local connection, where the log can be read."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._connection.transport != "local":
            return {**result, **self._module(self._task.args, task_vars)}
        given = self._task.args.get("progress_log")
        path = given or _temporary()
        try:
            with _Follower(path, str(self._task.get_name())):
                return {**result, **self._module({**self._task.args, "progress_log": path}, task_vars)}
        finally:
            if not given:
                os.unlink(path)

    def _module(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        told: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        return told


def _temporary() -> str:
    handle, path = tempfile.mkstemp(prefix="postgres-index-migration-")
    os.close(handle)
    return path


class _Follower:
    """Shows what is appended to a file for the length of a block."""

    def __init__(self, path: str, title: str) -> None:
        self._path, self._title = path, title
        self._offset = os.path.getsize(path) if os.path.exists(path) else 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join(timeout=5)

    def _follow(self) -> None:
        ended = False
        while not ended:
            ended = self._ended.wait(_PAUSE)
            self._show()

    def _show(self) -> None:
        if not os.path.exists(self._path):
            return
        with open(self._path, encoding="utf-8") as file:
            file.seek(self._offset)
            # A line that is still being written is shown at the next look.
            whole, _newline, _rest = file.read().rpartition("\n")
            self._offset += len(whole.encode()) + 1 if whole else 0
        for line in whole.splitlines():
            Display().display(line)
