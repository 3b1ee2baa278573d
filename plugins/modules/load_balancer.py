#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: load_balancer
short_description: Make an application load balancer for two slots
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes an application load balancer, the target groups C(<name>-app-blue) and C(<name>-app-green), and three
    listeners. The first redirects HTTP to HTTPS, the second is production, the third is for tests; the last
    two forward to both target groups by weight.
  - The weights are given when a listener is created and belong to the release from then on. They are never
    compared, and a change that has to write the actions of a listener carries over the weights that it reads
    at that moment. The stock module C(community.aws.elb_application_lb) rewrites them on every run.
  - A tag C(ActiveSlot) belongs to the release too and is left alone.
  - Everything else that is declared here is compared field by field, attributes under AWS's own keys.
options:
  name:
    description: Name of the load balancer, such as C(stories-production), and prefix of its target groups' names.
    type: str
    required: true
  state:
    description: Whether the load balancer, its listeners and target groups shall exist.
    type: str
    choices: [present, absent]
    default: present
  remove_protected:
    description: With O(state=absent), removes the load balancer although its deletion protection is on.
    type: bool
    default: false
  tags:
    description: Tags of every resource.
    type: dict
    required: true
  vpc_id:
    description: VPC of the target groups. Required when O(state=present).
    type: str
  subnet_ids:
    description: Subnets of the load balancer, two at least, one a zone. Required when O(state=present).
    type: list
    elements: str
    default: []
  security_group_ids:
    description: Security groups of the load balancer. Required when O(state=present).
    type: list
    elements: str
    default: []
  scheme:
    description: Whether the load balancer has public addresses. AWS cannot change it later.
    type: str
    choices: [internet-facing, internal]
    default: internet-facing
  ip_address_type:
    description: Address families.
    type: str
    choices: [ipv4, dualstack]
    default: ipv4
  deletion_protection:
    description: Whether AWS refuses to delete the load balancer.
    type: bool
    default: true
  idle_timeout:
    description: Seconds without traffic that end a connection. Keep-alive of the application must be longer.
    type: int
    default: 60
  client_keep_alive:
    description: Seconds for which a client may keep one connection.
    type: int
    default: 3600
  http2:
    description: Whether clients may speak HTTP/2.
    type: bool
    default: true
  drop_invalid_header_fields:
    description: Whether header fields with invalid names are dropped rather than passed on.
    type: bool
    default: true
  desync_mitigation_mode:
    description: How requests are treated that proxies could read in two ways.
    type: str
    choices: [monitor, defensive, strictest]
    default: defensive
  access_logs:
    description: Where to log every request; not at all when left out.
    type: dict
    suboptions:
      bucket:
        description: Bucket whose policy lets Elastic Load Balancing write.
        type: str
        required: true
      prefix:
        description: Prefix of the objects.
        type: str
        default: alb
  attributes:
    description: Further attributes of the load balancer by AWS's keys.
    type: dict
    default: {}
  target_group:
    description: What both target groups have in common.
    type: dict
    default: {}
    suboptions:
      port:
        description: Port of the container. AWS cannot change it later.
        type: int
        default: 3000
      deregistration_delay:
        description: Seconds for which a leaving target finishes its requests.
        type: int
        default: 60
      slow_start:
        description: Seconds over which a new target gets its share, 30 to 900; 0 for at once.
        type: int
        default: 0
      stickiness_seconds:
        description: Seconds for which a client stays with one target; 0 for no stickiness.
        type: int
        default: 0
      algorithm:
        description: How a target is chosen.
        type: str
        choices: [round_robin, least_outstanding_requests, weighted_random]
        default: least_outstanding_requests
      health_check:
        description: How a target is found healthy.
        type: dict
        default: {}
        suboptions:
          path:
            description: Path that is asked.
            type: str
            default: /api/health
          interval:
            description: Seconds between two checks.
            type: int
            default: 30
          timeout:
            description: Seconds to wait for an answer.
            type: int
            default: 5
          healthy_threshold:
            description: Passes in a row that make a target healthy.
            type: int
            default: 2
          unhealthy_threshold:
            description: Failures in a row that make a target unhealthy.
            type: int
            default: 2
          matcher:
            description: Status codes of a healthy target, such as C(200) or C(200-299).
            type: str
            default: "200"
  http_port:
    description: Port that redirects to O(https_port).
    type: int
    default: 80
  https_port:
    description: Port of the production listener.
    type: int
    default: 443
  test_port:
    description: Port of the test listener.
    type: int
    default: 8443
  active_slot:
    description: Slot that gets the traffic when the production listener is created; the test listener gets the other.
    type: str
    choices: [blue, green]
    default: blue
  certificate_arn:
    description:
      - Default certificate of both HTTPS listeners. Required when O(state=present) and O(wait=true).
      - Without it the module begins the load balancer and leaves its listeners as they are, or unmade.
    type: str
  additional_certificate_arns:
    description: Further certificates, chosen by server name.
    type: list
    elements: str
    default: []
  ssl_policy:
    description: Security policy of both HTTPS listeners.
    type: str
    default: ELBSecurityPolicy-TLS13-1-2-2021-06
  forward_stickiness_seconds:
    description: Seconds for which a client stays with one slot; 0 lets the weights decide each request.
    type: int
    default: 0
  origin_header:
    description:
      - A header that production requests must carry, such as CloudFront adds; others get status 403.
      - The test listener demands no header; its security group says who may reach it.
    type: dict
    suboptions:
      name:
        description: Name of the header.
        type: str
        default: X-Origin-Verify
      secret_arn:
        description: Secret in Secrets Manager with the value. Its previous version is let through too, for rotation.
        type: str
        required: true
extends_documentation_fragment:
  - stories1001.platform.attributes
  - stories1001.platform.waiting
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the load balancer of production
  stories1001.platform.load_balancer:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    vpc_id: vpc-0a1b2c3d
    subnet_ids: [subnet-0a1b2c3d, subnet-1a2b3c4d, subnet-2a3b4c5d]
    security_group_ids: [sg-0a1b2c3d]
    certificate_arn: arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d
    access_logs: {bucket: stories-production-logs}

- name: Remove it, protected or not
  stories1001.platform.load_balancer:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    state: absent
    remove_protected: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "load_balancer/stories-production:create", sentence: "Create load balancer stories-production"}]
unfinished:
  description: What AWS still works at, and the steps left until then; empty unless O(wait=false).
  returned: success
  type: list
  elements: str
  sample: []
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {load_balancer: {stories-production: {dns_name: stories-production-1.us-east-1.elb.amazonaws.com}}}
load_balancer_arn:
  description: ARN of the load balancer.
  returned: success and O(state=present)
  type: str
  sample: arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/stories-production/50dc6c495c0c9188
target_group_arns:
  description: ARN of each slot's target group.
  returned: success and O(state=present)
  type: dict
  sample: {blue: "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/stories-production-app-blue/6d0ecf8"}
live_slot:
  description: Slot that gets all production traffic; null while a release splits it and before a listener is made.
  returned: success and O(state=present)
  type: str
  sample: blue
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._load_balancer.kinds import LoadBalancer, protected
from ..module_utils._load_balancer.listeners import load_balancer_kinds
from ..module_utils._load_balancer.model import desired, listener_name
from ..module_utils._load_balancer.origin import accepted_values
from ..module_utils._load_balancer.slots import SLOTS, live_slot, slot_name

HEALTH_CHECK = {
    "path": {"type": "str", "default": "/api/health"},
    "interval": {"type": "int", "default": 30},
    "timeout": {"type": "int", "default": 5},
    "healthy_threshold": {"type": "int", "default": 2},
    "unhealthy_threshold": {"type": "int", "default": 2},
    "matcher": {"type": "str", "default": "200"},
}
TARGET_GROUP = {
    "port": {"type": "int", "default": 3000},
    "deregistration_delay": {"type": "int", "default": 60},
    "slow_start": {"type": "int", "default": 0},
    "stickiness_seconds": {"type": "int", "default": 0},
    "algorithm": {
        "type": "str",
        "choices": ["round_robin", "least_outstanding_requests", "weighted_random"],
        "default": "least_outstanding_requests",
    },
    "health_check": {"type": "dict", "default": {}, "apply_defaults": True, "options": HEALTH_CHECK},
}
ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "remove_protected": {"type": "bool", "default": False},
    "tags": {"type": "dict", "required": True},
    "vpc_id": {"type": "str"},
    "subnet_ids": {"type": "list", "elements": "str", "default": []},
    "security_group_ids": {"type": "list", "elements": "str", "default": []},
    "scheme": {"type": "str", "choices": ["internet-facing", "internal"], "default": "internet-facing"},
    "ip_address_type": {"type": "str", "choices": ["ipv4", "dualstack"], "default": "ipv4"},
    "deletion_protection": {"type": "bool", "default": True},
    "idle_timeout": {"type": "int", "default": 60},
    "client_keep_alive": {"type": "int", "default": 3600},
    "http2": {"type": "bool", "default": True},
    "drop_invalid_header_fields": {"type": "bool", "default": True},
    "desync_mitigation_mode": {
        "type": "str",
        "choices": ["monitor", "defensive", "strictest"],
        "default": "defensive",
    },
    "access_logs": {
        "type": "dict",
        "options": {
            "bucket": {"type": "str", "required": True},
            "prefix": {"type": "str", "default": "alb"},
        },
    },
    "attributes": {"type": "dict", "default": {}},
    "target_group": {"type": "dict", "default": {}, "apply_defaults": True, "options": TARGET_GROUP},
    "http_port": {"type": "int", "default": 80},
    "https_port": {"type": "int", "default": 443},
    "test_port": {"type": "int", "default": 8443},
    "active_slot": {"type": "str", "choices": ["blue", "green"], "default": "blue"},
    "certificate_arn": {"type": "str"},
    "additional_certificate_arns": {"type": "list", "elements": "str", "default": []},
    "ssl_policy": {"type": "str", "default": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
    "forward_stickiness_seconds": {"type": "int", "default": 0},
    "origin_header": {
        "type": "dict",
        "options": {
            "name": {"type": "str", "default": "X-Origin-Verify"},
            "secret_arn": {"type": "str", "required": True, "no_log": False},
        },
    },
    "wait": {"type": "bool", "default": True},
}
_NO_CERTIFICATE = (
    "Wanted load balancer {name} with its HTTPS listeners and found certificate_arn empty. Give one, or let "
    "wait=false begin the load balancer without them."
)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "present", ("vpc_id", "subnet_ids", "security_group_ids"))],
        supports_check_mode=True,
    )
    params, aws = module.params, Aws(module)
    wanted = None
    with refusing(module):
        if params["state"] == "present":
            if params["wait"] and not params["certificate_arn"]:
                raise PlanRefused([_NO_CERTIFICATE.format(**params)])
            header = params["origin_header"]
            values = accepted_values(aws, header["secret_arn"]) if header else []
            module.no_log_values.update(values)
            wanted = desired(params, values)
        elif not params["remove_protected"] and (wrong := protected(LoadBalancer(aws, params["name"]).observe())):
            raise PlanRefused(wrong)

    def outputs(state: State) -> dict[str, object]:
        if wanted is None:
            return {}
        name = params["name"]
        listener = state.get(("listener", listener_name(name, params["https_port"])))
        weights = listener.outputs.get("weights", {slot_name(name, params["active_slot"]): 100}) if listener else {}
        return {
            "load_balancer_arn": state["load_balancer", name].id,
            "target_group_arns": {slot: state["target_group", slot_name(name, slot)].id for slot in SLOTS},
            "live_slot": live_slot(weights),
        }

    kinds = load_balancer_kinds(aws, params["name"])
    converge_resources(module, kinds, wanted, outputs, wait=params["wait"])


if __name__ == "__main__":
    main()
