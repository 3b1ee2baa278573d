"""The roadmap on a whole embedded cloud: plan, run, again, drift, secrets, what a site run leaves alone, teardown.

The tests of this file share one cloud and build on each other, in the order in which they stand.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.support.ansible import PlayResult, run_playbook
from tests.support.cloud import Cloud
from tests.support.inventory import contents

SITE = "playbooks/site.yml"


def run(cloud: Cloud, *options: str, **variables: Any) -> PlayResult:
    result = run_playbook(cloud, SITE, *options, variables=variables)
    assert result.returncode == 0, result.errors or result.output[-3000:]
    return result


@pytest.fixture(scope="module")
def first(whole_cloud: Cloud) -> dict[str, Any]:
    """The check on the empty account, and the first run with everything it printed."""
    with whole_cloud.recorded() as calls:
        planned = run(whole_cloud, "--check", "--diff")
    made = run(whole_cloud, "-vvvv")
    return {"planned": planned, "planning_calls": calls, "made": made}


def test_the_check_on_an_empty_account_writes_nothing(first: dict[str, Any]) -> None:
    assert [call["action"] for call in first["planning_calls"] if call["writes"]] == []


def test_the_check_lists_exactly_what_the_run_then_makes(first: dict[str, Any]) -> None:
    assert first["planned"].steps == first["made"].steps
    assert len(first["made"].steps) > 90


def test_the_second_run_changes_nothing_and_writes_nothing(whole_cloud: Cloud, first: dict[str, Any]) -> None:
    with whole_cloud.recorded() as calls:
        assert run(whole_cloud).changed == 0
    assert [call["action"] for call in calls if call["writes"]] == []


def test_the_check_on_the_standing_platform_finds_nothing(whole_cloud: Cloud, first: dict[str, Any]) -> None:
    assert run(whole_cloud, "--check", "--diff").changed == 0


def test_the_site_answers_through_the_load_balancer_with_a_row_and_a_counter(
    whole_cloud: Cloud, first: dict[str, Any]
) -> None:
    visit = run_playbook(whole_cloud, "playbooks/visit.yml")
    assert visit.returncode == 0, visit.errors
    health = next(result["json"] for name, result in visit.tasks if name == "Ask for its health")
    assert health["status"] == "ok"
    assert health["checks"] == {"postgresql": "ok", "redis": "ok"}


def test_no_secret_value_appears_in_output_at_the_highest_verbosity_nor_in_the_call_log(
    whole_cloud: Cloud, first: dict[str, Any]
) -> None:
    secrets = whole_cloud.client("secretsmanager")
    values: set[str] = set()
    for entry in secrets.list_secrets()["SecretList"]:
        text = secrets.get_secret_value(SecretId=entry["ARN"]).get("SecretString", "")
        # A user's name is told in the open; everything else in a secret is one.
        parts = json.loads(text) if text.startswith("{") else {"value": text}
        values |= {str(value) for key, value in parts.items() if key != "username" and len(str(value)) >= 12}
    assert len(values) >= 3
    told = first["made"].output + first["planned"].output + json.dumps(whole_cloud.calls())
    assert [value for value in values if value in told] == []


def test_a_site_run_moves_neither_weights_nor_counts_nor_the_slot(whole_cloud: Cloud, first: dict[str, Any]) -> None:
    elbv2, scaling = whole_cloud.client("elbv2"), whole_cloud.client("application-autoscaling")
    ecs = whole_cloud.client("ecs")
    balancer = elbv2.describe_load_balancers(Names=["stories-local"])["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    production = next(one for one in listeners if one["Port"] == 443)
    forward = production["DefaultActions"][0]["ForwardConfig"]
    split = [{**group, "Weight": weight} for group, weight in zip(forward["TargetGroups"], (37, 63), strict=True)]
    action = {"Type": "forward", "ForwardConfig": {**forward, "TargetGroups": split}}
    elbv2.modify_listener(ListenerArn=production["ListenerArn"], DefaultActions=[action])
    ecs.update_service(cluster="stories-local", service="stories-local-app-blue", desiredCount=3)
    dimension = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    suspended = {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": True,
    }
    blue = {**dimension, "ResourceId": "service/stories-local/stories-local-app-blue"}
    scaling.register_scalable_target(**blue, SuspendedState=suspended)

    assert run(whole_cloud).changed == 0

    after = elbv2.describe_listeners(ListenerArns=[production["ListenerArn"]])["Listeners"][0]
    kept = after["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    assert [group["Weight"] for group in kept] == [37, 63]
    service = ecs.describe_services(cluster="stories-local", services=["stories-local-app-blue"])["services"][0]
    assert service["desiredCount"] == 3
    target = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[blue["ResourceId"]])
    assert target["ScalableTargets"][0]["SuspendedState"] == suspended

    whole = [{**group, "Weight": weight} for group, weight in zip(forward["TargetGroups"], (100, 0), strict=True)]
    action = {"Type": "forward", "ForwardConfig": {**forward, "TargetGroups": whole}}
    elbv2.modify_listener(ListenerArn=production["ListenerArn"], DefaultActions=[action])


def test_the_cloud_rests_in_less_than_a_gibibyte(whole_cloud: Cloud, first: dict[str, Any]) -> None:
    with urllib.request.urlopen(f"{whole_cloud.endpoint}/_cloud/ready", timeout=10) as answer:
        assert json.load(answer)["ready"] is True
    assert whole_cloud.memory_mib() < 1024


def test_teardown_without_the_platforms_name_refuses(whole_cloud: Cloud, first: dict[str, Any]) -> None:
    with whole_cloud.recorded() as calls:
        result = run_playbook(whole_cloud, "playbooks/teardown.yml", variables={"teardown_platform": "stories"})
    (error,) = result.errors
    assert "stories-local" in error
    assert not [call for call in calls if call["writes"]]


def test_teardown_refuses_while_protection_is_on(whole_cloud: Cloud, first: dict[str, Any]) -> None:
    with whole_cloud.recorded() as calls:
        result = run_playbook(whole_cloud, "playbooks/teardown.yml", variables={"teardown_platform": "stories-local"})
    (error,) = result.errors
    assert "protection" in error
    assert "teardown_remove_protection" in error
    assert not [call for call in calls if call["writes"]]


def test_teardown_leaves_nothing_behind(whole_cloud: Cloud, first: dict[str, Any]) -> None:
    sure = {"teardown_platform": "stories-local", "teardown_remove_protection": True, "teardown_delete_data": True}
    result = run_playbook(whole_cloud, "playbooks/teardown.yml", variables=sure)
    assert result.returncode == 0, result.errors
    assert contents(whole_cloud, "stories-local") == []
    assert run_playbook(whole_cloud, "playbooks/teardown.yml", variables=sure).changed == 0
