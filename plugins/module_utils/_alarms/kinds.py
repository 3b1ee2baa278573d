# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How CloudWatch lists, makes, changes and removes alarms: one list call a sort, and one for the tags of a hundred."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from .._aws.prefixed import Prefixed
from .._aws.tag_index import indexed
from .._aws.tags import belongs, from_boto3, to_boto3
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side
from .model import COMPOSITE, METRIC, composite_fields, metric_fields, request

# CloudWatch counts an account's questions a second, and a platform has some eighty alarms.
_ASKED_ONE_BY_ONE = 8
_MISSING = ("ResourceNotFound", "ResourceNotFoundException")


class Alarm(Prefixed):
    """Alarms under our prefix; found are those that are named in this call, and those that carry our tags.

    The tag Component tells them from alarms that other roles make under the same prefix.
    """

    service = "cloudwatch"
    sort: ClassVar[str]  # AWS's AlarmType
    listed: ClassVar[str]  # its key in the answer
    operation: ClassVar[str]
    names: ClassVar[Mapping[str, str]]

    @staticmethod
    @abstractmethod
    def canonical(alarm: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of what AWS shows."""

    def observe(self) -> Iterable[Found]:
        alarms = self._aws.pages(
            f"list the alarms {self._prefix}*",
            "cloudwatch",
            "describe_alarms",
            self.listed,
            AlarmNamePrefix=self._prefix,
            AlarmTypes=[self.sort],
            MaxRecords=100,  # the most; 50 unless asked for
        )
        many = len(alarms) > _ASKED_ONE_BY_ONE
        index = indexed(self._aws, self._identity, "cloudwatch:alarm") if many else {}
        for alarm, tags in zip(alarms, side_by_side(lambda one: self._tags_of(one, index), alarms), strict=True):
            name, arn = alarm["AlarmName"], alarm["AlarmArn"]
            if self._is_ours(name, tags):
                outputs = {"arn": arn, "state": alarm["StateValue"]}
                yield Found(self.kind, name, arn, self.canonical(alarm), tags, outputs)

    def _tags_of(self, alarm: Mapping[str, Any], index: Mapping[str, dict[str, str]]) -> dict[str, str]:
        """From the index where nothing would be done because of it, else from CloudWatch, which is up to date."""
        name, told = alarm["AlarmName"], index.get(alarm["AlarmArn"])
        if told is not None:
            as_wanted = told == self._identity
            of_others = name not in self._named and not self._is_ours(name, told)
            if as_wanted or of_others:
                return told
        return self._asked(alarm)

    def _asked(self, alarm: Mapping[str, Any]) -> dict[str, str]:
        attempt, arn = f"read the tags of alarm {alarm['AlarmName']}", alarm["AlarmArn"]
        # An alarm may go between the list and this question.
        answer = self._aws.call_unless(_MISSING, attempt, "cloudwatch", "list_tags_for_resource", ResourceARN=arn)
        return dict(from_boto3((answer or {}).get("Tags") or []))

    def _is_ours(self, name: str, tags: Mapping[str, str]) -> bool:
        # Roles share the platform's tags; each minds the alarms of its own component.
        component = tags.get("Component") == self._identity.get("Component")
        return name in self._named or (component and belongs(tags, self._identity))

    def create(self, wanted: Resource) -> Found:
        attempt, tags = f"create alarm {wanted.name}", to_boto3(dict(wanted.tags or {}))
        fields = request(wanted.fields, self.names)
        self._call(attempt, self.operation, AlarmName=wanted.name, Tags=tags, **fields)
        return Found(self.kind, wanted.name, wanted.name, wanted.fields, wanted.tags)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        # CloudWatch replaces an alarm as a whole; its state and its tags stay.
        attempt = f"change {', '.join(fields)} of alarm {found.name}"
        self._call(attempt, self.operation, AlarmName=found.name, **request(wanted.fields, self.names))

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self._call(f"tag alarm {found.name}", "tag_resource", ResourceARN=found.id, Tags=to_boto3(dict(put)))
        if remove:
            attempt = f"remove tags from alarm {found.name}"
            self._call(attempt, "untag_resource", ResourceARN=found.id, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        self._call(f"delete alarm {found.name}", "delete_alarms", AlarmNames=[found.name])


class MetricAlarm(Alarm):
    """Alarms on a metric or on an expression over several."""

    kind = "metric_alarm"
    traits = Traits("alarm")
    sort, listed, operation, names = "MetricAlarm", "MetricAlarms", "put_metric_alarm", METRIC

    @staticmethod
    def canonical(alarm: Mapping[str, Any]) -> dict[str, Any]:
        return metric_fields(alarm)


class CompositeAlarm(Alarm):
    """Alarms on the states of other alarms."""

    kind = "composite_alarm"
    traits = Traits("composite alarm")
    sort, listed, operation, names = "CompositeAlarm", "CompositeAlarms", "put_composite_alarm", COMPOSITE

    @staticmethod
    def canonical(alarm: Mapping[str, Any]) -> dict[str, Any]:
        return composite_fields(alarm)
