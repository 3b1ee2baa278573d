#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: vpc_network
short_description: Make a VPC with its subnets, gateways, route tables and flow log
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes one VPC with public, application and data subnets over several zones, an internet gateway,
    NAT gateways with their Elastic IP addresses, route tables and a flow log, or removes them all.
  - Serves a whole network with one list call for each kind of resource. The stock modules need one task
    for each resource, up to eleven calls each, and do not show under C(--diff) which field drifted.
  - Resources are found by their tags C(Project), C(Environment) and C(Name); a run that was killed is
    finished by the next.
  - AWS takes minutes to make NAT gateways; only the application tier's route tables need them. With O(wait=false)
    these are left, and all else of the network stands when the module ends.
options:
  name:
    description: Prefix of every C(Name) tag, such as C(stories-production).
    type: str
    required: true
  state:
    description: Whether the network shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every resource. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  cidr_block:
    description: IPv4 range of the VPC, from /16 to /28. Required when O(state=present).
    type: str
  availability_zones:
    description: Zones, each once. Required when O(state=present).
    type: list
    elements: str
  public_subnets:
    description: One CIDR a zone; instances get public addresses, the way out is the internet gateway.
    type: list
    elements: str
    default: []
  app_subnets:
    description: One CIDR a zone; the way out is a NAT gateway.
    type: list
    elements: str
    default: []
  data_subnets:
    description: One CIDR a zone; no way out.
    type: list
    elements: str
    default: []
  nat_gateways:
    description: >-
      One for all zones, one for each (survives the loss of a zone), or none. Those beyond that are removed.
    type: str
    choices: [none, single, per_zone]
    default: single
  flow_logs:
    description: Where to record the traffic of the VPC. Nothing is recorded when left out.
    type: dict
    suboptions:
      destination:
        description: ARN of an S3 bucket (with an optional prefix) or of a log group.
        type: str
        required: true
      destination_type:
        description: Kind of O(flow_logs.destination).
        type: str
        choices: [s3, cloud-watch-logs]
        default: s3
      traffic_type:
        description: Which traffic to record.
        type: str
        choices: [ALL, ACCEPT, REJECT]
        default: ALL
      role_arn:
        description: Role that may write to the log group; not needed for S3.
        type: str
      max_aggregation_interval:
        description: Seconds over which flows are gathered.
        type: int
        choices: [60, 600]
        default: 600
extends_documentation_fragment:
  - stories1001.platform.attributes
  - stories1001.platform.waiting
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the network of production
  stories1001.platform.vpc_network:
    name: stories-production
    tags:
      Project: 1001-stories
      Environment: production
    cidr_block: 10.0.0.0/16
    availability_zones: [us-east-1a, us-east-1b, us-east-1c]
    public_subnets: [10.0.101.0/24, 10.0.102.0/24, 10.0.103.0/24]
    app_subnets: [10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24]
    data_subnets: [10.0.11.0/24, 10.0.12.0/24, 10.0.13.0/24]
    nat_gateways: per_zone
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "vpc/stories-production:create", sentence: "Create VPC stories-production"}]
unfinished:
  description: What AWS still works at, and the steps left until then; empty unless O(wait=false).
  returned: success
  type: list
  elements: str
  sample: ["NAT gateway stories-production-nat-1", "Create route table stories-production-app-1"]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {vpc: {stories-production: {id: vpc-0a1b2c3d}}}
vpc_id:
  description: Id of the VPC.
  returned: success and O(state=present)
  type: str
  sample: vpc-0a1b2c3d
cidr_block:
  description: IPv4 range of the VPC.
  returned: success and O(state=present)
  type: str
  sample: 10.0.0.0/16
public_subnet_ids:
  description: Ids of the public subnets, in the order of the zones. Likewise C(app_subnet_ids) and C(data_subnet_ids).
  returned: success and O(state=present)
  type: list
  elements: str
  sample: [subnet-0a1b2c3d]
app_route_table_ids:
  description: Ids of the application tier's route tables, in the order of the zones; none while RV(unfinished).
  returned: success and O(state=present)
  type: list
  elements: str
  sample: [rtb-0a1b2c3d]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._network.kinds import network_kinds
from ..module_utils._network.model import desired, ids


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "cidr_block": {"type": "str"},
            "availability_zones": {"type": "list", "elements": "str"},
            "public_subnets": {"type": "list", "elements": "str", "default": []},
            "app_subnets": {"type": "list", "elements": "str", "default": []},
            "data_subnets": {"type": "list", "elements": "str", "default": []},
            "nat_gateways": {"type": "str", "choices": ["none", "single", "per_zone"], "default": "single"},
            "flow_logs": {
                "type": "dict",
                "options": {
                    "destination": {"type": "str", "required": True},
                    "destination_type": {
                        "type": "str",
                        "choices": ["s3", "cloud-watch-logs"],
                        "default": "s3",
                    },
                    "traffic_type": {"type": "str", "choices": ["ALL", "ACCEPT", "REJECT"], "default": "ALL"},
                    "role_arn": {"type": "str"},
                    "max_aggregation_interval": {"type": "int", "choices": [60, 600], "default": 600},
                },
            },
            "wait": {"type": "bool", "default": True},
        },
        required_if=[("state", "present", ("cidr_block", "availability_zones"))],
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    converge_resources(
        module,
        network_kinds(Aws(module), params["tags"]),
        wanted,
        lambda state: ids(params["name"], state) if wanted else {},
        # They cost money by the hour; once no route leads to one any more, nothing is lost with it but its address.
        purge=("nat_gateway", "elastic_ip"),
        wait=params["wait"],
    )


if __name__ == "__main__":
    main()
