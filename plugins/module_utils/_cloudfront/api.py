# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all of CloudFront's resources share: lists of one shape, and changes that need an ETag.

Policies, keys and access controls take no tags. Their names are unique in the account, so the names
that are wanted identify them; those of an earlier description are known by the prefix of their name and
of their comment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from .._aws.api import Aws
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource

# CloudFront is one for all regions; its calls go to this one.
REGION = "us-east-1"


def call(aws: Aws, attempt: str, operation: str, **parameters: Any) -> Any:
    """One call of CloudFront."""
    return aws.call(attempt, "cloudfront", operation, region=REGION, **parameters)


def listed(aws: Aws, attempt: str, operation: str, key: str, **parameters: Any) -> list[dict[str, Any]]:
    """All items of a list, whose pages are all of one shape: ``{key: {Items, NextMarker}}``."""
    items: list[dict[str, Any]] = []
    marker: dict[str, str] = {}
    while True:
        page = call(aws, attempt, operation, **parameters, **marker)[key]
        items += page.get("Items") or []
        if not page.get("NextMarker"):
            return items
        marker = {"Marker": page["NextMarker"]}


def comment(prefix: str, text: str = "") -> str:
    """The comment of a resource of ours; AWS takes 128 characters."""
    return f"{prefix}: {text}" if text else prefix


class NamedKind(Kind):
    """A resource that is a name and a configuration.

    thing: as it is called in answers, such as ``CachePolicy``. snake: in operations, such as
    ``cache_policy``. listing: operation, key and parameters of its list. comment_key: where it holds a comment.
    in_use: the error of a removal that comes too early.
    """

    thing: ClassVar[str]
    snake: ClassVar[str]
    listing: ClassVar[tuple[str, str, dict[str, str]]]
    comment_key: ClassVar[str] = "Comment"
    in_use: ClassVar[str]

    def __init__(self, aws: Aws, prefix: str, names: Collection[str] = ()) -> None:
        self.aws = aws
        self.prefix = prefix
        self.names = names

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return call(self.aws, attempt, operation, **parameters)

    def config_key(self) -> str:
        return f"{self.thing}Config"

    def unpacked(self, item: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """Id and configuration of an item of the list."""
        shown = item[self.thing]
        return shown["Id"], shown[self.config_key()]

    def ours(self, config: Mapping[str, Any]) -> bool:
        name, text = config["Name"], config.get(self.comment_key) or ""
        marked = text == self.prefix or text.startswith(f"{self.prefix}: ")
        return name in self.names or (marked and (name == self.prefix or name.startswith(f"{self.prefix}-")))

    def observe(self) -> Iterable[Found]:
        operation, key, parameters = self.listing
        for item in listed(self.aws, f"list every {self.traits.title}", operation, key, **parameters):
            ident, config = self.unpacked(item)
            if self.ours(config):
                yield Found(self.kind, config["Name"], ident, self.fields(config))

    def fields(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration as AWS shows it, in the shape of the model's fields."""
        raise NotImplementedError

    def config(self, wanted: Resource) -> dict[str, Any]:
        """The configuration as AWS takes it."""
        raise NotImplementedError

    def create(self, wanted: Resource) -> Found:
        attempt = f"create {self.traits.title} {wanted.name}"
        answer = self.call(attempt, f"create_{self.snake}", **{self.config_key(): self.config(wanted)})
        return Found(self.kind, wanted.name, answer[self.thing]["Id"], wanted.fields)

    def etag(self, found: Found) -> str:
        return str(self.call(f"read {self.traits.title} {found.name}", f"get_{self.snake}", Id=found.id)["ETag"])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self.call(
            f"change {self.traits.title} {found.name}",
            f"update_{self.snake}",
            Id=found.id,
            IfMatch=self.etag(found),
            **{self.config_key(): self.config(wanted)},
        )

    def delete(self, found: Found) -> None:
        # What a distribution has just let go counts as used for a little while.
        def remove() -> str:
            answer = self.aws.call_unless(
                (self.in_use,),
                f"delete {self.traits.title} {found.name}",
                "cloudfront",
                f"delete_{self.snake}",
                region=REGION,
                Id=found.id,
                IfMatch=self.etag(found),
            )
            return "in use" if answer is None else "deleted"

        until(f"{self.traits.title} {found.name} to be free of users", remove, good={"deleted"}, timeout=300)
