#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_files
short_description: Upload the files of a folder to a bucket, and go on where a run was broken off
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Uploads what the bucket lacks, what has another size there, and what was changed after its upload.
  - A run that was killed is continued by the next, file by file. Objects are never removed.
  - Unlike M(community.aws.s3_sync) it tells in check mode what it would upload, and does not rely on ETags, which say
    nothing of a file's contents in a bucket that is encrypted with a KMS key.
options:
  path:
    description: Folder on the host where the module runs.
    type: path
    required: true
  bucket:
    description: Name of the bucket; it exists.
    type: str
    required: true
  prefix:
    description: Put before each file's path below O(path), such as C(media/).
    type: str
    default: ""
  exclude:
    description: Shell patterns of paths below O(path) that are left out.
    type: list
    elements: str
    default: []
  jobs:
    description: Files uploaded at once.
    type: int
    default: 8
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Copy the books' pictures
  stories1001.platform.s3_files:
    path: /srv/stories/uploads
    bucket: stories-production-media-123456789012
    prefix: uploads/
    exclude: ["*.tmp"]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: dict
  sample: [{id: "s3_files/stories-media:upload", sentence: "Upload 3 files (81,920 bytes) to bucket stories-media"}]
files:
  description: Files of the folder.
  returned: success
  type: int
  sample: 5012
bytes:
  description: Their size together.
  returned: success
  type: int
  sample: 9126805504
"""

import mimetypes
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.resources import is_planned
from ..module_utils._engine.runner import converge, refusing
from ..module_utils._engine.steps import PlanRefused, StepFailed
from ..module_utils._s3_files.model import File, Objects, Upload, local, plan, shown

try:
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    Boto3Error = BotoCoreError = ClientError = Exception  # AnsibleAWSModule reports the missing library


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "bucket": {"type": "str", "required": True},
            "prefix": {"type": "str", "default": ""},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "jobs": {"type": "int", "default": 8},
        },
        supports_check_mode=True,
    )
    params = module.params
    root = Path(params["path"])
    with refusing(module):
        if not root.is_dir():
            raise PlanRefused([f"Looked for the folder {root} to upload and found none. Mend the path, or the host."])
        files = local(root, params["prefix"], params["exclude"])
        _run(module, Aws(module), root, files)


def _run(module: Any, aws: Aws, root: Path, files: dict[str, File]) -> None:
    bucket, prefix = module.params["bucket"], module.params["prefix"]

    def observe() -> Objects:
        if is_planned(bucket):
            return {}
        # In a plan the bucket may be one that an earlier phase is still to make.
        missing = ("NoSuchBucket",) if module.check_mode else ()
        attempt = f"list the objects of bucket {bucket}"
        listed = aws.pages(attempt, "s3", "list_objects_v2", "Contents", missing=missing, Bucket=bucket, Prefix=prefix)
        return {one["Key"]: File(one["Size"], one["LastModified"].timestamp()) for one in listed}

    def apply(steps: Sequence[Upload], observed: Objects) -> None:
        client = aws.client("s3")

        def upload(key: str) -> None:
            kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
            path = root / key.removeprefix(prefix)
            try:
                client.upload_file(str(path), bucket, key, ExtraArgs={"ContentType": kind})
            except (Boto3Error, BotoCoreError, ClientError, OSError) as error:
                raise StepFailed(
                    f"Tried to upload {path} to {key} in bucket {bucket}; {error}. Mend the cause and run the play "
                    "again; it goes on with this file."
                ) from error

        with ThreadPoolExecutor(max(1, module.params["jobs"])) as pool:
            for step in steps:
                list(pool.map(upload, sorted(step.files)))

    converge(
        module,
        observe=observe,
        plan=lambda observed: plan(files, observed, bucket),
        apply=apply,
        render=shown,
        outputs=lambda observed: {"files": len(files), "bytes": sum(file.size for file in files.values())},
    )


if __name__ == "__main__":
    main()
