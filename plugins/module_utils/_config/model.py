# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS Config as it is wanted: recorder, delivery channel, rules; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# API reference of PutConfigRule.
_RULE = re.compile(r"\S.{0,127}")
_IDENTIFIER = re.compile(r"[A-Z][A-Z0-9_]{0,254}")
_DESCRIPTION = 256
FREQUENCIES = ("One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours")


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `config_recorder` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    name, tags = params["name"], params["tags"]
    recorder = {
        "frequency": params["recording_frequency"],
        "global_resources": params["global_resources"] and not params["resource_types"],
        "resource_types": sorted(params["resource_types"]),
        "role": params["role_arn"],
    }
    channel = {
        "bucket": params["bucket"],
        "bucket_prefix": params["bucket_prefix"],
        "snapshots": params["snapshot_frequency"],
    }
    # Its fields say what must stand first: AWS starts a recorder only once it can deliver.
    started = {"recording": True}
    return [
        Resource("config_recorder", name, recorder),
        Resource("delivery_channel", name, channel),
        Resource("config_recording", name, started, on=(("config_recorder", name), ("delivery_channel", name))),
        *(
            Resource("config_rule", one["name"], rule_fields(one), tags=named(tags, one["name"]))
            for one in params["rules"]
        ),
    ]


def rule_fields(one: Mapping[str, Any]) -> dict[str, Any]:
    # AWS chooses a frequency for a rule that judges by time, so it counts only where one is wished.
    frequency = {"frequency": one["frequency"]} if one["frequency"] else {}
    return {
        **frequency,
        "description": one["description"],
        "identifier": one["identifier"],
        "input_parameters": {name: str(value) for name, value in one["input_parameters"].items()},
        "resource_types": sorted(one["resource_types"]),
    }


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with recorder, channel and rules, one sentence each."""
    name = params["name"]
    for field, what in (("role_arn", "a role to read with"), ("bucket", "a bucket to deliver to")):
        if not params[field]:
            yield f"Read AWS Config {name} without {field}. Give it {what}."
    rules = [one["name"] for one in params["rules"]]
    for rule in sorted({rule for rule in rules if rules.count(rule) > 1}):
        yield f"Read config rule {rule} twice. Name each rule once."
    for one in params["rules"]:
        rule = one["name"]
        if not _RULE.fullmatch(rule) or not rule.startswith(f"{name}-"):
            yield f"Read the config rule name {rule!r}; it has up to 128 characters and begins with {name}-. Rename it."
        if not _IDENTIFIER.fullmatch(one["identifier"]):
            yield (
                f"Read the identifier {one['identifier']!r} of rule {rule}; it is one such as "
                "S3_BUCKET_VERSIONING_ENABLED. Mend it."
            )
        if len(one["description"]) > _DESCRIPTION:
            yield f"Read a description of rule {rule} longer than Config takes ({_DESCRIPTION} characters). Shorten it."
