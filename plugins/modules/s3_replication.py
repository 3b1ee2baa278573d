#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_replication
short_description: Replicate a bucket into another one, in another region
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Sets one rule that copies every new object and version of a bucket, or ends the replication. Both buckets must keep
    versions.
  - What lies in the bucket already is not copied by S3 itself; that takes one S3 Batch Replication job.
  - The stock collections have no module for this.
options:
  bucket:
    description: The bucket whose objects are copied.
    type: str
    required: true
  state:
    description: Whether it shall be replicated. What was copied stays.
    type: str
    choices: [present, absent]
    default: present
  destination_bucket:
    description: The bucket that gets the copies.
    type: str
  role_arn:
    description: Role that S3 takes to copy.
    type: str
  partition:
    description: The AWS partition, as ARNs have it.
    type: str
    default: aws
  storage_class:
    description: Storage class of the copies.
    type: str
    choices: [STANDARD, STANDARD_IA, INTELLIGENT_TIERING, GLACIER_IR, GLACIER, DEEP_ARCHIVE]
    default: STANDARD_IA
  metrics:
    description:
      - Whether S3 tells CloudWatch what waits and what could not be copied; four metrics at $0.30 a month.
      - The rule's id in their dimensions is C(everything).
    type: bool
    default: true
  delete_markers:
    description: Whether a deletion is copied too. Without, the copy outlives what is deleted by mistake or malice.
    type: bool
    default: false
  source_kms_key_arn:
    description: Key that encrypts the objects, where they are encrypted by one.
    type: str
    default: ""
  replica_kms_key_arn:
    description: Key of the other region that encrypts the copies then.
    type: str
    default: ""
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Copy media to the other region
  stories1001.platform.s3_replication:
    bucket: stories-production-media-123456789012
    destination_bucket: stories-production-dr-media-123456789012
    role_arn: arn:aws:iam::123456789012:role/stories-production-dr-replication
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: bucket_replication/stories-production-media-123456789012:create
      sentence: Create replication of bucket stories-production-media-123456789012
resources:
  description: The replication by its bucket.
  returned: success
  type: dict
  sample: {bucket_replication: {stories-production-media-123456789012: {id: stories-production-media-123456789012}}}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._s3_replication.replication import BucketReplication, desired


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "bucket": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "destination_bucket": {"type": "str"},
            "role_arn": {"type": "str"},
            "partition": {"type": "str", "default": "aws"},
            "storage_class": {
                "type": "str",
                "choices": ["STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"],
                "default": "STANDARD_IA",
            },
            "metrics": {"type": "bool", "default": True},
            "delete_markers": {"type": "bool", "default": False},
            "source_kms_key_arn": {"type": "str", "default": "", "no_log": False},
            "replica_kms_key_arn": {"type": "str", "default": "", "no_log": False},
        },
        required_if=[("state", "present", ("destination_bucket", "role_arn"))],
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    converge_resources(module, [BucketReplication(Aws(module), params["bucket"])], wanted)


if __name__ == "__main__":
    main()
