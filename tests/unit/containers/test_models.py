"""Wishes that ECS, ECR, Cloud Map or ACM would refuse, refused before the first call."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._acm import model as acm
from ansible_collections.stories1001.platform.plugins.module_utils._ecr import model as ecr
from ansible_collections.stories1001.platform.plugins.module_utils._ecs import model as ecs
from ansible_collections.stories1001.platform.plugins.module_utils._ecs import shapes, task_model
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._service_discovery import model as discovery

Params = dict[str, Any]
CONTAINER: Params = {
    "name": "app",
    "image": "app:1",
    "essential": True,
    "environment": {},
    "secrets": {},
    "stop_timeout": 30,
    "mount_points": [],
    "depends_on": {},
    "health_check": None,
}
TASK: Params = {
    "family": "stories-test-app-blue",
    "cpu": 512,
    "memory": 1024,
    "ephemeral_storage_gib": None,
    "volumes": [],
    "containers": [CONTAINER],
    "release_container": "app",
}
CHECK = {"command": ["true"], "interval": 30, "timeout": 5, "retries": 3, "start_period": 0}
DEPLOYMENT = {
    "minimum_healthy_percent": 100,
    "maximum_percent": 200,
    "circuit_breaker": True,
    "rollback": True,
    "alarms": [],
}
SERVICES: Params = {
    "services": [{"name": "app-blue", "desired_count": 2}],
    "capacity_provider_strategy": [],
    "deployment": DEPLOYMENT,
    "availability_zone_rebalancing": True,
    "health_check_grace_period": 60,
}


def container(**changes: Any) -> Params:
    return {**TASK, "containers": [{**CONTAINER, **changes}]}


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({**TASK, "family": "no spaces"}, "1 to 255 letters"),
        ({**TASK, "cpu": 300}, "Fargate takes 256"),
        ({**TASK, "cpu": 256, "memory": 4096}, "512, 1024, 2048"),
        ({**TASK, "cpu": 1024, "memory": 1024}, "2048 to 8192 in steps of 1024"),
        ({**TASK, "cpu": 8192, "memory": 17408}, "steps of 4096"),
        ({**TASK, "ephemeral_storage_gib": 20}, "21 to 200"),
        ({**TASK, "containers": [CONTAINER, CONTAINER]}, "twice"),
        ({**TASK, "release_container": "web"}, "Choose one of these"),
        (container(essential=False), "no essential container"),
        (container(environment={"A": 1}, secrets={"A": "arn"}), "Keep it in secrets"),
        (container(stop_timeout=121), "2 to 120 seconds"),
        (container(mount_points=[{"source_volume": "data"}]), "Declare the volume"),
        (container(depends_on={"app": "START"}), "depends_on app"),
        (container(health_check={**CHECK, "retries": 11}), "1 to 10"),
    ],
)
def test_a_task_that_fargate_would_refuse_is_refused(wish: Params, said: str) -> None:
    assert [sentence for sentence in task_model.problems(wish) if said in sentence]


@pytest.mark.parametrize(("cpu", "memory"), [(256, 512), (512, 4096), (1024, 3072), (4096, 30720), (16384, 122880)])
def test_a_size_that_fargate_has_is_taken(cpu: int, memory: int) -> None:
    assert task_model.problems({**TASK, "cpu": cpu, "memory": memory}) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"deployment": {**DEPLOYMENT, "maximum_percent": 100}}, "needs room"),
        ({"deployment": {**DEPLOYMENT, "circuit_breaker": False}}, "Turn the circuit breaker on"),
        ({"deployment": {**DEPLOYMENT, "minimum_healthy_percent": 50, "maximum_percent": 100}}, "more than 100"),
        ({"services": [{"name": "a", "desired_count": -1}]}, "0 or more"),
        ({"services": [{"name": "a", "desired_count": 0}] * 2}, "twice"),
        ({"health_check_grace_period": -1}, "0 or more seconds"),
        (
            {"capacity_provider_strategy": [{"capacity_provider": "EC2", "weight": 1, "base": 0}]},
            "FARGATE, FARGATE_SPOT",
        ),
    ],
)
def test_services_that_ecs_would_refuse_are_refused(changes: Params, said: str) -> None:
    assert [sentence for sentence in ecs.service_problems({**SERVICES, **changes}) if said in sentence]


@pytest.mark.parametrize(
    ("strategy", "capacity"),
    [
        ([], "FARGATE"),
        ([{"capacity_provider": "FARGATE", "weight": 1, "base": 0}], "FARGATE"),
        ([{"capacity_provider": "FARGATE_SPOT", "weight": 1, "base": 0}], None),
    ],
)
def test_a_strategy_of_fargate_alone_is_the_launch_type(strategy: list[Params], capacity: str | None) -> None:
    assert shapes.capacity_fields(strategy) == (capacity or strategy)


def test_a_changed_field_sends_its_parameter_alone_so_that_nothing_else_starts_a_deployment() -> None:
    fields = {
        **shapes.service_fields({"deployments": []}),
        "enable_execute_command": True,
        "load_balancers": [],
    }
    assert shapes.to_service(fields, changed=["enable_execute_command"]) == {"enableExecuteCommand": True}


@pytest.mark.parametrize(
    ("deployments", "running", "complete"),
    [
        ([{"status": "PRIMARY", "rolloutState": "COMPLETED"}], 2, True),
        ([{"status": "PRIMARY", "rolloutState": "COMPLETED"}], 1, False),
        ([{"status": "PRIMARY", "rolloutState": "IN_PROGRESS"}], 2, False),
        ([{"status": "PRIMARY", "rolloutState": "COMPLETED"}, {"status": "ACTIVE"}], 2, False),
    ],
)
def test_a_deployment_is_complete_when_it_alone_runs_all_its_tasks(
    deployments: list[Params], running: int, complete: bool
) -> None:
    service = {"deployments": deployments, "runningCount": running, "desiredCount": 2}
    assert shapes.is_complete(service, deployments[0]) is complete


REPOSITORY: Params = {
    "names": ["stories-test-app"],
    "tags": {},
    "encryption": "AES256",
    "kms_key_id": None,
    "keep_tagged_images": 50,
    "expire_untagged_after_days": 7,
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"names": ["Stories"]}, "lower-case"),
        ({"names": ["a--b"]}, "single hyphens"),
        ({"names": ["app", "app"]}, "twice"),
        ({"kms_key_id": "arn:key"}, "Choose encryption KMS"),
        ({"keep_tagged_images": 0}, "1 or more"),
    ],
)
def test_a_repository_that_ecr_would_refuse_is_refused(changes: Params, said: str) -> None:
    assert [sentence for sentence in ecr.problems({**REPOSITORY, **changes}) if said in sentence]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"namespace": "two..dots"}, "must be a domain name"),
        ({"services": ["app.blue"]}, "one DNS label"),
        ({"services": ["app", "app"]}, "twice"),
        ({"ttl": -1}, "0 to 2147483647"),
    ],
)
def test_a_namespace_that_cloud_map_would_refuse_is_refused(changes: Params, said: str) -> None:
    wish = {"namespace": "stories.internal", "services": ["app-blue"], "ttl": 10, "soa_ttl": 15, **changes}
    assert [sentence for sentence in discovery.problems(wish) if said in sentence]


@pytest.mark.parametrize("domain", ["", "localhost", "under_score.example.org", "a" * 64 + ".org", "*.*.example.org"])
def test_a_domain_that_acm_would_refuse_is_refused(domain: str) -> None:
    with pytest.raises(PlanRefused):
        acm.desired({"domain_name": domain, "subject_alternative_names": []})


def test_a_certificate_is_the_same_whatever_the_order_of_its_names() -> None:
    assert acm.certificate_name("a.org", ["c.org", "b.org", "a.org"]) == acm.certificate_name(
        "a.org", ["b.org", "c.org"]
    )
