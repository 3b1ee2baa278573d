# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes the subnet and parameter groups of a cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from .._aws.api import Aws
from .._aws.arn_tags import own_tags, read_tags, write_tags
from .._aws.tags import belongs, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import together

# ElastiCache takes at most 20 parameters in one call.
_BATCH = 20


class CacheKind(Kind):
    """What the kinds of ElastiCache share: a name of ours, tags by ARN.

    name: of the replication group; the names of the other resources begin with it.
    """

    def __init__(self, aws: Aws, tags: Mapping[str, str], name: str) -> None:
        self.aws = aws
        self.tags = tags
        self.name = name

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "elasticache", operation, **parameters)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        write_tags(self.aws, "elasticache", str(found.attribute("arn")), put, remove)

    def new(self, wanted: Resource, arn: str) -> Found:
        return Found(self.kind, wanted.name, wanted.name, wanted.fields, wanted.tags, {"arn": arn})


class CacheSubnetGroup(CacheKind):
    kind = "cache_subnet_group"
    traits = Traits("cache subnet group")

    def observe(self) -> Iterable[Found]:
        groups = self.aws.pages(
            f"look for cache subnet group {self.name}",
            "elasticache",
            "describe_cache_subnet_groups",
            "CacheSubnetGroups",
            missing=("CacheSubnetGroupNotFoundFault", "CacheSubnetGroupNotFound"),
            CacheSubnetGroupName=self.name,
        )
        for group in groups:
            what = f"cache subnet group {self.name}"
            tags = own_tags(self.aws, "elasticache", group["ARN"], self.tags, what)
            subnets = sorted(subnet["SubnetIdentifier"] for subnet in group["Subnets"])
            yield Found(self.kind, self.name, self.name, {"subnets": subnets}, tags, {"arn": group["ARN"]})

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create cache subnet group {wanted.name}",
            "create_cache_subnet_group",
            CacheSubnetGroupName=wanted.name,
            CacheSubnetGroupDescription=f"Subnets of the cache {wanted.name}",
            SubnetIds=wanted.fields["subnets"],
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        return self.new(wanted, answer["CacheSubnetGroup"]["ARN"])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        attempt, subnets = f"change cache subnet group {found.name}", wanted.fields["subnets"]
        self.call(attempt, "modify_cache_subnet_group", CacheSubnetGroupName=found.id, SubnetIds=subnets)

    def delete(self, found: Found) -> None:
        attempt = f"delete cache subnet group {found.name}"
        self.call(attempt, "delete_cache_subnet_group", CacheSubnetGroupName=found.id)


class CacheParameterGroup(CacheKind):
    """Parameter groups whose names begin with the cache's; ``parameters`` are those that somebody has set."""

    kind = "cache_parameter_group"
    traits = Traits("cache parameter group", immutable=frozenset({"family"}))

    def observe(self) -> Iterable[Found]:
        groups = self.aws.pages(
            "list the cache parameter groups",
            "elasticache",
            "describe_cache_parameter_groups",
            "CacheParameterGroups",
        )
        for group in groups:
            name = group["CacheParameterGroupName"]
            if not name.startswith(f"{self.name}-"):
                continue
            tags, parameters = together(
                partial(read_tags, self.aws, "elasticache", group["ARN"]), partial(self._parameters, name)
            )
            if belongs(tags, self.tags):
                fields = {"family": group["CacheParameterGroupFamily"], "parameters": parameters}
                yield Found(self.kind, name, name, fields, tags, {"arn": group["ARN"]})

    def _parameters(self, name: str) -> dict[str, str]:
        parameters = self.aws.pages(
            f"read the parameters of {name}",
            "elasticache",
            "describe_cache_parameters",
            "Parameters",
            CacheParameterGroupName=name,
            Source="user",
        )
        return {item["ParameterName"]: item["ParameterValue"] for item in parameters}

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create cache parameter group {wanted.name}",
            "create_cache_parameter_group",
            CacheParameterGroupName=wanted.name,
            CacheParameterGroupFamily=wanted.fields["family"],
            Description=f"Parameters of the cache {self.name}",
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        self._set(wanted.name, wanted.fields["parameters"])
        return self.new(wanted, answer["CacheParameterGroup"]["ARN"])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        have, want = found.fields["parameters"], wanted.fields["parameters"]
        self._set(found.name, {name: value for name, value in want.items() if have.get(name) != value})
        names = sorted(set(have) - set(want))
        for start in range(0, len(names), _BATCH):
            self.call(
                f"reset parameters of {found.name}",
                "reset_cache_parameter_group",
                CacheParameterGroupName=found.name,
                ParameterNameValues=[{"ParameterName": name} for name in names[start : start + _BATCH]],
            )

    def _set(self, group: str, parameters: Mapping[str, str]) -> None:
        pairs = [{"ParameterName": name, "ParameterValue": value} for name, value in sorted(parameters.items())]
        for start in range(0, len(pairs), _BATCH):
            self.call(
                f"set parameters of {group}",
                "modify_cache_parameter_group",
                CacheParameterGroupName=group,
                ParameterNameValues=pairs[start : start + _BATCH],
            )

    def delete(self, found: Found) -> None:
        attempt = f"delete cache parameter group {found.name}"
        self.call(attempt, "delete_cache_parameter_group", CacheParameterGroupName=found.id)
