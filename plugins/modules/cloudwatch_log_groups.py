#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cloudwatch_log_groups
short_description: Make the log groups of a platform, with their retention and key
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes log groups before the services that write into them would make them without retention or key.
  - Retention, key and tags of each are compared and mended. All are listed in one call.
options:
  name:
    description: The platform's prefix, such as C(stories-production). Every log group has it somewhere in its name.
    type: str
    required: true
  state:
    description:
      - Whether the log groups shall exist.
      - V(absent) removes those of O(log_groups) and every other with O(name) in its name that carries our tags.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every log group. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  log_groups:
    description: The log groups.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Whole name, such as C(/ecs/stories-production/app).
        type: str
        required: true
      retention_in_days:
        description: Days after which a log event goes; V(0) keeps them for ever.
        type: int
        default: 30
      kms_key_arn:
        description: Key whose policy lets CloudWatch Logs use it. AWS's own key when left out.
        type: str
      log_group_class:
        description: V(INFREQUENT_ACCESS) costs half and lacks metric filters. Cannot be changed later.
        type: str
        choices: [STANDARD, INFREQUENT_ACCESS, DELIVERY]
        default: STANDARD
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep the application's log for three months
  stories1001.platform.cloudwatch_log_groups:
    name: stories-production
    tags:
      Project: 1001-stories
      Environment: production
    log_groups:
      - name: /ecs/stories-production/app
        retention_in_days: 90
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: log_group//ecs/stories-production/app:create
      sentence: Create log group /ecs/stories-production/app
resources:
  description: Names by kind. An ARN that does not exist yet is left out.
  returned: success
  type: dict
  sample: {log_group: {/ecs/stories-production/app: {id: /ecs/stories-production/app}}}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._logs.kinds import LogGroup
from ..module_utils._logs.model import desired


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "log_groups": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "retention_in_days": {"type": "int", "default": 30},
                    "kms_key_arn": {"type": "str", "no_log": False},
                    "log_group_class": {
                        "type": "str",
                        "choices": ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"],
                        "default": "STANDARD",
                    },
                },
            },
        },
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    names = [group["name"] for group in params["log_groups"]]
    converge_resources(module, [LogGroup(Aws(module), params["tags"], params["name"], names)], wanted)


if __name__ == "__main__":
    main()
