#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cloudfront_signing_key
short_description: Keep the private key that signs URLs in Secrets Manager
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes an RSA key of 2048 bits, once, and keeps it in a secret. Returns its public half for
    M(stories1001.platform.cloudfront_delivery).
  - A rotation makes the next generation. The previous one is returned beside it, so that URLs signed with it go on
    working until the next rotation.
  - The private key is never returned, shown or logged.
options:
  name:
    description: Name of the secret, such as C(stories-production/url-signing-key).
    type: str
    required: true
  state:
    description: Whether it shall exist. A removed one can be restored for a while, and is when it is wanted again.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of the secret. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  description:
    description: What it is for.
    type: str
    default: Private key that signs URLs of CloudFront
  kms_key_id:
    description: ARN, id or alias of the KMS key that encrypts it.
    type: str
    default: alias/aws/secretsmanager
  rotate:
    description: Makes the next generation in this run.
    type: bool
    default: false
  recovery_window_in_days:
    description: Days in which a removed key can be restored, 7 to 30.
    type: int
    default: 30
requirements:
  - cryptography
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep a key that signs URLs
  stories1001.platform.cloudfront_signing_key:
    name: stories-production/url-signing-key
    tags: {Project: 1001-stories, Environment: production}
  register: key

- name: Trust it
  stories1001.platform.cloudfront_delivery:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    public_keys: "{{ key.public_keys }}"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "signing_key/stories-production/url-signing-key:create", sentence: "Create signing key stories"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {signing_key: {stories/signing: {id: "arn:aws:secretsmanager:us-east-1:1:secret:stories/signing-0a1b2c"}}}
secret_arn:
  description: ARN of the secret.
  returned: success and O(state=present)
  type: str
  sample: arn:aws:secretsmanager:us-east-1:123456789012:secret:stories-production/url-signing-key-AbCdEf
public_keys:
  description: Public halves of the current and the previous generation, the current one first.
  returned: success and O(state=present)
  type: list
  elements: dict
  sample: [{generation: 1, public_key: "-----BEGIN PUBLIC KEY-----"}]
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._aws.tags import named
from ..module_utils._cloudfront.signing import HAS_CRYPTOGRAPHY
from ..module_utils._cloudfront.signing_keys import DEFAULT_KEY, SigningKey
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import Resource, State, planned


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "description": {"type": "str", "default": "Private key that signs URLs of CloudFront"},
            "kms_key_id": {"type": "str", "default": DEFAULT_KEY, "no_log": False},
            "rotate": {"type": "bool", "default": False},
            "recovery_window_in_days": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    if not HAS_CRYPTOGRAPHY:
        module.fail_json(msg=missing_required_lib("cryptography"))
    params = module.params
    name, present = params["name"], params["state"] == "present"
    fields = {
        "description": params["description"],
        "kms_key": params["kms_key_id"],
        "scheduled_for_deletion": False,
        "has_key": True,
        "rotated": True,
    }
    wanted = [Resource("signing_key", name, fields, tags=named(params["tags"], name))] if present else None

    def outputs(state: State) -> Mapping[str, Any]:
        if wanted is None:
            return {}
        found = state["signing_key", name]
        # Before there is a key, its first generation is what will be.
        unknown = [{"generation": 1, "public_key": planned("signing_key", name)}]
        return {"secret_arn": found.id, "public_keys": found.outputs.get("public_keys") or unknown}

    kind = SigningKey(
        Aws(module),
        params["tags"],
        name,
        rotate=present and params["rotate"],
        restore=present,
        window=params["recovery_window_in_days"],
    )
    converge_resources(module, [kind], wanted, outputs)


if __name__ == "__main__":
    main()
