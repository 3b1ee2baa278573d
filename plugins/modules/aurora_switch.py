#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: aurora_switch
short_description: Put a restored Aurora cluster into the place of the one that serves
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Renames the serving cluster and its instances out of the way, and the restored ones to their names. The endpoints
    follow the names, so the application finds the restored database where the other was; RDS Proxy is pointed to it.
  - What is written to the old cluster during and before the switch, and was not restored, stays in the kept cluster.
  - A run that was killed is continued by the next. A second run finds nothing to do.
options:
  name:
    description: Name of the serving cluster; the restored one has it in the end. It may be gone already.
    type: str
    required: true
  restored:
    description: Name of the restored cluster, as M(stories1001.platform.aurora_restore) made it.
    type: str
    required: true
  kept:
    description: New name of the cluster that served.
    type: str
    required: true
  tags:
    description: Tags of the platform. C(Project) and C(Environment) identify what is its own.
    type: dict
    required: true
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let the restored database serve
  stories1001.platform.aurora_switch:
    name: stories-production
    restored: stories-production-restored
    kept: stories-production-before
    tags:
      Project: 1001-stories
      Environment: production
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: db_cluster/stories-production:rename
      sentence: Rename Aurora cluster stories-production to stories-production-before
"""

from dataclasses import asdict
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.runner import converge
from ..module_utils._recovery.switch import Place, plan
from ..module_utils._recovery.switching import Switching


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "restored": {"type": "str", "required": True},
            "kept": {"type": "str", "required": True},
            "tags": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    names = (params["name"], params["restored"], params["kept"])
    switching = Switching(Aws(module), params["tags"], names)
    converge(
        module,
        observe=switching.observe,
        plan=plan,
        apply=switching.apply,
        render=lambda place, _steps: _shown(place),
        outputs=lambda place: {},
    )


def _shown(place: Place) -> dict[str, Any]:
    told = asdict(place)
    return {name: told[name] for name in ("serving", "restored", "kept") if told[name]}


if __name__ == "__main__":
    main()
