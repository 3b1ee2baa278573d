"""What S3 would refuse is refused before the first write; what it shows has one form."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._s3.model import desired, lifecycle, problems

BUCKET: dict[str, Any] = {"name": "stories-test-media", "kms_key_arn": None, "policy": None, "lifecycle_rules": []}
RULE: dict[str, Any] = {
    "id": "ageing",
    "prefix": "",
    "expiration_days": None,
    "noncurrent_expiration_days": None,
    "abort_multipart_days": None,
    "transitions": [],
    "noncurrent_transitions": [],
}


@pytest.mark.parametrize(
    ("bucket", "sentence"),
    [
        ({"name": "stories-test-Media"}, "3 to 63 lower-case letters"),
        ({"name": "stories-test-" + "x" * 60}, "3 to 63 lower-case letters"),
        ({"name": "stories-test-media-s3alias"}, "keeps for itself"),
        ({"name": "media"}, "does not begin with stories-test-"),
        ({"kms_key_arn": "alias/data"}, "Give the key's ARN"),
        ({"policy": {"Version": "2012-10-17"}}, "Give a JSON policy document"),
        ({"lifecycle_rules": [RULE]}, "found nothing that it does"),
        ({"lifecycle_rules": [{**RULE, "expiration_days": 1}] * 2}, "an id of its own"),
        (
            {"lifecycle_rules": [{**RULE, "transitions": [{"days": 7, "storage_class": "STANDARD_IA"}]}]},
            "30 days and older",
        ),
        (
            {
                "lifecycle_rules": [
                    {**RULE, "expiration_days": 60, "transitions": [{"days": 90, "storage_class": "GLACIER"}]}
                ]
            },
            "before their last transition",
        ),
    ],
)
def test_what_s3_refuses_is_one_sentence(bucket: dict[str, Any], sentence: str) -> None:
    assert any(sentence in problem for problem in problems("stories-test", [{**BUCKET, **bucket}]))


def test_a_rule_of_the_older_form_equals_the_same_rule_of_the_newer() -> None:
    older = {"ID": "one", "Prefix": "a/", "Status": "Enabled", "Expiration": {"Days": 1}}
    newer = {"ID": "one", "Filter": {"Prefix": "a/"}, "Status": "Enabled", "Expiration": {"Days": 1}}
    assert lifecycle([older]) == lifecycle([newer])
    assert lifecycle([older]) != lifecycle([{**newer, "Filter": {"Prefix": "b/"}}])


def test_a_bucket_is_made_after_that_of_its_log() -> None:
    full = {**BUCKET, "cors_rules": [], "object_ownership": "BucketOwnerEnforced", "versioning": True}
    full |= {"event_bridge": None, "logging": None}
    media = {**full, "logging": {"bucket": "stories-test-log", "prefix": "s3/"}}
    buckets = [{**full, "name": "stories-test-log"}, media]
    log, its = desired({"name": "stories-test", "tags": {}, "buckets": buckets})
    assert (log.on, its.on) == ((), (("s3_bucket", "stories-test-log"),))
