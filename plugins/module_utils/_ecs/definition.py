# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A task definition as fields that compare with ==; pure.

Fields of the task have ECS's own names (``cpu``, ``executionRoleArn``); fields of a container have its name
before them (``app.image``). ECS's defaults are left out on both sides, and lists in which order means
nothing are sorted, so that a difference is a real one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

# Keys of a task definition that are compared one by one; whatever else AWS shows is compared as `other`.
TASK_KEYS = (
    "cpu",
    "memory",
    "networkMode",
    "requiresCompatibilities",
    "executionRoleArn",
    "taskRoleArn",
    "runtimePlatform",
    "ephemeralStorage",
    "volumes",
)
# Keys that AWS adds and nobody declares.
_TASK_NOISE = frozenset(
    {
        "taskDefinitionArn",
        "family",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
        "containerDefinitions",
        "deregisteredAt",
        "deleteRequestedAt",
    }
)

CONTAINER_KEYS = (
    "image",
    "essential",
    "cpu",
    "memory",
    "memoryReservation",
    "entryPoint",
    "command",
    "environment",
    "secrets",
    "portMappings",
    "healthCheck",
    "logConfiguration",
    "mountPoints",
    "dependsOn",
    "stopTimeout",
    "linuxParameters",
    "readonlyRootFilesystem",
    "user",
    "workingDirectory",
    "ulimits",
    "dockerLabels",
)
_CONTAINER_DEFAULTS: Mapping[str, Any] = {
    "essential": True,
    "readonlyRootFilesystem": False,
    "privileged": False,
    "interactive": False,
    "pseudoTerminal": False,
    "disableNetworking": False,
}
_HEALTH_DEFAULTS = {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}

# The variable of each release: a field of its own, so that the rest can be compared without it.
RELEASED = "released"


def task_fields(definition: Mapping[str, Any], released: Collection[str] = ()) -> dict[str, Any]:
    """Fields of a task definition, in the shape of RegisterTaskDefinition or of DescribeTaskDefinition.

    released: environment variables that belong to the release. They appear in the field ``<container>.released``
    instead of ``<container>.environment``.
    """
    full = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], **definition}
    fields: dict[str, Any] = {key: _tidy(full.get(key)) for key in TASK_KEYS}
    fields["requiresCompatibilities"] = sorted(full["requiresCompatibilities"])
    fields["runtimePlatform"] = {
        "cpuArchitecture": "X86_64",
        "operatingSystemFamily": "LINUX",
        **(definition.get("runtimePlatform") or {}),
    }
    fields["other"] = _others(full, TASK_KEYS, _TASK_NOISE, {})
    containers = definition.get("containerDefinitions", [])
    fields["containers"] = [container["name"] for container in containers]
    for container in containers:
        for key, value in container_fields(container, released).items():
            fields[f"{container['name']}.{key}"] = value
    return fields


def container_fields(container: Mapping[str, Any], released: Collection[str]) -> dict[str, Any]:
    """Fields of one container without its name before them."""
    full = {**_CONTAINER_DEFAULTS, **container}
    fields = {key: _tidy(full.get(key)) for key in CONTAINER_KEYS}
    fields["essential"] = full["essential"]
    fields["readonlyRootFilesystem"] = full["readonlyRootFilesystem"]
    variables = {one["name"]: one["value"] for one in container.get("environment") or []}
    fields["environment"] = {name: value for name, value in sorted(variables.items()) if name not in released}
    fields[RELEASED] = {name: value for name, value in sorted(variables.items()) if name in released}
    fields["secrets"] = {one["name"]: one["valueFrom"] for one in container.get("secrets") or []}
    fields["portMappings"] = _ports(container)
    if container.get("healthCheck"):
        fields["healthCheck"] = {**_HEALTH_DEFAULTS, **container["healthCheck"]}
    noise = frozenset({"name", "versionConsistency"})
    fields["other"] = _others(full, CONTAINER_KEYS, noise, _CONTAINER_DEFAULTS)
    return fields


def to_definition(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Inverse of `task_fields`: the parameters of RegisterTaskDefinition, but for family and tags."""
    task = {key: fields[key] for key in TASK_KEYS if not _empty(fields.get(key))}
    return {**task, "containerDefinitions": [_to_container(name, fields) for name in fields["containers"]]}


def _to_container(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    own = {key: fields.get(f"{name}.{key}") for key in CONTAINER_KEYS}
    variables = {**(own.pop("environment") or {}), **(fields.get(f"{name}.{RELEASED}") or {})}
    secrets = own.pop("secrets") or {}
    told = {key: value for key, value in own.items() if not _empty(value)}
    return {
        "name": name,
        **told,
        "environment": [{"name": key, "value": value} for key, value in sorted(variables.items())],
        "secrets": [{"name": key, "valueFrom": value} for key, value in sorted(secrets.items())],
    }


def _ports(container: Mapping[str, Any]) -> list[dict[str, Any]]:
    """With awsvpc the host port is the container's port, whether it was said or not."""
    ports = [
        {"protocol": "tcp", **{key: value for key, value in port.items() if key != "hostPort"}}
        for port in container.get("portMappings") or []
    ]
    return sorted(ports, key=lambda port: (port["containerPort"], port["protocol"]))


def _others(
    shown: Mapping[str, Any], known: Collection[str], noise: Collection[str], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that AWS shows, that is not the default and that no key of ours stands for."""
    return {
        key: value
        for key, value in sorted(shown.items())
        if key not in known and key not in noise and not _empty(value) and value != defaults.get(key, 0)
    }


def _tidy(value: Any) -> Any:
    """None for whatever means nothing, at every depth of a mapping."""
    if isinstance(value, Mapping):
        tidy = {key: _tidy(part) for key, part in sorted(value.items())}
        value = {key: part for key, part in tidy.items() if part is not None}
    if isinstance(value, list):
        value = [_tidy(part) for part in value]
    return None if _empty(value) or (value == 0 and not isinstance(value, bool)) else value


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
