# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The description of the inventory as an action plugin reads it, before any task has asked AWS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from ansible.errors import AnsibleUndefinedVariable


def templated(templar: Any, variables: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """What the named variables come to. One that depends on what AWS will answer is undefined, and left out.

    Any other fault of a template is raised.
    """
    engine = templar.copy_with_new_env(available_variables=dict(variables))
    values: dict[str, Any] = {}
    for name in names:
        with suppress(AnsibleUndefinedVariable):
            values[name] = engine.template(variables[name])
    return values
