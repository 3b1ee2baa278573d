# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Turns what was measured and offered into advice, on the controller. Buys nothing."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._costs.advice import advice, not_measured
from ..module_utils._engine.steps import PlanRefused
from ..plugin_utils.description import described, prices_of


class ActionModule(ActionBase):
    """Nothing is read from AWS and nothing is written."""

    _VALID_ARGS = frozenset({"figures", "offers"})
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        figures: dict[str, Any] = self._task.args.get("figures") or {}
        offers: dict[str, Any] = self._task.args.get("offers") or {}
        description = described(task_vars or {}, self._templar)
        try:
            prices = prices_of(str(description["platform_region"]))
            found = advice(description, prices, figures, offers)
            prices.check()
        except PlanRefused as refused:
            return {**result, "failed": True, "msg": "\n".join(refused.problems)}
        return {**result, "changed": False, "advice": found, "not_measured": not_measured(figures)}
