#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: s3_buckets
short_description: Make the buckets of a platform, none of them public
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes buckets with encryption, versioning, object ownership, lifecycle, policy, CORS, logging and tags, or removes
    them. Public access is blocked in all four ways on every one.
  - Every one of these is compared, policies by their meaning. The stock modules for lifecycle and CORS change AWS
    or say nothing in check mode, and need a task for each part.
  - Notifications to queues and functions are left as they are; those to EventBridge can be switched.
options:
  name:
    description: Prefix of every bucket name, such as C(stories-production).
    type: str
    required: true
  state:
    description:
      - Whether the buckets shall exist.
      - V(absent) removes the buckets of O(buckets) and every other bucket that begins with O(name) and a hyphen and
        carries our tags.
    type: str
    choices: [present, absent]
    default: present
  delete_objects:
    description: Whether O(state=absent) may delete what is in the buckets. Otherwise a full one is refused.
    type: bool
    default: false
  keep_full:
    description: Whether O(state=absent) leaves a full bucket where it is, with a warning, instead of refusing.
    type: bool
    default: false
  tags:
    description: Tags of every bucket. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  buckets:
    description: The buckets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Whole name, which is unique in the world; it begins with O(name) and a hyphen.
        type: str
        required: true
      versioning:
        description: Whether overwritten and deleted objects are kept.
        type: bool
        default: false
      kms_key_arn:
        description: Key for the encryption of new objects, with a bucket key. S3's own keys when left out.
        type: str
      object_ownership:
        description: V(BucketOwnerEnforced) switches ACLs off. CloudFront's older logs need V(BucketOwnerPreferred).
        type: str
        choices: [BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter]
        default: BucketOwnerEnforced
      policy:
        description: Bucket policy; none when left out.
        type: dict
      lifecycle_rules:
        description: What happens to objects with time.
        type: list
        elements: dict
        default: []
        suboptions:
          id:
            description: Name of the rule.
            type: str
            required: true
          prefix:
            description: Beginning of the keys that the rule is for; all when empty.
            type: str
            default: ""
          expiration_days:
            description: Days after which an object goes.
            type: int
          noncurrent_expiration_days:
            description: Days after which an overwritten or deleted version goes.
            type: int
          abort_multipart_days:
            description: Days after which the parts of an unfinished upload go.
            type: int
          transitions:
            description: Cheaper storage classes.
            type: list
            elements: dict
            default: []
            suboptions:
              days:
                description: Age of the object in days.
                type: int
                required: true
              storage_class:
                description: Where it goes.
                type: str
                required: true
                choices: [STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, GLACIER_IR, GLACIER, DEEP_ARCHIVE]
          noncurrent_transitions:
            description: Cheaper storage classes for overwritten and deleted versions.
            type: list
            elements: dict
            default: []
            suboptions:
              days:
                description: Days since the version was overwritten or deleted.
                type: int
                required: true
              storage_class:
                description: Where it goes.
                type: str
                required: true
                choices: [STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, GLACIER_IR, GLACIER, DEEP_ARCHIVE]
      cors_rules:
        description: Which other sites' pages may read the bucket. The first rule that fits counts.
        type: list
        elements: dict
        default: []
        suboptions:
          allowed_origins:
            description: Origins, such as C(https://www.example.com).
            type: list
            elements: str
            required: true
          allowed_methods:
            description: HTTP methods.
            type: list
            elements: str
            required: true
            choices: [GET, HEAD, PUT, POST, DELETE]
          allowed_headers:
            description: Headers that a request may carry.
            type: list
            elements: str
            default: []
          expose_headers:
            description: Headers of the answer that the page may read.
            type: list
            elements: str
            default: []
          max_age_seconds:
            description: Seconds for which a browser remembers the answer.
            type: int
      logging:
        description: Where to record every request.
        type: dict
        suboptions:
          bucket:
            description: Name of the bucket that takes the log.
            type: str
            required: true
          prefix:
            description: Beginning of the log's keys.
            type: str
            default: ""
      event_bridge:
        description: Whether EventBridge hears of every change. Left as it is when not given.
        type: bool
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make a bucket for media, which grow cheaper with age
  stories1001.platform.s3_buckets:
    name: stories-production
    tags:
      Project: 1001-stories
      Environment: production
    buckets:
      - name: stories-production-media-123456789012
        versioning: true
        lifecycle_rules:
          - id: ageing
            transitions:
              - {days: 30, storage_class: STANDARD_IA}
              - {days: 90, storage_class: GLACIER}
            abort_multipart_days: 7
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: s3_bucket/stories-production-media-123456789012:create
      sentence: Create bucket stories-production-media-123456789012
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {s3_bucket: {stories-production-media-123456789012: {id: stories-production-media-123456789012}}}
"""

from ansible.module_utils.common.warnings import warn
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._s3.kinds import Bucket
from ..module_utils._s3.model import desired

_STRINGS = {"type": "list", "elements": "str"}
_TRANSITIONS = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "days": {"type": "int", "required": True},
        "storage_class": {
            "type": "str",
            "required": True,
            "choices": [
                "STANDARD_IA",
                "ONEZONE_IA",
                "INTELLIGENT_TIERING",
                "GLACIER_IR",
                "GLACIER",
                "DEEP_ARCHIVE",
            ],
        },
    },
}
_LIFECYCLE_RULE = {
    "id": {"type": "str", "required": True},
    "prefix": {"type": "str", "default": ""},
    "expiration_days": {"type": "int"},
    "noncurrent_expiration_days": {"type": "int"},
    "abort_multipart_days": {"type": "int"},
    "transitions": _TRANSITIONS,
    "noncurrent_transitions": _TRANSITIONS,
}
_CORS_RULE = {
    "allowed_origins": {**_STRINGS, "required": True},
    "allowed_methods": {**_STRINGS, "required": True, "choices": ["GET", "HEAD", "PUT", "POST", "DELETE"]},
    "allowed_headers": {**_STRINGS, "default": []},
    "expose_headers": {**_STRINGS, "default": []},
    "max_age_seconds": {"type": "int"},
}
_BUCKET = {
    "name": {"type": "str", "required": True},
    "versioning": {"type": "bool", "default": False},
    "kms_key_arn": {"type": "str", "no_log": False},
    "object_ownership": {
        "type": "str",
        "choices": ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"],
        "default": "BucketOwnerEnforced",
    },
    "policy": {"type": "dict"},
    "lifecycle_rules": {"type": "list", "elements": "dict", "default": [], "options": _LIFECYCLE_RULE},
    "cors_rules": {"type": "list", "elements": "dict", "default": [], "options": _CORS_RULE},
    "logging": {
        "type": "dict",
        "options": {"bucket": {"type": "str", "required": True}, "prefix": {"type": "str", "default": ""}},
    },
    "event_bridge": {"type": "bool"},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "delete_objects": {"type": "bool", "default": False},
            "keep_full": {"type": "bool", "default": False},
            "tags": {"type": "dict", "required": True},
            "buckets": {"type": "list", "elements": "dict", "default": [], "options": _BUCKET},
        },
        supports_check_mode=True,
    )
    params = module.params
    names = [bucket["name"] for bucket in params["buckets"]]
    kind = Bucket(Aws(module), params["tags"], params["name"], names=names, delete_objects=params["delete_objects"])
    wanted = None
    with refusing(module):
        if params["state"] == "present":
            wanted = desired(params)
        else:
            if params["keep_full"] and not params["delete_objects"] and (kept := kind.full()):
                kind.leave(kept)
                # Not the module's own method: amazon.aws hands its warnings on in a way that ansible-core deprecates.
                warn(f"Kept {', '.join(kept)}: objects are in there. Only delete_objects: true removes them.")
            kind.refuse_full()
    converge_resources(module, [kind], wanted)


if __name__ == "__main__":
    main()
