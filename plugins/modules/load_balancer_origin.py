#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: load_balancer_origin
short_description: Close a load balancer to all but CloudFront
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Lets the production listener answer only requests that carry a header with a secret value, which CloudFront
    adds. Everything else gets status 403.
  - Declares nothing else of the listener; the weights of the two slots, the certificates and the tags stay as they are.
  - M(stories1001.platform.load_balancer) declares the whole listener; given the same header it finds it closed.
options:
  name:
    description: Name of the load balancer.
    type: str
    required: true
  listener_arn:
    description: ARN of the production listener. In check mode it may be the placeholder of one that is not made yet.
    type: str
    required: true
  header:
    description: Header that a request must carry.
    type: str
    default: X-Origin-Verify
  secret_arn:
    description: Secret with the header's value; while it is rotated, the previous value is taken too.
    type: str
    required: true
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Close the load balancer to all but CloudFront
  stories1001.platform.load_balancer_origin:
    name: stories-production
    listener_arn: "{{ platform.load_balancer.production_listener_arn }}"
    secret_arn: "{{ platform.content_delivery.origin_secret_arn }}"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "listener/stories-443:change", sentence: "Change action, origin_header of listener stories-443"}]
resources:
  description: Ids by kind and name.
  returned: success
  type: dict
  sample: {listener: {stories-443: {id: "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/s"}}}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._load_balancer.closing import ProductionListener, closed
from ..module_utils._load_balancer.origin import accepted_values

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "listener_arn": {"type": "str", "required": True},
    "header": {"type": "str", "default": "X-Origin-Verify"},
    "secret_arn": {"type": "str", "required": True, "no_log": False},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params, aws = module.params, Aws(module)
    with refusing(module):
        values = accepted_values(aws, params["secret_arn"])
        module.no_log_values.update(values)
        wanted = closed(params["name"], params["header"], values)
    converge_resources(module, [ProductionListener(aws, params["name"], params["listener_arn"])], [wanted])


if __name__ == "__main__":
    main()
