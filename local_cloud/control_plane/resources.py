# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small things that most services' resources need: ids, moments, tags, pages."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from local_cloud.control_plane.overlay import AwsError

Tags = list[dict[str, str]]
Item = TypeVar("Item")


def random_hex(length: int) -> str:
    return secrets.token_hex((length + 1) // 2)[:length]


def random_upper(length: int) -> str:
    """Upper-case letters and digits, as in IAM's and CloudFront's ids."""
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(length))


def now() -> str:
    """This moment as ISO 8601 text, which JSON can keep."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def merge_tags(old: Tags, new: Iterable[dict[str, str]], key: str = "Key") -> Tags:
    """`old` with `new` laid over it; order of first appearance."""
    merged = {tag[key]: tag for tag in old}
    merged.update({tag[key]: tag for tag in new})
    return list(merged.values())


def drop_tags(tags: Tags, keys: Iterable[str], key: str = "Key") -> Tags:
    gone = set(keys)
    return [tag for tag in tags if tag[key] not in gone]


def page(items: list[Item], marker: str | None, size: int | None, default: int = 100) -> tuple[list[Item], str | None]:
    """One page and the marker of the next; a marker is the index at which a page begins."""
    begin = int(marker or 0)
    end = begin + (size or default)
    return items[begin:end], str(end) if end < len(items) else None


def only(values: dict[str, Any], *names: str) -> dict[str, Any]:
    """The members of `values` with these names that are there."""
    return {name: values[name] for name in names if name in values}


async def found_or(code: str, message: str, ask: Callable[[], Any]) -> Any:
    """What the awaited `ask()` answers; an AwsError of it becomes AwsError(code, message)."""
    try:
        return await ask()
    except AwsError as error:
        raise AwsError(code, message) from error
