#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cloudfront_signed_url
short_description: Sign one URL so that it can be read for a while
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Signs a URL of a path that only signed URLs may read, with the private key that
    M(stories1001.platform.cloudfront_signing_key) keeps. The key never leaves the module.
  - The result opens the document for everyone who has it until it expires. Hand it on with care.
options:
  url:
    description: URL to sign, with the name under which viewers reach CloudFront.
    type: str
    required: true
  secret_id:
    description: ARN or name of the secret with the private key.
    type: str
    required: true
  key_pair_id:
    description: Id of the public key in CloudFront.
    type: str
    required: true
  valid_seconds:
    description: For how many seconds from now it can be read.
    type: int
    default: 3600
  starts_in_seconds:
    description: In how many seconds from now it can first be read; at once when left out.
    type: int
  source:
    description: Range of addresses that may read it, such as C(203.0.113.0/24).
    type: str
  resource:
    description: What the signature covers, with C(*) for any text, when it is more than O(url).
    type: str
requirements:
  - cryptography
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Sign a book for an hour
  stories1001.platform.cloudfront_signed_url:
    url: https://www.example.org/content/books/1.pdf
    secret_id: stories-production/url-signing-key
    key_pair_id: K0A1B2C3D4E5F6
  register: book
"""

RETURN = r"""
signed_url:
  description: The URL with its signature.
  returned: success
  type: str
  sample: https://www.example.org/content/books/1.pdf?Expires=1800000000&Signature=0a1b&Key-Pair-Id=K0A1B2C3D4E5F6
expires:
  description: When it ends, in seconds since 1970.
  returned: success
  type: int
  sample: 1800000000
"""

import time

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._cloudfront.signing import HAS_CRYPTOGRAPHY, signed_url
from ..module_utils._cloudfront.signing_keys import read_key
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "secret_id": {"type": "str", "required": True, "no_log": False},
            "key_pair_id": {"type": "str", "required": True, "no_log": False},
            "valid_seconds": {"type": "int", "default": 3600},
            "starts_in_seconds": {"type": "int"},
            "source": {"type": "str"},
            "resource": {"type": "str"},
        },
        supports_check_mode=True,
    )
    if not HAS_CRYPTOGRAPHY:
        module.fail_json(msg=missing_required_lib("cryptography"))
    params = module.params
    now = int(time.time())
    delay = params["starts_in_seconds"]
    with refusing(module):
        if params["valid_seconds"] <= (delay or 0):
            raise PlanRefused(
                [
                    f"Read valid_seconds {params['valid_seconds']} with a start in {delay or 0} seconds; the URL could "
                    "never be read. Let it end later."
                ]
            )
        key = read_key(Aws(module), params["secret_id"])
        if key is None:
            raise PlanRefused(
                [
                    f"Looked for the signing key in secret {params['secret_id']} and found no such secret. Run "
                    "playbooks/phase4.yml, which makes it."
                ]
            )
        expires = now + params["valid_seconds"]
        url = signed_url(
            params["url"],
            expires,
            private_key=key[1],
            key_pair_id=params["key_pair_id"],
            starts=None if delay is None else now + delay,
            source=params["source"],
            resource=params["resource"],
        )
        module.exit_json(changed=False, signed_url=url, expires=expires)


if __name__ == "__main__":
    main()
