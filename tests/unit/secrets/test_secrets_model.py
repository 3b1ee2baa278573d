"""Wishes for secrets: what is wrong with them, and how values are composed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._secrets.model import (
    ALPHANUMERIC,
    canonical_key,
    compose,
    problems,
)

PART = {"name": "password", "length": 40, "characters": ALPHANUMERIC}
GOOD: dict[str, Any] = {"name": "stories-app-user", "json": {"password": "{password}"}, "generate": [PART]}


def test_a_sound_wish_has_no_problems() -> None:
    assert problems([GOOD], 30) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "stories app"}, "Choose such a name"),
        ({"name": "stories-secret"}, "end of an ARN"),
        ({"value": "x"}, "exactly one of value, text and json"),
        ({"generate": []}, "{password} stands in its value"),
        ({"generate": [PART, {**PART, "name": "salt"}]}, "the part salt stands nowhere"),
        ({"generate": [PART, PART]}, "described twice"),
        ({"generate": [{**PART, "length": 8}]}, "Choose 16 to 4096"),
        ({"generate": [{**PART, "characters": "aaaabbbb"}]}, "fewer than ten"),
        ({"follow": True}, "exclude each other"),
    ],
)
def test_a_wrong_wish_is_named_with_what_to_do(wrong: dict[str, Any], sentence: str) -> None:
    assert any(sentence in problem for problem in problems([{**GOOD, **wrong}], 30))


def test_a_recovery_window_outside_of_aws_limits_and_a_name_given_twice_are_refused() -> None:
    assert len(problems([GOOD, GOOD], 31)) == 2


def test_parts_are_generated_and_copied_into_their_places() -> None:
    spec = {
        "json": {"user": "app", "url": "db://app:{password}@{host}"},
        "generate": [PART],
        "copy": [{"name": "host", "secret_id": "other", "key": "host"}],
    }
    told = json.loads(compose(spec, lambda secret_id, key: f"{secret_id}.{key}"))
    assert told["user"] == "app"
    assert told["url"].endswith("@other.host")
    assert len(told["url"]) == len("db://app:@other.host") + 40


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        (None, "alias/aws/secretsmanager"),
        ("arn:aws:kms:us-east-1:123456789012:key/abc", "abc"),
        ("abc", "abc"),
        ("alias/stories", "alias/stories"),
        ("arn:aws:kms:us-east-1:123456789012:alias/stories", "alias/stories"),
    ],
)
def test_a_key_has_one_spelling(given: str | None, canonical: str) -> None:
    assert canonical_key(given) == canonical
