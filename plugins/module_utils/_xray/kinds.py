# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How X-Ray lists, makes, changes and removes groups and sampling rules: one list call a sort, and the tags of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.prefixed import Prefixed
from .._aws.tags import from_boto3, to_boto3
from .._engine.resources import Found, Resource, Traits
from .model import RULE


class _Named(Prefixed):
    """What X-Ray calls by a name that begins with our prefix, if it is named in this call or carries our tags."""

    service = "xray"

    def _tags_if_ours(self, name: str, arn: str) -> dict[str, str] | None:
        """The tags, or None where it is another platform's whose prefix begins like ours."""
        if not name.startswith(self._prefix):
            return None
        answer = self._call(f"read the tags of {name}", "list_tags_for_resource", ResourceARN=arn)
        tags: dict[str, str] = from_boto3(answer["Tags"])
        return tags if self._is_ours(name, tags) else None

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self._call(f"tag {found.name}", "tag_resource", ResourceARN=found.id, Tags=to_boto3(dict(put)))
        if remove:
            attempt = f"remove tags from {found.name}"
            self._call(attempt, "untag_resource", ResourceARN=found.id, TagKeys=list(remove))


class Group(_Named):
    """Groups: traces that fit an expression, with metrics of their own."""

    kind = "xray_group"
    traits = Traits("X-Ray group")

    def observe(self) -> Iterable[Found]:
        for one in self._aws.pages("list the X-Ray groups", "xray", "get_groups", "Groups"):
            name, arn = one["GroupName"], one["GroupARN"]
            if (tags := self._tags_if_ours(name, arn)) is not None:
                insights = one.get("InsightsConfiguration", {}).get("InsightsEnabled", False)
                fields = {"filter_expression": one.get("FilterExpression", ""), "insights": insights}
                yield Found(self.kind, name, arn, fields, tags, {"arn": arn})

    def create(self, wanted: Resource) -> Found:
        attempt, tags = f"create X-Ray group {wanted.name}", to_boto3(dict(wanted.tags or {}))
        answer = self._call(attempt, "create_group", GroupName=wanted.name, Tags=tags, **_group(wanted))
        return Found(self.kind, wanted.name, answer["Group"]["GroupARN"], wanted.fields, wanted.tags)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        attempt = f"change {', '.join(fields)} of X-Ray group {found.name}"
        self._call(attempt, "update_group", GroupARN=found.id, **_group(wanted))

    def delete(self, found: Found) -> None:
        self._call(f"delete X-Ray group {found.name}", "delete_group", GroupARN=found.id)


class SamplingRule(_Named):
    """Sampling rules: of which requests how many are traced."""

    kind = "sampling_rule"
    traits = Traits("sampling rule")

    def observe(self) -> Iterable[Found]:
        for record in self._aws.pages("list the sampling rules", "xray", "get_sampling_rules", "SamplingRuleRecords"):
            one = record["SamplingRule"]
            name, arn = one["RuleName"], one["RuleARN"]
            if (tags := self._tags_if_ours(name, arn)) is not None:
                fields = {ours: one.get(key) for ours, key in RULE.items()}
                fields["attributes"] = one.get("Attributes") or {}
                yield Found(self.kind, name, arn, fields, tags, {"arn": arn})

    def create(self, wanted: Resource) -> Found:
        rule = {"RuleName": wanted.name, "Version": 1, **_rule(wanted, RULE)}
        attempt, tags = f"create sampling rule {wanted.name}", to_boto3(dict(wanted.tags or {}))
        answer = self._call(attempt, "create_sampling_rule", SamplingRule=rule, Tags=tags)
        arn = answer["SamplingRuleRecord"]["SamplingRule"]["RuleARN"]
        return Found(self.kind, wanted.name, arn, wanted.fields, wanted.tags)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        update = {"RuleARN": found.id, **_rule(wanted, fields)}
        attempt = f"change {', '.join(fields)} of sampling rule {found.name}"
        self._call(attempt, "update_sampling_rule", SamplingRuleUpdate=update)

    def delete(self, found: Found) -> None:
        self._call(f"delete sampling rule {found.name}", "delete_sampling_rule", RuleARN=found.id)


def _group(wanted: Resource) -> dict[str, Any]:
    insights = {"InsightsEnabled": wanted.fields["insights"], "NotificationsEnabled": False}
    return {"FilterExpression": wanted.fields["filter_expression"], "InsightsConfiguration": insights}


def _rule(wanted: Resource, fields: Iterable[str]) -> dict[str, Any]:
    return {RULE[name]: wanted.fields[name] for name in fields}
