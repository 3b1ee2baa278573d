# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows what a module does while it does it; Ansible itself shows nothing before a task ends.

The module appends lines to a file that this side reads. Plain lines, no cursor movements: they read alike in a
terminal, in a CI log and in AWX.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

_PAUSE = 0.5  # seconds between two looks


def run_followed(
    action: ActionBase, option: str, task_vars: dict[str, Any] | None, render: Callable[[str], str] = str
) -> Mapping[str, Any]:
    """Run the module of the action's name and show what it appends to a file.

    option: the module's, for the path of that file; a file that the task names itself is followed and kept.
    render: a line of the file as a person reads it. Only a local connection's file can be read from here; over
    others the module runs unfollowed.
    """
    arguments = action._task.args
    if action._connection.transport != "local":
        result: dict[str, Any] = action._execute_module(module_args=arguments, task_vars=task_vars)
        return result
    given = arguments.get(option)
    path = given or _temporary(option)
    try:
        with _Follower(path, render):
            result = action._execute_module(module_args={**arguments, option: path}, task_vars=task_vars)
            return result
    finally:
        if not given:
            os.unlink(path)


def _temporary(option: str) -> str:
    handle, path = tempfile.mkstemp(prefix=f"{option.replace('_', '-')}-")
    os.close(handle)
    return path


class _Follower:
    """Shows each whole line that is appended to a file for the length of a block."""

    def __init__(self, path: str, render: Callable[[str], str]) -> None:
        self._path, self._render = path, render
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
            ended = self._ended.wait(_PAUSE)  # one more look after the end
            self._show()

    def _show(self) -> None:
        if not os.path.exists(self._path):
            return
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            # A line that is still being written is shown at the next look.
            whole, newline, _rest = file.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for line in whole.decode("utf-8", "replace").split("\n") if newline else ():
            Display().display(self._render(line))
