#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: config_recorder
short_description: Let AWS Config record, deliver and judge, and tell its verdicts
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes recorder, delivery channel and rules, starts the recorder, and returns the last verdict of each rule.
  - A region has one recorder; where somebody else's stands, nothing is changed and the error says so.
  - Unlike the modules C(config_*) of community.aws it predicts in check mode and shows what differs.
  - Config costs $0.003 for each recorded change ($0.012 for each resource and day with O(recording_frequency=DAILY))
    and $0.001 for each verdict.
options:
  name:
    description: Name of recorder and channel, and prefix of the rules, such as C(stories-production).
    type: str
    required: true
  state:
    description: Whether Config shall record. What it has delivered stays.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of the rules.
    type: dict
    required: true
  role_arn:
    description: Role that reads what is recorded; the service-linked one is meant for it.
    type: str
    default: ""
  bucket:
    description: Bucket whose policy lets Config write below O(bucket_prefix).
    type: str
    default: ""
  bucket_prefix:
    description: Where in the bucket.
    type: str
    default: config
  snapshot_frequency:
    description: How often the whole configuration is delivered. Never, when left out.
    type: str
    choices: [One_Hour, Three_Hours, Six_Hours, Twelve_Hours, TwentyFour_Hours]
  recording_frequency:
    description: Every change, or what is different once a day.
    type: str
    choices: [CONTINUOUS, DAILY]
    default: CONTINUOUS
  resource_types:
    description: Types that are recorded, such as V(AWS::S3::Bucket). All, when empty.
    type: list
    elements: str
    default: []
  global_resources:
    description: Whether IAM is recorded too, which one region of an account should do.
    type: bool
    default: true
  rules:
    description: The rules of AWS that judge.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Whole name; it begins with O(name) and a hyphen.
        type: str
        required: true
      identifier:
        description: AWS's name of the rule, such as V(RDS_STORAGE_ENCRYPTED).
        type: str
        required: true
      description:
        description: What it demands and what to do where it is broken.
        type: str
        default: ""
      input_parameters:
        description: The rule's own parameters.
        type: dict
        default: {}
      resource_types:
        description: Types that are judged. As the rule has it, when empty.
        type: list
        elements: str
        default: []
      frequency:
        description: How often a rule judges that looks at a time, not at a change.
        type: str
        choices: [One_Hour, Three_Hours, Six_Hours, Twelve_Hours, TwentyFour_Hours]
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Record and judge
  stories1001.platform.config_recorder:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    role_arn: arn:aws:iam::123456789012:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig
    bucket: stories-production-logs-123456789012
    rules:
      - name: stories-production-databases-encrypted
        identifier: RDS_STORAGE_ENCRYPTED
  register: config

- name: Show what is not as it should be
  ansible.builtin.debug:
    var: config.non_compliant
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: config_recorder/stories-production:create
      sentence: Create configuration recorder stories-production
resources:
  description: Ids by kind and name.
  returned: success
  type: dict
compliance:
  description: The last verdict of each rule; C(INSUFFICIENT_DATA) until it has judged.
  returned: success
  type: dict
  sample: {stories-production-databases-encrypted: COMPLIANT}
non_compliant:
  description: Rules that found something.
  returned: success
  type: list
  elements: str
  sample: []
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._config.kinds import Channel, Recorder, Recording, Rule
from ..module_utils._config.model import FREQUENCIES, desired
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing


def _verdicts(state: State) -> dict[str, Any]:
    rules = sorted((name, found) for (kind, name), found in state.items() if kind == "config_rule")
    told = {name: found.outputs.get("compliance", "INSUFFICIENT_DATA") for name, found in rules}
    return {"compliance": told, "non_compliant": [name for name, verdict in told.items() if verdict == "NON_COMPLIANT"]}


def main() -> None:
    frequency = {"type": "str", "choices": list(FREQUENCIES)}
    rule = {
        "name": {"type": "str", "required": True},
        "identifier": {"type": "str", "required": True},
        "description": {"type": "str", "default": ""},
        "input_parameters": {"type": "dict", "default": {}},
        "resource_types": {"type": "list", "elements": "str", "default": []},
        "frequency": frequency,
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "role_arn": {"type": "str", "default": ""},
            "bucket": {"type": "str", "default": ""},
            "bucket_prefix": {"type": "str", "default": "config"},
            "snapshot_frequency": frequency,
            "recording_frequency": {"type": "str", "choices": ["CONTINUOUS", "DAILY"], "default": "CONTINUOUS"},
            "resource_types": {"type": "list", "elements": "str", "default": []},
            "global_resources": {"type": "bool", "default": True},
            "rules": {"type": "list", "elements": "dict", "default": [], "options": rule},
        },
        supports_check_mode=True,
    )
    params = module.params
    present = params["state"] == "present"
    with refusing(module):
        wanted = desired(params) if present else None
    aws, name = Aws(module), params["name"]
    kinds = [
        Recorder(aws, name, refuse_others=present),
        Channel(aws, name, refuse_others=present),
        Recording(aws, name, refuse_others=False),
        Rule(aws, params["tags"], name, [one["name"] for one in params["rules"]]),
    ]
    converge_resources(module, kinds, wanted, _verdicts, purge=("config_rule",))


if __name__ == "__main__":
    main()
