# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Listener actions: AWS's shape, and the shape in which they are compared; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CONFIG = {"redirect": "RedirectConfig", "fixed-response": "FixedResponseConfig"}


def canonical_action(action: Mapping[str, Any]) -> dict[str, Any]:
    """``{"type": …}`` and the fields of a redirect or fixed response; of a forward, only that it is one."""
    kind = action["Type"]
    return {"type": kind, **{key: value for key, value in action.get(_CONFIG.get(kind, ""), {}).items() if value}}


def to_action(canonical: Mapping[str, Any]) -> dict[str, Any]:
    """Inverse of `canonical_action` for redirects and fixed responses."""
    kind = canonical["type"]
    return {"Type": kind, _CONFIG[kind]: {key: value for key, value in canonical.items() if key != "type"}}


def forward_action(weights: Mapping[str, int], stickiness_seconds: int) -> dict[str, Any]:
    """A weighted forward. weights: by target group ARN. stickiness_seconds: 0 for none."""
    sticky: dict[str, Any] = {"Enabled": bool(stickiness_seconds)}
    if stickiness_seconds:
        sticky["DurationSeconds"] = stickiness_seconds
    return {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in sorted(weights.items())],
            "TargetGroupStickinessConfig": sticky,
        },
    }


def weights_of(action: Mapping[str, Any]) -> dict[str, int]:
    """Weights by target group ARN; AWS may name a sole group without a ForwardConfig. Empty for other actions."""
    if action["Type"] != "forward":
        return {}
    groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
    return {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups if group.get("TargetGroupArn")}


def origin_header(rule: Mapping[str, Any]) -> dict[str, Any] | None:
    """``name`` and sorted ``values`` of a rule that looks at one header and nothing else; None for other rules."""
    conditions = rule.get("Conditions", [])
    if len(conditions) != 1 or conditions[0].get("Field") != "http-header":
        return None
    config = conditions[0].get("HttpHeaderConfig", {})
    return {"name": config.get("HttpHeaderName"), "values": sorted(config.get("Values", []))}
