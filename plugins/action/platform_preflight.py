# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Validates the platform description on the controller, before any task of a phase can write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from ansible.template import trust_as_template

from ..module_utils._platform.rules import broken, owner, unknown
from ..plugin_utils.templates import templated
from ..plugin_utils.warm_worker.action import WarmAction

_ROLES = Path(__file__).resolve().parents[2] / "roles"


class ActionModule(WarmAction):
    """Everything wrong is reported at once; nothing is read from AWS."""

    _VALID_ARGS = frozenset({"roles"})
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        self.start_warm_worker(variables)
        roles: list[str] = self._task.args["roles"]
        wrong: list[str] = []
        values = templated(self._templar, variables, [name for name in variables if name.startswith("platform_")])
        for role in roles:
            given, problems = self._check(role, variables)
            values.update(given)
            wrong += problems
        # A rule may rely on types only once these are right.
        wrong = wrong or broken(values, roles)
        if wrong:
            return {**result, "failed": True, "msg": "\n".join(wrong)}
        return {**result, "changed": False, "roles": roles}

    def _check(self, role: str, variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The role's inputs, defaults included, and what is wrong with them."""
        spec = _read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
        every_role = [path.name for path in _ROLES.iterdir()]
        mine = [name for name in variables if owner(name, every_role) == role]
        given = {**_trusted(_read(role, "defaults/main.yml")), **{name: variables[name] for name in mine}}
        values = templated(self._templar, {**variables, **given}, [name for name in given if name in spec])
        # What the play hands over (ids) does not exist yet; its absence is the play's business.
        optional = {name: {**_without_template(option), "required": False} for name, option in spec.items()}
        checked = ArgumentSpecValidator(optional).validate(values)
        wrong = [
            f"Read the inputs of role {role}: {message}. Mend the inventory." for message in checked.error_messages
        ]
        return dict(checked.validated_parameters), unknown(mine, role, spec) + wrong


def _read(role: str, path: str) -> dict[str, Any]:
    file = _ROLES / role / path
    # This loader is a tenth of the time of PyYAML's own: it is libyaml's where that is installed.
    return yaml_load(file.read_text(encoding="utf-8")) or {} if file.exists() else {}


def _without_template(option: Mapping[str, Any]) -> dict[str, Any]:
    """Without a default that is a template: what it comes to is known, if at all, from the role's defaults."""
    return {key: value for key, value in option.items() if key != "default" or "{{" not in str(value)}


def _trusted(value: Any) -> Any:
    """The same with every text as a template: these come from the collection's own files."""
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {name: _trusted(part) for name, part in value.items()}
    return [_trusted(part) for part in value] if isinstance(value, list) else value
