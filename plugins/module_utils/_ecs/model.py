# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cluster and the services that are wanted, as resources; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused
from . import shapes

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_FARGATE = frozenset({"FARGATE", "FARGATE_SPOT"})


def cluster_problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the parameters of `ecs_cluster`, one sentence each."""
    yield from _name(params["name"], "cluster")
    execute = params["execute_command"]
    if execute["logging"] == "OVERRIDE" and not execute["log_group"]:
        yield (
            "Read execute_command.logging OVERRIDE without log_group; the log group is what it overrides. Name one, "
            "or choose DEFAULT."
        )
    yield from _strategy(params["default_capacity_provider_strategy"], params["capacity_providers"])


def desired_cluster(params: Mapping[str, Any]) -> list[Resource]:
    """The resource of an `ecs_cluster` call. Raises PlanRefused."""
    if wrong := list(cluster_problems(params)):
        raise PlanRefused(wrong)
    execute = params["execute_command"]
    override = execute["logging"] == "OVERRIDE"
    fields = {
        "container_insights": params["container_insights"],
        "execute_command_logging": execute["logging"],
        "execute_command_kms_key": execute["kms_key_id"],
        "execute_command_log_group": execute["log_group"] if override else None,
        "execute_command_log_encryption": override and execute["log_encryption"],
        "capacity_providers": sorted(set(params["capacity_providers"])),
        "default_strategy": _by_provider(params["default_capacity_provider_strategy"]),
        "service_connect_namespace": params["service_connect_namespace"],
    }
    return [Resource("ecs_cluster", params["name"], fields, tags=named(params["tags"], params["name"]))]


def service_problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the parameters of `ecs_services`, one sentence each."""
    names = [service["name"] for service in params["services"]]
    for name in names:
        yield from _name(name, "service")
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read the service {name} twice. Name each once."
    yield from _strategy(params["capacity_provider_strategy"])
    deployment = params["deployment"]
    low, high = deployment["minimum_healthy_percent"], deployment["maximum_percent"]
    if not 0 <= low <= 100 or high < 100 or low == high == 100:
        yield (
            f"Read minimum_healthy_percent {low} and maximum_percent {high}; a deployment needs room between them "
            "(0 to 100, and 100 or more). Change one."
        )
    if params["availability_zone_rebalancing"] and high <= 100:
        yield "Read availability_zone_rebalancing with maximum_percent 100; AWS needs more than 100. Raise it."
    if deployment["rollback"] and not deployment["circuit_breaker"]:
        yield "Read deployment.rollback without circuit_breaker; AWS needs both. Turn the circuit breaker on."
    if params["health_check_grace_period"] < 0:
        yield f"Read health_check_grace_period {params['health_check_grace_period']}; AWS takes 0 or more seconds."
    for service in params["services"]:
        if service["desired_count"] < 0:
            yield f"Read desired_count {service['desired_count']} for {service['name']}; AWS takes 0 or more."


def desired_services(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of an `ecs_services` call. Raises PlanRefused."""
    if wrong := list(service_problems(params)):
        raise PlanRefused(wrong)
    return [_service(params, service) for service in params["services"]]


def _service(params: Mapping[str, Any], service: Mapping[str, Any]) -> Resource:
    deployment = params["deployment"]
    fields = {
        "scheduling_strategy": "REPLICA",
        "deployment_controller": "ECS",
        "deployment_strategy": "ROLLING",
        "capacity": shapes.capacity_fields(_by_provider(params["capacity_provider_strategy"])),
        "platform_version": params["platform_version"],
        "subnets": sorted(set(params["subnet_ids"])),
        "security_groups": sorted(set(params["security_group_ids"])),
        "assign_public_ip": params["assign_public_ip"],
        "maximum_percent": deployment["maximum_percent"],
        "minimum_healthy_percent": deployment["minimum_healthy_percent"],
        "circuit_breaker": deployment["circuit_breaker"],
        "circuit_breaker_rollback": deployment["rollback"],
        "alarms": sorted(set(deployment["alarms"])),
        "alarms_rollback": bool(deployment["alarms"]) and deployment["rollback"],
        "enable_execute_command": params["enable_execute_command"],
        "enable_ecs_managed_tags": params["enable_ecs_managed_tags"],
        "propagate_tags": params["propagate_tags"],
        "availability_zone_rebalancing": params["availability_zone_rebalancing"],
        "health_check_grace_period": params["health_check_grace_period"] if service["target_group_arn"] else 0,
        "load_balancers": _load_balancers(params, service),
        "registries": [service["registry_arn"]] if service["registry_arn"] else [],
    }
    initial = {"task_definition": service["task_definition"], "desired_count": service["desired_count"]}
    tags = {**named(params["tags"], service["name"]), **(service["tags"] or {})}
    return Resource("ecs_service", service["name"], fields, initial, tags)


def _load_balancers(params: Mapping[str, Any], service: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not service["target_group_arn"]:
        return []
    return [
        {
            "target_group": service["target_group_arn"],
            "container_name": params["container_name"],
            "container_port": params["container_port"],
        }
    ]


def _by_provider(strategy: Sequence[Mapping[str, Any]]) -> shapes.Strategy:
    told = ("capacity_provider", "weight", "base")
    return sorted(({key: one[key] for key in told} for one in strategy), key=lambda one: str(one["capacity_provider"]))


def _name(name: str, what: str) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"Read the {what} name {name!r}; ECS takes 1 to 255 letters, digits, hyphens and underscores. Change it."


def _strategy(strategy: Sequence[Mapping[str, Any]], known: Sequence[str] | None = None) -> Iterator[str]:
    if sum(1 for one in strategy if one["base"]) > 1:
        yield "Read a capacity provider strategy with two bases; ECS takes one. Keep the base of one provider."
    if strategy and not any(one["weight"] for one in strategy):
        yield "Read a capacity provider strategy whose weights are all 0; ECS could place no task. Give one a weight."
    allowed = _FARGATE if known is None else set(known)
    for one in strategy:
        if one["capacity_provider"] not in allowed:
            yield (
                f"Read the capacity provider {one['capacity_provider']} in a strategy; the cluster has "
                f"{', '.join(sorted(allowed)) or 'none'}. Choose among these."
            )
