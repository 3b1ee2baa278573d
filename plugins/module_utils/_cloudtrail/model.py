# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The trail that is wanted, as a resource; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# API reference of CreateTrail.
_NAME = re.compile(r"[A-Za-z0-9](?:[._-]?[A-Za-z0-9])+")
_PREFIX = 200

# Our names of the fields that CreateTrail and UpdateTrail take, and AWS's.
TRAIL = {
    "bucket": "S3BucketName",
    "bucket_prefix": "S3KeyPrefix",
    "global_events": "IncludeGlobalServiceEvents",
    "kms_key": "KmsKeyId",
    "log_file_validation": "EnableLogFileValidation",
    "multi_region": "IsMultiRegionTrail",
}


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `cloudtrail_trail` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    fields = {
        "bucket": params["bucket"],
        "bucket_prefix": params["bucket_prefix"],
        "global_events": True,
        "kms_key": params["kms_key_arn"],
        "log_file_validation": params["log_file_validation"],
        "logging": True,
        "management_events": params["management_events"],
        "multi_region": params["multi_region"],
    }
    return [Resource("trail", params["name"], fields, tags=named(params["tags"], params["name"]))]


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the trail, one sentence each."""
    name = params["name"]
    if not _NAME.fullmatch(name) or not 3 <= len(name) <= 128:
        yield (
            f"Read the trail name {name!r}; CloudTrail takes 3 to 128 letters, digits and single . _ - between. "
            "Rename it."
        )
    if not params["bucket"]:
        yield f"Read trail {name} without a bucket. Name the bucket whose policy lets CloudTrail write."
    if len(params["bucket_prefix"]) > _PREFIX:
        yield f"Read a bucket_prefix of trail {name} longer than CloudTrail takes ({_PREFIX} characters). Shorten it."
    if params["kms_key_arn"] and not params["kms_key_arn"].startswith(("arn:", "planned:")):
        yield f"Read kms_key_arn {params['kms_key_arn']!r} for trail {name}; AWS shows ARNs. Give the key's ARN."
