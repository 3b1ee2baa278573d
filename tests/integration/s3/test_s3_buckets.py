"""s3_buckets on the embedded cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
LOGS, MEDIA = "stories-test-logs-123456789012", "stories-test-media-123456789012"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "OnlyTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{MEDIA}", f"arn:aws:s3:::{MEDIA}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": False}},
        }
    ],
}
WISH: dict[str, Any] = {
    "name": "stories-test",
    "tags": TAGS,
    "buckets": [
        {"name": LOGS, "lifecycle_rules": [{"id": "expire", "expiration_days": 90}]},
        {
            "name": MEDIA,
            "versioning": True,
            "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "policy": POLICY,
            "lifecycle_rules": [
                {
                    "id": "ageing",
                    "prefix": "books/",
                    "transitions": [
                        {"days": 90, "storage_class": "GLACIER"},
                        {"days": 30, "storage_class": "STANDARD_IA"},
                    ],
                    "noncurrent_expiration_days": 30,
                    "abort_multipart_days": 7,
                }
            ],
            "cors_rules": [
                {
                    "allowed_origins": ["https://www.example.com"],
                    "allowed_methods": ["HEAD", "GET"],
                    "max_age_seconds": 60,
                }
            ],
            "logging": {"bucket": LOGS, "prefix": "s3/"},
            "event_bridge": True,
        },
    ],
}


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        planned = run_module(cloud, "s3_buckets", WISH, check=True)
    assert not [call for call in calls if call["writes"]]
    made = run_module(cloud, "s3_buckets", WISH)
    assert steps(planned) == steps(made) == [f"s3_bucket/{LOGS}:create", f"s3_bucket/{MEDIA}:create"]
    with cloud.recorded() as calls:
        assert run_module(cloud, "s3_buckets", WISH)["changed"] is False
    assert len(calls) == 1 + 2 * 10


def no_block(cloud: Cloud) -> None:
    cloud.client("s3").delete_public_access_block(Bucket=MEDIA)


def half_block(cloud: Cloud) -> None:
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": True,
    }
    cloud.client("s3").put_public_access_block(Bucket=MEDIA, PublicAccessBlockConfiguration=block)


def other_encryption(cloud: Cloud) -> None:
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    cloud.client("s3").put_bucket_encryption(Bucket=MEDIA, ServerSideEncryptionConfiguration=rules)


def no_versions(cloud: Cloud) -> None:
    cloud.client("s3").put_bucket_versioning(Bucket=MEDIA, VersioningConfiguration={"Status": "Suspended"})


def acls(cloud: Cloud) -> None:
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    cloud.client("s3").put_bucket_ownership_controls(Bucket=MEDIA, OwnershipControls=rules)


def no_lifecycle(cloud: Cloud) -> None:
    cloud.client("s3").delete_bucket_lifecycle(Bucket=MEDIA)


def another_rule(cloud: Cloud) -> None:
    rules = cloud.client("s3").get_bucket_lifecycle_configuration(Bucket=MEDIA)["Rules"]
    extra = {"ID": "by-hand", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    wish = {"Rules": [*rules, extra]}
    cloud.client("s3").put_bucket_lifecycle_configuration(Bucket=MEDIA, LifecycleConfiguration=wish)


def no_policy(cloud: Cloud) -> None:
    cloud.client("s3").delete_bucket_policy(Bucket=MEDIA)


def weaker_policy(cloud: Cloud) -> None:
    statement = {**POLICY["Statement"][0], "Action": "s3:PutObject"}  # type: ignore[dict-item]
    policy = json.dumps({**POLICY, "Statement": [statement]})
    cloud.client("s3").put_bucket_policy(Bucket=MEDIA, Policy=policy)


def any_origin(cloud: Cloud) -> None:
    rules = {"CORSRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]}
    cloud.client("s3").put_bucket_cors(Bucket=MEDIA, CORSConfiguration=rules)


def no_logging(cloud: Cloud) -> None:
    cloud.client("s3").put_bucket_logging(Bucket=MEDIA, BucketLoggingStatus={})


def no_events(cloud: Cloud) -> None:
    cloud.client("s3").put_bucket_notification_configuration(Bucket=MEDIA, NotificationConfiguration={})


def other_tags(cloud: Cloud) -> None:
    cloud.client("s3").put_bucket_tagging(Bucket=MEDIA, Tagging={"TagSet": [{"Key": "Owner", "Value": "somebody"}]})


@pytest.mark.parametrize(
    ("by_hand", "shown"),
    [
        (no_block, "BlockPublicAcls: false"),
        (half_block, "BlockPublicPolicy: false"),
        (other_encryption, "algorithm: AES256"),
        (no_versions, "versioning: Suspended"),
        (acls, "ownership: ObjectWriter"),
        (no_lifecycle, "lifecycle: {}"),
        (another_rule, "by-hand"),
        (no_policy, "policy: null"),
        (weaker_policy, "Action: s3:PutObject"),
        (any_origin, "cors"),
        (no_logging, "logging: null"),
        (no_events, "event_bridge: false"),
        (other_tags, "Owner: somebody"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, by_hand: Callable[[Cloud], None], shown: str
) -> None:
    run_module(cloud, "s3_buckets", WISH)
    by_hand(cloud)
    drift = run_module(cloud, "s3_buckets", WISH, check=True)
    diff = drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert f"bucket {MEDIA}" in diff
    assert shown in diff
    assert run_module(cloud, "s3_buckets", WISH)["changed"] is True
    assert run_module(cloud, "s3_buckets", WISH)["changed"] is False


def test_what_is_no_longer_wanted_on_a_bucket_goes(cloud: Cloud) -> None:
    run_module(cloud, "s3_buckets", WISH)
    bare = {**WISH, "buckets": [WISH["buckets"][0], {"name": MEDIA, "event_bridge": False}]}
    assert len(steps(run_module(cloud, "s3_buckets", bare))) == 1
    assert run_module(cloud, "s3_buckets", bare)["changed"] is False


def test_a_bucket_whose_creation_was_stopped_is_finished(cloud: Cloud) -> None:
    refusal = {"kind": "error", "code": "AccessDenied", "status": 403}
    for _run in range(3):
        cloud.admin("POST", "/faults", {"service": "s3", "writes_only": True, "skip": 2, **refusal})
        assert run_module(cloud, "s3_buckets", WISH)["failed"] is True
        cloud.admin("DELETE", "/faults")
    run_module(cloud, "s3_buckets", WISH)
    assert run_module(cloud, "s3_buckets", WISH)["changed"] is False


def test_absent_refuses_a_full_bucket_and_empties_it_only_when_told(cloud: Cloud) -> None:
    run_module(cloud, "s3_buckets", WISH)
    for text in (b"once", b"twice"):
        cloud.client("s3").put_object(Bucket=MEDIA, Key="books/1", Body=text)
    cloud.client("s3").delete_object(Bucket=MEDIA, Key="books/1")
    gone = {"name": "stories-test", "tags": TAGS, "state": "absent"}
    with cloud.recorded() as calls:
        refused = run_module(cloud, "s3_buckets", gone)
    assert f"Wanted bucket {MEDIA} away and found objects in it" in refused["msg"]
    assert not [call for call in calls if call["writes"]]
    kept = run_module(cloud, "s3_buckets", {**gone, "keep_full": True})
    assert len(steps(kept)) == 1
    assert f"Kept {MEDIA}" in str(kept["warnings"])
    assert run_module(cloud, "s3_buckets", {**gone, "keep_full": True})["changed"] is False
    assert len(steps(run_module(cloud, "s3_buckets", {**gone, "delete_objects": True}))) == 1
    assert cloud.client("s3").list_buckets()["Buckets"] == []
    assert run_module(cloud, "s3_buckets", gone)["changed"] is False


def test_buckets_of_others_that_begin_alike_are_left_alone(cloud: Cloud) -> None:
    cloud.client("s3").create_bucket(Bucket="stories-test-eu-media")
    gone = {"name": "stories-test", "tags": TAGS, "state": "absent"}
    assert run_module(cloud, "s3_buckets", gone)["changed"] is False
