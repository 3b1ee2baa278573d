# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The secrets that tasks take: whether each exists and has a value, asked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping

from .._aws.api import Aws
from .._engine.resources import is_planned
from .._engine.side_by_side import side_by_side

_GONE = ("ResourceNotFoundException", "ParameterNotFound", "ValidationException")


def missing_secrets(aws: Aws, sources: Mapping[str, str]) -> list[str]:
    """A sentence for each secret that does not exist, is about to be deleted or has no value.

    sources: ECS's ``valueFrom`` by the environment variable's name: the ARN of a secret, with an optional JSON key,
    version stage and version id behind it, or the ARN or name of a parameter of Systems Manager. Every secret is
    asked for once; values are never read.
    """
    wanted: dict[str, list[str]] = {}
    for variable, source in sorted(sources.items()):
        if not is_planned(source):
            wanted.setdefault(resource_of(source), []).append(variable)
    troubles = side_by_side(lambda resource: _trouble(aws, resource), wanted)
    return [
        f"Looked for {resource}, which gives tasks {', '.join(variables)}, and found {trouble}. Run the phase "
        "that makes it (playbooks/phase2.yml), set its value, or correct the ARN."
        for (resource, variables), trouble in zip(wanted.items(), troubles, strict=True)
        if trouble
    ]


def resource_of(source: str) -> str:
    """The secret or parameter that a ``valueFrom`` names, without JSON key and version."""
    return ":".join(source.split(":")[:7]) if ":secretsmanager:" in source else source


def _trouble(aws: Aws, resource: str) -> str:
    if ":secretsmanager:" not in resource:
        name = resource.split(":parameter", 1)[-1]
        # DescribeParameters, unlike GetParameters, shows no value.
        names = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
        found = aws.call(f"look for parameter {name}", "ssm", "describe_parameters", ParameterFilters=names)
        return "" if found.get("Parameters") else "no such parameter"
    attempt = f"look for secret {resource}"
    answer = aws.call_unless(_GONE, attempt, "secretsmanager", "describe_secret", SecretId=resource)
    if not answer:
        return "no such secret"
    if answer.get("DeletedDate"):
        return "it scheduled for deletion"
    stages = [stage for stages in answer.get("VersionIdsToStages", {}).values() for stage in stages]
    return "" if "AWSCURRENT" in stages else "no value in it"
