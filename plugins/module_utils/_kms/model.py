# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The encryption keys that are wanted, as resources; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.policies import canonical, text
from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# API reference of CreateAlias, CreateKey, EnableKeyRotation.
_NAME = re.compile(r"[a-zA-Z0-9/_-]{1,250}")
_DESCRIPTION = 8192
_POLICY = 32768
_PERIOD = range(90, 2561)


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `kms_keys` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    made = []
    for key in params["keys"]:
        own = full_name(params["name"], key["name"])
        fields = {
            "alias": alias(own),
            "description": key["description"],
            "enabled": True,
            "multi_region": key["multi_region"],
            "policy": canonical(key["policy"]),
            "rotation_period_in_days": key["rotation_period_in_days"] if key["rotation"] else None,
        }
        made.append(Resource("kms_key", own, fields, tags=named(params["tags"], own)))
    return made


def full_name(prefix: str, name: str) -> str:
    """The Name tag and the end of the alias, such as ``stories-production-data``."""
    return f"{prefix}-{name}"


def alias(name: str) -> str:
    """Such as ``alias/stories-production-data``."""
    return f"alias/{name}"


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the keys, one sentence each."""
    names = [key["name"] for key in params["keys"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read KMS key {name} twice. Name each key once."
    if not 7 <= params["pending_window_in_days"] <= 30:
        yield (
            f"Read pending_window_in_days {params['pending_window_in_days']}; KMS deletes a key after 7 to 30 days. "
            "Choose a number of days between these."
        )
    for key in params["keys"]:
        own = full_name(params["name"], key["name"])
        if not _NAME.fullmatch(own) or own.startswith("aws/"):
            yield f"Read the KMS key name {own!r}; an alias takes up to 250 letters, digits, /, _, -. Rename it."
        if len(key["description"]) > _DESCRIPTION:
            yield f"Read a description of KMS key {own} longer than KMS takes ({_DESCRIPTION} characters). Shorten it."
        if key["rotation"] and key["rotation_period_in_days"] not in _PERIOD:
            yield (
                f"Read rotation_period_in_days {key['rotation_period_in_days']} for KMS key {own}; KMS rotates after "
                "90 to 2560 days. Choose a number between these."
            )
        try:
            policy = canonical(key["policy"])
        except ValueError as error:
            yield f"Read the policy of KMS key {own}: {error}. Give a JSON policy document."
            continue
        if policy is None:
            yield f"Read an empty policy for KMS key {own}; nobody could use it. Give the account's own statement."
        elif len(text(policy)) > _POLICY:
            yield f"Read a policy of {len(text(policy))} characters for KMS key {own}; KMS takes {_POLICY}. Shorten it."
