# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows a load test while it runs: users, requests, the 95th percentile so far."""

from __future__ import annotations

import json
import time
from typing import Any

from ansible.plugins.action import ActionBase

from ..plugin_utils._follower import run_followed


class ActionModule(ActionBase):
    """Runs the module of the same name and follows its progress file."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        return {**result, **run_followed(self, "progress_path", task_vars, _line)}


def _line(text: str) -> str:
    told = json.loads(text)
    moment = time.strftime("%H:%M:%S", time.gmtime(told["at"]))
    return f"{moment} {told['step']:>8}  {told['line']}"
