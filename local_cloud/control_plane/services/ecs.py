# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS: the checks of CreateService and its idempotency, INACTIVE clusters that stay visible, account settings."""

from __future__ import annotations

import re
from typing import Any

from ministack.services import ecs

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.stores import store

_created = store("ecs_created_services")  # "cluster/service" -> the parameters of CreateService
_inactive = store("ecs_inactive_clusters")  # cluster name -> its last description

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


def _short(cluster: str) -> str:
    return cluster.rpartition("/")[2]


@registry.handles("ecs", "CreateCluster")
async def create_cluster(call: Call) -> Params:
    name = call.params.get("clusterName", "default")
    if not _NAME.fullmatch(name):
        raise AwsError(
            "InvalidParameterException", "Cluster names can have only letters, digits, hyphens and underscores."
        )
    _inactive.pop(name, None)
    return await call.forward()


@registry.handles("ecs", "DeleteCluster")
async def delete_cluster(call: Call) -> Params:
    name = _short(call.params["cluster"])
    if any(key.startswith(f"{name}/") and item["status"] == "ACTIVE" for key, item in ecs._services.items()):
        raise AwsError("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
    running = [task for task in ecs._tasks.values() if task["clusterArn"].endswith(f"/{name}")]
    if any(task["lastStatus"] != "STOPPED" for task in running):
        raise AwsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    answer = await call.forward()
    cluster = {key: value for key, value in answer["cluster"].items() if not hasattr(value, "isoformat")}
    _inactive[cluster["clusterName"]] = {**cluster, "status": "INACTIVE"}
    return {"cluster": {**answer["cluster"], "status": "INACTIVE"}}


@registry.handles("ecs", "DescribeClusters")
async def describe_clusters(call: Call) -> Params:
    answer = await call.forward()
    asked = [_short(name) for name in call.params.get("clusters", ["default"])]
    found = {cluster["clusterName"] for cluster in answer.get("clusters", [])}
    gone = [_inactive[name] for name in asked if name in _inactive and name not in found]
    names = {cluster["clusterName"] for cluster in gone}
    failures = [item for item in answer.get("failures", []) if _short(item["arn"]) not in names]
    return {"clusters": [*answer.get("clusters", []), *gone], "failures": failures}


@registry.handles("ecs", "CreateService")
async def create_service(call: Call) -> Params:
    wanted = call.params
    cluster, name = _short(wanted.get("cluster", "default")), wanted["serviceName"]
    if not _NAME.fullmatch(name):
        raise AwsError(
            "InvalidParameterException", "Service names can have only letters, digits, hyphens and underscores."
        )
    if cluster not in ecs._clusters:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    key = f"{cluster}/{name}"
    settings = {member: value for member, value in wanted.items() if member != "clientToken"}
    if ecs._services.get(key, {}).get("status") == "ACTIVE":
        if _created.get(key) != settings:
            raise AwsError("InvalidParameterException", "Creation of service was not idempotent.")
        found = await call.invoke(
            "ecs", "DescribeServices", {"cluster": cluster, "services": [name], "include": ["TAGS"]}
        )
        return {"service": found["services"][0]}
    await _check(call)
    answer = await call.forward()
    _created[key] = settings
    record = ecs._services[key]
    if record["launchType"] == "FARGATE" or "FARGATE" in str(record["capacityProviderStrategy"]):
        record["platformVersion"] = record["platformVersion"] or "LATEST"
        record["platformFamily"] = record["platformFamily"] or "Linux"
    return {"service": {**answer["service"], **_platform(record)}}


def _platform(record: dict[str, Any]) -> dict[str, Any]:
    return {member: record[member] for member in ("platformVersion", "platformFamily") if record[member]}


async def _check(call: Call) -> None:
    """Raise what AWS answers when something that the service names is not there."""
    wanted = call.params
    definition = await _task_definition(call, wanted.get("taskDefinition", ""))
    if wanted.get("desiredCount", 0) < 0:
        raise AwsError("InvalidParameterException", "desiredCount must not be negative.")
    network = wanted.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    if definition.get("networkMode") == "awsvpc" and not network.get("subnets"):
        raise AwsError(
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )
    for operation, member, ids in (
        ("DescribeSubnets", "SubnetIds", network.get("subnets", [])),
        ("DescribeSecurityGroups", "GroupIds", network.get("securityGroups", [])),
    ):
        if ids:
            try:
                await call.invoke("ec2", operation, {member: ids})
            except AwsError as error:
                raise AwsError("InvalidParameterException", f"Error retrieving {member}: {error.message}") from error
    containers = {item["name"]: item for item in definition.get("containerDefinitions", [])}
    for balancer in wanted.get("loadBalancers", []):
        await _check_load_balancer(call, balancer, containers)
    for service_registry in wanted.get("serviceRegistries", []):
        service = service_registry["registryArn"].rpartition("/")[2]
        try:
            await call.invoke("servicediscovery", "GetService", {"Id": service})
        except AwsError as error:
            raise AwsError("InvalidParameterException", f"Unable to find service registry {service}.") from error


async def _task_definition(call: Call, name: str) -> dict[str, Any]:
    try:
        found = await call.invoke("ecs", "DescribeTaskDefinition", {"taskDefinition": name})
    except AwsError as error:
        raise AwsError("ClientException", "TaskDefinition not found.") from error
    definition: dict[str, Any] = found["taskDefinition"]
    if definition["status"] != "ACTIVE":
        raise AwsError("ClientException", "TaskDefinition is inactive")
    return definition


async def _check_load_balancer(call: Call, balancer: dict[str, Any], containers: dict[str, Any]) -> None:
    container = containers.get(balancer.get("containerName", ""))
    if container is None:
        raise AwsError(
            "InvalidParameterException",
            f"The container {balancer.get('containerName')} does not exist in the task definition.",
        )
    if balancer.get("containerPort") not in [item["containerPort"] for item in container.get("portMappings", [])]:
        raise AwsError(
            "InvalidParameterException",
            f"The container {balancer['containerName']} did not have a container port {balancer.get('containerPort')} "
            "defined.",
        )
    arn = balancer.get("targetGroupArn")
    if not arn:
        return
    try:
        found = await call.invoke("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [arn]})
    except AwsError as error:
        raise AwsError(
            "InvalidParameterException", f"Unable to assume role and validate the target group {arn}."
        ) from error
    if not found["TargetGroups"][0]["LoadBalancerArns"]:
        raise AwsError(
            "InvalidParameterException",
            f"The target group with targetGroupArn {arn} does not have an associated load balancer.",
        )


@registry.handles("ecs", "UpdateService")
async def update_service(call: Call) -> Params:
    if "taskDefinition" in call.params:
        await _task_definition(call, call.params["taskDefinition"])
    return await call.forward()


@registry.handles("ecs", "ListAccountSettings", "PutAccountSetting", "PutAccountSettingDefault", "DeleteAccountSetting")
async def account_settings(call: Call) -> Params:
    answer = await call.forward()
    for setting in [*answer.get("settings", []), *([answer["setting"]] if "setting" in answer else [])]:
        setting["type"] = "aws_managed" if setting.get("type") == "aws" else "user"
    return answer
