#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: ecr_login
short_description: Write the credentials with which docker, podman and buildah push to ECR
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Writes C(config.json) into a folder of the play, where C(DOCKER_CONFIG) or C(REGISTRY_AUTH_FILE) can lead to it,
    readable by its owner only. The AWS command line is not needed.
  - The token ends after twelve hours. It is never returned, logged or shown in a diff. Remove it with O(state=absent).
options:
  path:
    description: Folder that exists and belongs to the play, such as one of M(ansible.builtin.tempfile).
    type: path
    required: true
  state:
    description: Whether the credentials shall be there.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Writes no file and asks for no token.
    support: full
  diff_mode:
    description: The file holds a secret and is never shown.
    support: none
  idempotent:
    description: Each call with V(present) writes a fresh token.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let docker push to ECR
  stories1001.platform.ecr_login:
    path: "{{ folder.path }}"
"""

RETURN = r"""
registries:
  description: Registries that the credentials are for.
  returned: success
  type: list
  elements: str
  sample: [123456789012.dkr.ecr.us-east-1.amazonaws.com]
file:
  description: The file that was written.
  returned: success
  type: str
  sample: /tmp/ansible.push/config.json
"""

import json
import os
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused, StepFailed


def run(module: Any, aws: Aws) -> dict[str, Any]:
    folder = Path(module.params["path"])
    file = folder / "config.json"
    told: dict[str, Any] = {"changed": True, "registries": [], "file": str(file)}
    if module.params["state"] == "absent":
        told["changed"] = file.exists()
        if told["changed"] and not module.check_mode:
            file.unlink()
        return told
    if not folder.is_dir():
        raise PlanRefused([f"Looked for the folder {folder} for registry credentials and found none. Make it first."])
    if module.check_mode:
        return told
    answer = aws.call("get a token to push to ECR", "ecr", "get_authorization_token")
    tokens = {one["proxyEndpoint"].split("://")[-1]: one["authorizationToken"] for one in answer["authorizationData"]}
    module.no_log_values.update(tokens.values())
    text = json.dumps({"auths": {registry: {"auth": token} for registry, token in sorted(tokens.items())}})
    try:
        file.unlink(missing_ok=True)  # an older one may be readable by others
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise StepFailed(
            f"Tried to write registry credentials to {file}: {error.strerror}. Use another folder."
        ) from error
    return {**told, "registries": sorted(tokens)}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    with refusing(module):
        module.exit_json(**run(module, Aws(module)))


if __name__ == "__main__":
    main()
