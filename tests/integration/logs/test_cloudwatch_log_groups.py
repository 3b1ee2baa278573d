"""cloudwatch_log_groups on the embedded cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
APP, WORKER = "/ecs/stories-test/app", "/ecs/stories-test/worker"


@pytest.fixture
def wish(cloud: Cloud) -> dict[str, Any]:
    key = cloud.client("kms").create_key(Description="logs")["KeyMetadata"]["Arn"]
    groups = [
        {"name": APP, "retention_in_days": 90, "kms_key_arn": key},
        {"name": WORKER, "retention_in_days": 0, "log_group_class": "INFREQUENT_ACCESS"},
    ]
    return {"name": "stories-test", "tags": TAGS, "log_groups": groups}


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(
    cloud: Cloud, wish: dict[str, Any]
) -> None:
    with cloud.recorded() as calls:
        planned = run_module(cloud, "cloudwatch_log_groups", wish, check=True)
    assert not [call for call in calls if call["writes"]]
    made = run_module(cloud, "cloudwatch_log_groups", wish)
    assert steps(planned) == steps(made) == [f"log_group/{APP}:create", f"log_group/{WORKER}:create"]
    with cloud.recorded() as calls:
        assert run_module(cloud, "cloudwatch_log_groups", wish)["changed"] is False
    assert len(calls) == 3


def shorter(cloud: Cloud) -> None:
    cloud.client("logs").put_retention_policy(logGroupName=APP, retentionInDays=1)


def for_ever(cloud: Cloud) -> None:
    cloud.client("logs").delete_retention_policy(logGroupName=APP)


def no_key(cloud: Cloud) -> None:
    cloud.client("logs").disassociate_kms_key(logGroupName=APP)


def lost_tags(cloud: Cloud) -> None:
    logs = cloud.client("logs")
    arn = logs.describe_log_groups(logGroupNamePrefix=APP)["logGroups"][0]["logGroupArn"]
    logs.untag_resource(resourceArn=arn, tagKeys=["Project", "Environment"])


@pytest.mark.parametrize(
    ("by_hand", "shown"),
    [
        (shorter, "retention_in_days: 1"),
        (for_ever, "retention_in_days: null"),
        (no_key, "kms_key: null"),
        (lost_tags, "Project: 1001-stories"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, wish: dict[str, Any], by_hand: Callable[[Cloud], None], shown: str
) -> None:
    run_module(cloud, "cloudwatch_log_groups", wish)
    by_hand(cloud)
    drift = run_module(cloud, "cloudwatch_log_groups", wish, check=True)
    diff = drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert f"log group {APP}" in diff
    assert shown in diff
    assert run_module(cloud, "cloudwatch_log_groups", wish)["changed"] is True
    assert run_module(cloud, "cloudwatch_log_groups", wish)["changed"] is False


def test_a_group_that_was_made_before_its_retention_is_finished(cloud: Cloud, wish: dict[str, Any]) -> None:
    refusal = {"kind": "error", "code": "AccessDeniedException", "status": 400}
    cloud.admin("POST", "/faults", {"service": "logs", "writes_only": True, "skip": 1, **refusal})
    assert run_module(cloud, "cloudwatch_log_groups", wish)["failed"] is True
    cloud.admin("DELETE", "/faults")
    run_module(cloud, "cloudwatch_log_groups", wish)
    assert run_module(cloud, "cloudwatch_log_groups", wish)["changed"] is False


def test_absent_removes_ours_and_leaves_others_that_have_our_name_in_theirs(cloud: Cloud, wish: dict[str, Any]) -> None:
    run_module(cloud, "cloudwatch_log_groups", wish)
    cloud.client("logs").create_log_group(logGroupName="/ecs/stories-test-eu/app")
    gone = {"name": "stories-test", "tags": TAGS, "state": "absent"}
    assert len(steps(run_module(cloud, "cloudwatch_log_groups", gone))) == 2
    assert run_module(cloud, "cloudwatch_log_groups", gone)["changed"] is False


@pytest.mark.parametrize(
    ("group", "sentence"),
    [
        ({"name": APP, "retention_in_days": 31}, "Choose one of these"),
        ({"name": "/ecs/app"}, "by which it is found"),
        ({"name": "/ecs/stories-test/ä"}, "Choose such a name"),
        ({"name": APP, "log_group_class": "DELIVERY"}, "Leave it at 0"),
    ],
)
def test_what_cloudwatch_refuses_is_one_sentence_before_any_call(
    cloud: Cloud, group: dict[str, Any], sentence: str
) -> None:
    wish = {"name": "stories-test", "tags": TAGS, "log_groups": [group]}
    with cloud.recorded() as calls:
        result = run_module(cloud, "cloudwatch_log_groups", wish)
    assert sentence in result["msg"]
    assert calls == []
