# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Log groups of CloudWatch Logs, for services that deliver logs and would else keep them forever."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .api import Aws
from .tags import belongs


class LogGroup(Kind):
    """Log groups by name. Fields: retention_days (None: forever), kms_key (ARN or None)."""

    kind = "log_group"
    traits = Traits("log group")

    def __init__(self, aws: Aws, tags: Mapping[str, str], name_prefix: str) -> None:
        self.aws = aws
        self.tags = tags
        self.name_prefix = name_prefix

    def observe(self) -> Iterable[Found]:
        groups = self.aws.pages(
            f"list log groups {self.name_prefix}",
            "logs",
            "describe_log_groups",
            "logGroups",
            logGroupNamePrefix=self.name_prefix,
        )
        for group in groups:
            arn = group["arn"].removesuffix(":*")
            tags = self.aws.call(f"read the tags of {arn}", "logs", "list_tags_for_resource", resourceArn=arn)["tags"]
            # RDS makes a log group without tags when it is quicker than we are; it is ours by its name.
            if belongs(tags, self.tags) or not tags:
                fields = {"retention_days": group.get("retentionInDays"), "kms_key": group.get("kmsKeyId")}
                yield Found(self.kind, group["logGroupName"], arn, fields, tags, {"arn": arn})

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        key = {"kmsKeyId": fields["kms_key"]} if fields["kms_key"] else {}
        attempt = f"create log group {wanted.name}"
        parameters: dict[str, Any] = {"logGroupName": wanted.name, "tags": dict(wanted.tags or {}), **key}
        self.aws.call_unless(("ResourceAlreadyExistsException",), attempt, "logs", "create_log_group", **parameters)
        made = Found(self.kind, wanted.name, wanted.name, fields, wanted.tags)
        self.change(made, wanted, ["retention_days"])
        return made

    def change(self, found: Found, wanted: Resource, fields: Collection[str]) -> None:
        name, days, key = found.name, wanted.fields["retention_days"], wanted.fields["kms_key"]
        if "retention_days" in fields:
            attempt = f"set the retention of log group {name}"
            if days:
                self._call(attempt, "put_retention_policy", logGroupName=name, retentionInDays=days)
            else:
                self._call(attempt, "delete_retention_policy", logGroupName=name)
        if "kms_key" in fields:
            if key:
                self._call(f"encrypt log group {name}", "associate_kms_key", logGroupName=name, kmsKeyId=key)
            else:
                self._call(f"decrypt log group {name}", "disassociate_kms_key", logGroupName=name)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self._call(f"tag log group {found.name}", "tag_resource", resourceArn=found.id, tags=dict(put))
        if remove:
            self._call(f"untag log group {found.name}", "untag_resource", resourceArn=found.id, tagKeys=list(remove))

    def delete(self, found: Found) -> None:
        self._call(f"delete log group {found.name}", "delete_log_group", logGroupName=found.name)

    def _call(self, attempt: str, operation: str, **parameters: Any) -> None:
        self.aws.call(attempt, "logs", operation, **parameters)
