#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cloudfront_invalidation
short_description: Let CloudFront forget what it keeps of some paths
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Starts an invalidation, waits for its end, and starts none when one of the same O(caller_reference) exists.
  - A release that gives its version as O(caller_reference) can thus be repeated.
  - The first thousand paths of a month are free of charge; a path with C(*) counts as one.
options:
  distribution_id:
    description: Id of the distribution.
    type: str
    required: true
  paths:
    description: Paths to forget, such as C(/static/*).
    type: list
    elements: str
    required: true
  caller_reference:
    description: What this invalidation is for. One of the same name and paths is not started again.
    type: str
    required: true
  wait_seconds:
    description: Seconds to wait for its end; V(0) does not wait.
    type: int
    default: 600
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Forget the pages of the last release
  stories1001.platform.cloudfront_invalidation:
    distribution_id: E0A1B2C3D4E5F6
    paths: [/, /library/*]
    caller_reference: release-1.4.2
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "invalidation/release-1.4.2:create", sentence: "Create invalidation release-1.4.2"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {invalidation: {release-1.4.2: {id: I0A1B2C3D4E5F6}}}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._cloudfront.invalidations import Invalidation, desired
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "distribution_id": {"type": "str", "required": True},
            "paths": {"type": "list", "elements": "str", "required": True},
            "caller_reference": {"type": "str", "required": True},
            "wait_seconds": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params["caller_reference"], params["paths"])
    kind = Invalidation(Aws(module), params["distribution_id"], params["caller_reference"], params["wait_seconds"])
    converge_resources(module, [kind], wanted)


if __name__ == "__main__":
    main()
