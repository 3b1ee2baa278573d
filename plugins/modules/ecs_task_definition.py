#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: ecs_task_definition
short_description: Register a revision of a task definition when something differs
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Compares the newest active revision of a family with what is described, field by field, and registers
    a new revision only when one differs. A run on a fulfilled description registers nothing.
  - Tasks are of Fargate, with the network mode C(awsvpc).
  - The image of O(release_container), and the environment variables O(release_environment), belong to the
    release. They are given with the first revision; a revision that this module registers later carries
    them over from the newest one.
  - Every secret that a container takes must exist and have a value; otherwise nothing is written.
  - The stock module C(community.aws.ecs_taskdefinition) overlooks changes of CPU, memory, execution role and
    architecture, and compares with any old revision.
options:
  family:
    description: Family of the task definition.
    type: str
    required: true
  state:
    description: Whether the family shall have revisions. With V(absent) all are deregistered and deleted.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of the revision.
    type: dict
    required: true
  cpu:
    description: CPU units of the task; 1024 are one virtual CPU.
    type: int
    default: 512
  memory:
    description: Memory of the task in MiB.
    type: int
    default: 1024
  execution_role_arn:
    description: Role with which ECS pulls the image, reads secrets and writes logs.
    type: str
  task_role_arn:
    description: Role of the application itself.
    type: str
  cpu_architecture:
    description: Architecture of the image.
    type: str
    choices: [X86_64, ARM64]
    default: X86_64
  operating_system_family:
    description: Operating system of the image.
    type: str
    default: LINUX
  ephemeral_storage_gib:
    description: Scratch space in GiB, 21 to 200; 20 when left out.
    type: int
  volumes:
    description: Volumes that containers may mount.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the volume. Without a file system it is scratch space that the containers share.
        type: str
        required: true
      efs_file_system_id:
        description: File system of Amazon EFS.
        type: str
      efs_root_directory:
        description: Directory in the file system.
        type: str
        default: /
      efs_access_point_id:
        description: Access point of the file system.
        type: str
  release_container:
    description: Container whose image belongs to the release.
    type: str
  release_environment:
    description: Environment variables of O(release_container) that belong to the release, such as C(APP_VERSION).
    type: list
    elements: str
    default: []
  containers:
    description: The containers, the application first.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the container.
        type: str
        required: true
      image:
        description: Image with its tag or, better, its digest.
        type: str
        required: true
      essential:
        description: Whether the task stops with this container.
        type: bool
        default: true
      cpu:
        description: Share of the task's CPU units.
        type: int
      memory:
        description: MiB at which the container is killed.
        type: int
      memory_reservation:
        description: MiB that are kept for the container.
        type: int
      entry_point:
        description: Replaces the image's entry point.
        type: list
        elements: str
      command:
        description: Replaces the image's command.
        type: list
        elements: str
      environment:
        description: Environment variables. Nothing secret; see O(containers[].secrets).
        type: dict
        default: {}
      secrets:
        description:
          - Environment variables with the source of each value, ECS's C(valueFrom).
          - The ARN of a secret, with an optional JSON key behind it as in C(<arn>:password::), or a parameter's.
        type: dict
        default: {}
      port_mappings:
        description: Ports on which the container listens.
        type: list
        elements: dict
        default: []
        suboptions:
          container_port:
            description: The port.
            type: int
            required: true
          protocol:
            description: Its protocol.
            type: str
            choices: [tcp, udp]
            default: tcp
          name:
            description: Name for Service Connect.
            type: str
          app_protocol:
            description: Protocol for Service Connect.
            type: str
            choices: [http, http2, grpc]
      health_check:
        description: How ECS finds the container healthy.
        type: dict
        suboptions:
          command:
            description: C(CMD) or C(CMD-SHELL), and the command.
            type: list
            elements: str
            required: true
          interval:
            description: Seconds between two checks.
            type: int
            default: 30
          timeout:
            description: Seconds that a check may take.
            type: int
            default: 5
          retries:
            description: Failures in a row that make the container unhealthy.
            type: int
            default: 3
          start_period:
            description: Seconds after the start during which failures do not count.
            type: int
            default: 0
      log_configuration:
        description: Where the output goes.
        type: dict
        suboptions:
          driver:
            description: Log driver.
            type: str
            choices: [awslogs, awsfirelens, splunk]
            default: awslogs
          options:
            description: Options of the driver, such as C(awslogs-group).
            type: dict
            default: {}
      mount_points:
        description: Volumes in the container's file system.
        type: list
        elements: dict
        default: []
        suboptions:
          source_volume:
            description: Name of the volume.
            type: str
            required: true
          container_path:
            description: Path in the container.
            type: str
            required: true
          read_only:
            description: Whether the container may only read.
            type: bool
            default: false
      depends_on:
        description: Other containers and the condition in which each must be before this one starts.
        type: dict
        default: {}
      stop_timeout:
        description: Seconds from the request to stop to the kill; Fargate takes 2 to 120.
        type: int
      init_process:
        description: Whether an init process passes signals on and reaps children.
        type: bool
        default: true
      drop_capabilities:
        description: Linux capabilities that the container loses.
        type: list
        elements: str
        default: []
      readonly_root_filesystem:
        description: Whether the root file system is read only.
        type: bool
        default: false
      user:
        description: User of the process.
        type: str
      working_directory:
        description: Directory in which the command runs.
        type: str
      docker_labels:
        description: Labels of the container.
        type: dict
        default: {}
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Describe the tasks of slot blue
  stories1001.platform.ecs_task_definition:
    family: stories-production-app-blue
    tags: {Project: 1001-stories, Environment: production}
    cpu: 512
    memory: 1024
    execution_role_arn: arn:aws:iam::123456789012:role/stories-production-task-execution
    release_container: app
    release_environment: [APP_VERSION]
    containers:
      - name: app
        image: 123456789012.dkr.ecr.us-east-1.amazonaws.com/stories-production-app:1.0.0
        port_mappings: [{container_port: 3000}]
        environment: {APP_SLOT: blue, APP_VERSION: 1.0.0}
        secrets:
          DATABASE_PASSWORD: "arn:aws:secretsmanager:us-east-1:123456789012:secret:stories-app-AbCdEf:password::"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "task_definition/app-blue:create", sentence: "Create task definition app-blue"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {task_definition: {stories-production-app-blue: {id: stories-production-app-blue}}}
task_definition_arn:
  description: ARN of the newest active revision; a placeholder in check mode when there is none yet.
  returned: success and O(state=present)
  type: str
  sample: arn:aws:ecs:us-east-1:123456789012:task-definition/stories-production-app-blue:7
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._ecs.secrets import missing_secrets
from ..module_utils._ecs.task_definitions import TaskDefinition
from ..module_utils._ecs.task_model import desired
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused

VOLUME = {
    "name": {"type": "str", "required": True},
    "efs_file_system_id": {"type": "str"},
    "efs_root_directory": {"type": "str", "default": "/"},
    "efs_access_point_id": {"type": "str"},
}
PORT = {
    "container_port": {"type": "int", "required": True},
    "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
    "name": {"type": "str"},
    "app_protocol": {"type": "str", "choices": ["http", "http2", "grpc"]},
}
HEALTH_CHECK = {
    "command": {"type": "list", "elements": "str", "required": True},
    "interval": {"type": "int", "default": 30},
    "timeout": {"type": "int", "default": 5},
    "retries": {"type": "int", "default": 3},
    "start_period": {"type": "int", "default": 0},
}
LOG = {
    "driver": {"type": "str", "choices": ["awslogs", "awsfirelens", "splunk"], "default": "awslogs"},
    "options": {"type": "dict", "default": {}},
}
MOUNT = {
    "source_volume": {"type": "str", "required": True},
    "container_path": {"type": "str", "required": True},
    "read_only": {"type": "bool", "default": False},
}
CONTAINER = {
    "name": {"type": "str", "required": True},
    "image": {"type": "str", "required": True},
    "essential": {"type": "bool", "default": True},
    "cpu": {"type": "int"},
    "memory": {"type": "int"},
    "memory_reservation": {"type": "int"},
    "entry_point": {"type": "list", "elements": "str"},
    "command": {"type": "list", "elements": "str"},
    "environment": {"type": "dict", "default": {}},
    # ARNs, not values.
    "secrets": {"type": "dict", "default": {}, "no_log": False},
    "port_mappings": {"type": "list", "elements": "dict", "default": [], "options": PORT},
    "health_check": {"type": "dict", "options": HEALTH_CHECK},
    "log_configuration": {"type": "dict", "options": LOG},
    "mount_points": {"type": "list", "elements": "dict", "default": [], "options": MOUNT},
    "depends_on": {"type": "dict", "default": {}},
    "stop_timeout": {"type": "int"},
    "init_process": {"type": "bool", "default": True},
    "drop_capabilities": {"type": "list", "elements": "str", "default": []},
    "readonly_root_filesystem": {"type": "bool", "default": False},
    "user": {"type": "str"},
    "working_directory": {"type": "str"},
    "docker_labels": {"type": "dict", "default": {}},
}
ARGUMENTS = {
    "family": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "tags": {"type": "dict", "required": True},
    "cpu": {"type": "int", "default": 512},
    "memory": {"type": "int", "default": 1024},
    "execution_role_arn": {"type": "str"},
    "task_role_arn": {"type": "str"},
    "cpu_architecture": {"type": "str", "choices": ["X86_64", "ARM64"], "default": "X86_64"},
    "operating_system_family": {"type": "str", "default": "LINUX"},
    "ephemeral_storage_gib": {"type": "int"},
    "volumes": {"type": "list", "elements": "dict", "default": [], "options": VOLUME},
    "release_container": {"type": "str"},
    "release_environment": {"type": "list", "elements": "str", "default": []},
    "containers": {"type": "list", "elements": "dict", "default": [], "options": CONTAINER},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params, aws = module.params, Aws(module)
    wanted = None
    with refusing(module):
        if params["state"] == "present":
            wanted = desired(params)
            sources = {name: source for one in params["containers"] for name, source in one["secrets"].items()}
            if wrong := missing_secrets(aws, sources):
                raise PlanRefused(wrong)

    def outputs(state: State) -> dict[str, object]:
        return {"task_definition_arn": state["task_definition", params["family"]].id} if wanted else {}

    kinds = [TaskDefinition(aws, params["family"], params["release_environment"])]
    converge_resources(module, kinds, wanted, outputs)


if __name__ == "__main__":
    main()
