# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The task definition that is wanted: parameters of `ecs_task_definition`, their rules, the resource; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._engine.resources import Resource
from .._engine.steps import PlanRefused
from .definition import RELEASED, task_fields

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_GIB = 1024

# Amazon ECS developer guide, "Task CPU and memory" on Fargate: CPU units to (least, most, step) in MiB.
_MEMORY: Mapping[int, tuple[int, int, int]] = {
    512: (_GIB, 4 * _GIB, _GIB),
    1024: (2 * _GIB, 8 * _GIB, _GIB),
    2048: (4 * _GIB, 16 * _GIB, _GIB),
    4096: (8 * _GIB, 30 * _GIB, _GIB),
    8192: (16 * _GIB, 60 * _GIB, 4 * _GIB),
    16384: (32 * _GIB, 120 * _GIB, 8 * _GIB),
}
_LEAST_CPU_MEMORY = (512, 1024, 2048)  # with 256 CPU units

# (option of health_check, lowest, highest) of the same guide.
_HEALTH_BOUNDS = (("interval", 5, 300), ("timeout", 2, 120), ("retries", 1, 10), ("start_period", 0, 300))


def problems(params: Mapping[str, Any]) -> list[str]:
    """Everything wrong with the parameters of `ecs_task_definition`, one sentence each."""
    found = [*_size(params), *_family(params)]
    names = [container["name"] for container in params["containers"]]
    volumes = {volume["name"] for volume in params["volumes"]}
    for container in params["containers"]:
        found += _container(container, names, volumes)
    return found


def _family(params: Mapping[str, Any]) -> Iterator[str]:
    if not _NAME.fullmatch(params["family"]):
        yield (
            f"Read the family {params['family']!r}; ECS takes 1 to 255 letters, digits, hyphens and underscores. "
            "Change it."
        )
    names = [container["name"] for container in params["containers"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read the container {name} twice in {params['family']}. Name each once."
    if not any(container["essential"] for container in params["containers"]):
        yield f"Read no essential container in {params['family']}; ECS demands one. Make the application essential."
    released = params["release_container"]
    if released and released not in names:
        yield f"Read release_container {released}; {params['family']} has {', '.join(names)}. Choose one of these."


def _size(params: Mapping[str, Any]) -> Iterator[str]:
    cpu, memory = params["cpu"], params["memory"]
    if cpu == 256:
        fits, allowed = memory in _LEAST_CPU_MEMORY, ", ".join(map(str, _LEAST_CPU_MEMORY))
    elif cpu in _MEMORY:
        low, high, step = _MEMORY[cpu]
        fits, allowed = low <= memory <= high and (memory - low) % step == 0, f"{low} to {high} in steps of {step}"
    else:
        yield f"Read cpu {cpu}; Fargate takes 256, {', '.join(map(str, sorted(_MEMORY)))}. Choose one of these."
        return
    if not fits:
        yield f"Read memory {memory} with cpu {cpu}; Fargate takes {allowed} MiB with it. Change one of them."
    storage = params["ephemeral_storage_gib"]
    if storage is not None and not 21 <= storage <= 200:
        yield f"Read ephemeral_storage_gib {storage}; Fargate takes 21 to 200, or 20 when left out. Change it."


def _container(container: Mapping[str, Any], names: Sequence[str], volumes: set[str]) -> Iterator[str]:
    name = container["name"]
    if not _NAME.fullmatch(name):
        yield f"Read the container name {name!r}; ECS takes letters, digits, hyphens and underscores. Change it."
    for variable in sorted(set(container["environment"]) & set(container["secrets"])):
        yield (
            f"Read {variable} in environment and in secrets of container {name}; ECS refuses both. Keep it in secrets."
        )
    stop = container["stop_timeout"]
    if stop is not None and not 2 <= stop <= 120:
        yield f"Read stop_timeout {stop} of container {name}; Fargate takes 2 to 120 seconds. Change it."
    for mount in container["mount_points"]:
        if mount["source_volume"] not in volumes:
            yield (
                f"Read the mount of {mount['source_volume']} in container {name}; the task has "
                f"{', '.join(sorted(volumes)) or 'no volumes'}. Declare the volume."
            )
    for other in container["depends_on"]:
        if other not in names or other == name:
            yield f"Read depends_on {other} of container {name}; the task has {', '.join(names)}. Choose another one."
    check = container["health_check"]
    for option, low, high in _HEALTH_BOUNDS if check else ():
        if not low <= check[option] <= high:
            yield f"Read health_check.{option} {check[option]} of container {name}; ECS takes {low} to {high}."


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resource of an `ecs_task_definition` call. Raises PlanRefused."""
    if wrong := problems(params):
        raise PlanRefused(wrong)
    fields = task_fields(_definition(params), params["release_environment"])
    own = params["release_container"]
    # The release alone changes these once there is a revision; see TaskDefinition.change.
    released = {f"{own}.image", f"{own}.{RELEASED}"} if own else set()
    initial = {name: fields.pop(name) for name in sorted(released)}
    return [Resource("task_definition", params["family"], fields, initial, tags=params["tags"])]


def _definition(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as RegisterTaskDefinition takes them."""
    storage = params["ephemeral_storage_gib"]
    return {
        "cpu": str(params["cpu"]),
        "memory": str(params["memory"]),
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": params["execution_role_arn"],
        "taskRoleArn": params["task_role_arn"],
        "runtimePlatform": {
            "cpuArchitecture": params["cpu_architecture"],
            "operatingSystemFamily": params["operating_system_family"],
        },
        "ephemeralStorage": {"sizeInGiB": storage} if storage else None,
        "volumes": [_volume(volume) for volume in params["volumes"]],
        "containerDefinitions": [_to_container(container) for container in params["containers"]],
    }


def _volume(volume: Mapping[str, Any]) -> dict[str, Any]:
    if not volume["efs_file_system_id"]:
        return {"name": volume["name"]}
    efs = {
        "fileSystemId": volume["efs_file_system_id"],
        "rootDirectory": volume["efs_root_directory"],
        "transitEncryption": "ENABLED",
    }
    if volume["efs_access_point_id"]:
        efs["authorizationConfig"] = {"accessPointId": volume["efs_access_point_id"], "iam": "ENABLED"}
    return {"name": volume["name"], "efsVolumeConfiguration": efs}


def _to_container(container: Mapping[str, Any]) -> dict[str, Any]:
    linux: dict[str, Any] = {"initProcessEnabled": container["init_process"]}
    if container["drop_capabilities"]:
        linux["capabilities"] = {"drop": sorted(set(container["drop_capabilities"]))}
    told = {
        "name": container["name"],
        "image": container["image"],
        "essential": container["essential"],
        "cpu": container["cpu"],
        "memory": container["memory"],
        "memoryReservation": container["memory_reservation"],
        "entryPoint": container["entry_point"],
        "command": container["command"],
        "environment": [{"name": name, "value": str(value)} for name, value in container["environment"].items()],
        "secrets": [{"name": name, "valueFrom": value} for name, value in container["secrets"].items()],
        "portMappings": [_port(port) for port in container["port_mappings"]],
        "healthCheck": _health_check(container["health_check"]),
        "logConfiguration": _log(container["log_configuration"]),
        "mountPoints": [_mount(mount) for mount in container["mount_points"]],
        "dependsOn": [
            {"containerName": name, "condition": condition} for name, condition in container["depends_on"].items()
        ],
        "stopTimeout": container["stop_timeout"],
        "linuxParameters": linux,
        "readonlyRootFilesystem": container["readonly_root_filesystem"],
        "user": container["user"],
        "workingDirectory": container["working_directory"],
        "dockerLabels": container["docker_labels"],
    }
    return {key: value for key, value in told.items() if value is not None}


def _port(port: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        "containerPort": port["container_port"],
        "protocol": port["protocol"],
        "name": port["name"],
        "appProtocol": port["app_protocol"],
    }
    return {key: value for key, value in told.items() if value is not None}


def _health_check(check: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if check is None:
        return None
    return {
        "command": check["command"],
        "interval": check["interval"],
        "timeout": check["timeout"],
        "retries": check["retries"],
        "startPeriod": check["start_period"],
    }


def _log(log: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if log is None:
        return None
    options = {name: str(value) for name, value in log["options"].items()}
    return {"logDriver": log["driver"], "options": options}


def _mount(mount: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sourceVolume": mount["source_volume"],
        "containerPath": mount["container_path"],
        "readOnly": mount["read_only"],
    }
