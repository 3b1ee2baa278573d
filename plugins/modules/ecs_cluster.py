#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: ecs_cluster
short_description: Make an ECS cluster
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes an ECS cluster with Container Insights, encrypted and logged C(exec), capacity providers and tags.
  - The stock module C(community.aws.ecs_cluster) knows capacity providers only.
options:
  name:
    description: Name of the cluster.
    type: str
    required: true
  state:
    description: Whether the cluster shall exist. It cannot be removed while it has services.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of the cluster.
    type: dict
    required: true
  container_insights:
    description: How much CloudWatch records of the cluster.
    type: str
    choices: [enhanced, enabled, disabled]
    default: enabled
  execute_command:
    description: What is kept of the sessions of C(aws ecs execute-command).
    type: dict
    default: {}
    suboptions:
      logging:
        description: C(DEFAULT) logs as the task does, C(OVERRIDE) to O(execute_command.log_group), C(NONE) not at all.
        type: str
        choices: [NONE, DEFAULT, OVERRIDE]
        default: DEFAULT
      log_group:
        description: Log group of the sessions.
        type: str
      log_encryption:
        description: Whether the sessions' log must be encrypted; the log group then needs a KMS key.
        type: bool
        default: true
      kms_key_id:
        description: KMS key that encrypts the connection between the client and the container.
        type: str
  capacity_providers:
    description: Capacity providers that services may name.
    type: list
    elements: str
    default: [FARGATE, FARGATE_SPOT]
  default_capacity_provider_strategy:
    description: Strategy of services and tasks that name none.
    type: list
    elements: dict
    default: []
    suboptions:
      capacity_provider:
        description: Name of the capacity provider.
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
  service_connect_namespace:
    description: ARN of the Cloud Map namespace that services use by default.
    type: str
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the cluster of production
  stories1001.platform.ecs_cluster:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    execute_command: {logging: OVERRIDE, log_group: /stories-production/exec}
    default_capacity_provider_strategy:
      - {capacity_provider: FARGATE, base: 2}
      - {capacity_provider: FARGATE_SPOT, weight: 3}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "ecs_cluster/stories-production:create", sentence: "Create ECS cluster stories-production"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {ecs_cluster: {stories-production: {id: stories-production}}}
cluster_arn:
  description: ARN of the cluster; a placeholder in check mode when there is none yet.
  returned: success and O(state=present)
  type: str
  sample: arn:aws:ecs:us-east-1:123456789012:cluster/stories-production
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._ecs.kinds import Cluster
from ..module_utils._ecs.model import desired_cluster
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import Ref, State, resolve
from ..module_utils._engine.runner import refusing

EXECUTE_COMMAND = {
    "logging": {"type": "str", "choices": ["NONE", "DEFAULT", "OVERRIDE"], "default": "DEFAULT"},
    "log_group": {"type": "str"},
    "log_encryption": {"type": "bool", "default": True},
    "kms_key_id": {"type": "str", "no_log": False},
}
STRATEGY = {
    "capacity_provider": {"type": "str", "required": True},
    "weight": {"type": "int", "default": 1},
    "base": {"type": "int", "default": 0},
}
ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "tags": {"type": "dict", "required": True},
    "container_insights": {"type": "str", "choices": ["enhanced", "enabled", "disabled"], "default": "enabled"},
    "execute_command": {"type": "dict", "default": {}, "apply_defaults": True, "options": EXECUTE_COMMAND},
    "capacity_providers": {"type": "list", "elements": "str", "default": ["FARGATE", "FARGATE_SPOT"]},
    "default_capacity_provider_strategy": {"type": "list", "elements": "dict", "default": [], "options": STRATEGY},
    "service_connect_namespace": {"type": "str"},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    with refusing(module):
        wanted = desired_cluster(params) if params["state"] == "present" else None

    def outputs(state: State) -> dict[str, object]:
        return {"cluster_arn": resolve(Ref("ecs_cluster", params["name"], "arn"), state)} if wanted else {}

    converge_resources(module, [Cluster(Aws(module), params["name"])], wanted, outputs)


if __name__ == "__main__":
    main()
