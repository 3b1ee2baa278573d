#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: log_delivery
short_description: Deliver the access logs of a distribution, or other vended logs, to a bucket
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes the source, the destination and the delivery between them by which AWS services deliver logs nowadays.
  - A bucket needs no ACLs for it, unlike for CloudFront's older logging, but a policy that lets
    C(delivery.logs.amazonaws.com) write.
  - CloudFront's logs are delivered from C(us-east-1) only, to a bucket of any region.
options:
  name:
    description: Name of all three parts.
    type: str
    required: true
  state:
    description: Whether logs shall be delivered. What was delivered stays.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of all parts. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  resource_arn:
    description: ARN of the resource whose logs are delivered. Required when O(state=present).
    type: str
    default: ""
  log_type:
    description: Which of its logs.
    type: str
    default: ACCESS_LOGS
  destination_arn:
    description:
      - ARN of the bucket, with the beginning of all keys, such as C(arn:aws:s3:::stories-logs/cloudfront).
        Required when O(state=present).
      - Without a beginning of one's own AWS puts C(AWSLogs/<account>/CloudFront) before the path, when it makes the
        delivery but not when it changes one.
    type: str
    default: ""
  output_format:
    description: Form of the files; it can never be changed.
    type: str
    choices: [json, plain, w3c, parquet]
    default: json
  suffix_path:
    description: What follows the beginning of a key; words in braces are AWS's.
    type: str
    default: "{DistributionId}/{yyyy}/{MM}/{dd}"
  record_fields:
    description: Fields of the log, in order; those that AWS chooses when empty.
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
- name: Keep the access log of the distribution
  stories1001.platform.log_delivery:
    region: us-east-1
    name: stories-production-cdn
    tags: {Project: 1001-stories, Environment: production}
    resource_arn: arn:aws:cloudfront::123456789012:distribution/E0123456789ABC
    destination_arn: arn:aws:s3:::stories-production-logs-123456789012/cloudfront
    record_fields: [date, time, c-ip, cs-method, cs-uri-stem, sc-status]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: log_delivery/stories-production-cdn:create
      sentence: Create log delivery stories-production-cdn
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._log_delivery.kinds import Delivery, DeliveryDestination, DeliverySource
from ..module_utils._log_delivery.model import desired


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "resource_arn": {"type": "str", "default": ""},
            "log_type": {"type": "str", "default": "ACCESS_LOGS"},
            "destination_arn": {"type": "str", "default": ""},
            "output_format": {"type": "str", "choices": ["json", "plain", "w3c", "parquet"], "default": "json"},
            "suffix_path": {"type": "str", "default": "{DistributionId}/{yyyy}/{MM}/{dd}"},
            "record_fields": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    aws = Aws(module)
    kinds = [kind(aws, params["tags"], params["name"]) for kind in (DeliverySource, DeliveryDestination, Delivery)]
    converge_resources(module, kinds, wanted)


if __name__ == "__main__":
    main()
