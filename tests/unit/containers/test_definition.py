"""Task definitions as fields: what is the same, what differs, what a release owns."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._ecs.definition import task_fields, to_definition
from ansible_collections.stories1001.platform.plugins.module_utils._ecs.secrets import resource_of

Params = dict[str, Any]
PLAIN: Params = {
    "cpu": "512",
    "memory": "1024",
    "containerDefinitions": [
        {
            "name": "app",
            "image": "app:1",
            "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
            "portMappings": [{"containerPort": 3000}],
            "healthCheck": {"command": ["CMD-SHELL", "true"]},
        }
    ],
}


def app(**changes: Any) -> Params:
    return {**PLAIN, "containerDefinitions": [{**PLAIN["containerDefinitions"][0], **changes}]}


# The same task, as AWS shows it: with everything that AWS adds.
SHOWN: Params = {
    **app(
        environment=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        portMappings=[{"containerPort": 3000, "hostPort": 3000, "protocol": "tcp"}],
        healthCheck={"command": ["CMD-SHELL", "true"], "interval": 30, "timeout": 5, "retries": 3},
        cpu=0,
        essential=True,
        mountPoints=[],
        volumesFrom=[],
        systemControls=[],
        privileged=False,
        readonlyRootFilesystem=False,
        secrets=[],
    ),
    "taskDefinitionArn": "arn:aws:ecs:us-east-1:1:task-definition/app:7",
    "family": "app",
    "revision": 7,
    "status": "ACTIVE",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "compatibilities": ["EC2", "FARGATE"],
    "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}],
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    "volumes": [],
    "placementConstraints": [],
    "registeredAt": "2026-01-01T00:00:00Z",
    "registeredBy": "arn:aws:iam::1:user/me",
}


def test_what_aws_adds_on_its_own_is_no_difference() -> None:
    assert task_fields(SHOWN) == task_fields(PLAIN)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({**PLAIN, "cpu": "256"}, "cpu"),
        ({**PLAIN, "pidMode": "task"}, "other"),
        (app(image="app:2"), "app.image"),
        (app(privileged=True), "app.other"),
        (app(startTimeout=5), "app.other"),
        (app(healthCheck={"command": ["CMD-SHELL", "true"], "startPeriod": 60}), "app.healthCheck"),
        (app(readonlyRootFilesystem=True), "app.readonlyRootFilesystem"),
        (app(essential=False), "app.essential"),
    ],
)
def test_a_difference_is_named_by_its_field_and_nothing_else_differs(changed: Params, field: str) -> None:
    before, after = task_fields(PLAIN), task_fields(changed)
    assert {name for name in after if after[name] != before[name]} == {field}


def test_fields_become_the_parameters_that_they_were_read_from() -> None:
    assert task_fields(to_definition(task_fields(SHOWN))) == task_fields(SHOWN)
    assert "status" not in to_definition(task_fields(SHOWN))


def test_variables_of_the_release_stand_apart_and_are_put_back_together() -> None:
    fields = task_fields(PLAIN, released=["B"])
    assert fields["app.environment"] == {"A": "1"}
    assert fields["app.released"] == {"B": "2"}
    (container,) = to_definition(fields)["containerDefinitions"]
    assert container["environment"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]


@pytest.mark.parametrize(
    ("source", "resource"),
    [
        (
            "arn:aws:secretsmanager:us-east-1:1:secret:app-AbCdEf:password::",
            "arn:aws:secretsmanager:us-east-1:1:secret:app-AbCdEf",
        ),
        (
            "arn:aws:secretsmanager:us-east-1:1:secret:app-AbCdEf",
            "arn:aws:secretsmanager:us-east-1:1:secret:app-AbCdEf",
        ),
        ("arn:aws:ssm:us-east-1:1:parameter/app/key", "arn:aws:ssm:us-east-1:1:parameter/app/key"),
    ],
)
def test_a_source_names_its_secret_without_key_and_version(source: str, resource: str) -> None:
    assert resource_of(source) == resource
