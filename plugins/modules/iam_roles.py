#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: iam_roles
short_description: Make the IAM roles of a platform, its identity providers and service-linked roles
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes roles with trust policy, managed and inline policies, permissions boundary and tags, or removes them all.
  - Reads all roles in two list calls. Policies are compared by their meaning and shown in one canonical form.
  - An identity provider belongs to the whole account. It is made if missing, given the audiences wanted, and removed
    only when it carries our tags and no role outside the platform trusts it.
  - A service-linked role is made if missing and never removed.
options:
  name:
    description: Prefix of every role name, such as C(stories-production).
    type: str
    required: true
  state:
    description: Whether the roles shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every role. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  roles:
    description: The roles.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name without the prefix, such as C(task).
        type: str
        required: true
      description:
        description: What the role is for.
        type: str
        default: ""
      path:
        description: Path of the role. Cannot be changed later.
        type: str
        default: /
      trust_policy:
        description:
          - Who may assume the role.
          - A policy that trusts an identity provider must have a condition on the token's C(sub).
        type: dict
        required: true
      managed_policies:
        description: ARNs of attached policies.
        type: list
        elements: str
        default: []
      inline_policies:
        description: Policy documents by name.
        type: dict
        default: {}
      permissions_boundary:
        description: ARN of the policy beyond which the role can do nothing.
        type: str
      max_session_duration:
        description: Seconds for which the role can be assumed, 3600 to 43200.
        type: int
        default: 3600
  oidc_providers:
    description: Identity providers for OpenID Connect.
    type: list
    elements: dict
    default: []
    suboptions:
      url:
        description: The provider's URL, such as C(https://token.actions.githubusercontent.com).
        type: str
        required: true
      audiences:
        description: Audiences (client ids) whose tokens are taken.
        type: list
        elements: str
        default: [sts.amazonaws.com]
  service_linked_roles:
    description: Services whose role shall exist, such as C(ecs.amazonaws.com).
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let containers read the secrets of their platform
  stories1001.platform.iam_roles:
    name: stories-production
    tags:
      Project: 1001-stories
      Environment: production
    service_linked_roles: [ecs.amazonaws.com]
    roles:
      - name: task-execution
        description: Starts the containers of stories-production
        trust_policy:
          Version: "2012-10-17"
          Statement:
            - Effect: Allow
              Principal: {Service: ecs-tasks.amazonaws.com}
              Action: sts:AssumeRole
        managed_policies: ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]
        inline_policies:
          secrets:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: secretsmanager:GetSecretValue
                Resource: "arn:aws:secretsmanager:us-east-1:123456789012:secret:stories-production/*"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "iam_role/stories-production-task:create", sentence: "Create IAM role stories-production-task"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {iam_role: {stories-production-task: {id: stories-production-task}}}
role_arns:
  description: Role ARNs by name without the prefix.
  returned: success
  type: dict
  sample: {task: "arn:aws:iam::123456789012:role/stories-production-task"}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing
from ..module_utils._iam.kinds import iam_kinds
from ..module_utils._iam.model import desired, full_name

_ROLE = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str", "default": ""},
    "path": {"type": "str", "default": "/"},
    "trust_policy": {"type": "dict", "required": True},
    "managed_policies": {"type": "list", "elements": "str", "default": []},
    "inline_policies": {"type": "dict", "default": {}},
    "permissions_boundary": {"type": "str"},
    "max_session_duration": {"type": "int", "default": 3600},
}
_PROVIDER = {
    "url": {"type": "str", "required": True},
    "audiences": {"type": "list", "elements": "str", "default": ["sts.amazonaws.com"]},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "roles": {"type": "list", "elements": "dict", "default": [], "options": _ROLE},
            "oidc_providers": {"type": "list", "elements": "dict", "default": [], "options": _PROVIDER},
            "service_linked_roles": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    wanted = None
    if params["state"] == "present":
        with refusing(module):
            wanted = desired(params)

    def role_arns(state: State) -> dict[str, dict[str, str]]:
        names = [role["name"] for role in params["roles"]] if wanted else []
        found = {name: state["iam_role", full_name(params["name"], name)] for name in names}
        return {"role_arns": {name: one.outputs.get("arn", one.id) for name, one in found.items()}}

    kinds = iam_kinds(Aws(module), params["tags"], params["name"], wanted or ())
    converge_resources(module, kinds, wanted, role_arns)


if __name__ == "__main__":
    main()
