#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: kms_keys
short_description: Make the encryption keys of a platform
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes symmetric KMS keys, each with an alias, a policy, rotation and tags, or schedules the deletion of all.
  - A key that waits for its deletion under one of our aliases is saved when it is wanted again, so that what it
    encrypted can still be read.
  - A key whose creation was stopped before it had an alias is found by its tags and finished.
options:
  name:
    description: Prefix of every alias, such as C(stories-production).
    type: str
    required: true
  state:
    description: Whether the keys shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every key. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  pending_window_in_days:
    description: Days from O(state=absent) to the end of a key, 7 to 30.
    type: int
    default: 30
  keep:
    description: Names, without the prefix, of keys that stay with O(state=absent), for what they encrypted stays too.
    type: list
    elements: str
    default: []
  keys:
    description: The keys.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name without the prefix. The alias of V(data) is C(alias/stories-production-data).
        type: str
        required: true
      description:
        description: What the key protects.
        type: str
        default: ""
      policy:
        description: Key policy. Without the account's own statement nobody but those named can ever change it.
        type: dict
        required: true
      rotation:
        description: Whether KMS makes new key material from time to time. What was encrypted before stays readable.
        type: bool
        default: true
      rotation_period_in_days:
        description: Days between two rotations, 90 to 2560.
        type: int
        default: 365
      multi_region:
        description: Whether the key can have replicas in other regions. Cannot be changed later.
        type: bool
        default: false
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the key of the database
  stories1001.platform.kms_keys:
    name: stories-production
    tags:
      Project: 1001-stories
      Environment: production
    keys:
      - name: data
        description: Database and cache of stories-production
        policy:
          Version: "2012-10-17"
          Statement:
            - Sid: Account
              Effect: Allow
              Principal: {AWS: "arn:aws:iam::123456789012:root"}
              Action: kms:*
              Resource: "*"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "kms_key/stories-production-data:create", sentence: "Create KMS key stories-production-data"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {kms_key: {stories-production-data: {id: 1234abcd-12ab-34cd-56ef-1234567890ab}}}
key_arns:
  description: Key ARNs by name without the prefix.
  returned: success
  type: dict
  sample: {data: "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing
from ..module_utils._kms.kinds import KmsKey
from ..module_utils._kms.model import desired, full_name


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "pending_window_in_days": {"type": "int", "default": 30},
            "keep": {"type": "list", "elements": "str", "default": []},
            "keys": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "no_log": False,
                "options": {
                    "name": {"type": "str", "required": True},
                    "description": {"type": "str", "default": ""},
                    "policy": {"type": "dict", "required": True},
                    "rotation": {"type": "bool", "default": True},
                    "rotation_period_in_days": {"type": "int", "default": 365},
                    "multi_region": {"type": "bool", "default": False},
                },
            },
        },
        supports_check_mode=True,
    )
    params = module.params
    present = params["state"] == "present"
    with refusing(module):
        wanted = desired(params)
    kind = KmsKey(
        Aws(module),
        params["tags"],
        params["name"],
        revive=present,
        pending_window_in_days=params["pending_window_in_days"],
        keep=[] if present else [full_name(params["name"], name) for name in params["keep"]],
    )

    def key_arns(state: State) -> dict[str, dict[str, str]]:
        names = [key["name"] for key in params["keys"]] if present else []
        found = {name: state["kms_key", full_name(params["name"], name)] for name in names}
        return {"key_arns": {name: one.outputs.get("arn", one.id) for name, one in found.items()}}

    converge_resources(module, [kind], wanted if present else None, key_arns)


if __name__ == "__main__":
    main()
