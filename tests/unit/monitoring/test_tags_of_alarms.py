"""AWS's index of tags lags behind: it is believed where nothing follows from it, else CloudWatch is asked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._alarms.kinds import MetricAlarm

TAGS = {"Project": "1001-stories", "Environment": "test", "Component": "monitoring"}
NAMES = [f"stories-test-{number:02}" for number in range(12)]
OURS, FOREIGN = NAMES[:10], NAMES[10:]


class Lagging:
    """An account whose index and whose CloudWatch tell different tags; it counts what CloudWatch is asked.

    index, true: tags by name of alarm. AWS's delay cannot be had elsewhere.
    """

    def __init__(self, index: dict[str, Any], true: dict[str, Any]) -> None:
        self.index, self.true = index, true
        self.asked: list[str] = []

    def pages(self, _attempt: str, service: str, _operation: str, _key: str, **_parameters: Any) -> list[Any]:
        if service == "cloudwatch":
            return [{"AlarmName": name, "AlarmArn": name, "StateValue": "OK"} for name in NAMES]
        return [{"ResourceARN": name, "Tags": listed(tags)} for name, tags in self.index.items()]

    def call_unless(self, _codes: Any, _attempt: str, _service: str, _operation: str, ResourceARN: str) -> Any:
        self.asked.append(ResourceARN)
        return {"Tags": listed(self.true[ResourceARN])}


def listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def found(aws: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(MetricAlarm, "canonical", staticmethod(lambda alarm: {}))
    return {one.name: one.tags for one in MetricAlarm(aws, TAGS, "stories-test", OURS).observe()}


def everywhere(**changed: dict[str, str] | None) -> dict[str, Any]:
    tags: dict[str, Any] = dict.fromkeys(OURS, TAGS) | {name: {**TAGS, "Component": "release"} for name in FOREIGN}
    return {name: value for name, value in {**tags, **changed}.items() if value is not None}


def test_nothing_is_asked_where_all_is_as_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Lagging(everywhere(), everywhere())
    assert found(aws, monkeypatch) == dict.fromkeys(OURS, TAGS)
    assert aws.asked == []


@pytest.mark.parametrize("told", [None, {**TAGS, "odd": "1"}, {**TAGS, "Component": "release"}])
def test_an_alarm_that_was_just_made_or_mended_is_seen_as_it_is(
    told: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = Lagging(everywhere(**{OURS[0]: told}), everywhere())
    assert found(aws, monkeypatch) == dict.fromkeys(OURS, TAGS)
    assert aws.asked == [OURS[0]]


def test_no_alarm_is_taken_for_ours_by_the_index_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = Lagging(everywhere(**{FOREIGN[0]: {**TAGS, "more": "1"}}), everywhere())
    assert FOREIGN[0] not in found(aws, monkeypatch)
    assert aws.asked == [FOREIGN[0]]
