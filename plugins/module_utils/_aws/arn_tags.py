# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tags of services that tag by ARN with AddTagsToResource: RDS and ElastiCache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._engine.steps import PlanRefused
from .api import Aws
from .tags import belongs, from_boto3, to_boto3


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


def own_tags(aws: Aws, service: str, arn: str, wanted: Mapping[str, str], what: str) -> dict[str, str]:
    """The tags of a resource that was found by its name. Raises PlanRefused when it is not ours.

    what: such as ``DB subnet group stories-production``.
    """
    tags = read_tags(aws, service, arn)
    refuse_foreign(tags, wanted, what)
    return tags


def refuse_foreign(tags: Mapping[str, str], wanted: Mapping[str, str], what: str) -> None:
    """Raises PlanRefused for a resource without this platform's Project and Environment."""
    if not belongs(tags, wanted):
        raise PlanRefused(
            [
                f"Looked for {what} and found one without our tags Project and Environment. "
                "Choose another name, or tag it to hand it over."
            ]
        )
