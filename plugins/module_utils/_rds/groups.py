# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes the subnet and parameter groups of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from .._aws.api import Aws
from .._aws.arn_tags import own_tags, read_tags, write_tags
from .._aws.tags import belongs, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import together

# RDS takes at most 20 parameters in one call.
_BATCH = 20


class RdsKind(Kind):
    """What the kinds of RDS share: a name of ours, tags by ARN.

    name: of the cluster; the names of the other resources begin with it.
    """

    def __init__(self, aws: Aws, tags: Mapping[str, str], name: str) -> None:
        self.aws = aws
        self.tags = tags
        self.name = name

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "rds", operation, **parameters)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        write_tags(self.aws, "rds", str(found.attribute("arn")), put, remove)

    def new(self, wanted: Resource, arn: str) -> Found:
        return Found(self.kind, wanted.name, wanted.name, wanted.fields, wanted.tags, {"arn": arn})


class DbSubnetGroup(RdsKind):
    kind = "db_subnet_group"
    traits = Traits("DB subnet group")

    def observe(self) -> Iterable[Found]:
        groups = self.aws.pages(
            f"look for DB subnet group {self.name}",
            "rds",
            "describe_db_subnet_groups",
            "DBSubnetGroups",
            missing=("DBSubnetGroupNotFoundFault", "DBSubnetGroupNotFound"),
            DBSubnetGroupName=self.name,
        )
        for group in groups:
            arn = group["DBSubnetGroupArn"]
            tags = own_tags(self.aws, "rds", arn, self.tags, f"DB subnet group {self.name}")
            subnets = sorted(subnet["SubnetIdentifier"] for subnet in group["Subnets"])
            yield Found(self.kind, self.name, self.name, {"subnets": subnets}, tags, {"arn": arn})

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create DB subnet group {wanted.name}",
            "create_db_subnet_group",
            DBSubnetGroupName=wanted.name,
            DBSubnetGroupDescription=f"Subnets of the cluster {wanted.name}",
            SubnetIds=wanted.fields["subnets"],
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        return self.new(wanted, answer["DBSubnetGroup"]["DBSubnetGroupArn"])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        attempt, subnets = f"change DB subnet group {found.name}", wanted.fields["subnets"]
        self.call(attempt, "modify_db_subnet_group", DBSubnetGroupName=found.id, SubnetIds=subnets)

    def delete(self, found: Found) -> None:
        self.call(f"delete DB subnet group {found.name}", "delete_db_subnet_group", DBSubnetGroupName=found.id)


class ParameterGroup(RdsKind):
    """Parameter groups whose names begin with the cluster's; ``parameters`` are those that somebody has set.

    reboot: carries a change of a static parameter through; without it the change waits for a reboot.
    word: what the operations and members of this sort of group are called.
    """

    word: ClassVar[str]
    title_operation: ClassVar[str]
    parameters_word: ClassVar[str]

    def __init__(self, aws: Aws, tags: Mapping[str, str], name: str, reboot: Callable[[], None] | None = None) -> None:
        super().__init__(aws, tags, name)
        self.reboot = reboot

    @property
    def _name_key(self) -> str:
        return f"{self.word}Name"

    def observe(self) -> Iterable[Found]:
        attempt = f"list every {self.traits.title}"
        groups = self.aws.pages(attempt, "rds", f"describe_{self.title_operation}s", f"{self.word}s")
        for group in groups:
            name, arn = group[self._name_key], group[f"{self.word}Arn"]
            if not name.startswith(f"{self.name}-"):
                continue
            tags, set_ones = together(
                partial(read_tags, self.aws, "rds", arn), partial(self._parameters, name, Source="user")
            )
            if belongs(tags, self.tags):
                values = {item["ParameterName"]: item.get("ParameterValue", "") for item in set_ones}
                static = sorted(item["ParameterName"] for item in set_ones if item.get("ApplyType") == "static")
                fields = {"family": group["DBParameterGroupFamily"], "parameters": values}
                yield Found(self.kind, name, name, fields, tags, {"arn": arn, "static_parameters": static})

    def _parameters(self, name: str, **filters: str) -> list[dict[str, Any]]:
        return self.aws.pages(
            f"read the parameters of {name}",
            "rds",
            f"describe_{self.parameters_word}",
            "Parameters",
            **{self._name_key: name},
            **filters,
        )

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create {self.traits.title} {wanted.name}",
            f"create_{self.title_operation}",
            **{self._name_key: wanted.name},
            DBParameterGroupFamily=wanted.fields["family"],
            Description=f"Parameters of the cluster {self.name}",
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        self._send("modify", wanted.name, wanted.fields["parameters"])
        return self.new(wanted, answer[self.word][f"{self.word}Arn"])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        have, want = found.fields["parameters"], wanted.fields["parameters"]
        set_static = self._send(
            "modify", found.name, {name: value for name, value in want.items() if have.get(name) != value}
        )
        reset_static = self._send("reset", found.name, {name: None for name in have if name not in want})
        if (set_static or reset_static) and self.reboot:
            self.reboot()

    def _send(self, verb: str, group: str, values: Mapping[str, str | None]) -> bool:
        """Set or reset parameters; True when one of them is static and so waits for a reboot."""
        if not values:
            return False
        dynamic = {item["ParameterName"] for item in self._parameters(group) if item.get("ApplyType") == "dynamic"}
        items = [
            {
                "ParameterName": name,
                "ApplyMethod": "immediate" if name in dynamic else "pending-reboot",
                **({} if value is None else {"ParameterValue": value}),
            }
            for name, value in sorted(values.items())
        ]
        for start in range(0, len(items), _BATCH):
            self.call(
                f"{'set' if verb == 'modify' else 'reset'} parameters of {group}",
                f"{verb}_{self.title_operation}",
                **{self._name_key: group},
                Parameters=items[start : start + _BATCH],
            )
        return any(name not in dynamic for name in values)

    def delete(self, found: Found) -> None:
        attempt = f"delete {self.traits.title} {found.name}"
        self.call(attempt, f"delete_{self.title_operation}", **{self._name_key: found.id})


class ClusterParameterGroup(ParameterGroup):
    kind = "db_cluster_parameter_group"
    traits = Traits("DB cluster parameter group", immutable=frozenset({"family"}))
    word = "DBClusterParameterGroup"
    title_operation = "db_cluster_parameter_group"
    parameters_word = "db_cluster_parameters"


class InstanceParameterGroup(ParameterGroup):
    kind = "db_parameter_group"
    traits = Traits("DB parameter group", immutable=frozenset({"family"}))
    word = "DBParameterGroup"
    title_operation = "db_parameter_group"
    parameters_word = "db_parameters"
