#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: ecr_repository
short_description: Make ECR repositories with scanning, immutable tags and a lifecycle
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes repositories that scan every pushed image, refuse to move a tag, remove untagged images and keep a
    number of tagged ones.
  - Policies are compared by their meaning, not by their text.
options:
  names:
    description: Names of the repositories; all are made alike.
    type: list
    elements: str
    required: true
  state:
    description: Whether the repositories shall exist.
    type: str
    choices: [present, absent]
    default: present
  remove_images:
    description: With O(state=absent), removes repositories that hold images together with these.
    type: bool
    default: false
  tags:
    description: Tags of every repository.
    type: dict
    required: true
  immutable_tags:
    description: Whether a tag, once pushed, stays with its image.
    type: bool
    default: true
  scan_on_push:
    description: Whether images are scanned for known vulnerabilities when they arrive.
    type: bool
    default: true
  encryption:
    description: How images are encrypted. AWS cannot change it later.
    type: str
    choices: [AES256, KMS]
    default: AES256
  kms_key_id:
    description: ARN of the key for O(encryption=KMS); AWS's own key when left out. AWS cannot change it later.
    type: str
  keep_tagged_images:
    description: How many tagged images are kept, the newest ones.
    type: int
    default: 50
  expire_untagged_after_days:
    description: Days after which an image without a tag is removed.
    type: int
    default: 7
  policy:
    description: Policy of the repositories, for other accounts for instance; none when left out.
    type: dict
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the repository of the application
  stories1001.platform.ecr_repository:
    names: [stories-production-app]
    tags: {Project: 1001-stories, Environment: production}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "ecr_repository/app:create", sentence: "Create ECR repository app"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {ecr_repository: {stories-production-app: {id: stories-production-app}}}
uris:
  description: What an image's name begins with, by repository.
  returned: success and O(state=present)
  type: dict
  sample: {stories-production-app: 123456789012.dkr.ecr.us-east-1.amazonaws.com/stories-production-app}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._ecr.kinds import Repository
from ..module_utils._ecr.model import desired
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import Ref, State, resolve
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused

ARGUMENTS = {
    "names": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "remove_images": {"type": "bool", "default": False},
    "tags": {"type": "dict", "required": True},
    "immutable_tags": {"type": "bool", "default": True},
    "scan_on_push": {"type": "bool", "default": True},
    "encryption": {"type": "str", "choices": ["AES256", "KMS"], "default": "AES256"},
    "kms_key_id": {"type": "str", "no_log": False},
    "keep_tagged_images": {"type": "int", "default": 50},
    "expire_untagged_after_days": {"type": "int", "default": 7},
    "policy": {"type": "dict"},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    repositories = Repository(Aws(module), params["names"], params["remove_images"])
    wanted = None
    with refusing(module):
        if params["state"] == "present":
            wanted = desired(params)
        elif not params["remove_images"] and (held := repositories.with_images()):
            raise PlanRefused(held)

    def outputs(state: State) -> dict[str, object]:
        if wanted is None:
            return {}
        return {"uris": {name: resolve(Ref("ecr_repository", name, "uri"), state) for name in params["names"]}}

    converge_resources(module, [repositories], wanted, outputs)


if __name__ == "__main__":
    main()
