#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: ecr_image_scan
short_description: Find an image in ECR by tag or digest, and refuse it when its scan found too much
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Returns the name of an image by digest, so that what was scanned is what is released.
  - Waits for the scan that ECR makes when an image arrives, and fails when it found more than is allowed.
  - Reads only, unless O(start=true).
options:
  repository:
    description: Name of the ECR repository.
    type: str
    required: true
  reference:
    description: Tag, or digest that begins with C(sha256:).
    type: str
    required: true
  required:
    description: Whether it is an error when there is no such image. Otherwise RV(image) is empty.
    type: bool
    default: true
  scan:
    description: Whether the scan is waited for and judged.
    type: bool
    default: true
  start:
    description: Whether a scan is started when there is none, for repositories that do not scan on push.
    type: bool
    default: false
  maximum_findings:
    description: Findings that are allowed, by severity; severities that are left out do not count.
    type: dict
    default: {CRITICAL: 0}
  timeout:
    description: Seconds to wait for the scan.
    type: float
    default: 600
  poll:
    description: Seconds between two looks.
    type: float
    default: 5
attributes:
  check_mode:
    description: Reads only; no scan is started.
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
- name: Refuse an image with critical findings, or more than three of high severity
  stories1001.platform.ecr_image_scan:
    repository: stories-production-app
    reference: 2.4.0
    maximum_findings: {CRITICAL: 0, HIGH: 3}
  register: scanned
"""

RETURN = r"""
repository_uri:
  description: What images of the repository begin with.
  returned: success
  type: str
  sample: 123456789012.dkr.ecr.us-east-1.amazonaws.com/stories-production-app
image:
  description: The image by digest; empty when there is none.
  returned: success
  type: str
  sample: 123456789012.dkr.ecr.us-east-1.amazonaws.com/stories-production-app@sha256:9f86d081884c7d65
digest:
  description: Digest of the image.
  returned: success
  type: str
  sample: sha256:9f86d081884c7d65
status:
  description: What ECR calls the state of the scan; empty when none was asked for.
  returned: success
  type: str
  sample: COMPLETE
counts:
  description: Findings by severity.
  returned: always, once a scan was read
  type: dict
  sample: {HIGH: 2, LOW: 11}
findings:
  description: The worst 50 findings.
  returned: always, once a scan was read
  type: list
  elements: dict
  sample: [{name: CVE-2026-0001, severity: HIGH, package: openssl 3.0.11, uri: "https://security-tracker.debian.org/"}]
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._ecr_images.read import Image
from ..module_utils._ecr_images.scan import too_many, wrong_limits
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused

_SHOWN = 50


def run(module: Any, image: Image) -> dict[str, Any]:
    params = module.params
    wrong = list(wrong_limits(params["maximum_findings"]))
    if not params["reference"]:
        wrong.append("Read an empty reference; name the image's tag (release_version), such as the commit.")
    if wrong:
        raise PlanRefused(wrong)
    uri, digest = image.repository_uri(), image.digest()
    if not digest and params["required"]:
        raise PlanRefused([f"Looked for image {image.title} in ECR and found none. Push it first."])
    told: dict[str, Any] = {
        "changed": False,
        "repository_uri": uri,
        "digest": digest,
        "image": f"{uri}@{digest}" if digest else "",
        "status": "",
    }
    if not digest or not params["scan"]:
        return told
    if params["start"] and image.scan(digest) is None:
        told["changed"] = True
        if module.check_mode:
            return told
        image.start_scan(digest)
    scan = image.await_scan(digest, params["timeout"], params["poll"])
    told |= {"status": scan.status, "counts": dict(scan.counts), "findings": list(scan.findings[:_SHOWN])}
    if found := list(too_many(scan, params["maximum_findings"])):
        module.fail_json(
            msg=f"Looked at the scan of image {image.title} and found {'; '.join(found)}. Mend these and build again, "
            "or allow them by maximum_findings.",
            **told,
        )
    return told


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "repository": {"type": "str", "required": True},
            "reference": {"type": "str", "required": True},
            "required": {"type": "bool", "default": True},
            "scan": {"type": "bool", "default": True},
            "start": {"type": "bool", "default": False},
            "maximum_findings": {"type": "dict", "default": {"CRITICAL": 0}},
            "timeout": {"type": "float", "default": 600},
            "poll": {"type": "float", "default": 5},
        },
        supports_check_mode=True,
    )
    with refusing(module):
        module.exit_json(**run(module, Image(Aws(module), module.params["repository"], module.params["reference"])))


if __name__ == "__main__":
    main()
