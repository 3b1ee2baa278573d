"""ecs_task_definition on the embedded cloud."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.containers import wishes
from tests.integration.containers.wishes import BLUE, TAGS, definition, run
from tests.support.ansible import run_module
from tests.support.cloud import Cloud

Params = dict[str, Any]


def newest(cloud: Cloud) -> Params:
    found: Params = cloud.client("ecs").describe_task_definition(taskDefinition=BLUE)["taskDefinition"]
    return found


def revisions(cloud: Cloud, status: str = "ACTIVE") -> list[str]:
    listed = cloud.client("ecs").list_task_definitions(familyPrefix=BLUE, status=status)["taskDefinitionArns"]
    return [arn.rsplit("/", 1)[1] for arn in listed]


def registered(change: Callable[[Params], None]) -> wishes.ByHand:
    """Someone registers the newest revision again with one difference."""

    def by_hand(cloud: Cloud) -> None:
        known = ("family", "cpu", "memory", "networkMode", "requiresCompatibilities", "executionRoleArn")
        more = ("taskRoleArn", "runtimePlatform", "containerDefinitions", "volumes", "ephemeralStorage")
        shown = newest(cloud)
        again = copy.deepcopy({key: shown[key] for key in (*known, *more) if shown.get(key)})
        change(again)
        cloud.client("ecs").register_task_definition(**again, tags=[{"key": k, "value": v} for k, v in TAGS.items()])

    return by_hand


def task(**parameters: Any) -> wishes.ByHand:
    return registered(lambda again: again.update(parameters))


def container(**parameters: Any) -> wishes.ByHand:
    return registered(lambda again: again["containerDefinitions"][0].update(parameters))


def second_container(again: Params) -> None:
    again["containerDefinitions"].append({"name": "shell", "image": "busybox", "essential": False})


def an_essential_companion_instead(again: Params) -> None:
    again["containerDefinitions"][0] |= {
        "essential": False,
        "dependsOn": [{"containerName": "shell", "condition": "START"}],
    }
    again["containerDefinitions"].append({"name": "shell", "image": "busybox", "essential": True})


def foreign_tag(cloud: Cloud) -> None:
    arn = newest(cloud)["taskDefinitionArn"]
    cloud.client("ecs").tag_resource(resourceArn=arn, tags=[{"key": "Owner", "value": "somebody"}])


def test_one_revision_is_registered_and_never_a_second_for_the_same_wish(cloud: Cloud) -> None:
    made = wishes.assert_plan_run_again(cloud, "ecs_task_definition", definition(cloud))
    assert made["task_definition_arn"].endswith(f"/{BLUE}:1")
    assert revisions(cloud) == [f"{BLUE}:1"]


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (task(cpu="256", memory="1024"), "cpu"),
        (task(memory="2048"), "memory"),
        (task(executionRoleArn="arn:aws:iam::123456789012:role/other"), "executionRoleArn"),
        (task(taskRoleArn="arn:aws:iam::123456789012:role/other"), "taskRoleArn"),
        (task(runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}), "runtimePlatform"),
        (task(volumes=[{"name": "scratch"}]), "volumes"),
        (task(ephemeralStorage={"sizeInGiB": 50}), "ephemeralStorage"),
        (registered(second_container), "containers"),
        (container(environment=[{"name": "APP_SLOT", "value": "green"}]), "app.environment"),
        (container(secrets=[]), "app.secrets"),
        (container(portMappings=[{"containerPort": 3000}, {"containerPort": 9229}]), "app.portMappings"),
        (container(stopTimeout=5), "app.stopTimeout"),
        (container(healthCheck={"command": ["CMD-SHELL", "false"]}), "app.healthCheck"),
        (container(readonlyRootFilesystem=True), "app.readonlyRootFilesystem"),
        (container(linuxParameters={"initProcessEnabled": False}), "app.linuxParameters"),
        (container(command=["sleep", "1"]), "app.command"),
        (container(entryPoint=["sh"]), "app.entryPoint"),
        (container(user="root"), "app.user"),
        (container(cpu=64), "app.cpu"),
        (container(memory=512), "app.memory"),
        (container(workingDirectory="/srv"), "app.workingDirectory"),
        (container(mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}]), "app.mountPoints"),
        (container(ulimits=[{"name": "nofile", "softLimit": 64, "hardLimit": 64}]), "app.ulimits"),
        (registered(an_essential_companion_instead), "app.essential"),
        (registered(an_essential_companion_instead), "app.dependsOn"),
        (task(networkMode="bridge"), "networkMode"),
        (task(requiresCompatibilities=["EC2"]), "requiresCompatibilities"),
        (task(pidMode="task"), "other"),
        (container(memoryReservation=64), "app.memoryReservation"),
        (container(dockerLabels={"a": "b"}), "app.dockerLabels"),
        (container(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": "/o"}}), "app.logConfig"),
        # A key that nobody declares is drift too.
        (container(systemControls=[{"namespace": "net.ipv4.tcp_keepalive_time", "value": "5"}]), "app.other"),
        (foreign_tag, "Owner"),
    ],
)
def test_what_was_registered_by_hand_is_named_as_drift_and_succeeded(
    cloud: Cloud, by_hand: wishes.ByHand, field: str
) -> None:
    wishes.assert_drift_is_named_and_mended(cloud, "ecs_task_definition", definition(cloud), by_hand, field)


def test_the_image_and_the_version_of_a_release_are_left_alone_and_carried_over(cloud: Cloud) -> None:
    wish = definition(cloud)
    run(cloud, "ecs_task_definition", wish)

    def release(again: Params) -> None:
        app = again["containerDefinitions"][0]
        app["image"] = "app@sha256:" + "a" * 64
        app["environment"] = [one for one in app["environment"] if one["name"] != "APP_VERSION"]
        app["environment"].append({"name": "APP_VERSION", "value": "2.0.0"})

    registered(release)(cloud)
    assert run(cloud, "ecs_task_definition", wish)["changed"] is False
    assert run(cloud, "ecs_task_definition", {**wish, "cpu": 1024, "memory": 2048})["changed"] is True
    app = newest(cloud)["containerDefinitions"][0]
    assert newest(cloud)["cpu"] == "1024"
    assert app["image"].startswith("app@sha256:")
    assert {"name": "APP_VERSION", "value": "2.0.0"} in app["environment"]


def test_all_revisions_are_removed(cloud: Cloud) -> None:
    run(cloud, "ecs_task_definition", definition(cloud))
    run(cloud, "ecs_task_definition", definition(cloud, memory=2048))
    gone = {"family": BLUE, "tags": TAGS, "state": "absent"}
    assert run(cloud, "ecs_task_definition", gone)["changed"] is True
    assert run(cloud, "ecs_task_definition", gone)["changed"] is False
    assert revisions(cloud) == revisions(cloud, "INACTIVE") == []


def unknown(cloud: Cloud) -> str:
    return "arn:aws:secretsmanager:us-east-1:123456789012:secret:none-AbCdEf"


def doomed(cloud: Cloud) -> str:
    arn = str(cloud.client("secretsmanager").create_secret(Name="doomed", SecretString="x")["ARN"])
    cloud.client("secretsmanager").delete_secret(SecretId=arn, RecoveryWindowInDays=30)
    return arn


def empty(cloud: Cloud) -> str:
    return str(cloud.client("secretsmanager").create_secret(Name="empty")["ARN"])


def parameter(cloud: Cloud) -> str:
    return "arn:aws:ssm:us-east-1:123456789012:parameter/stories/none"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (unknown, "no such secret"),
        (doomed, "scheduled for deletion"),
        (empty, "no value in it"),
        (parameter, "no such parameter"),
    ],
)
@pytest.mark.parametrize("module", ["ecs_task_definition", "ecs_secrets_info"])
def test_a_secret_that_is_missing_is_one_clear_error_before_the_first_write(
    cloud: Cloud, source: Callable[[Cloud], str], said: str, module: str
) -> None:
    wish = definition(cloud)
    secrets = {"NEXTAUTH_SECRET": source(cloud)}
    wish["containers"][0]["secrets"] = secrets
    with cloud.recorded() as calls:
        refused = run_module(cloud, module, {"secrets": secrets} if module == "ecs_secrets_info" else wish)
    assert refused["failed"] is True
    assert said in refused["msg"]
    assert "NEXTAUTH_SECRET" in refused["msg"]
    assert not [call for call in calls if call["writes"]]


def test_no_secret_value_is_read_or_shown(cloud: Cloud) -> None:
    wish = definition(cloud)
    with cloud.recorded() as calls:
        shown = run(cloud, "ecs_task_definition", wish)
    assert "not-shown-to-anyone" not in json.dumps([shown, calls])
    assert not [call for call in calls if call["action"] == "GetSecretValue"]
