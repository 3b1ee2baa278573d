#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_plans
short_description: Make the plans of AWS Backup with the selections of what they back up
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes plans, each with its rules and one selection by tags, or removes all of a platform's.
  - Every rule is compared, recovery point tags with their capital letters too, which the stock module mangles.
  - AWS cannot change a selection; it is replaced, which loses no recovery point.
options:
  name:
    description: Prefix of every plan's name, such as C(stories-production).
    type: str
    required: true
  state:
    description: Whether the plans shall exist. Recovery points stay in their vaults either way.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every plan and recovery point. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  plans:
    description: The plans.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name without the prefix.
        type: str
        required: true
      rules:
        description: When to back up, into which vault, and for how long.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: Name of the rule.
            type: str
            required: true
          vault:
            description: Name of the vault.
            type: str
            required: true
          schedule:
            description: When to start, in UTC, such as C(cron(0 4 ? * * *\)).
            type: str
            required: true
          start_window_minutes:
            description: Minutes in which a job must begin.
            type: int
            default: 60
          completion_window_minutes:
            description: Minutes in which it must be done.
            type: int
            default: 360
          cold_storage_after_days:
            description: Days until a recovery point moves to cold storage. Only for resources that have one.
            type: int
          delete_after_days:
            description: Days until a recovery point goes; without, it stays for ever.
            type: int
          copies:
            description: Further vaults, in other regions, that get a copy.
            type: list
            elements: dict
            default: []
            suboptions:
              vault_arn:
                description: ARN of the vault.
                type: str
                required: true
              cold_storage_after_days:
                description: Days until the copy moves to cold storage.
                type: int
              delete_after_days:
                description: Days until the copy goes.
                type: int
      selection:
        description: What the plan backs up.
        type: dict
        required: true
        suboptions:
          role_arn:
            description: Role that AWS Backup takes.
            type: str
            required: true
          resources:
            description: ARNs, with C(*) for any text.
            type: list
            elements: str
            required: true
          tags:
            description: Tags that a resource must have, all of them.
            type: dict
            required: true
          not_tags:
            description: Tags that keep a resource out.
            type: dict
            default: {}
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Back up every database of the platform at four in the morning
  stories1001.platform.backup_plans:
    name: stories-production
    tags: &tags
      Project: 1001-stories
      Environment: production
    plans:
      - name: warm
        rules:
          - name: daily
            vault: stories-production
            schedule: cron(0 4 ? * * *)
            delete_after_days: 365
        selection:
          role_arn: arn:aws:iam::123456789012:role/stories-production-backup
          resources: ["arn:aws:rds:*:*:cluster:*"]
          tags: *tags
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: backup_plan/stories-production-warm:create
      sentence: Create backup plan stories-production-warm
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {backup_plan: {stories-production-warm: {id: 0f5a}}}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._backup.kinds import Plan, Selection
from ..module_utils._backup.model import plans
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing

_CYCLE = {"cold_storage_after_days": {"type": "int"}, "delete_after_days": {"type": "int"}}
_STRINGS = {"type": "list", "elements": "str", "required": True}
_COPY = {"vault_arn": {"type": "str", "required": True}, **_CYCLE}
_RULE = {
    "name": {"type": "str", "required": True},
    "vault": {"type": "str", "required": True},
    "schedule": {"type": "str", "required": True},
    "start_window_minutes": {"type": "int", "default": 60},
    "completion_window_minutes": {"type": "int", "default": 360},
    **_CYCLE,
    "copies": {"type": "list", "elements": "dict", "default": [], "options": _COPY},
}
_SELECTION = {
    "role_arn": {"type": "str", "required": True},
    "resources": _STRINGS,
    "tags": {"type": "dict", "required": True},
    "not_tags": {"type": "dict", "default": {}},
}
_PLAN = {
    "name": {"type": "str", "required": True},
    "rules": {"type": "list", "elements": "dict", "required": True, "options": _RULE},
    "selection": {"type": "dict", "required": True, "options": _SELECTION},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "plans": {"type": "list", "elements": "dict", "default": [], "options": _PLAN},
        },
        supports_check_mode=True,
    )
    params, aws = module.params, Aws(module)
    with refusing(module):
        wanted = plans(params) if params["state"] == "present" else None
    kinds = [kind(aws, params["tags"], params["name"]) for kind in (Plan, Selection)]
    converge_resources(module, kinds, wanted)


if __name__ == "__main__":
    main()
