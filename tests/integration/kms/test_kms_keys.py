"""kms_keys on the embedded cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Account",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
WISH: dict[str, Any] = {
    "name": "stories-test",
    "tags": TAGS,
    "keys": [
        {"name": "data", "description": "Database", "policy": POLICY, "rotation_period_in_days": 180},
        {"name": "logs", "description": "Logs", "policy": POLICY},
    ],
}
ALIAS = "alias/stories-test-data"


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def ident(cloud: Cloud, alias: str = ALIAS) -> str:
    return str(cloud.client("kms").describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])


def keys(cloud: Cloud) -> int:
    return len(cloud.client("kms").list_keys()["Keys"])


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        planned = run_module(cloud, "kms_keys", WISH, check=True)
    assert not [call for call in calls if call["writes"]]
    made = run_module(cloud, "kms_keys", WISH)
    assert steps(planned) == steps(made) == ["kms_key/stories-test-data:create", "kms_key/stories-test-logs:create"]
    assert made["key_arns"]["data"].endswith(ident(cloud))
    assert run_module(cloud, "kms_keys", WISH)["changed"] is False


def disabled(cloud: Cloud) -> None:
    cloud.client("kms").disable_key(KeyId=ident(cloud))


def doomed(cloud: Cloud) -> None:
    cloud.client("kms").schedule_key_deletion(KeyId=ident(cloud), PendingWindowInDays=7)


def described(cloud: Cloud) -> None:
    cloud.client("kms").update_key_description(KeyId=ident(cloud), Description="mine")


def other_policy(cloud: Cloud) -> None:
    statement = {**POLICY["Statement"][0], "Sid": "Else"}  # type: ignore[dict-item]
    policy = json.dumps({**POLICY, "Statement": [statement]})
    cloud.client("kms").put_key_policy(KeyId=ident(cloud), PolicyName="default", Policy=policy)


def no_rotation(cloud: Cloud) -> None:
    cloud.client("kms").disable_key_rotation(KeyId=ident(cloud))


def other_period(cloud: Cloud) -> None:
    cloud.client("kms").enable_key_rotation(KeyId=ident(cloud), RotationPeriodInDays=2000)


def lost_alias(cloud: Cloud) -> None:
    cloud.client("kms").delete_alias(AliasName=ALIAS)


def lost_tag(cloud: Cloud) -> None:
    cloud.client("kms").untag_resource(KeyId=ident(cloud), TagKeys=["Project"])


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (disabled, "enabled: false"),
        (doomed, "enabled: false"),
        (described, "description: mine"),
        (other_policy, "Sid: Else"),
        (no_rotation, "rotation_period_in_days: null"),
        (other_period, "rotation_period_in_days: 2000"),
        (lost_alias, "alias: null"),
        (lost_tag, "Project: 1001-stories"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended_on_the_same_key(
    cloud: Cloud, by_hand: Callable[[Cloud], None], field: str
) -> None:
    run_module(cloud, "kms_keys", WISH)
    before = ident(cloud)
    by_hand(cloud)
    drift = run_module(cloud, "kms_keys", WISH, check=True)
    diff = drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert "KMS key stories-test-data" in diff
    assert field in diff
    assert run_module(cloud, "kms_keys", WISH)["changed"] is True
    assert run_module(cloud, "kms_keys", WISH)["changed"] is False
    assert ident(cloud) == before


def test_a_key_whose_creation_was_stopped_before_its_alias_is_finished(cloud: Cloud) -> None:
    refusal = {"kind": "error", "code": "AccessDeniedException", "status": 400}
    cloud.admin("POST", "/faults", {"service": "kms", "action": "CreateAlias", **refusal})
    assert "give KMS key stories-test-data its alias" in run_module(cloud, "kms_keys", WISH)["msg"]
    cloud.admin("DELETE", "/faults")
    run_module(cloud, "kms_keys", WISH)
    assert run_module(cloud, "kms_keys", WISH)["changed"] is False
    assert keys(cloud) == 2


def test_absent_schedules_the_deletion_and_a_key_that_is_wanted_again_is_saved(cloud: Cloud) -> None:
    run_module(cloud, "kms_keys", WISH)
    before = ident(cloud)
    gone = {"name": "stories-test", "tags": TAGS, "state": "absent", "pending_window_in_days": 7}
    assert len(steps(run_module(cloud, "kms_keys", gone))) == 2
    assert run_module(cloud, "kms_keys", gone)["changed"] is False
    assert run_module(cloud, "kms_keys", WISH)["changed"] is True
    assert run_module(cloud, "kms_keys", WISH)["changed"] is False
    assert (ident(cloud), keys(cloud)) == (before, 2)


def test_keys_of_another_environment_are_left_alone(cloud: Cloud) -> None:
    run_module(cloud, "kms_keys", WISH)
    other = {"name": "stories-prod", "tags": {**TAGS, "Environment": "prod"}, "state": "absent"}
    assert run_module(cloud, "kms_keys", other)["changed"] is False


def test_an_alias_that_was_led_to_a_foreign_key_is_refused_and_that_key_is_left_alone(cloud: Cloud) -> None:
    run_module(cloud, "kms_keys", WISH)
    kms = cloud.client("kms")
    foreign = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName=ALIAS, TargetKeyId=foreign)
    for state in ("present", "absent"):
        result = run_module(cloud, "kms_keys", {**WISH, "state": state})
        assert "Lead the alias back to our key" in result["msg"]
    assert kms.describe_key(KeyId=foreign)["KeyMetadata"]["KeyState"] == "Enabled"


def test_keys_of_an_environment_whose_name_begins_like_ours_are_not_ours(cloud: Cloud) -> None:
    run_module(cloud, "kms_keys", WISH)
    other = {**WISH, "name": "stories-test-2", "tags": {**TAGS, "Environment": "test-2"}}
    run_module(cloud, "kms_keys", other)
    assert run_module(cloud, "kms_keys", WISH)["changed"] is False
    run_module(cloud, "kms_keys", {"name": "stories-test", "tags": TAGS, "state": "absent"})
    assert run_module(cloud, "kms_keys", other)["changed"] is False


def test_an_alias_of_ours_at_a_key_of_another_environment_stops_the_run_before_a_second_key_is_made(
    cloud: Cloud,
) -> None:
    run_module(cloud, "kms_keys", WISH)
    cloud.client("kms").tag_resource(KeyId=ident(cloud), Tags=[{"TagKey": "Environment", "TagValue": "other"}])
    before = keys(cloud)
    assert "at a key of another environment" in run_module(cloud, "kms_keys", WISH)["msg"]
    assert keys(cloud) == before
