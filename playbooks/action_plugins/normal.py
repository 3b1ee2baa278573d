# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every module of these playbooks that has no action plugin of its own: in the warm worker where that is the same.

Ansible looks for an action called `normal` beside the playbook before it takes its own.
"""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from ansible.plugins import action
from ansible_collections.stories1001.platform.plugins.plugin_utils.warm_worker.action import WarmAction


def _ansibles_own() -> Any:
    """Ansible's `normal`. It cannot be imported by its name, which Ansible has given to this file."""
    spec = spec_from_file_location("ansibles_own_normal", Path(action.__file__).with_name("normal.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ActionModule


class ActionModule(WarmAction, _ansibles_own()):  # type: ignore[misc] # a class known at run time
    """Ansible's own, with another way to execute the module."""
