#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cloudtrail_trail
short_description: Keep a trail of every call that changes the account
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes a trail that logs, and mends everything by which someone could blind it, the stopped log above all.
  - Unlike M(amazon.aws.cloudtrail) it compares which events are logged and shows what differs.
  - The first trail of management events is free; each further one of the same account costs $2 for 100,000 events.
options:
  name:
    description: Name of the trail.
    type: str
    required: true
  state:
    description: Whether the trail shall exist. What it has written stays.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of the trail.
    type: dict
    required: true
  bucket:
    description: Bucket that it writes to. Its policy must let CloudTrail write below the prefix.
    type: str
    default: ""
  bucket_prefix:
    description: Where in the bucket.
    type: str
    default: cloudtrail
  kms_key_arn:
    description: Key that encrypts the files. Its policy must let CloudTrail use it. S3's own key when left out.
    type: str
  multi_region:
    description: Whether calls in every region are logged.
    type: bool
    default: true
  log_file_validation:
    description: Whether CloudTrail signs digests, by which a changed or missing file is found.
    type: bool
    default: true
  management_events:
    description: Which calls are logged.
    type: str
    choices: [All, ReadOnly, WriteOnly]
    default: All
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep a trail in the bucket of logs
  stories1001.platform.cloudtrail_trail:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    bucket: stories-production-logs-123456789012
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: trail/stories-production:create
      sentence: Create trail stories-production
resources:
  description: Ids by kind and name.
  returned: success
  type: dict
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._cloudtrail.kinds import Trail
from ..module_utils._cloudtrail.model import desired
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "bucket": {"type": "str", "default": ""},
            "bucket_prefix": {"type": "str", "default": "cloudtrail"},
            "kms_key_arn": {"type": "str", "no_log": False},
            "multi_region": {"type": "bool", "default": True},
            "log_file_validation": {"type": "bool", "default": True},
            "management_events": {"type": "str", "choices": ["All", "ReadOnly", "WriteOnly"], "default": "All"},
        },
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    converge_resources(module, [Trail(Aws(module), params["name"])], wanted)


if __name__ == "__main__":
    main()
