#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: acm_certificate_request
short_description: Request a certificate that DNS validates
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Requests a certificate from AWS Certificate Manager, keeps its validation records in a Route 53 zone, and
    waits until it is issued.
  - Without a zone, the records are returned for you to set; the certificate stays pending until you have.
  - A certificate is found again by its tags C(Project) and C(Environment) and all its names. Other names are
    another certificate.
  - The stock module C(community.aws.acm_certificate) only imports certificates.
options:
  domain_name:
    description: Name of the certificate.
    type: str
    required: true
  state:
    description:
      - Whether the certificate and its validation records shall exist. The end of its use is awaited for ten minutes.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of the certificate. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  subject_alternative_names:
    description: Further names of the certificate.
    type: list
    elements: str
    default: []
  hosted_zone_id:
    description: Route 53 zone that gets the validation records.
    type: str
  key_algorithm:
    description: Algorithm of the key. AWS cannot change it later.
    type: str
    choices: [RSA_2048, EC_prime256v1, EC_secp384r1]
    default: RSA_2048
  transparency_logging:
    description: Whether the certificate appears in public logs; browsers want it there.
    type: bool
    default: true
  wait_seconds:
    description: Seconds to wait for the certificate to be issued when O(hosted_zone_id) is given; V(0) does not wait.
    type: int
    default: 1800
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Request the certificate of the load balancer
  stories1001.platform.acm_certificate_request:
    domain_name: origin.example.org
    hosted_zone_id: Z0123456789ABCDEFGHIJ
    tags: {Project: 1001-stories, Environment: production}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "certificate/origin.example.org:create", sentence: "Create certificate origin.example.org"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {certificate: {origin.example.org: {id: origin.example.org}}}
certificate_arn:
  description: ARN of the certificate; a placeholder in check mode when there is none yet.
  returned: success and O(state=present)
  type: str
  sample: arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d
status:
  description: ACM's status of the certificate; V(PLANNED) in check mode when there is none yet.
  returned: success and O(state=present)
  type: str
  sample: ISSUED
validation_records:
  description: Records that validate the certificate, for a DNS server other than Route 53.
  returned: success and O(state=present)
  type: list
  elements: dict
  sample: [{name: _0a1b.origin.example.org., type: CNAME, value: _2c3d.acm-validations.aws.}]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._acm.kinds import Certificate
from ..module_utils._acm.model import certificate_name, desired
from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing

ARGUMENTS = {
    "domain_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "tags": {"type": "dict", "required": True},
    "subject_alternative_names": {"type": "list", "elements": "str", "default": []},
    "hosted_zone_id": {"type": "str"},
    "key_algorithm": {
        "type": "str",
        "choices": ["RSA_2048", "EC_prime256v1", "EC_secp384r1"],
        "default": "RSA_2048",
        "no_log": False,
    },
    "transparency_logging": {"type": "bool", "default": True},
    "wait_seconds": {"type": "int", "default": 1800},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    zone, domain = params["hosted_zone_id"], params["domain_name"]
    wait_seconds = params["wait_seconds"] if zone and params["state"] == "present" else 0
    kind = Certificate(Aws(module), params["tags"], domain, zone, wait_seconds)
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None

    def outputs(state: State) -> dict[str, object]:
        if wanted is None:
            return {}
        found = state["certificate", certificate_name(domain, params["subject_alternative_names"])]
        return {
            "certificate_arn": found.id,
            "status": found.outputs.get("status", "PLANNED"),
            "validation_records": found.outputs.get("validation_records", []),
        }

    converge_resources(module, [kind], wanted, outputs)


if __name__ == "__main__":
    main()
