#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: release_table
short_description: Make the DynamoDB table that holds the lock and the audit records of releases
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes the table that M(stories1001.platform.ecs_blue_green) needs, paid by request, with point-in-time recovery
    and deletion protection, neither of which the stock module C(community.aws.dynamodb_table) can set.
options:
  name:
    description: Name of the table, such as C(stories-production-releases).
    type: str
    required: true
  state:
    description: Whether the table shall exist. Removing it removes the audit records.
    type: str
    choices: [present, absent]
    default: present
  remove_protected:
    description: With O(state=absent), removes the table although its deletion protection is on.
    type: bool
    default: false
  tags:
    description: Tags of the table.
    type: dict
    required: true
  deletion_protection:
    description: Whether AWS refuses to delete the table.
    type: bool
    default: true
  point_in_time_recovery:
    description: Whether the table can be restored to any second of the last 35 days.
    type: bool
    default: true
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the table of release records
  stories1001.platform.release_table:
    name: stories-production-releases
    tags: {Project: 1001-stories, Environment: production}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "dynamodb_table/stories-production-releases:create", sentence: "Create DynamoDB table …"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {dynamodb_table: {stories-production-releases: {id: "arn:aws:dynamodb:…"}}}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._blue_green.table import ReleaseTable, desired_table
from ..module_utils._engine.kinds import converge_resources


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "remove_protected": {"type": "bool", "default": False},
            "tags": {"type": "dict", "required": True},
            "deletion_protection": {"type": "bool", "default": True},
            "point_in_time_recovery": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    params = module.params
    table = ReleaseTable(Aws(module), params["name"], params["remove_protected"])
    converge_resources(module, [table], desired_table(params) if params["state"] == "present" else None)


if __name__ == "__main__":
    main()
