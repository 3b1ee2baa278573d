# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS services and tasks as real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.local_cloud.data_plane.load import Result, load
from tests.local_cloud.data_plane.stage import Stage, address_of, eventually, forward, get


@pytest.fixture
def group(stage: Stage) -> str:
    return stage.target_group()


@pytest.fixture
def service(stage: Stage, group: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Two tasks of version 1.0.0 behind a load balancer."""
    balancer = stage.load_balancer(forward((group, 1)))
    name = stage.service(stage.task_definition(), group, desired=2)
    stage.steady(name)
    yield name, balancer
    stage.remove(name)


def under_load(balancer: dict[str, Any], seconds: float) -> tuple[threading.Thread, list[Result]]:
    """A thread that asks the load balancer 150 times a second; its result comes into the list."""
    results: list[Result] = []

    def run() -> None:
        results.append(asyncio.run(load(balancer["address"], balancer["port"], "/api/version", 150, seconds)))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def test_a_service_reaches_its_desired_count_and_answers_through_the_load_balancer(
    stage: Stage, service: tuple[str, dict[str, Any]], group: str
) -> None:
    name, balancer = service
    tasks = stage.tasks(name)
    assert len({address_of(task) for task in tasks}) == 2
    assert stage.health(group) == dict.fromkeys(map(address_of, tasks), "healthy")
    status, body, headers = get(balancer["url"] + "/api/version")
    assert (status, json.loads(body)["version"], headers["x-app-version"]) == (200, "1.0.0", "1.0.0")
    messages = [event["message"] for event in stage.described(name)["events"]]
    assert any("has reached a steady state" in message for message in messages)
    assert [task["lastStatus"] for task in tasks] == ["RUNNING", "RUNNING"]


def test_a_rolling_deployment_replaces_all_tasks_without_a_failed_request(
    stage: Stage, service: tuple[str, dict[str, Any]]
) -> None:
    name, balancer = service
    thread, results = under_load(balancer, 8)
    answer = stage.ecs.update_service(cluster="stage", service=name, taskDefinition=stage.task_definition("2.0.0"))
    states = {item["status"]: item["rolloutState"] for item in answer["service"]["deployments"]}
    assert states == {"PRIMARY": "IN_PROGRESS", "ACTIVE": "COMPLETED"}
    stage.steady(name)
    thread.join()
    assert results[0].failed == 0, results[0]
    assert results[0].versions.keys() == {"1.0.0", "2.0.0"}
    assert json.loads(get(balancer["url"] + "/api/version")[1])["version"] == "2.0.0"


def test_a_service_has_cpu_and_memory_metrics(stage: Stage, service: tuple[str, dict[str, Any]]) -> None:
    dimensions = [{"Name": "ClusterName", "Value": "stage"}, {"Name": "ServiceName", "Value": service[0]}]

    def averages(name: str) -> list[float]:
        now = time.time()
        found = stage.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ECS", MetricName=name, Dimensions=dimensions, Period=60,
            StartTime=now - 300, EndTime=now + 60, Statistics=["Average"],
        )["Datapoints"]  # fmt: skip
        return [point["Average"] for point in found]

    eventually(lambda: averages("CPUUtilization"))
    assert all(0 <= value < 400 for value in averages("CPUUtilization"))
    assert all(1 < value < 100 for value in averages("MemoryUtilization"))


def test_a_task_that_dies_is_replaced(stage: Stage, service: tuple[str, dict[str, Any]], group: str) -> None:
    name, balancer = service
    before = {task["taskArn"]: task for task in stage.tasks(name)}
    victim = json.loads(get(balancer["url"] + "/api/version")[1])["pid"]
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(before.keys() & {task["taskArn"] for task in stage.tasks(name)}) == 1)
    eventually(lambda: stage.described(name)["runningCount"] == 2)
    eventually(lambda: sorted(stage.health(group).values()) == ["healthy", "healthy"])
    dead = [task for task in stage.tasks(name, "STOPPED") if task["taskArn"] in before]
    found = [(task["stopCode"], task["containers"][0]["exitCode"]) for task in dead]
    assert found == [("EssentialContainerExited", 137)]
    assert stage.described(name)["deployments"][0]["failedTasks"] == 1


def test_scaling_in_drains_the_task_that_goes(stage: Stage, service: tuple[str, dict[str, Any]], group: str) -> None:
    name, balancer = service
    thread, results = under_load(balancer, 4)
    stage.ecs.update_service(cluster="stage", service=name, desiredCount=1)
    eventually(lambda: stage.described(name)["runningCount"] == 1 and len(stage.health(group)) == 1)
    thread.join()
    assert results[0].failed == 0, results[0]


def test_the_circuit_breaker_rolls_back_a_version_that_never_becomes_healthy(
    stage: Stage, service: tuple[str, dict[str, Any]]
) -> None:
    name, balancer = service
    good = stage.described(name)["taskDefinition"]
    bad = stage.task_definition("3.0.0", environment={"APP_FAULT": "never_healthy"})
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    thread, results = under_load(balancer, 10)
    stage.ecs.update_service(cluster="stage", service=name, taskDefinition=bad, deploymentConfiguration=breaker)
    eventually(lambda: stage.described(name)["taskDefinition"] == good, 60)
    found = stage.steady(name, 60)
    thread.join()
    assert "rolling back" in " ".join(event["message"] for event in found["events"])
    assert results[0].failed == 0, results[0]
    assert results[0].versions.keys() == {"1.0.0"}


def test_a_version_that_crashes_counts_failed_tasks_and_never_replaces_the_old_one(
    stage: Stage, service: tuple[str, dict[str, Any]]
) -> None:
    name, balancer = service
    bad = stage.task_definition("4.0.0", environment={"APP_FAULT": "crash_after=0.2"})
    stage.ecs.update_service(cluster="stage", service=name, taskDefinition=bad)
    eventually(lambda: stage.described(name)["deployments"][0]["failedTasks"] >= 3, 30)
    assert json.loads(get(balancer["url"] + "/api/version")[1])["version"] == "1.0.0"


def test_a_one_off_task_ends_with_the_exit_code_of_its_command(stage: Stage) -> None:
    definition = stage.task_definition(family="job")
    override = {"containerOverrides": [{"name": "app", "command": ["sh", "-c", "exit 3"]}]}
    task = stage.ecs.run_task(cluster="stage", taskDefinition=definition, launchType="FARGATE", overrides=override)
    arn = task["tasks"][0]["taskArn"]
    assert task["tasks"][0]["lastStatus"] == "PROVISIONING"

    def stopped() -> Any:
        found = stage.ecs.describe_tasks(cluster="stage", tasks=[arn])["tasks"][0]
        return found if found["lastStatus"] == "STOPPED" else None

    found = eventually(stopped)
    assert (found["containers"][0]["exitCode"], found["stopCode"]) == (3, "EssentialContainerExited")


def test_a_task_that_ignores_sigterm_is_killed_after_its_stop_timeout(stage: Stage) -> None:
    definition = stage.task_definition(family="deaf", environment={"APP_FAULT": "ignore_sigterm"}, stopTimeout=2)
    arn = stage.ecs.run_task(cluster="stage", taskDefinition=definition)["tasks"][0]["taskArn"]

    def task() -> dict[str, Any]:
        found: dict[str, Any] = stage.ecs.describe_tasks(cluster="stage", tasks=[arn])["tasks"][0]
        return found

    eventually(lambda: task()["lastStatus"] == "RUNNING")
    eventually(lambda: get(f"http://{address_of(task())}:3000/api/health")[0] == 200 if _listens(task()) else False)
    stage.ecs.stop_task(cluster="stage", task=arn, reason="by a test")
    eventually(lambda: task()["lastStatus"] == "STOPPED")
    assert (task()["containers"][0]["exitCode"], task()["stoppedReason"]) == (137, "by a test")


def _listens(task: dict[str, Any]) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex((address_of(task), 3000)) == 0


def test_a_secret_reaches_the_container_by_its_json_key_and_a_missing_key_stops_the_task(stage: Stage) -> None:
    secret = stage.client("secretsmanager").create_secret(
        Name=stage.name("secret"), SecretString=json.dumps({"slot": "from-the-secret"})
    )["ARN"]
    good = stage.task_definition(family="good", secrets=[{"name": "APP_SLOT", "valueFrom": f"{secret}:slot::"}])
    bad = stage.task_definition(family="bad", secrets=[{"name": "APP_SLOT", "valueFrom": f"{secret}:gone::"}])
    arns = [stage.ecs.run_task(cluster="stage", taskDefinition=item)["tasks"][0]["taskArn"] for item in (good, bad)]

    def tasks() -> list[dict[str, Any]]:
        return list(stage.ecs.describe_tasks(cluster="stage", tasks=arns)["tasks"])

    eventually(lambda: [task["lastStatus"] for task in tasks()] == ["RUNNING", "STOPPED"])
    eventually(lambda: _listens(tasks()[0]))
    assert get(f"http://{address_of(tasks()[0])}:3000/api/version")[2]["x-app-slot"] == "from-the-secret"
    assert tasks()[1]["stopCode"] == "TaskFailedToStart"
    assert "did not contain json key gone" in tasks()[1]["stoppedReason"]
    stage.ecs.stop_task(cluster="stage", task=arns[0])


def test_a_running_task_is_in_cloud_map(stage: Stage) -> None:
    discovery = stage.client("servicediscovery")
    operation = discovery.create_private_dns_namespace(Name="stage.local", Vpc=stage.vpc)["OperationId"]
    namespace = eventually(lambda: discovery.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"])
    registry = discovery.create_service(
        Name="app", NamespaceId=namespace, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 10}]}
    )["Service"]
    name = stage.service(stage.task_definition(), serviceRegistries=[{"registryArn": registry["Arn"]}])

    def addresses() -> list[str]:
        found = discovery.list_instances(ServiceId=registry["Id"])["Instances"]
        return [item["Attributes"]["AWS_INSTANCE_IPV4"] for item in found]

    eventually(addresses)
    assert addresses() == [address_of(task) for task in stage.tasks(name)]
    stage.remove(name)
    eventually(lambda: not addresses())


def test_an_image_that_was_pushed_brings_its_version_and_its_fault(stage: Stage) -> None:
    stage.client("ecr").create_repository(repositoryName="stories")
    pushed = stage.admin(
        "POST",
        "/data-plane/images",
        {"repository": "stories", "tag": "5.1.0", "environment": {"APP_FAULT": "wrong_body"}},
    )
    found = stage.client("ecr").describe_images(repositoryName="stories", imageIds=[{"imageTag": "5.1.0"}])
    assert found["imageDetails"][0]["imageDigest"] == pushed["digest"]
    definition = stage.task_definition(family="pushed", image=pushed["image_by_digest"])
    arn = stage.ecs.run_task(cluster="stage", taskDefinition=definition)["tasks"][0]["taskArn"]

    def task() -> dict[str, Any]:
        found: dict[str, Any] = stage.ecs.describe_tasks(cluster="stage", tasks=[arn])["tasks"][0]
        return found

    eventually(lambda: task()["lastStatus"] == "RUNNING" and _listens(task()))
    _, body, headers = get(f"http://{address_of(task())}:3000/api/version")
    assert (headers["x-app-version"], "not the page" in body) == ("5.1.0", True)
    stage.ecs.stop_task(cluster="stage", task=arn)
