# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How CloudWatch Logs lists, makes, changes and removes what delivers a resource's logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from .._aws.api import Aws
from .._aws.arn_tags import refuse_foreign
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .model import DELIVERY, DESTINATION, SOURCE


class _Part(Kind):
    """A part of a delivery, which bears the delivery's name."""

    listing: ClassVar[tuple[str, str]]  # operation, member of its answer

    def __init__(self, aws: Aws, tags: Mapping[str, str], name: str) -> None:
        self.aws = aws
        self.tags = tags
        self.name = name

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(f"{attempt} {self.traits.title} {self.name}", "logs", operation, **parameters)

    def observe(self) -> Iterable[Found]:
        operation, member = self.listing
        for item in self.aws.pages(f"list every {self.traits.title}", "logs", operation, member):
            if self.is_ours(item):
                tags = self.call("read the tags of", "list_tags_for_resource", resourceArn=item["arn"])["tags"]
                refuse_foreign(tags, self.tags, f"{self.traits.title} {self.name}")
                yield self.found(item, tags)

    def is_ours(self, item: Mapping[str, Any]) -> bool:
        return bool(item["name"] == self.name)

    def found(self, item: Mapping[str, Any], tags: Mapping[str, str]) -> Found:
        """The item as AWS shows it."""
        return Found(self.kind, self.name, item["arn"], self.fields(item), tags, {"id": item.get("id")})

    def fields(self, item: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self.call("tag", "tag_resource", resourceArn=found.id, tags=dict(put))
        if remove:
            self.call("untag", "untag_resource", resourceArn=found.id, tagKeys=list(remove))


class DeliverySource(_Part):
    """Whose logs, and which."""

    kind = SOURCE
    traits = Traits("log delivery source", immutable=frozenset({"resource", "log_type"}))
    listing = ("describe_delivery_sources", "deliverySources")

    def fields(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {"resource": next(iter(item["resourceArns"]), None), "log_type": item["logType"]}

    def create(self, wanted: Resource) -> Found:
        settings = {"resourceArn": wanted.fields["resource"], "logType": wanted.fields["log_type"]}
        answer = self.call("create", "put_delivery_source", name=self.name, tags=dict(wanted.tags or {}), **settings)
        return self.found(answer["deliverySource"], wanted.tags or {})

    def delete(self, found: Found) -> None:
        self.call("delete", "delete_delivery_source", name=self.name)


class DeliveryDestination(_Part):
    """Where to, and in which form."""

    kind = DESTINATION
    traits = Traits("log delivery destination", immutable=frozenset({"format"}))
    listing = ("describe_delivery_destinations", "deliveryDestinations")

    def fields(self, item: Mapping[str, Any]) -> dict[str, Any]:
        target = item["deliveryDestinationConfiguration"]["destinationResourceArn"]
        return {"target": target, "format": item["outputFormat"]}

    def create(self, wanted: Resource) -> Found:
        answer = self._put("create", wanted, tags=dict(wanted.tags or {}))
        return self.found(answer["deliveryDestination"], wanted.tags or {})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._put("change", wanted)

    def _put(self, attempt: str, wanted: Resource, **more: Any) -> Any:
        return self.call(
            attempt,
            "put_delivery_destination",
            name=self.name,
            outputFormat=wanted.fields["format"],
            deliveryDestinationConfiguration={"destinationResourceArn": wanted.fields["target"]},
            **more,
        )

    def delete(self, found: Found) -> None:
        self.call("delete", "delete_delivery_destination", name=self.name)


class Delivery(_Part):
    """What joins both, and which fields of the log it takes."""

    kind = DELIVERY
    traits = Traits("log delivery", immutable=frozenset({"destination"}))
    listing = ("describe_deliveries", "deliveries")

    def is_ours(self, item: Mapping[str, Any]) -> bool:
        destination = item["deliveryDestinationArn"].rpartition(":")[2]
        return item["deliverySourceName"] == self.name == destination

    def fields(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "destination": item["deliveryDestinationArn"],
            "suffix_path": (item.get("s3DeliveryConfiguration") or {}).get("suffixPath"),
            "record_fields": item.get("recordFields") or [],
        }

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            "create",
            "create_delivery",
            deliverySourceName=self.name,
            deliveryDestinationArn=wanted.fields["destination"],
            tags=dict(wanted.tags or {}),
            **_configuration(wanted),
        )
        return self.found(answer["delivery"], wanted.tags or {})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self.call("change", "update_delivery_configuration", id=found.outputs["id"], **_configuration(wanted))

    def delete(self, found: Found) -> None:
        self.call("delete", "delete_delivery", id=found.outputs["id"])


def _configuration(wanted: Resource) -> dict[str, Any]:
    fields = wanted.fields.get("record_fields")
    return {
        "s3DeliveryConfiguration": {"suffixPath": wanted.fields["suffix_path"]},
        **({"recordFields": list(fields)} if fields else {}),
    }
