# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tags in AWS's spellings, and the identity that they carry.

Project, Environment and Component identify a resource; Name tells it from its siblings. Tags are given
in the creating call itself, so that nothing of ours ever exists without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list as to_boto3,
)
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    boto3_tag_list_to_ansible_dict as from_boto3,
)
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    boto3_tag_specifications as specifications,
)

__all__ = ["belongs", "from_boto3", "identity", "named", "specifications", "to_boto3"]

IDENTITY = ("Project", "Environment")


def identity(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags by which resources of this platform and environment are found."""
    return {name: tags[name] for name in IDENTITY}


def named(tags: Mapping[str, str], name: str) -> dict[str, str]:
    """The tags of one resource: the platform's and its Name."""
    return {**tags, "Name": name}


def belongs(tags: Mapping[str, str] | None, wanted: Mapping[str, str]) -> bool:
    """True when a resource carries this platform's identity."""
    have = tags or {}
    return all(have.get(name) == value for name, value in identity(wanted).items())


def lower_case(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """The ``key``/``value`` spelling that ECS uses."""
    return [{"key": name, "value": value} for name, value in sorted(tags.items())]


def from_lower_case(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Inverse of `lower_case`."""
    return {tag["key"]: tag["value"] for tag in tags or ()}
