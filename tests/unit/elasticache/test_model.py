"""The cache that is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._elasticache.model import desired
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused

WISH: dict[str, Any] = {
    "name": "stories-test",
    "tags": {"Project": "1001-stories", "Environment": "test"},
    "description": "",
    "engine": "redis",
    "engine_version": "7.1",
    "node_type": "cache.t3.medium",
    "num_cache_clusters": 3,
    "port": 6379,
    "subnet_ids": ["subnet-b", "subnet-a"],
    "security_group_ids": ["sg-a"],
    "automatic_failover": True,
    "multi_az": True,
    "kms_key_arn": "",
    "transit_encryption": True,
    "auth_token_secret": "arn:secret",
    "parameter_group_family": "redis7",
    "parameters": {"timeout": 300},
    "logs": ["slow-log"],
    "log_format": "json",
    "log_retention_days": 30,
    "log_kms_key_arn": "",
    "snapshot_retention_limit": 7,
    "snapshot_window": "03:00-04:00",
    "preferred_maintenance_window": "Sun:04:00-Sun:05:00",
    "auto_minor_version_upgrade": True,
    "notification_topic_arn": "",
}


def test_groups_and_logs_come_before_the_replication_group() -> None:
    made = desired(WISH, "version-1")
    assert [one.kind for one in made] == [
        "cache_subnet_group",
        "cache_parameter_group",
        "log_group",
        "replication_group",
    ]
    assert made[1].fields["parameters"] == {"timeout": "300"}
    assert made[3].fields["auth_token"] == "version-1"
    assert made[3].fields["maintenance_window"] == "sun:04:00-sun:05:00"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "1001-stories"}, "beginning with a letter"),
        ({"name": "s" * 41}, "up to 40"),
        ({"num_cache_clusters": 7}, "1 to 6"),
        ({"num_cache_clusters": 1}, "a failover needs a second"),
        ({"automatic_failover": False}, "AWS wants both"),
        ({"transit_encryption": False}, "without encryption in transit"),
        ({"engine_version": "seven"}, "Write it like 7.1"),
        ({"snapshot_retention_limit": 36}, "AWS keeps 0 to 35"),
        ({"log_retention_days": 31}, "Choose one"),
        ({"snapshot_window": "04:30-05:30"}, "overlap"),
    ],
)
def test_a_wrong_cache_is_refused_with_what_to_do(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanRefused, match=sentence):
        desired({**WISH, **wrong}, None)
