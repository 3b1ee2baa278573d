# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Weights inside listener actions: read, and replaced with everything else left as it is; pure.

ModifyListener and ModifyRule replace the whole list of actions, so whatever is left out is lost: stickiness,
authentication before the forward, the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from .model import Actions


def forward_of(actions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The forward among the actions; None when they lead elsewhere."""
    return next((action for action in actions if action.get("Type") == "forward"), None)


def weights(actions: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Weight by target group ARN. A forward that names one group without a weight gives it everything."""
    forward = forward_of(actions)
    if forward is None:
        return {}
    groups = forward.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": forward.get("TargetGroupArn")}]
    return {one["TargetGroupArn"]: int(one.get("Weight", 1)) for one in groups if one.get("TargetGroupArn")}


def stickiness(actions: Sequence[Mapping[str, Any]]) -> int:
    """Seconds for which a client stays with its target group; 0 without stickiness."""
    forward = forward_of(actions) or {}
    config = forward.get("ForwardConfig", {}).get("TargetGroupStickinessConfig", {})
    return int(config.get("DurationSeconds", 0)) if config.get("Enabled") else 0


def with_weights(
    actions: Sequence[Mapping[str, Any]], wanted: Mapping[str, int], sticky: bool | None = None
) -> Actions:
    """The same actions with these weights by target group ARN. sticky: True or False switches stickiness."""
    edited = [dict(deepcopy(action)) for action in actions]
    for action in edited:
        if action.get("Type") != "forward":
            continue
        config = action.setdefault("ForwardConfig", {})
        config["TargetGroups"] = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in sorted(wanted.items())]
        if sticky is not None and "DurationSeconds" in config.get("TargetGroupStickinessConfig", {}):
            config["TargetGroupStickinessConfig"] = {**config["TargetGroupStickinessConfig"], "Enabled": sticky}
        # AWS refuses a bare TargetGroupArn beside several groups.
        action.pop("TargetGroupArn", None)
    return tuple(edited)


def but_for_weights(actions: Sequence[Mapping[str, Any]]) -> Actions:
    """The actions with all weights 0, for comparison; groups in the order of their ARNs."""
    return with_weights(actions, dict.fromkeys(weights(actions), 0))
