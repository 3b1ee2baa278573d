# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Resources of one type or more with their tags, a hundred in a call, whatever their own services tell of tags.

Source: GetResources in the Resource Groups Tagging API Reference. It needs the right to `tag:GetResources`.
"""

from __future__ import annotations

from collections.abc import Mapping

from .api import Aws
from .tags import from_boto3, identity


def indexed(aws: Aws, tags: Mapping[str, str], *resource_types: str) -> dict[str, dict[str, str]]:
    """Tags by ARN of the resources of these types that carry the platform's identity.

    resource_types: such as ``cloudwatch:alarm``. AWS brings this index up to date some seconds after a change: what is
    missing may be new, what differs may have been mended, and what is told of may be gone. Its own service knows.
    """
    filters = [{"Key": name, "Values": [value]} for name, value in sorted(identity(tags).items())]
    found = aws.pages(
        f"list by their tags: {', '.join(resource_types)}",
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=filters,
        ResourceTypeFilters=list(resource_types),
        ResourcesPerPage=100,
    )
    return {one["ResourceARN"]: dict(from_boto3(one.get("Tags") or [])) for one in found}
