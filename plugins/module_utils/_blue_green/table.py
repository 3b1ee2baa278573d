# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The DynamoDB table of release records as a resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import from_boto3, named, to_boto3
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits

KEYS = {"Application": "HASH", "Record": "RANGE"}
_MISSING = ("ResourceNotFoundException",)


def desired_table(params: Mapping[str, Any]) -> list[Resource]:
    """The resource of a `release_table` call."""
    fields = {
        "keys": KEYS,
        "billing_mode": "PAY_PER_REQUEST",
        "deletion_protection": params["deletion_protection"],
        "point_in_time_recovery": params["point_in_time_recovery"],
    }
    return [Resource(ReleaseTable.kind, params["name"], fields, tags=named(params["tags"], params["name"]))]


class ReleaseTable(Kind):
    kind = "dynamodb_table"
    traits = Traits("DynamoDB table", immutable=frozenset({"keys"}))

    def __init__(self, aws: Aws, name: str, remove_protected: bool = False) -> None:
        self._aws, self._name, self._remove_protected = aws, name, remove_protected

    def observe(self) -> Iterable[Found]:
        table = self._described()
        if table is None or table["TableStatus"] == "DELETING":
            return
        arn = table["TableArn"]
        tags = self._aws.call(f"read the tags of {self._name}", "dynamodb", "list_tags_of_resource", ResourceArn=arn)
        fields = {
            "keys": {key["AttributeName"]: key["KeyType"] for key in table["KeySchema"]},
            "billing_mode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "deletion_protection": bool(table.get("DeletionProtectionEnabled")),
            "point_in_time_recovery": self._recoverable(),
        }
        own = {name: value for name, value in from_boto3(tags.get("Tags", [])).items() if not name.startswith("aws:")}
        settled = table["TableStatus"] == "ACTIVE"
        yield Found(self.kind, self._name, arn, fields, own, {"arn": arn}, settled)

    def _described(self) -> Any:
        attempt = f"look for table {self._name}"
        answer = self._aws.call_unless(_MISSING, attempt, "dynamodb", "describe_table", TableName=self._name)
        return answer and answer["Table"]

    def _recoverable(self) -> bool:
        answer = self._aws.call(
            f"read the backups of {self._name}", "dynamodb", "describe_continuous_backups", TableName=self._name
        )
        told = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return bool(told.get("PointInTimeRecoveryStatus") == "ENABLED")

    def create(self, wanted: Resource) -> Found:
        answer = self._aws.call(
            f"create table {self._name}",
            "dynamodb",
            "create_table",
            TableName=self._name,
            BillingMode=wanted.fields["billing_mode"],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in KEYS],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in KEYS.items()],
            DeletionProtectionEnabled=wanted.fields["deletion_protection"],
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        made = Found(self.kind, self._name, answer["TableDescription"]["TableArn"], wanted.fields, wanted.tags)
        self.wait(made)
        if wanted.fields["point_in_time_recovery"]:
            self._set_recovery(True)
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        settings: dict[str, Any] = {}
        if "billing_mode" in fields:
            settings["BillingMode"] = wanted.fields["billing_mode"]
        if "deletion_protection" in fields:
            settings["DeletionProtectionEnabled"] = wanted.fields["deletion_protection"]
        if settings:
            self._aws.call(f"change table {self._name}", "dynamodb", "update_table", TableName=self._name, **settings)
            self.wait(found)
        if "point_in_time_recovery" in fields:
            self._set_recovery(wanted.fields["point_in_time_recovery"])

    def _set_recovery(self, enabled: bool) -> None:
        self._aws.call(
            f"set point-in-time recovery of {self._name}",
            "dynamodb",
            "update_continuous_backups",
            TableName=self._name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled},
        )

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            attempt, tags = f"tag table {self._name}", to_boto3(dict(put))
            self._aws.call(attempt, "dynamodb", "tag_resource", ResourceArn=found.id, Tags=tags)
        if remove:
            attempt = f"untag table {self._name}"
            self._aws.call(attempt, "dynamodb", "untag_resource", ResourceArn=found.id, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        if self._remove_protected and found.fields["deletion_protection"]:
            attempt = f"lift the deletion protection of {self._name}"
            self._aws.call(attempt, "dynamodb", "update_table", TableName=self._name, DeletionProtectionEnabled=False)
            self.wait(found)
        self._aws.call(f"delete table {self._name}", "dynamodb", "delete_table", TableName=self._name)
        until(f"table {self._name} to be gone", self._status, good={""}, timeout=300)

    def wait(self, found: Found) -> None:
        until(f"table {self._name} to be active", self._status, good={"ACTIVE"}, timeout=300)

    def _status(self) -> str:
        table = self._described()
        return str(table["TableStatus"]) if table else ""
