# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tags of services that tag by ARN with AddTagsToResource: RDS and ElastiCache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .api import Aws
from .tags import from_boto3, to_boto3


def read_tags(aws: Aws, service: str, arn: str) -> dict[str, str]:
    """The tags of a resource."""
    answer = aws.call(f"read the tags of {arn}", service, "list_tags_for_resource", ResourceName=arn)
    return dict(from_boto3(answer.get("TagList") or []))


def write_tags(aws: Aws, service: str, arn: str, put: Mapping[str, str], remove: Sequence[str]) -> None:
    """Put and remove tags."""
    if put:
        aws.call(f"tag {arn}", service, "add_tags_to_resource", ResourceName=arn, Tags=to_boto3(dict(put)))
    if remove:
        aws.call(f"untag {arn}", service, "remove_tags_from_resource", ResourceName=arn, TagKeys=list(remove))
