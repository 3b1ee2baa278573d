# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes log groups: one list call for all, and one for the tags of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import belongs
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side


class LogGroup(Kind):
    """Log groups; found are those that are named in this call, and those with our prefix that carry our tags."""

    kind = "log_group"
    traits = Traits("log group", immutable=frozenset({"class"}))

    def __init__(self, aws: Aws, tags: Mapping[str, str], prefix: str, names: Collection[str] = ()) -> None:
        self._aws = aws
        self._wanted_tags = tags
        self._prefix = prefix
        self._names = frozenset(names)

    def _call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self._aws.call(attempt, "logs", operation, **parameters)

    def observe(self) -> Iterable[Found]:
        # The platform's prefix stands within the name: /ecs/<prefix>/app, /aws/lambda/<prefix>-resize.
        attempt, pattern = f"list log groups of {self._prefix}", self._prefix
        groups = self._aws.pages(attempt, "logs", "describe_log_groups", "logGroups", logGroupNamePattern=pattern)
        for group, tags in zip(groups, side_by_side(self._tags, groups), strict=True):
            name, arn = group["logGroupName"], group["logGroupArn"]
            if name in self._names or belongs(tags, self._wanted_tags):
                fields = {
                    "class": group.get("logGroupClass", "STANDARD"),
                    "kms_key": group.get("kmsKeyId"),
                    "retention_in_days": group.get("retentionInDays"),
                }
                yield Found(self.kind, name, name, fields, tags, {"arn": arn})

    def _tags(self, group: Mapping[str, Any]) -> dict[str, str]:
        attempt, arn = f"read the tags of log group {group['logGroupName']}", group["logGroupArn"]
        return dict(self._call(attempt, "list_tags_for_resource", resourceArn=arn)["tags"])

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        key = {"kmsKeyId": fields["kms_key"]} if fields["kms_key"] else {}
        self._call(
            f"create log group {wanted.name}",
            "create_log_group",
            logGroupName=wanted.name,
            logGroupClass=fields["class"],
            tags=dict(wanted.tags or {}),
            **key,
        )
        made = Found(self.kind, wanted.name, wanted.name, fields, wanted.tags)
        if fields["retention_in_days"]:
            self.change(made, wanted, ("retention_in_days",))
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        name = found.name
        if "retention_in_days" in fields:
            attempt, days = f"set the retention of log group {name}", wanted.fields["retention_in_days"]
            if days is None:
                self._call(attempt, "delete_retention_policy", logGroupName=name)
            else:
                self._call(attempt, "put_retention_policy", logGroupName=name, retentionInDays=days)
        if "kms_key" in fields:
            attempt, key = f"set the key of log group {name}", wanted.fields["kms_key"]
            if key is None:
                self._call(attempt, "disassociate_kms_key", logGroupName=name)
            else:
                self._call(attempt, "associate_kms_key", logGroupName=name, kmsKeyId=key)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        arn = found.outputs["arn"]
        if put:
            self._call(f"tag log group {found.name}", "tag_resource", resourceArn=arn, tags=dict(put))
        if remove:
            attempt = f"remove tags from log group {found.name}"
            self._call(attempt, "untag_resource", resourceArn=arn, tagKeys=list(remove))

    def delete(self, found: Found) -> None:
        self._call(f"delete log group {found.name}", "delete_log_group", logGroupName=found.name)
