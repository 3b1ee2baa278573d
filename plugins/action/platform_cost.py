# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reckons what the platform costs, on the controller: from its description, or from a plan of a playbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._costs.cost import GUARD, cost, refusal
from ..module_utils._costs.table import table
from ..module_utils._engine.steps import PlanRefused
from ..plugin_utils.check_run import check_run
from ..plugin_utils.description import described, prices_of


class ActionModule(ActionBase):
    """Writes nothing, whether the run is in check mode or not."""

    _VALID_ARGS = frozenset({"enforce", "plan"})
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        enforce, plan = self._task.args.get("enforce", False), self._task.args.get("plan")
        description = described(variables, self._templar)
        if enforce and GUARD in description and not description.on(GUARD):
            return {**result, "changed": False, "skipped": True, "msg": f"{GUARD} is off; nothing was reckoned."}
        try:
            prices = prices_of(str(description["platform_region"]))
            # What is missing is told before the minutes that a plan takes.
            told = cost(description, prices)
            if plan:
                Display().display(f"   {plan} runs in check mode, which takes up to a minute", stderr=True)
                records = check_run(Path(variables.get("playbook_dir", ".")) / plan)
                told = cost(description, prices, records)
                told["table"] = table(told)
        except PlanRefused as refused:
            return {**result, "failed": True, "msg": "\n".join(refused.problems)}
        reason = refusal(told, description)
        if enforce and reason and not self._task.check_mode:
            return {**result, "failed": True, **told, "msg": reason}
        # What writes nothing may show what costs too much.
        return {**result, "changed": False, **told, "warnings": [reason] if reason else []}
