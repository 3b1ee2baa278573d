# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reckons the capacity plan on the controller, from the inventory and what CloudWatch showed."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._costs.capacity import capacity
from ..module_utils._engine.steps import PlanRefused
from ..plugin_utils.description import described, prices_of


class ActionModule(ActionBase):
    """Nothing is read from AWS and nothing is written."""

    _VALID_ARGS = frozenset({"months", "measured"})
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        description = described(task_vars or {}, self._templar)
        months = int(self._task.args.get("months", 12))
        try:
            prices = prices_of(str(description["platform_region"]))
            plan = capacity(description, prices, months, self._task.args.get("measured"))
        except PlanRefused as refused:
            return {**result, "failed": True, "msg": "\n".join(refused.problems)}
        price_list = {"date": prices.date, "source": prices.source}
        return {**result, "changed": False, **plan, "price_list": price_list}
