# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Images: what `docker push` would leave in ECR. Their program is the reference application; see tasks.py."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from local_cloud.settings import ACCOUNT_ID, DEFAULT_REGION

Invoke = Callable[[tuple[str, str], str, str, dict[str, Any]], Awaitable[dict[str, Any]]]


async def push(invoke: Invoke, wanted: dict[str, Any]) -> dict[str, str]:
    """Put an image into ECR whose digest follows from its tag and environment. Raises AwsError, as PutImage does."""
    account, region = wanted.get("account", ACCOUNT_ID), wanted.get("region", DEFAULT_REGION)
    configuration = json.dumps([wanted["repository"], wanted["tag"], wanted.get("environment", {})], sort_keys=True)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": len(configuration),
                "digest": "sha256:" + hashlib.sha256(configuration.encode()).hexdigest(),
            },
            "layers": [],
        }
    )
    answer = await invoke(
        (account, region), "ecr", "PutImage",
        {"repositoryName": wanted["repository"], "imageManifest": manifest, "imageTag": wanted["tag"]},
    )  # fmt: skip
    digest = answer["image"]["imageId"]["imageDigest"]
    repository = f"{account}.dkr.ecr.{region}.amazonaws.com/{wanted['repository']}"
    return {
        "image": f"{repository}:{wanted['tag']}",
        "image_by_digest": f"{repository}@{digest}",
        "digest": digest,
    }
