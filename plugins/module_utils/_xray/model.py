# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""X-Ray groups and sampling rules that are wanted, as resources; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# API reference of CreateGroup and SamplingRule.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_EXPRESSION = 2000

# Our names of a rule's fields and AWS's.
RULE = {
    "attributes": "Attributes",
    "fixed_rate": "FixedRate",
    "host": "Host",
    "http_method": "HTTPMethod",
    "priority": "Priority",
    "reservoir_size": "ReservoirSize",
    "resource_arn": "ResourceARN",
    "service_name": "ServiceName",
    "service_type": "ServiceType",
    "url_path": "URLPath",
}


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of an `xray_rules` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    tags = params["tags"]
    return [
        *(
            Resource("xray_group", one["name"], group_fields(one), tags=named(tags, one["name"]))
            for one in params["groups"]
        ),
        *(
            Resource("sampling_rule", one["name"], {name: one[name] for name in RULE}, tags=named(tags, one["name"]))
            for one in params["sampling_rules"]
        ),
    ]


def group_fields(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"filter_expression": one["filter_expression"], "insights": one["insights"]}


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with groups and rules, one sentence each."""
    for sort in ("groups", "sampling_rules"):
        names = [one["name"] for one in params[sort]]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"Read {name!r} twice in {sort}. Name each once."
        for name in names:
            if not _NAME.fullmatch(name) or not name.startswith(f"{params['name']}-"):
                yield (
                    f"Read the name {name!r} in {sort}; X-Ray takes up to 32 letters, digits, _ and -, and ours begin "
                    f"with {params['name']}-. Rename it."
                )
    for one in params["groups"]:
        if not 1 <= len(one["filter_expression"]) <= _EXPRESSION:
            yield (
                f"Read the filter expression of group {one['name']}, empty or over {_EXPRESSION} characters. "
                "Write it anew."
            )
    for one in params["sampling_rules"]:
        if not 0 <= one["fixed_rate"] <= 1:
            yield (
                f"Read fixed_rate {one['fixed_rate']} for sampling rule {one['name']}; it is a share from 0 to 1. "
                "Mend it."
            )
        if not 1 <= one["priority"] <= 9999:
            yield (
                f"Read priority {one['priority']} for sampling rule {one['name']}; X-Ray takes 1 to 9999. Choose "
                "another."
            )
        if one["reservoir_size"] < 0:
            yield (
                f"Read reservoir_size {one['reservoir_size']} for sampling rule {one['name']}; it is 0 or more. "
                "Mend it."
            )
