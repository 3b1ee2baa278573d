# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reckons what the described platform costs, on the controller, before anything exists."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._costs.cost import GUARD, cost, refusal
from ..module_utils._engine.steps import PlanRefused
from ..plugin_utils.description import described, prices_of


class ActionModule(ActionBase):
    """Nothing is read from AWS and nothing is written."""

    _VALID_ARGS = frozenset({"enforce"})
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        enforce = self._task.args.get("enforce", False)
        description = described(task_vars or {}, self._templar)
        if enforce and GUARD in description and not description.on(GUARD):
            return {**result, "changed": False, "skipped": True, "msg": f"{GUARD} is off; nothing was reckoned."}
        try:
            told = cost(description, prices_of(str(description["platform_region"])))
        except PlanRefused as refused:
            return {**result, "failed": True, "msg": "\n".join(refused.problems)}
        reason = refusal(told, description) if enforce else None
        if reason and self._task.check_mode:
            # A plan writes nothing, so it may show what costs too much.
            return {**result, "changed": False, **told, "warnings": [reason]}
        return {**result, "changed": False, "failed": bool(reason), **told, **({"msg": reason} if reason else {})}
