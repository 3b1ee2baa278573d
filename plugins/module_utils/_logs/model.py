# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The log groups that are wanted, as resources; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# API reference of CreateLogGroup and PutRetentionPolicy.
_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `cloudwatch_log_groups` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    return [
        Resource(
            "log_group",
            group["name"],
            {
                "class": group["log_group_class"],
                "kms_key": group["kms_key_arn"],
                "retention_in_days": group["retention_in_days"] or None,
            },
            tags=named(params["tags"], group["name"]),
        )
        for group in params["log_groups"]
    ]


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the log groups, one sentence each."""
    names = [group["name"] for group in params["log_groups"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read log group {name} twice. Name each log group once."
    for group in params["log_groups"]:
        name = group["name"]
        if not _NAME.fullmatch(name) or name.startswith("aws/"):
            yield f"Read the log group name {name!r}; CloudWatch takes letters, digits and ._-/#. Choose such a name."
        if params["name"] not in name:
            yield f"Read the log group name {name!r}; it is without {params['name']}, by which it is found. Rename it."
        if group["retention_in_days"] and group["retention_in_days"] not in RETENTIONS:
            days = ", ".join(str(days) for days in RETENTIONS)
            yield (
                f"Read retention_in_days {group['retention_in_days']} for log group {name}; CloudWatch keeps logs for "
                f"{days} days, or with 0 for ever. Choose one of these."
            )
        if group["log_group_class"] == "DELIVERY" and group["retention_in_days"]:
            yield f"Read a retention for log group {name} of class DELIVERY, which has its own. Leave it at 0."
