# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS answers as fields that compare with ==, and fields as ECS parameters; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

Strategy = list[dict[str, Any]]


def cluster_fields(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a cluster from an item of DescribeClusters."""
    settings = {one["name"]: one["value"] for one in cluster.get("settings", [])}
    execute = cluster.get("configuration", {}).get("executeCommandConfiguration", {})
    logs = execute.get("logConfiguration", {})
    return {
        "container_insights": settings.get("containerInsights", "disabled"),
        "execute_command_logging": execute.get("logging", "DEFAULT"),
        "execute_command_kms_key": execute.get("kmsKeyId"),
        "execute_command_log_group": logs.get("cloudWatchLogGroupName"),
        "execute_command_log_encryption": logs.get("cloudWatchEncryptionEnabled", False),
        "capacity_providers": sorted(cluster.get("capacityProviders", [])),
        "default_strategy": strategy_fields(cluster.get("defaultCapacityProviderStrategy", [])),
        "service_connect_namespace": cluster.get("serviceConnectDefaults", {}).get("namespace") or None,
    }


def to_cluster(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that CreateCluster and UpdateCluster share."""
    execute: dict[str, Any] = {"logging": fields["execute_command_logging"]}
    if fields["execute_command_kms_key"]:
        execute["kmsKeyId"] = fields["execute_command_kms_key"]
    if fields["execute_command_logging"] == "OVERRIDE":
        execute["logConfiguration"] = {
            "cloudWatchLogGroupName": fields["execute_command_log_group"],
            "cloudWatchEncryptionEnabled": fields["execute_command_log_encryption"],
        }
    namespace = fields["service_connect_namespace"]
    return {
        "settings": [{"name": "containerInsights", "value": fields["container_insights"]}],
        "configuration": {"executeCommandConfiguration": execute},
        **({"serviceConnectDefaults": {"namespace": namespace}} if namespace else {}),
    }


def to_changed_cluster(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of UpdateCluster, where an empty name is what removes a namespace."""
    return {**to_cluster(fields), "serviceConnectDefaults": {"namespace": fields["service_connect_namespace"] or ""}}


def strategy_fields(strategy: Sequence[Mapping[str, Any]]) -> Strategy:
    """A capacity provider strategy with AWS's defaults spelled out, by provider."""
    full = [
        {
            "capacity_provider": one["capacityProvider"],
            "weight": one.get("weight", 0),
            "base": one.get("base", 0),
        }
        for one in strategy
    ]
    return sorted(full, key=lambda one: str(one["capacity_provider"]))


def to_strategy(strategy: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Inverse of `strategy_fields`."""
    return [
        {"capacityProvider": one["capacity_provider"], "weight": one["weight"], "base": one["base"]} for one in strategy
    ]


def service_fields(service: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a service from an item of DescribeServices."""
    network = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    deployment = service.get("deploymentConfiguration", {})
    breaker = deployment.get("deploymentCircuitBreaker", {})
    alarms = deployment.get("alarms", {})
    strategy = strategy_fields(service.get("capacityProviderStrategy", []))
    return {
        "scheduling_strategy": service.get("schedulingStrategy", "REPLICA"),
        "deployment_controller": service.get("deploymentController", {}).get("type", "ECS"),
        "deployment_strategy": deployment.get("strategy", "ROLLING"),
        "capacity": capacity_fields(strategy) if strategy else service.get("launchType", "FARGATE"),
        "platform_version": service.get("platformVersion", "LATEST"),
        "subnets": sorted(network.get("subnets", [])),
        "security_groups": sorted(network.get("securityGroups", [])),
        "assign_public_ip": network.get("assignPublicIp", "DISABLED") == "ENABLED",
        "maximum_percent": deployment.get("maximumPercent", 200),
        "minimum_healthy_percent": deployment.get("minimumHealthyPercent", 100),
        "circuit_breaker": breaker.get("enable", False),
        "circuit_breaker_rollback": breaker.get("rollback", False),
        "alarms": sorted(alarms.get("alarmNames", [])) if alarms.get("enable") else [],
        "alarms_rollback": bool(alarms.get("enable") and alarms.get("rollback")),
        "enable_execute_command": service.get("enableExecuteCommand", False),
        "enable_ecs_managed_tags": service.get("enableECSManagedTags", False),
        "propagate_tags": service.get("propagateTags", "NONE"),
        "availability_zone_rebalancing": service.get("availabilityZoneRebalancing", "DISABLED") == "ENABLED",
        "health_check_grace_period": service.get("healthCheckGracePeriodSeconds", 0),
        "load_balancers": sorted(
            (load_balancer_fields(one) for one in service.get("loadBalancers", [])),
            key=lambda one: str(one["target_group"]),
        ),
        "registries": sorted(one["registryArn"] for one in service.get("serviceRegistries", [])),
    }


def load_balancer_fields(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "target_group": one["targetGroupArn"],
        "container_name": one["containerName"],
        "container_port": one["containerPort"],
    }


def capacity_fields(strategy: Strategy) -> str | Strategy:
    """A strategy, or the launch type FARGATE for none or one that names nothing else: both place tasks alike."""
    providers = {one["capacity_provider"] for one in strategy}
    return "FARGATE" if providers <= {"FARGATE"} else strategy


def to_new_capacity(capacity: str | Strategy) -> dict[str, Any]:
    """Parameters of CreateService: a launch type, or a strategy; ECS refuses both together."""
    return {"launchType": capacity} if isinstance(capacity, str) else changed_capacity(capacity)


def changed_capacity(capacity: str | Strategy) -> dict[str, Any]:
    """Parameters of UpdateService, which knows no launch type; a strategy of FARGATE alone places tasks alike."""
    if isinstance(capacity, str):
        return {"capacityProviderStrategy": [{"capacityProvider": capacity, "weight": 1, "base": 0}]}
    return {"capacityProviderStrategy": to_strategy(capacity)}


# Which parameter of CreateService and UpdateService says which fields.
_SAYS: Mapping[str, frozenset[str]] = {
    "platformVersion": frozenset({"platform_version"}),
    "networkConfiguration": frozenset({"subnets", "security_groups", "assign_public_ip"}),
    "deploymentConfiguration": frozenset(
        {
            "maximum_percent",
            "minimum_healthy_percent",
            "circuit_breaker",
            "circuit_breaker_rollback",
            "alarms",
            "alarms_rollback",
        }
    ),
    "enableExecuteCommand": frozenset({"enable_execute_command"}),
    "enableECSManagedTags": frozenset({"enable_ecs_managed_tags"}),
    "propagateTags": frozenset({"propagate_tags"}),
    "availabilityZoneRebalancing": frozenset({"availability_zone_rebalancing"}),
    "healthCheckGracePeriodSeconds": frozenset({"health_check_grace_period"}),
    "loadBalancers": frozenset({"load_balancers"}),
    "serviceRegistries": frozenset({"registries"}),
}


def to_service(fields: Mapping[str, Any], changed: Collection[str] | None = None) -> dict[str, Any]:
    """Parameters that CreateService and UpdateService share; with ``changed``, only those that say such a field.

    A parameter that is not named stays as it is, and starts no new deployment.
    """
    values = {
        "platformVersion": fields["platform_version"],
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": fields["subnets"],
                "securityGroups": fields["security_groups"],
                "assignPublicIp": _switch(fields["assign_public_ip"]),
            }
        },
        "deploymentConfiguration": {
            "maximumPercent": fields["maximum_percent"],
            "minimumHealthyPercent": fields["minimum_healthy_percent"],
            "deploymentCircuitBreaker": {
                "enable": fields["circuit_breaker"],
                "rollback": fields["circuit_breaker_rollback"],
            },
            "alarms": {
                "alarmNames": fields["alarms"],
                "enable": bool(fields["alarms"]),
                "rollback": fields["alarms_rollback"],
            },
        },
        "enableExecuteCommand": fields["enable_execute_command"],
        "enableECSManagedTags": fields["enable_ecs_managed_tags"],
        "propagateTags": fields["propagate_tags"],
        "availabilityZoneRebalancing": _switch(fields["availability_zone_rebalancing"]),
        "healthCheckGracePeriodSeconds": fields["health_check_grace_period"],
        "loadBalancers": [
            {
                "targetGroupArn": one["target_group"],
                "containerName": one["container_name"],
                "containerPort": one["container_port"],
            }
            for one in fields["load_balancers"]
        ],
        "serviceRegistries": [{"registryArn": arn} for arn in fields["registries"]],
    }
    if changed is not None:
        return {name: value for name, value in values.items() if _SAYS[name] & set(changed)}
    if not fields["load_balancers"]:
        # ECS takes a grace period only with a load balancer.
        del values["healthCheckGracePeriodSeconds"]
    return values


def is_complete(service: Mapping[str, Any], newest: Mapping[str, Any]) -> bool:
    """Whether the newest deployment runs all tasks that are wanted, and no older one is left."""
    return (
        len(service["deployments"]) == 1
        and newest.get("rolloutState", "COMPLETED") == "COMPLETED"
        and service["runningCount"] >= service["desiredCount"]
    )


def _switch(on: bool) -> str:
    return "ENABLED" if on else "DISABLED"
