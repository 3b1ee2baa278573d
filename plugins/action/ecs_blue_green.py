# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows what a release does while it does it."""

from __future__ import annotations

import json
import time
from typing import Any

from ansible.plugins.action import ActionBase

from ..plugin_utils._follower import run_followed


class ActionModule(ActionBase):
    """Runs the module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        return {**result, **run_followed(self, "progress_path", task_vars, _readable)}


def _readable(line: str) -> str:
    told = json.loads(line)
    moment = time.strftime("%H:%M:%S", time.gmtime(told["at"]))
    return f"{moment} {told.get('step', ''):18} {told['line']}"
