# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes a Cloud Map namespace and its services.

Identity is the namespace's name within the account, and a service's name within the namespace.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import from_boto3, to_boto3
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits


class CloudMapKind(Kind):
    """What namespaces and services share: the namespace, tags by ARN, operations that take a while."""

    def __init__(self, aws: Aws, namespace: str) -> None:
        self.aws = aws
        self.namespace = namespace

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "servicediscovery", operation, **parameters)

    def summaries(self) -> list[dict[str, Any]]:
        """The one private DNS namespace of this name, if there is one."""
        filters = [
            {"Name": "TYPE", "Values": ["DNS_PRIVATE"], "Condition": "EQ"},
            {"Name": "NAME", "Values": [self.namespace], "Condition": "EQ"},
        ]
        attempt = f"look for Cloud Map namespace {self.namespace}"
        listed = self.aws.pages(attempt, "servicediscovery", "list_namespaces", "Namespaces", Filters=filters)
        return [one for one in listed if one["Name"] == self.namespace]

    def tags_of(self, name: str, arn: str) -> dict[str, str]:
        answer = self.call(f"read tags of {self.traits.title} {name}", "list_tags_for_resource", ResourceARN=arn)
        return from_boto3(answer.get("Tags", []))

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        what, arn = f"{self.traits.title} {found.name}", found.outputs["arn"]
        if put:
            self.call(f"tag {what}", "tag_resource", ResourceARN=arn, Tags=to_boto3(dict(put)))
        if remove:
            self.call(f"remove tags from {what}", "untag_resource", ResourceARN=arn, TagKeys=list(remove))

    def finish(self, what: str, operation: str) -> dict[str, Any]:
        """Wait for an operation of Cloud Map. Returns its targets, such as ``{"NAMESPACE": "ns-…"}``."""
        seen: dict[str, Any] = {}

        def read() -> str:
            answer = self.call(f"look at the operation: {what}", "get_operation", OperationId=operation)
            seen.update(answer["Operation"])
            return str(seen["Status"])

        until(what, read, good={"SUCCESS"}, bad={"FAIL"}, timeout=600)
        return dict(seen.get("Targets", {}))


class Namespace(CloudMapKind):
    kind = "namespace"
    traits = Traits("Cloud Map namespace")

    def observe(self) -> Iterable[Found]:
        for summary in self.summaries():
            attempt = f"read Cloud Map namespace {self.namespace}"
            namespace = self.call(attempt, "get_namespace", Id=summary["Id"])["Namespace"]
            properties = namespace.get("Properties", {}).get("DnsProperties", {})
            fields = {
                "description": namespace.get("Description", ""),
                "soa_ttl": properties.get("SOA", {}).get("TTL"),
            }
            outputs = {"arn": namespace["Arn"], "hosted_zone_id": properties.get("HostedZoneId")}
            tags = self.tags_of(self.namespace, namespace["Arn"])
            yield Found(self.kind, self.namespace, namespace["Id"], fields, tags, outputs)

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create Cloud Map namespace {wanted.name}",
            "create_private_dns_namespace",
            Name=wanted.name,
            # Killed before the operation ends, the next run asks with the same token and gets the same operation.
            CreatorRequestId=f"{wanted.initial['vpc']}/{wanted.name}"[:64],
            Description=wanted.fields["description"],
            Vpc=wanted.initial["vpc"],
            Tags=to_boto3(dict(wanted.tags or {})),
            Properties={"DnsProperties": {"SOA": {"TTL": wanted.fields["soa_ttl"]}}},
        )
        targets = self.finish(f"Cloud Map namespace {wanted.name} to be created", answer["OperationId"])
        arn = self.summaries()[0]["Arn"]
        return Found(self.kind, wanted.name, targets["NAMESPACE"], wanted.fields, wanted.tags, {"arn": arn})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        answer = self.call(
            f"change Cloud Map namespace {found.name}",
            "update_private_dns_namespace",
            Id=found.id,
            Namespace={
                "Description": wanted.fields["description"],
                "Properties": {"DnsProperties": {"SOA": {"TTL": wanted.fields["soa_ttl"]}}},
            },
        )
        self.finish(f"Cloud Map namespace {found.name} to be changed", answer["OperationId"])

    def delete(self, found: Found) -> None:
        answer = self.call(f"delete Cloud Map namespace {found.name}", "delete_namespace", Id=found.id)
        self.finish(f"Cloud Map namespace {found.name} to be deleted", answer["OperationId"])


class DiscoveryService(CloudMapKind):
    kind = "discovery_service"
    traits = Traits("Cloud Map service", immutable=frozenset({"namespace", "routing_policy", "custom_health_check"}))

    def observe(self) -> Iterable[Found]:
        for namespace in self.summaries():
            ident = namespace["Id"]
            filters = [{"Name": "NAMESPACE_ID", "Values": [ident], "Condition": "EQ"}]
            attempt = f"list Cloud Map services of {self.namespace}"
            for summary in self.aws.pages(attempt, "servicediscovery", "list_services", "Services", Filters=filters):
                name = f"{summary['Name']}.{self.namespace}"
                yield Found(
                    self.kind,
                    name,
                    summary["Id"],
                    _fields(ident, summary),
                    self.tags_of(name, summary["Arn"]),
                    {"arn": summary["Arn"]},
                )

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        answer = self.call(
            f"create Cloud Map service {wanted.name}",
            "create_service",
            Name=wanted.name.removesuffix(f".{self.namespace}"),
            NamespaceId=fields["namespace"],
            # Fresh each time: a service that was deleted and is made again must not be taken for the old request.
            CreatorRequestId=str(uuid.uuid4()),
            Description=fields["description"],
            DnsConfig={"RoutingPolicy": fields["routing_policy"], "DnsRecords": _records(fields)},
            # ECS reports the health of its tasks itself; the threshold of a custom check is always 1.
            HealthCheckCustomConfig={"FailureThreshold": 1},
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        service = answer["Service"]
        return Found(self.kind, wanted.name, service["Id"], fields, wanted.tags, {"arn": service["Arn"]})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        answer = self.call(
            f"change Cloud Map service {found.name}",
            "update_service",
            Id=found.id,
            Service={
                "Description": wanted.fields["description"],
                "DnsConfig": {"DnsRecords": _records(wanted.fields)},
            },
        )
        self.finish(f"Cloud Map service {found.name} to be changed", answer["OperationId"])

    def delete(self, found: Found) -> None:
        self.call(f"delete Cloud Map service {found.name}", "delete_service", Id=found.id)


def _fields(namespace: str, service: Mapping[str, Any]) -> dict[str, Any]:
    dns = service.get("DnsConfig", {})
    records = [{"type": record["Type"], "ttl": record["TTL"]} for record in dns.get("DnsRecords", [])]
    return {
        "namespace": namespace,
        "description": service.get("Description", ""),
        "routing_policy": dns.get("RoutingPolicy"),
        "records": sorted(records, key=lambda record: str(record["type"])),
        "custom_health_check": "HealthCheckCustomConfig" in service,
    }


def _records(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"Type": record["type"], "TTL": record["ttl"]} for record in fields["records"]]
