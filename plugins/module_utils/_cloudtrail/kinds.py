# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How CloudTrail shows, makes, changes and removes a trail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import from_boto3, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .model import TRAIL


class Trail(Kind):
    """The trail of this name, whether it logs, and which events."""

    kind = "trail"
    traits = Traits("trail")

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws = aws
        self._name = name

    def _call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self._aws.call(attempt, "cloudtrail", operation, **parameters)

    def observe(self) -> Iterable[Found]:
        attempt = f"read trail {self._name}"
        shown = self._call(attempt, "describe_trails", trailNameList=[self._name], includeShadowTrails=False)
        for trail in shown["trailList"]:
            arn = trail["TrailARN"]
            tags = self._call(f"read the tags of trail {self._name}", "list_tags", ResourceIdList=[arn])
            fields = {
                "bucket": trail["S3BucketName"],
                "bucket_prefix": trail.get("S3KeyPrefix", ""),
                "global_events": trail.get("IncludeGlobalServiceEvents", False),
                "kms_key": trail.get("KmsKeyId"),
                "log_file_validation": trail.get("LogFileValidationEnabled", False),
                "logging": self._call(attempt, "get_trail_status", Name=arn)["IsLogging"],
                "management_events": _management(self._call(attempt, "get_event_selectors", TrailName=arn)),
                "multi_region": trail.get("IsMultiRegionTrail", False),
            }
            told = from_boto3(tags["ResourceTagList"][0]["TagsList"]) if tags["ResourceTagList"] else {}
            yield Found(self.kind, trail["Name"], arn, fields, told, {"arn": arn})

    def create(self, wanted: Resource) -> Found:
        attempt, tags = f"create trail {wanted.name}", to_boto3(dict(wanted.tags or {}))
        arn = self._call(attempt, "create_trail", Name=wanted.name, TagsList=tags, **_settings(wanted))["TrailARN"]
        made = Found(self.kind, wanted.name, arn, wanted.fields, wanted.tags, {"arn": arn})
        self.change(made, wanted, ("management_events", "logging"))
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        name = found.name
        if set(fields) & set(TRAIL):
            self._call(f"change trail {name}", "update_trail", Name=found.id, **_settings(wanted, update=True))
        if "management_events" in fields:
            selector = {"ReadWriteType": wanted.fields["management_events"], "IncludeManagementEvents": True}
            attempt = f"choose the events of trail {name}"
            self._call(attempt, "put_event_selectors", TrailName=found.id, EventSelectors=[selector])
        if "logging" in fields:
            self._call(f"start trail {name}", "start_logging", Name=found.id)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self._call(f"tag trail {found.name}", "add_tags", ResourceId=found.id, TagsList=to_boto3(dict(put)))
        if remove:
            gone = [{"Key": name} for name in remove]
            self._call(f"remove tags from trail {found.name}", "remove_tags", ResourceId=found.id, TagsList=gone)

    def delete(self, found: Found) -> None:
        self._call(f"delete trail {found.name}", "delete_trail", Name=found.id)


def _settings(wanted: Resource, *, update: bool = False) -> dict[str, Any]:
    """The parameters of CreateTrail; with update an empty text takes a setting away."""
    told = {key: wanted.fields[name] for name, key in TRAIL.items()}
    return {key: "" if value is None else value for key, value in told.items() if update or value not in (None, "")}


def _management(answer: Mapping[str, Any]) -> str:
    """Which management events are logged: All, ReadOnly, WriteOnly; None or other when someone chose otherwise."""
    if answer.get("AdvancedEventSelectors"):
        return "advanced selectors"
    selectors: Collection[Mapping[str, Any]] = answer.get("EventSelectors") or []
    plain = [one for one in selectors if one.get("IncludeManagementEvents", True)]
    if len(plain) != 1 or plain[0].get("ExcludeManagementEventSources"):
        return "some"
    return str(plain[0].get("ReadWriteType", "All"))
