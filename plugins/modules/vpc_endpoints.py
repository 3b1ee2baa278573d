#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: vpc_endpoints
short_description: Make the gateway and interface endpoints of a VPC
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes the endpoints through which a VPC reaches AWS services without leaving it, or removes them all.
  - A gateway endpoint costs nothing. An interface endpoint costs money for every zone and hour.
  - Route tables, subnets, security groups, private DNS and policy of every endpoint are compared and mended.
options:
  name:
    description: Prefix of every C(Name) tag, such as C(stories-production).
    type: str
    required: true
  state:
    description: Whether the endpoints shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every endpoint. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  vpc_id:
    description: Id of the VPC. Required when O(state=present).
    type: str
  gateway_services:
    description: Services with a gateway endpoint, C(s3) or C(dynamodb).
    type: list
    elements: str
    default: []
  route_table_ids:
    description: Route tables that lead to the gateway endpoints.
    type: list
    elements: str
    default: []
  interface_services:
    description: Services with an interface endpoint, such as C(ecr.api) or C(secretsmanager).
    type: list
    elements: str
    default: []
  subnet_ids:
    description: Subnets of the interface endpoints, at most one a zone.
    type: list
    elements: str
    default: []
  security_group_ids:
    description: Security groups of the interface endpoints.
    type: list
    elements: str
    default: []
  private_dns:
    description: Whether the service's own host name leads to its interface endpoint inside the VPC.
    type: bool
    default: true
  policies:
    description: Policy documents by service. An endpoint without one lets everything through.
    type: dict
    default: {}
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Reach S3, and the container registry, without NAT
  stories1001.platform.vpc_endpoints:
    name: stories-production
    tags:
      Project: 1001-stories
      Environment: production
    vpc_id: "{{ network.vpc_id }}"
    gateway_services: [s3]
    route_table_ids: "{{ network.app_route_table_ids }}"
    interface_services: [ecr.api, ecr.dkr]
    subnet_ids: "{{ network.app_subnet_ids }}"
    security_group_ids: ["{{ groups.group_ids.endpoints }}"]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "vpc_endpoint/stories-production-s3:create", sentence: "Create VPC endpoint stories-production-s3"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {vpc_endpoint: {stories-production-s3: {id: vpce-0a1b2c3d}}}
endpoint_ids:
  description: Endpoint ids by service.
  returned: success
  type: dict
  sample: {s3: vpce-0a1b2c3d}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._endpoints.kinds import endpoint_kinds
from ..module_utils._endpoints.model import desired, full_name
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing

_STRINGS = {"type": "list", "elements": "str", "default": []}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "vpc_id": {"type": "str"},
            "gateway_services": _STRINGS,
            "route_table_ids": _STRINGS,
            "interface_services": _STRINGS,
            "subnet_ids": _STRINGS,
            "security_group_ids": _STRINGS,
            "private_dns": {"type": "bool", "default": True},
            "policies": {"type": "dict", "default": {}},
        },
        required_if=[("state", "present", ("vpc_id",))],
        supports_check_mode=True,
    )
    params = module.params
    aws = Aws(module)
    with refusing(module):
        wanted = desired(params, str(aws.region)) if params["state"] == "present" else None
    services = [*params["gateway_services"], *params["interface_services"]] if wanted else []
    converge_resources(
        module,
        endpoint_kinds(aws, params["tags"]),
        wanted,
        lambda state: {
            "endpoint_ids": {
                service: state["vpc_endpoint", full_name(params["name"], service)].id for service in services
            }
        },
    )


if __name__ == "__main__":
    main()
