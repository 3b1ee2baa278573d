#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: ecs_secrets_info
short_description: Check that the secrets which tasks take exist
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Asks once for each secret or parameter whether it exists, is not about to be deleted and has a value. Values
    are never read.
  - Meant for the beginning of a phase, so that a missing secret is one clear error before anything is written.
options:
  secrets:
    description: ECS's C(valueFrom) by the environment variable's name. Placeholders of a plan are passed over.
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
- name: Check the secrets of the application
  stories1001.platform.ecs_secrets_info:
    secrets:
      NEXTAUTH_SECRET: arn:aws:secretsmanager:us-east-1:123456789012:secret:stories-production/nextauth-AbCdEf
"""

RETURN = r"""
variables:
  description: Names of the environment variables whose secrets were found.
  returned: success
  type: list
  elements: str
  sample: [NEXTAUTH_SECRET]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._ecs.secrets import missing_secrets
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused


def main() -> None:
    module = AnsibleAWSModule(
        # ARNs, not values.
        argument_spec={"secrets": {"type": "dict", "required": True, "no_log": False}},
        supports_check_mode=True,
    )
    sources = module.params["secrets"]
    with refusing(module):
        if wrong := missing_secrets(Aws(module), sources):
            raise PlanRefused(wrong)
    module.exit_json(changed=False, variables=sorted(sources))


if __name__ == "__main__":
    main()
