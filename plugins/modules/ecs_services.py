#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: ecs_services
short_description: Make ECS services whose contents belong to the release
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes the services of a cluster, the two slots of an application for instance, with one list call for all.
  - Task definition and desired count are given when a service is created. From then on the first belongs to
    the release and the second to autoscaling; neither is compared or written again, at either slot. The slot
    that is not live does not follow a new revision, since it may be kept warm for a way back.
  - Everything else is compared field by field. A change of the network, the capacity, the platform version, the
    load balancer or the registry makes ECS start a rolling deployment of what the service runs.
  - The stock module C(community.aws.ecs_service) resets an autoscaled desired count, overlooks drift of network
    and deployment configuration, and fails in check mode without a cluster.
options:
  cluster:
    description: Name of the cluster.
    type: str
    required: true
  state:
    description: Whether the services shall exist. With V(absent) their tasks are drained first.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every service.
    type: dict
    required: true
  services:
    description: The services; with O(state=absent) only their names count.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the service.
        type: str
        required: true
      task_definition:
        description: Family, family and revision, or ARN with which the service begins.
        type: str
        required: true
      desired_count:
        description: Number of tasks with which the service begins.
        type: int
        default: 0
      target_group_arn:
        description: Target group in which the tasks register.
        type: str
      registry_arn:
        description: Cloud Map service in which the tasks register.
        type: str
      tags:
        description: Further tags of this service.
        type: dict
  container_name:
    description: Container that the target groups lead to.
    type: str
    default: app
  container_port:
    description: Port that the target groups lead to.
    type: int
    default: 3000
  subnet_ids:
    description: Subnets of the tasks.
    type: list
    elements: str
    default: []
  security_group_ids:
    description: Security groups of the tasks.
    type: list
    elements: str
    default: []
  assign_public_ip:
    description: Whether tasks get public addresses.
    type: bool
    default: false
  capacity_provider_strategy:
    description: Where tasks run; the launch type C(FARGATE) when empty.
    type: list
    elements: dict
    default: []
    suboptions:
      capacity_provider:
        description: C(FARGATE) or C(FARGATE_SPOT).
        type: str
        required: true
      weight:
        description: Its share of the tasks above the base.
        type: int
        default: 1
      base:
        description: How many tasks it gets first.
        type: int
        default: 0
  platform_version:
    description: Platform version of Fargate.
    type: str
    default: LATEST
  enable_execute_command:
    description: Whether C(aws ecs execute-command) may open a session.
    type: bool
    default: true
  enable_ecs_managed_tags:
    description: Whether tasks get tags with the cluster and the service.
    type: bool
    default: true
  propagate_tags:
    description: Whose tags the tasks get.
    type: str
    choices: [SERVICE, TASK_DEFINITION, NONE]
    default: SERVICE
  availability_zone_rebalancing:
    description: Whether ECS moves tasks so that zones stay even.
    type: bool
    default: true
  health_check_grace_period:
    description: Seconds after the start during which failed health checks of the load balancer do not count.
    type: int
    default: 60
  deployment:
    description: How a rolling deployment inside one slot proceeds.
    type: dict
    default: {}
    suboptions:
      minimum_healthy_percent:
        description: Share of the desired count that stays healthy.
        type: int
        default: 100
      maximum_percent:
        description: Share of the desired count that may run at once.
        type: int
        default: 200
      circuit_breaker:
        description: Whether a deployment whose tasks do not start is ended.
        type: bool
        default: true
      rollback:
        description: Whether a deployment that failed, or that an alarm stopped, is rolled back.
        type: bool
        default: true
      alarms:
        description: Alarms of CloudWatch that end a deployment.
        type: list
        elements: str
        default: []
  wait_seconds:
    description: Seconds to wait for the tasks of a created or changed service; V(0) does not wait.
    type: int
    default: 900
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make both slots
  stories1001.platform.ecs_services:
    cluster: stories-production
    tags: {Project: 1001-stories, Environment: production}
    subnet_ids: [subnet-0a1b2c3d, subnet-1a2b3c4d]
    security_group_ids: [sg-0a1b2c3d]
    services:
      - name: stories-production-app-blue
        task_definition: stories-production-app-blue
        desired_count: 2
        target_group_arn: arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/stories-production-app-blue/1
      - name: stories-production-app-green
        task_definition: stories-production-app-green
        target_group_arn: arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/stories-production-app-green/2
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "ecs_service/app-blue:create", sentence: "Create ECS service app-blue"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {ecs_service: {stories-production-app-blue: {id: stories-production-app-blue}}}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._ecs.kinds import Service
from ..module_utils._ecs.model import desired_services
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing

SERVICE = {
    "name": {"type": "str", "required": True},
    "task_definition": {"type": "str", "required": True},
    "desired_count": {"type": "int", "default": 0},
    "target_group_arn": {"type": "str"},
    "registry_arn": {"type": "str"},
    "tags": {"type": "dict"},
}
STRATEGY = {
    "capacity_provider": {"type": "str", "required": True},
    "weight": {"type": "int", "default": 1},
    "base": {"type": "int", "default": 0},
}
DEPLOYMENT = {
    "minimum_healthy_percent": {"type": "int", "default": 100},
    "maximum_percent": {"type": "int", "default": 200},
    "circuit_breaker": {"type": "bool", "default": True},
    "rollback": {"type": "bool", "default": True},
    "alarms": {"type": "list", "elements": "str", "default": []},
}
ARGUMENTS = {
    "cluster": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "tags": {"type": "dict", "required": True},
    "services": {"type": "list", "elements": "dict", "required": True, "options": SERVICE},
    "container_name": {"type": "str", "default": "app"},
    "container_port": {"type": "int", "default": 3000},
    "subnet_ids": {"type": "list", "elements": "str", "default": []},
    "security_group_ids": {"type": "list", "elements": "str", "default": []},
    "assign_public_ip": {"type": "bool", "default": False},
    "capacity_provider_strategy": {"type": "list", "elements": "dict", "default": [], "options": STRATEGY},
    "platform_version": {"type": "str", "default": "LATEST"},
    "enable_execute_command": {"type": "bool", "default": True},
    "enable_ecs_managed_tags": {"type": "bool", "default": True},
    "propagate_tags": {"type": "str", "choices": ["SERVICE", "TASK_DEFINITION", "NONE"], "default": "SERVICE"},
    "availability_zone_rebalancing": {"type": "bool", "default": True},
    "health_check_grace_period": {"type": "int", "default": 60},
    "deployment": {"type": "dict", "default": {}, "apply_defaults": True, "options": DEPLOYMENT},
    "wait_seconds": {"type": "int", "default": 900},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    with refusing(module):
        wanted = desired_services(params) if params["state"] == "present" else None
    names = [service["name"] for service in params["services"]]
    kinds = [Service(Aws(module), params["cluster"], names, params["wait_seconds"])]
    converge_resources(module, kinds, wanted)


if __name__ == "__main__":
    main()
