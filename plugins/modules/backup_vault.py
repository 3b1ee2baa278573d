#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_vault
short_description: Make a vault of AWS Backup, locked if wanted
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes one vault with its encryption key, tags and lock, or removes it.
  - A compliance lock is made only when the vault's name confirms it, since nobody can ever take it off again.
  - A vault that holds recovery points stays when it shall be absent, unless these may be deleted, and the module says
    so. The stock module cannot lock a vault, and needs an error to find that there is none.
options:
  name:
    description: Name of the vault.
    type: str
    required: true
  state:
    description: Whether the vault shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of the vault. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  kms_key_arn:
    description: Key that encrypts the recovery points. Required with O(state=present), cannot be changed later.
    type: str
  lock:
    description:
      - With V(governance), recovery points live as long as the lock says unless someone with the right takes it off.
      - With V(compliance), nobody can take it off after O(lock_grace_days).
    type: str
    choices: [none, governance, compliance]
    default: none
  lock_min_retention_days:
    description: Days that every recovery point lives at least.
    type: int
    default: 7
  lock_max_retention_days:
    description: Days that every recovery point lives at most; a backup that should live longer fails.
    type: int
    default: 2555
  lock_grace_days:
    description: Days in which a compliance lock can still be taken off.
    type: int
    default: 3
  compliance_lock_confirmed:
    description: The vault's name, which confirms that a compliance lock is wanted.
    type: str
    default: ""
  delete_recovery_points:
    description: Whether removal may delete what is in the vault. The backups are gone then.
    type: bool
    default: false
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the vault of another region
  stories1001.platform.backup_vault:
    name: stories-production-dr
    region: us-west-2
    tags:
      Project: 1001-stories
      Environment: production
    kms_key_arn: arn:aws:kms:us-west-2:123456789012:key/00000000-0000-0000-0000-000000000000
    lock: governance
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: backup_vault/stories-production:create
      sentence: Create backup vault stories-production
resources:
  description: The vault's name and ARN; a placeholder that starts with C(planned:) where it does not exist yet.
  returned: success
  type: dict
  sample: {backup_vault: {stories-production: {id: stories-production}}}
arn:
  description: ARN of the vault.
  returned: success
  type: str
  sample: arn:aws:backup:us-east-1:123456789012:backup-vault:stories-production
kept:
  description: Recovery points for whose sake a vault stays that should be absent.
  returned: success
  type: int
  sample: 0
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._backup.kinds import Vault
from ..module_utils._backup.model import vault
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import planned
from ..module_utils._engine.runner import refusing


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "kms_key_arn": {"type": "str", "no_log": False},
            "lock": {"type": "str", "choices": ["none", "governance", "compliance"], "default": "none"},
            "lock_min_retention_days": {"type": "int", "default": 7},
            "lock_max_retention_days": {"type": "int", "default": 2555},
            "lock_grace_days": {"type": "int", "default": 3},
            "compliance_lock_confirmed": {"type": "str", "default": ""},
            "delete_recovery_points": {"type": "bool", "default": False},
        },
        required_if=[("state", "present", ("kms_key_arn",))],
        supports_check_mode=True,
    )
    params, name = module.params, module.params["name"]
    kind = Vault(
        Aws(module),
        params["tags"],
        name,
        grace_days=params["lock_grace_days"],
        delete_recovery_points=params["delete_recovery_points"],
    )
    if params["state"] == "present":
        with refusing(module):
            wanted = vault(params)
        converge_resources(
            module,
            [kind],
            wanted,
            lambda state: {"arn": state["backup_vault", name].outputs.get("arn", planned("backup_vault", name))},
        )
        return
    with refusing(module):
        points = [] if params["delete_recovery_points"] else kind.points()
    if points:
        module.warn(
            f"Kept backup vault {name} in {module.region}: it holds {len(points)} recovery points. Remove it with "
            "delete_recovery_points: true (teardown_delete_data in a teardown); the backups are gone then."
        )
        module.exit_json(changed=False, steps=[], diff=[], resources={}, kept=len(points))
    converge_resources(module, [kind], None, lambda state: {"kept": 0})


if __name__ == "__main__":
    main()
