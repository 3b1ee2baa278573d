#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: security_groups
short_description: Make the security groups of a platform and all of their rules
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes all security groups of a platform with exactly the rules given, or removes them all.
  - Reads everything in three list calls however many groups there are. Groups may name each other in any order.
  - A rule that stays is never away, not for a moment. New rules are added first, descriptions are changed in
    place, and what is not wanted is revoked last.
  - Nothing opens to the world by accident. An ingress rule for C(0.0.0.0/0), C(::/0) or any range wider than
    C(/8) is refused unless the rule itself says O(groups[].ingress[].allow_world=true).
  - Prefix lists are given by name, which the stock module cannot look up.
options:
  name:
    description: Prefix of every group name, such as C(stories-production).
    type: str
    required: true
  state:
    description: Whether the groups shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every group. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  vpc_id:
    description: Id of the VPC. Required when O(state=present).
    type: str
  rules_per_group:
    description: The account's quota of inbound or outbound rules per group. A prefix list counts by its weight.
    type: int
    default: 60
  groups:
    description: The groups.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name without the prefix, such as C(alb).
        type: str
        required: true
      description:
        description: What the group is for. AWS cannot change it later.
        type: str
        required: true
      ingress:
        description: Who may come in; nobody when empty.
        type: list
        elements: dict
        default: []
        suboptions: &rule
          description:
            description: Why the rule is there.
            type: str
            default: ""
          protocol:
            description: V(-1) is all traffic.
            type: str
            choices: [tcp, udp, icmp, icmpv6, "-1"]
            default: tcp
          from_port:
            description: First port, for ICMP the type. Left out for all traffic.
            type: int
          to_port:
            description: Last port, for ICMP the code. The first one when left out.
            type: int
          cidr_blocks:
            description: IPv4 or IPv6 ranges.
            type: list
            elements: str
            default: []
          security_groups:
            description: Names of groups of this call, without the prefix, or ids of others.
            type: list
            elements: str
            default: []
          prefix_lists:
            description: Names of managed prefix lists, such as C(com.amazonaws.global.cloudfront.origin-facing).
            type: list
            elements: str
            default: []
          allow_world:
            description: This ingress rule may open the group to everyone. Without meaning for egress.
            type: bool
            default: false
      egress:
        description: Where traffic may go; nowhere when empty.
        type: list
        elements: dict
        default: []
        suboptions: *rule
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let CloudFront reach the load balancer, and the load balancer the application
  stories1001.platform.security_groups:
    name: stories-production
    tags:
      Project: 1001-stories
      Environment: production
    vpc_id: "{{ network.vpc_id }}"
    groups:
      - name: alb
        description: Load balancer
        ingress:
          - description: CloudFront
            from_port: 443
            prefix_lists: [com.amazonaws.global.cloudfront.origin-facing]
        egress:
          - description: Application
            from_port: 3000
            security_groups: [app]
      - name: app
        description: Application
        ingress:
          - description: Load balancer
            from_port: 3000
            security_groups: [alb]
        egress:
          - description: Anywhere, through NAT
            protocol: "-1"
            cidr_blocks: [0.0.0.0/0]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: security_group/stories-production-alb:create
      sentence: Create security group stories-production-alb
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {security_group: {stories-production-alb: {id: sg-0a1b2c3d}}}
group_ids:
  description: Group ids by name without the prefix.
  returned: success and O(state=present)
  type: dict
  sample: {alb: sg-0a1b2c3d}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._security_groups.kinds import PrefixLists, security_group_kinds
from ..module_utils._security_groups.model import desired, full_name, prefix_lists

_RULE = {
    "description": {"type": "str", "default": ""},
    "protocol": {"type": "str", "choices": ["tcp", "udp", "icmp", "icmpv6", "-1"], "default": "tcp"},
    "from_port": {"type": "int"},
    "to_port": {"type": "int"},
    "cidr_blocks": {"type": "list", "elements": "str", "default": []},
    "security_groups": {"type": "list", "elements": "str", "default": []},
    "prefix_lists": {"type": "list", "elements": "str", "default": []},
    "allow_world": {"type": "bool", "default": False},
}
_RULES = {"type": "list", "elements": "dict", "default": [], "options": _RULE}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "vpc_id": {"type": "str"},
            "rules_per_group": {"type": "int", "default": 60},
            "groups": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "description": {"type": "str", "required": True},
                    "ingress": _RULES,
                    "egress": _RULES,
                },
            },
        },
        required_if=[("state", "present", ("vpc_id",))],
        supports_check_mode=True,
    )
    params = module.params
    aws = Aws(module)
    lists = PrefixLists(aws)
    wanted = None
    with refusing(module):
        if params["state"] == "present":
            wanted = desired(params)
            lists.require(prefix_lists(params["groups"]))
    names = [group["name"] for group in params["groups"]] if wanted else []
    converge_resources(
        module,
        security_group_kinds(aws, params["tags"], lists),
        wanted,
        lambda state: {
            "group_ids": {name: state["security_group", full_name(params["name"], name)].id for name in names}
        },
    )


if __name__ == "__main__":
    main()
