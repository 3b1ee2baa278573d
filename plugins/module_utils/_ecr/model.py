# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ECR repositories that are wanted, as resources; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# Amazon ECR API reference, CreateRepository.
_NAME = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the parameters of `ecr_repository`, one sentence each."""
    names = params["names"]
    for name in names:
        if not 2 <= len(name) <= 256 or not _NAME.fullmatch(name):
            yield (
                f"Read the repository name {name!r}; ECR takes 2 to 256 lower-case letters and digits, with single "
                "hyphens, dots, underscores and slashes between them. Change it."
            )
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read the repository {name} twice. Name each once."
    if params["encryption"] == "AES256" and params["kms_key_id"]:
        yield "Read kms_key_id with encryption AES256; AWS would not use the key. Choose encryption KMS."
    for option in ("keep_tagged_images", "expire_untagged_after_days"):
        if params[option] < 1:
            yield f"Read {option} {params[option]}; ECR takes 1 or more. Raise it."


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of an `ecr_repository` call. Raises PlanRefused."""
    if wrong := list(problems(params)):
        raise PlanRefused(wrong)
    fields = {
        "image_tag_mutability": "IMMUTABLE" if params["immutable_tags"] else "MUTABLE",
        "scan_on_push": params["scan_on_push"],
        "encryption": params["encryption"],
        "lifecycle_policy": lifecycle(params),
        "repository_policy": policy(params["policy"]),
        # AWS fills in its own key when none is named; then there is nothing to compare.
        **({"kms_key": params["kms_key_id"]} if params["kms_key_id"] else {}),
    }
    return [Resource("ecr_repository", name, fields, tags=named(params["tags"], name)) for name in params["names"]]


def lifecycle(params: Mapping[str, Any]) -> dict[str, Any]:
    """The policy that removes untagged images first and then all but the newest tagged ones."""
    untagged = {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": params["expire_untagged_after_days"],
    }
    tagged = {
        "tagStatus": "tagged",
        "tagPatternList": ["*"],
        "countType": "imageCountMoreThan",
        "countNumber": params["keep_tagged_images"],
    }
    described = ((1, "Untagged images", untagged), (2, "All but the newest images", tagged))
    rules = [
        {"rulePriority": priority, "description": what, "selection": selection, "action": {"type": "expire"}}
        for priority, what, selection in described
    ]
    return {"rules": rules}


def policy(part: Any) -> Any:
    """A policy in the form in which two equal ones are equal: lists sorted, a list of one as its element."""
    if isinstance(part, Mapping):
        return {name: policy(value) for name, value in part.items()} or None
    if isinstance(part, list):
        parts = sorted((policy(value) for value in part), key=lambda value: json.dumps(value, sort_keys=True))
        return parts[0] if len(parts) == 1 else parts
    return part


def document(text: str | None) -> Any:
    """A policy as AWS returns it, parsed; None for none."""
    return json.loads(text) if text else None
