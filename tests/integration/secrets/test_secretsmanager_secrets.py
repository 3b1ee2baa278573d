"""secretsmanager_secrets on the embedded cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
USER = {
    "name": "stories-test-app-user",
    "description": "The application's database user",
    "json": {"username": "stories_app", "password": "{password}"},
    "generate": [{"name": "password", "length": 40}],
    "policy": {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": "secretsmanager:GetSecretValue",
                "Resource": "*",
            }
        ],
    },
}
URL = {
    "name": "stories-test-database-url",
    "text": "postgresql://stories_app:{password}@db.internal:5432/stories_db",
    "copy": [{"name": "password", "secret_id": "stories-test-app-user", "key": "password"}],
    "follow": True,
}
KEY = {"name": "stories-test-openai-api-key", "value": "sk-given-by-a-person"}
WISH: dict[str, Any] = {"name_prefix": "stories-test", "tags": TAGS, "secrets": [USER, KEY]}
URLS = {**WISH, "secrets": [URL]}


def run(cloud: Cloud, wish: dict[str, Any] = WISH, **flags: bool) -> dict[str, Any]:
    result = run_module(cloud, "secretsmanager_secrets", wish, **flags)
    assert not result.get("failed"), result["msg"]
    return result


def value(cloud: Cloud, name: str) -> str:
    return str(cloud.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        planned = run(cloud, check=True)
    assert not [call for call in calls if call["writes"]]
    made = run(cloud)
    assert planned["steps"] == made["steps"]
    assert len(made["steps"]) == 2
    assert run(cloud)["changed"] is False


def test_a_value_is_generated_once_and_copied_where_it_is_needed(cloud: Cloud) -> None:
    run(cloud)
    run(cloud, URLS)
    password = json.loads(value(cloud, USER["name"]))["password"]
    assert len(password) == 40
    assert value(cloud, URL["name"]) == f"postgresql://stories_app:{password}@db.internal:5432/stories_db"
    run(cloud)
    assert json.loads(value(cloud, USER["name"]))["password"] == password


def test_rotate_writes_a_new_value_and_what_follows_it_follows(cloud: Cloud) -> None:
    run(cloud)
    run(cloud, URLS)
    before = json.loads(value(cloud, USER["name"]))["password"]
    rotating = {**WISH, "secrets": [{**USER, "rotate": True}, KEY]}
    assert [step["id"] for step in run(cloud, rotating, check=True)["steps"]] == ["secret/stories-test-app-user:change"]
    run(cloud, rotating)
    after = json.loads(value(cloud, USER["name"]))["password"]
    assert after != before
    assert run(cloud)["changed"] is False
    followed = run(cloud, URLS)
    assert [step["id"] for step in followed["steps"]] == ["secret/stories-test-database-url:change"]
    assert after in value(cloud, URL["name"])


def other_description(cloud: Cloud) -> None:
    cloud.client("secretsmanager").update_secret(SecretId=USER["name"], Description="mine")


def other_key(cloud: Cloud) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    cloud.client("secretsmanager").update_secret(SecretId=USER["name"], KmsKeyId=key)


def other_tag(cloud: Cloud) -> None:
    cloud.client("secretsmanager").tag_resource(SecretId=USER["name"], Tags=[{"Key": "Owner", "Value": "me"}])


def no_policy(cloud: Cloud) -> None:
    cloud.client("secretsmanager").delete_resource_policy(SecretId=USER["name"])


def deleted(cloud: Cloud) -> None:
    cloud.client("secretsmanager").delete_secret(SecretId=USER["name"], RecoveryWindowInDays=7)


def other_url(cloud: Cloud) -> None:
    cloud.client("secretsmanager").put_secret_value(SecretId=URL["name"], SecretString="postgresql://elsewhere")


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (other_description, "description"),
        (other_key, "kms_key"),
        (other_tag, "Owner"),
        (no_policy, "policy"),
        (deleted, "scheduled_for_deletion"),
        (other_url, "value"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, by_hand: Callable[[Cloud], None], field: str
) -> None:
    run(cloud)
    run(cloud, URLS)
    before = value(cloud, USER["name"])
    by_hand(cloud)
    wish = URLS if by_hand is other_url else WISH
    drift = run(cloud, wish, check=True)
    assert field in drift["diff"][0]["before"] + drift["diff"][0]["after"]
    run(cloud, wish)
    assert run(cloud, wish)["changed"] is False
    assert value(cloud, USER["name"]) == before


def test_a_secret_without_a_value_gets_one(cloud: Cloud) -> None:
    tags = [{"Key": name, "Value": text} for name, text in {**TAGS, "Name": USER["name"]}.items()]
    cloud.client("secretsmanager").create_secret(Name=USER["name"], Tags=tags)
    run(cloud)
    assert len(json.loads(value(cloud, USER["name"]))["password"]) == 40
    assert run(cloud)["changed"] is False


def test_a_secret_of_somebody_else_is_refused_and_left_alone(cloud: Cloud) -> None:
    cloud.client("secretsmanager").create_secret(Name=USER["name"], SecretString="theirs")
    result = run_module(cloud, "secretsmanager_secrets", WISH)
    assert "without our tags" in result["msg"]
    assert value(cloud, USER["name"]) == "theirs"


def test_absent_removes_all_with_the_prefix_and_gives_time_to_restore(cloud: Cloud) -> None:
    run(cloud)
    run(cloud, URLS)
    gone = {"name_prefix": "stories-test", "tags": TAGS, "state": "absent"}
    assert len(run(cloud, gone)["steps"]) == 3
    assert run(cloud, gone)["changed"] is False
    run(cloud)
    # Restored, with the value that it had.
    assert value(cloud, KEY["name"]) == "sk-given-by-a-person"


def test_no_value_is_shown_by_any_run(cloud: Cloud) -> None:
    shown = json.dumps(
        [run(cloud, check=True), run(cloud), run(cloud, {**WISH, "secrets": [{**USER, "rotate": True}]})]
    )
    password = json.loads(value(cloud, USER["name"]))["password"]
    log = json.dumps(cloud.calls())
    for secret in (password, "sk-given-by-a-person"):
        assert secret not in shown
        assert secret not in log
