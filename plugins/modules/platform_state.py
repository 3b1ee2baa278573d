#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: platform_state
short_description: Tell what stands in the account right now, for the picture in the report
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Reads network, load balancer, containers, database, cache and edge of one platform with a few list calls.
  - A part that does not exist is null or empty; a part that the credentials may not see is named in RV(unread).
options:
  name_prefix:
    description: Prefix of every name, such as C(stories-production).
    type: str
    required: true
  tags:
    description: Tags C(Project) and C(Environment) that identify the platform.
    type: dict
    required: true
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Look at the platform
  stories1001.platform.platform_state:
    name_prefix: stories-production
    tags: {Project: 1001-stories, Environment: production}
"""

RETURN = r"""
platform:
  description: The prefix that was asked for.
  returned: success
  type: str
  sample: stories-production
region:
  description: The region that was looked at.
  returned: success
  type: str
  sample: us-east-1
state:
  description: Facts by part of the platform.
  returned: success
  type: dict
  sample: {services: [{slot: blue, running: 2, desired: 2}], cache: {node_type: cache.t4g.micro}}
unread:
  description: A sentence for each part that could not be read.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.runner import refusing
from ..module_utils._platform.picture import Picture


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name_prefix": {"type": "str", "required": True},
            "tags": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    with refusing(module):
        aws = Aws(module)
        state, unread = Picture(aws, module.params["name_prefix"], module.params["tags"]).facts()
        module.exit_json(
            changed=False, platform=module.params["name_prefix"], region=str(aws.region), state=state, unread=unread
        )


if __name__ == "__main__":
    main()
