#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: lambda_functions
short_description: Make Lambda functions that work on what is put into a bucket
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Builds one package of handlers and their libraries, and makes functions that run it, the bucket's right to call
    them, the bucket's notifications, and a queue for events that failed for good; or removes them all.
  - The package is built on the controller with pip, also in check mode, and kept in a folder. Its bytes follow from
    the sources and pins alone, so that code that was changed by hand shows as drift.
  - Notifications of the bucket that others made stay.
options:
  name:
    description: Prefix of the names of all functions, such as C(stories-production-media).
    type: str
    required: true
  state:
    description: Whether the functions shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every resource. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  bucket:
    description: Bucket that calls the functions.
    type: str
    required: true
  account_id:
    description: The account that owns the bucket. Required when O(state=present).
    type: str
  source:
    description: Folder of the handlers, with a C(requirements.txt) of exact pins. Required when O(state=present).
    type: path
  cache:
    description: Folder on the controller for packages that are built. Required when O(state=present).
    type: path
  role_arn:
    description: Role of the functions; it may send to the queue. Required when O(state=present).
    type: str
  runtime:
    description: Version of Python.
    type: str
    choices: [python3.11]
    default: python3.11
  architecture:
    description: Processor. AWS cannot change it later by itself.
    type: str
    choices: [x86_64, arm64]
    default: x86_64
  tracing:
    description: Whether X-Ray follows every call.
    type: str
    choices: [Active, PassThrough]
    default: PassThrough
  functions:
    description: The functions.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Short name; the function is called C(<name of the call>-<short name>).
        type: str
        required: true
      handler:
        description: File and function, such as C(images.handler).
        type: str
        required: true
      description:
        description: What it is for.
        type: str
        default: ""
      prefix:
        description: Beginning of the keys that it works on.
        type: str
        required: true
      memory_size:
        description: MiB; the share of processors follows it.
        type: int
        default: 1024
      timeout:
        description: Seconds for one event.
        type: int
        default: 120
      ephemeral_storage:
        description: MiB below /tmp.
        type: int
        default: 512
      environment:
        description: Environment of the handler. It is shown to everyone who may read the function; give no secrets.
        type: dict
        default: {}
      reserved_concurrency:
        description: The most calls at a time; the account's limit when left out.
        type: int
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make smaller images of what is uploaded
  stories1001.platform.lambda_functions:
    name: stories-production-media
    tags: {Project: 1001-stories, Environment: production}
    bucket: stories-production-media-123456789012
    account_id: "123456789012"
    source: files/handlers
    cache: ~/.cache/1001-stories
    role_arn: arn:aws:iam::123456789012:role/stories-production-lambda
    functions:
      - {name: images, handler: images.handler, prefix: uploads/images/}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "function/stories-media-images:create", sentence: "Create function stories-media-images"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {function: {stories-media-images: {id: stories-media-images}}}
code_sha256:
  description: Hash of the package as Lambda shows it.
  returned: success and O(state=present)
  type: str
  sample: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
"""

from pathlib import Path

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._lambda.kinds import function_kinds
from ..module_utils._lambda.model import desired
from ..module_utils._lambda.packages import build, code_sha256

_FUNCTION = {
    "name": {"type": "str", "required": True},
    "handler": {"type": "str", "required": True},
    "description": {"type": "str", "default": ""},
    "prefix": {"type": "str", "required": True},
    "memory_size": {"type": "int", "default": 1024},
    "timeout": {"type": "int", "default": 120},
    "ephemeral_storage": {"type": "int", "default": 512},
    "environment": {"type": "dict", "default": {}},
    "reserved_concurrency": {"type": "int"},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "bucket": {"type": "str", "required": True},
            "account_id": {"type": "str"},
            "source": {"type": "path"},
            "cache": {"type": "path"},
            "role_arn": {"type": "str"},
            "runtime": {"type": "str", "choices": ["python3.11"], "default": "python3.11"},
            "architecture": {"type": "str", "choices": ["x86_64", "arm64"], "default": "x86_64"},
            "tracing": {"type": "str", "choices": ["Active", "PassThrough"], "default": "PassThrough"},
            "functions": {"type": "list", "elements": "dict", "default": [], "options": _FUNCTION},
        },
        required_if=[("state", "present", ("account_id", "source", "cache", "role_arn"))],
        supports_check_mode=True,
    )
    params = module.params
    package = wanted = None
    outputs = {}
    with refusing(module):
        if params["state"] == "present":
            desired(params, "")  # what is wrong with the wish is told before anything is built
            package = build(Path(params["source"]), Path(params["cache"]), params["runtime"], params["architecture"])
            outputs["code_sha256"] = code_sha256(package)
            wanted = desired(params, outputs["code_sha256"])
    kinds = function_kinds(Aws(module), params["tags"], params["name"], params["bucket"], package)
    converge_resources(module, kinds, wanted, lambda state: outputs)


if __name__ == "__main__":
    main()
