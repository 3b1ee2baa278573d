# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The task definition that a release registers: the newest revision with three things replaced; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._ecs.definition import RELEASED, task_fields, to_definition

VERSION_VARIABLE = "APP_VERSION"
SLOT_VARIABLE = "APP_SLOT"
_RELEASED_VARIABLES = frozenset({VERSION_VARIABLE, SLOT_VARIABLE})


def fields_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A task definition in the shape that compares with ``==``; the variables of the release stand apart."""
    return task_fields(definition, _RELEASED_VARIABLES)


def released(template: Mapping[str, Any], container: str, image: str, version: str, slot: str) -> dict[str, Any]:
    """The template's fields with the image, its version and the slot replaced."""
    variables = {VERSION_VARIABLE: version, SLOT_VARIABLE: slot}
    return {**template, f"{container}.image": image, f"{container}.{RELEASED}": dict(sorted(variables.items()))}


def registration(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of RegisterTaskDefinition, but for family and tags."""
    return to_definition(fields)


def image_of(fields: Mapping[str, Any], container: str) -> str:
    return str(fields.get(f"{container}.image") or "")


def version_of(fields: Mapping[str, Any], container: str) -> str:
    return str((fields.get(f"{container}.{RELEASED}") or {}).get(VERSION_VARIABLE, ""))
