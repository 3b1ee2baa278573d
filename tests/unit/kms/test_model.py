"""What KMS would refuse is refused before the first write."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._kms.model import desired

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
KEY: dict[str, Any] = {
    "name": "data",
    "description": "Database",
    "policy": POLICY,
    "rotation": True,
    "rotation_period_in_days": 365,
    "multi_region": False,
}


def wish(key: dict[str, Any], **params: Any) -> dict[str, Any]:
    tags = {"Project": "p", "Environment": "e"}
    return {"name": "stories-test", "tags": tags, "pending_window_in_days": 30, "keys": [{**KEY, **key}], **params}


@pytest.mark.parametrize(
    ("key", "params", "sentence"),
    [
        ({"rotation_period_in_days": 30}, {}, "90 to 2560 days"),
        ({"name": "a b"}, {}, "an alias takes"),
        ({"policy": {}}, {}, "nobody could use it"),
        ({"policy": {"Version": "2012-10-17"}}, {}, "Give a JSON policy document"),
        ({}, {"pending_window_in_days": 1}, "7 to 30 days"),
        ({}, {"keys": [KEY, KEY]}, "Name each key once"),
    ],
)
def test_what_kms_refuses_is_one_sentence(key: dict[str, Any], params: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanRefused) as refusal:
        desired(wish(key, **params))
    assert sentence in str(refusal.value)


def test_a_key_without_rotation_may_have_any_period() -> None:
    [key] = desired(wish({"rotation": False, "rotation_period_in_days": 1}))
    assert key.fields["rotation_period_in_days"] is None
