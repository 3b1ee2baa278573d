#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: aurora_global_database
short_description: Let a cluster in another region follow an Aurora cluster
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes a standing Aurora cluster the writer of a global database, and a second cluster in another region that follows
    it within about a second, or removes the second one and the frame. The writer stays either way.
  - It costs the second storage, every replicated write, and its instances if any.
options:
  name:
    description: Name of the global database and of the writing cluster.
    type: str
    required: true
  state:
    description: Whether the global database shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of everything made. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  secondary_region:
    description: Region of the second cluster.
    type: str
    required: true
  secondary_name:
    description: Name of the second cluster.
    type: str
    required: true
  subnet_ids:
    description: Subnets of that region, in two zones at least.
    type: list
    elements: str
    default: []
  security_group_ids:
    description: Security groups of that region.
    type: list
    elements: str
    default: []
  kms_key_arn:
    description: Key of that region for the storage. Required with O(state=present), cannot be changed later.
    type: str
  instance_count:
    description: Instances of the second cluster. None is cheapest; one must be made before it can serve.
    type: int
    default: 0
  instance_class:
    description: Their class; none of C(db.t).
    type: str
    default: db.r6g.large
  deletion_protection:
    description: Whether the global database and the second cluster are protected. Removal with V(true) is refused.
    type: bool
    default: true
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let a cluster without instances follow in Oregon
  stories1001.platform.aurora_global_database:
    name: stories-production
    tags:
      Project: 1001-stories
      Environment: production
    secondary_region: us-west-2
    secondary_name: stories-production-dr
    subnet_ids: [subnet-0a, subnet-0b]
    security_group_ids: [sg-0a]
    kms_key_arn: arn:aws:kms:us-west-2:123456789012:key/00000000-0000-0000-0000-000000000000
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: global_cluster/stories-production:create
      sentence: Create Aurora Global Database stories-production
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {global_cluster: {stories-production: {id: stories-production}}}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import Kind, converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._rds.groups import DbSubnetGroup
from ..module_utils._rds.instances import DbInstance
from ..module_utils._recovery import worldwide


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "secondary_region": {"type": "str", "required": True},
            "secondary_name": {"type": "str", "required": True},
            "subnet_ids": {"type": "list", "elements": "str", "default": []},
            "security_group_ids": {"type": "list", "elements": "str", "default": []},
            "kms_key_arn": {"type": "str", "no_log": False},
            "instance_count": {"type": "int", "default": 0},
            "instance_class": {"type": "str", "default": "db.r6g.large"},
            "deletion_protection": {"type": "bool", "default": True},
        },
        required_if=[("state", "present", ("kms_key_arn",))],
        supports_check_mode=True,
    )
    params, aws = module.params, Aws(module)
    present, tags = params["state"] == "present", params["tags"]
    far, second = worldwide.Elsewhere(module, params["secondary_region"]), params["secondary_name"]
    frame = worldwide.GlobalCluster(aws, tags, params["name"])
    wanted, version = None, ""
    with refusing(module):
        if present:
            primary = worldwide.primary_of(aws, tags, params["name"])
            version = primary["EngineVersion"]
            classes = [one.fields["instance_class"] for one in DbInstance(aws, tags, params["name"]).observe()]
            if wrong := worldwide.problems(params, module.region, classes):
                raise PlanRefused(wrong)
            wanted = worldwide.desired(params, primary)
    follower = worldwide.Follower(
        far,
        tags,
        second,
        apply_immediately=True,
        removing=not present,
        keep_protection=params["deletion_protection"],
        frame=frame,
        version=version,
    )
    kinds: list[Kind] = [frame, DbSubnetGroup(far, tags, second), follower, DbInstance(far, tags, second)]
    converge_resources(module, kinds, wanted)


if __name__ == "__main__":
    main()
