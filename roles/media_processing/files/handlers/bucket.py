# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What both handlers do with the bucket: read the object that an event names, put what was made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote_plus

import boto3

# Two handlers' worth of memory; larger uploads belong to a batch, not to a function.
LARGEST = 100 * 1024 * 1024
# The names of what is made follow from the upload, so a new upload of the same name replaces it.
_CACHE_CONTROL = "public, max-age=86400"


class NotOurs(Exception):
    """What was uploaded cannot be worked on; the text says why. The event ends among the dead letters."""


@dataclass(frozen=True)
class Upload:
    """One object that was put. stem: its key without prefix and suffix, such as ``grade-3/the-well``."""

    bucket: str
    key: str
    stem: str
    body: bytes


@cache
def _s3() -> Any:
    return boto3.client("s3")


def uploads(event: Mapping[str, Any], prefix: str) -> Iterator[Upload]:
    """The objects of an event of S3, whose keys are quoted as in a form."""
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        if not key.startswith(prefix) or key.endswith("/"):
            raise NotOurs(f"{key} does not lie below {prefix}")
        answer = _s3().get_object(Bucket=bucket, Key=key)
        if answer["ContentLength"] > LARGEST:
            raise NotOurs(f"{key} has {answer['ContentLength']} bytes; the most is {LARGEST}")
        stem = PurePosixPath(key.removeprefix(prefix)).with_suffix("").as_posix()
        yield Upload(bucket, key, stem, answer["Body"].read())


def put(upload: Upload, key: str, body: bytes, content_type: str) -> str:
    """Put something that was made of an upload; the key."""
    _s3().put_object(
        Bucket=upload.bucket,
        Key=key,
        Body=body,
        ContentType=content_type,
        CacheControl=_CACHE_CONTROL,
        Metadata={"made-of": upload.key.encode("unicode_escape").decode()},
    )
    return key
