"""release_table, and what ecs_blue_green says of an account that lacks what it needs, on the embedded cloud."""

from __future__ import annotations

from typing import Any

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
WISH: dict[str, Any] = {"name": "stories-test-releases", "tags": TAGS}
RELEASE: dict[str, Any] = {
    "application": "stories-test-app",
    "cluster": "stories-test",
    "load_balancer": "stories-test",
    "table": "stories-test-releases",
    "image": "registry.example/app@sha256:" + "0" * 64,
    "checks": [{"path": "/"}],
}


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def test_the_table_is_made_as_planned_and_a_second_run_changes_nothing(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        planned = run_module(cloud, "release_table", WISH, check=True)
    assert not [call for call in calls if call["writes"]]
    assert steps(run_module(cloud, "release_table", WISH)) == steps(planned)
    assert run_module(cloud, "release_table", WISH)["changed"] is False


def test_protection_that_was_switched_off_by_hand_is_named_as_drift_and_mended(cloud: Cloud) -> None:
    run_module(cloud, "release_table", WISH)
    cloud.client("dynamodb").update_table(TableName=WISH["name"], DeletionProtectionEnabled=False)
    drift = run_module(cloud, "release_table", WISH, check=True)
    assert "deletion_protection" in drift["diff"][0]["before"]
    assert run_module(cloud, "release_table", WISH)["changed"] is True
    assert run_module(cloud, "release_table", WISH)["changed"] is False


def test_a_protected_table_is_removed_only_when_told(cloud: Cloud) -> None:
    run_module(cloud, "release_table", WISH)
    gone = {**WISH, "state": "absent"}
    assert "protection" in run_module(cloud, "release_table", gone)["msg"].lower()
    assert steps(run_module(cloud, "release_table", {**gone, "remove_protected": True}))
    assert run_module(cloud, "release_table", gone)["changed"] is False


def test_a_release_without_its_table_or_load_balancer_names_the_playbook_to_run(cloud: Cloud) -> None:
    assert "Run playbooks/phase7.yml" in run_module(cloud, "ecs_blue_green", RELEASE)["msg"]
    run_module(cloud, "release_table", WISH)
    with cloud.recorded() as calls:
        result = run_module(cloud, "ecs_blue_green", RELEASE)
    assert "Run playbooks/phase3.yml" in result["msg"]
    assert not [call for call in calls if call["writes"]]
