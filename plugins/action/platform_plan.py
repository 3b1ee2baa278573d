# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plans a playbook in check mode and prices what it would do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._costs.cost import cost, refusal
from ..module_utils._costs.table import table
from ..module_utils._engine.steps import PlanRefused
from ..plugin_utils.check_run import check_run
from ..plugin_utils.description import described, prices_of


class ActionModule(ActionBase):
    """Writes nothing, whether the outer run is in check mode or not."""

    _VALID_ARGS = frozenset({"playbook"})
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        playbook = Path(variables.get("playbook_dir", ".")) / self._task.args.get("playbook", "site.yml")
        description = described(variables, self._templar)
        try:
            prices = prices_of(str(description["platform_region"]))
            cost(description, prices)  # what is missing is told before the minute that a plan takes
            told = cost(description, prices, check_run(playbook))
        except PlanRefused as refused:
            return {**result, "failed": True, "msg": "\n".join(refused.problems)}
        reason = refusal(told, description)
        return {**result, "changed": False, **told, "table": table(told), "warnings": [reason] if reason else []}
