# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tags of many resources in one call for a hundred, where their own service gives them out one by one.

Source: GetResources in the Resource Groups Tagging API Reference. It needs the right to `tag:GetResources`.
"""

from __future__ import annotations

from collections.abc import Mapping

from .api import Aws
from .tags import from_boto3, identity


def indexed(aws: Aws, resource_type: str, tags: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Tags by ARN of the resources of this type that carry the platform's identity.

    resource_type: such as ``cloudwatch:alarm``. AWS brings this index up to date some seconds after a change: what is
    missing may be new, and what differs may have been mended. Ask the resource's own service about both.
    """
    filters = [{"Key": name, "Values": [value]} for name, value in sorted(identity(tags).items())]
    found = aws.pages(
        f"list the tags of every {resource_type} of the platform",
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=filters,
        ResourceTypeFilters=[resource_type],
        ResourcesPerPage=100,
    )
    return {one["ResourceARN"]: dict(from_boto3(one.get("Tags") or [])) for one in found}
