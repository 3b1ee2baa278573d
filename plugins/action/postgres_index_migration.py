# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows the progress lines of index migrations while they work."""

from __future__ import annotations

from typing import Any

from ..plugin_utils._follower import run_followed
from ..plugin_utils.warm_worker.action import WarmAction


class ActionModule(WarmAction):
    """Runs the module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        return {**result, **run_followed(self, "progress_log", task_vars)}
