# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS Config shows, makes, changes and removes its recorder, its delivery channel and our rules.

An account has one recorder and one channel in a region; those of somebody else refuse the plan.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.prefixed import Prefixed
from .._aws.tags import from_boto3, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side
from .._engine.steps import PlanRefused

_GLOBAL = "INCLUSION_BY_RESOURCE_TYPES"


class _Single(Kind):
    """What a region has one of."""

    def __init__(self, aws: Aws, name: str, *, refuse_others: bool) -> None:
        """refuse_others: whether somebody else's is an error; for a removal it is none."""
        self._aws = aws
        self._name = name
        self._refuse_others = refuse_others

    def _call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self._aws.call(attempt, "config", operation, **parameters)

    def _ours(self, listed: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
        for one in listed:
            if one["name"] == self._name:
                yield one
            elif self._refuse_others:
                raise PlanRefused(
                    [
                        f"Looked for {self.traits.title} {self._name} and found {one['name']}; AWS Config has one "
                        "of them in a region. Let one environment of the account record (monitoring_config: false for "
                        "the others), or remove that one by hand."
                    ]
                )


class Recorder(_Single):
    """What is recorded, how often, and with which role."""

    kind = "config_recorder"
    traits = Traits("configuration recorder")

    def observe(self) -> Iterable[Found]:
        answer = self._call("read the configuration recorder", "describe_configuration_recorders")
        for one in self._ours(answer["ConfigurationRecorders"]):
            group = one.get("recordingGroup", {})
            fields = {
                "frequency": one.get("recordingMode", {}).get("recordingFrequency", "CONTINUOUS"),
                "global_resources": group.get("includeGlobalResourceTypes", False),
                "resource_types": sorted(group.get("resourceTypes", [])),
                "role": one.get("roleARN"),
            }
            yield Found(self.kind, self._name, self._name, fields)

    def create(self, wanted: Resource) -> Found:
        self.change(Found(self.kind, wanted.name, wanted.name, {}), wanted, ())
        return Found(self.kind, wanted.name, wanted.name, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        types = wanted.fields["resource_types"]
        chosen = {"allSupported": False, "resourceTypes": types, "recordingStrategy": {"useOnly": _GLOBAL}}
        every = {"allSupported": True, "includeGlobalResourceTypes": wanted.fields["global_resources"]}
        recorder = {
            "name": wanted.name,
            "roleARN": wanted.fields["role"],
            "recordingGroup": chosen if types else every,
            "recordingMode": {"recordingFrequency": wanted.fields["frequency"]},
        }
        attempt = f"set configuration recorder {wanted.name}"
        self._call(attempt, "put_configuration_recorder", ConfigurationRecorder=recorder)

    def delete(self, found: Found) -> None:
        attempt = f"delete configuration recorder {found.name}"
        self._call(attempt, "delete_configuration_recorder", ConfigurationRecorderName=found.name)


class Channel(_Single):
    """Where to."""

    kind = "delivery_channel"
    traits = Traits("delivery channel")

    def observe(self) -> Iterable[Found]:
        answer = self._call("read the delivery channel", "describe_delivery_channels")
        for one in self._ours(answer["DeliveryChannels"]):
            fields = {
                "bucket": one.get("s3BucketName"),
                "bucket_prefix": one.get("s3KeyPrefix", ""),
                "snapshots": one.get("configSnapshotDeliveryProperties", {}).get("deliveryFrequency"),
            }
            yield Found(self.kind, self._name, self._name, fields)

    def create(self, wanted: Resource) -> Found:
        self.change(Found(self.kind, wanted.name, wanted.name, {}), wanted, ())
        return Found(self.kind, wanted.name, wanted.name, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        channel: dict[str, Any] = {"name": wanted.name, "s3BucketName": wanted.fields["bucket"]}
        if prefix := wanted.fields["bucket_prefix"]:
            channel["s3KeyPrefix"] = prefix
        if snapshots := wanted.fields["snapshots"]:
            channel["configSnapshotDeliveryProperties"] = {"deliveryFrequency": snapshots}
        self._call(f"set delivery channel {wanted.name}", "put_delivery_channel", DeliveryChannel=channel)

    def delete(self, found: Found) -> None:
        attempt = f"delete delivery channel {found.name}"
        self._call(attempt, "delete_delivery_channel", DeliveryChannelName=found.name)


class Recording(_Single):
    """Whether the recorder runs. It is found stopped where a run was killed, or somebody stopped it."""

    kind = "config_recording"
    traits = Traits("recording")

    def observe(self) -> Iterable[Found]:
        answer = self._call("read whether Config records", "describe_configuration_recorder_status")
        for one in answer["ConfigurationRecordersStatus"]:
            if one["name"] == self._name:
                yield Found(self.kind, self._name, self._name, {"recording": one["recording"]})

    def create(self, wanted: Resource) -> Found:
        self.change(Found(self.kind, wanted.name, wanted.name, {}), wanted, ("recording",))
        return Found(self.kind, wanted.name, wanted.name, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        attempt = f"start configuration recorder {wanted.name}"
        self._call(attempt, "start_configuration_recorder", ConfigurationRecorderName=wanted.name)

    def delete(self, found: Found) -> None:
        attempt = f"stop configuration recorder {found.name}"
        self._call(attempt, "stop_configuration_recorder", ConfigurationRecorderName=found.name)


class Rule(Prefixed):
    """Rules of AWS under our prefix that are named in this call or carry our tags, with their last verdict."""

    service = "config"
    kind = "config_rule"
    traits = Traits("config rule")

    def observe(self) -> Iterable[Found]:
        rules = self._aws.pages("list the config rules", "config", "describe_config_rules", "ConfigRules")
        # Those that are being deleted are gone for us: AWS takes the name again once they are.
        ours = [
            one
            for one in rules
            if one["ConfigRuleName"].startswith(self._prefix)
            and one.get("ConfigRuleState", "ACTIVE") not in ("DELETING", "DELETING_RESULTS")
        ]
        verdicts = self._verdicts() if ours else {}
        for one, tags in zip(ours, side_by_side(self._tags_of, ours), strict=True):
            name, arn = one["ConfigRuleName"], one["ConfigRuleArn"]
            if not self._is_ours(name, tags):
                continue
            fields = {
                "description": one.get("Description", ""),
                "frequency": one.get("MaximumExecutionFrequency"),
                "identifier": one["Source"].get("SourceIdentifier"),
                "input_parameters": json.loads(one.get("InputParameters") or "{}"),
                "resource_types": sorted(one.get("Scope", {}).get("ComplianceResourceTypes", [])),
            }
            outputs = {"arn": arn, "compliance": verdicts.get(name, "INSUFFICIENT_DATA")}
            yield Found(self.kind, name, arn, fields, tags, outputs)

    def _tags_of(self, rule: Mapping[str, Any]) -> dict[str, str]:
        attempt = f"read the tags of config rule {rule['ConfigRuleName']}"
        return from_boto3(self._call(attempt, "list_tags_for_resource", ResourceArn=rule["ConfigRuleArn"])["Tags"])

    def _verdicts(self) -> dict[str, str]:
        attempt = "read the verdicts of the config rules"
        listed = self._aws.pages(attempt, "config", "describe_compliance_by_config_rule", "ComplianceByConfigRules")
        return {one["ConfigRuleName"]: one.get("Compliance", {}).get("ComplianceType", "") for one in listed}

    def create(self, wanted: Resource) -> Found:
        self._put(f"create config rule {wanted.name}", wanted, Tags=to_boto3(dict(wanted.tags or {})))
        return Found(self.kind, wanted.name, wanted.name, wanted.fields, wanted.tags)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._put(f"change {', '.join(fields)} of config rule {found.name}", wanted)

    def _put(self, attempt: str, wanted: Resource, **tags: Any) -> None:
        fields = wanted.fields
        rule: dict[str, Any] = {
            "ConfigRuleName": wanted.name,
            "Description": fields["description"],
            "Source": {"Owner": "AWS", "SourceIdentifier": fields["identifier"]},
        }
        if fields["input_parameters"]:
            rule["InputParameters"] = json.dumps(fields["input_parameters"], sort_keys=True)
        if "frequency" in fields:
            rule["MaximumExecutionFrequency"] = fields["frequency"]
        if fields["resource_types"]:
            rule["Scope"] = {"ComplianceResourceTypes": fields["resource_types"]}
        self._call(attempt, "put_config_rule", ConfigRule=rule, **tags)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            attempt = f"tag config rule {found.name}"
            self._call(attempt, "tag_resource", ResourceArn=found.id, Tags=to_boto3(dict(put)))
        if remove:
            attempt = f"remove tags from config rule {found.name}"
            self._call(attempt, "untag_resource", ResourceArn=found.id, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        self._call(f"delete config rule {found.name}", "delete_config_rule", ConfigRuleName=found.name)
