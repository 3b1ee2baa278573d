"""Which resources a selection takes, and what is said of one that none takes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._backup.coverage import (
    Protected,
    kind_of,
    problems,
    takes,
)

CLUSTER = "arn:aws:rds:us-east-1:123456789012:cluster:stories-test"
TAGS = {"Project": "1001-stories", "Environment": "test"}
SELECTION: dict[str, Any] = {
    "resources": ["arn:aws:rds:*:*:cluster:*"],
    "tags_equal": TAGS,
    "tags_differ": {"Purpose": "dr-drill"},
    "not_resources": [],
}


@pytest.mark.parametrize(
    ("arn", "tags", "changed", "taken"),
    [
        (CLUSTER, TAGS, {}, True),
        (CLUSTER, {**TAGS, "Purpose": "archive"}, {}, True),
        (CLUSTER, {**TAGS, "Purpose": "dr-drill"}, {}, False),
        (CLUSTER, {"Project": "1001-stories"}, {}, False),
        (CLUSTER.replace("cluster:", "db:"), TAGS, {}, False),
        (CLUSTER, TAGS, {"not_resources": ["*stories-test"]}, False),
        (CLUSTER, TAGS, {"resources": ["arn:aws:dynamodb:*:*:table/*", "*"]}, True),
    ],
)
def test_a_selection_takes_what_matches_its_resources_and_all_its_tags(
    arn: str, tags: dict[str, str], changed: dict[str, Any], taken: bool
) -> None:
    assert takes({**SELECTION, **changed}, Protected(arn, "aurora", tags)) is taken


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        (CLUSTER, "aurora"),
        ("arn:aws:rds:us-east-1:123456789012:cluster-snapshot:x", None),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/stories-test-releases", "dynamodb"),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/stories-test-releases/index/x", None),
        ("arn:aws:s3:::stories-test-media-123456789012", "bucket"),
        ("arn:aws:s3:::stories-test-dr-media-123456789012", None),
        ("arn:aws:s3:::stories-test-logs-123456789012", None),
    ],
)
def test_what_holds_data_that_cannot_be_made_again_is_known(arn: str, kind: str | None) -> None:
    assert kind_of(arn, "stories-test") == kind


def told(kind: str = "aurora", plans: tuple[str, ...] = ("warm",), **more: Any) -> list[str]:
    given: dict[str, Any] = {
        "opted_in": {},
        "retention_days": 30,
        "wanted_days": 30,
        "replicated_to": "arn:aws:s3:::far",
        "replication_wanted": True,
        **more,
    }
    return list(problems(Protected(CLUSTER, kind, TAGS), plans, **given))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, None),
        ({"plans": ()}, "found none"),
        ({"opted_in": {"Aurora": False}}, "Aurora switched off"),
        ({"opted_in": {"Aurora": True}}, None),
        ({"retention_days": 7}, "automated backups of 7 days"),
        ({"kind": "dynamodb", "retention_days": None}, None),
        ({"kind": "bucket", "replicated_to": None}, "Looked for the replication"),
        ({"kind": "bucket", "replicated_to": None, "replication_wanted": False}, None),
    ],
)
def test_each_way_to_lose_a_resource_is_said(given: dict[str, Any], said: str | None) -> None:
    found = told(**given)
    assert len(found) == (said is not None)
    assert said is None or said in found[0]
