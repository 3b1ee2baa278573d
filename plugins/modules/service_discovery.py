#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: service_discovery
short_description: Make a private Cloud Map namespace and its services
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes a namespace that is resolved inside one VPC, and services in which ECS registers its tasks under
    C(<service>.<namespace>) with A records.
options:
  namespace:
    description: Domain name of the namespace, such as C(stories-production.internal).
    type: str
    required: true
  state:
    description: Whether the namespace and its services shall exist. A service with tasks cannot be removed.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of the namespace and of every service.
    type: dict
    required: true
  vpc_id:
    description: VPC that can resolve the names. Required when O(state=present).
    type: str
  description:
    description: Description of the namespace and of every service.
    type: str
    default: ""
  services:
    description: Names of the services, each one DNS label.
    type: list
    elements: str
    default: []
  ttl:
    description: Seconds for which the address of a task may be remembered.
    type: int
    default: 10
  soa_ttl:
    description: Seconds for which the absence of a name may be remembered.
    type: int
    default: 15
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the namespace of production
  stories1001.platform.service_discovery:
    namespace: stories-production.internal
    tags: {Project: 1001-stories, Environment: production}
    vpc_id: vpc-0a1b2c3d
    services: [app-blue, app-green]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "namespace/stories.internal:create", sentence: "Create Cloud Map namespace stories.internal"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {namespace: {stories-production.internal: {id: stories-production.internal}}}
namespace_arn:
  description: ARN of the namespace; a placeholder in check mode when there is none yet.
  returned: success and O(state=present)
  type: str
  sample: arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-0a1b2c3d
service_arns:
  description: ARN of each service.
  returned: success and O(state=present)
  type: dict
  sample: {app-blue: "arn:aws:servicediscovery:us-east-1:123456789012:service/srv-0a1b2c3d"}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import Ref, State, resolve
from ..module_utils._engine.runner import refusing
from ..module_utils._service_discovery.kinds import DiscoveryService, Namespace
from ..module_utils._service_discovery.model import desired

ARGUMENTS = {
    "namespace": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "tags": {"type": "dict", "required": True},
    "vpc_id": {"type": "str"},
    "description": {"type": "str", "default": ""},
    "services": {"type": "list", "elements": "str", "default": []},
    "ttl": {"type": "int", "default": 10},
    "soa_ttl": {"type": "int", "default": 15},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS, required_if=[("state", "present", ("vpc_id",))], supports_check_mode=True
    )
    params, aws = module.params, Aws(module)
    namespace = params["namespace"]
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None

    def outputs(state: State) -> dict[str, object]:
        if wanted is None:
            return {}
        services = {name: Ref("discovery_service", f"{name}.{namespace}", "arn") for name in params["services"]}
        return {
            "namespace_arn": resolve(Ref("namespace", namespace, "arn"), state),
            "service_arns": resolve(services, state),
        }

    converge_resources(module, [Namespace(aws, namespace), DiscoveryService(aws, namespace)], wanted, outputs)


if __name__ == "__main__":
    main()
