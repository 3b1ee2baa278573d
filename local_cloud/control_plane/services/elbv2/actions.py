# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a listener or a rule does with a request: actions, as AWS stores and shows them."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError
from local_cloud.control_plane.services.elbv2 import state

_REDIRECT = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}


def stored(actions: list[dict[str, Any]], load_balancer_arn: str) -> list[dict[str, Any]]:
    """`actions` with AWS's defaults. Raises the errors that AWS answers to wrong ones."""
    if not actions:
        raise AwsError("ValidationError", "At least one action must be specified")
    return [_stored(dict(action), load_balancer_arn) for action in actions]


def _stored(action: dict[str, Any], load_balancer_arn: str) -> dict[str, Any]:
    if action["Type"] == "forward":
        return _forward(action, load_balancer_arn)
    if action["Type"] == "redirect":
        action["RedirectConfig"] = {**_REDIRECT, **action.get("RedirectConfig", {})}
    elif action["Type"] == "fixed-response" and "FixedResponseConfig" not in action:
        raise AwsError("ValidationError", "A fixed-response configuration must be specified")
    elif action["Type"] == "authenticate-oidc":
        action["AuthenticateOidcConfig"] = {
            key: value for key, value in action["AuthenticateOidcConfig"].items() if key != "ClientSecret"
        }
    return action


def _forward(action: dict[str, Any], load_balancer_arn: str) -> dict[str, Any]:
    config = action.get("ForwardConfig") or {}
    groups = [dict(group) for group in config.get("TargetGroups", [])]
    single = action.get("TargetGroupArn")
    if not groups and single:
        groups = [{"TargetGroupArn": single}]
    if not groups:
        raise AwsError("ValidationError", "A forward action must specify a target group")
    if single and [group["TargetGroupArn"] for group in groups] != [single]:
        raise AwsError("ValidationError", "TargetGroupArn and ForwardConfig must name the same single target group")
    if len(groups) > 5:
        raise AwsError("TooManyTargetGroups", "A forward action can have at most 5 target groups")
    for group in groups:
        group.setdefault("Weight", 1)
        if not 0 <= group["Weight"] <= 999:
            raise AwsError("ValidationError", f"The weight '{group['Weight']}' must be between 0 and 999")
        _check_group(group["TargetGroupArn"], load_balancer_arn)
    stickiness = {"Enabled": False, **config.get("TargetGroupStickinessConfig", {})}
    if stickiness["Enabled"] and not 1 <= stickiness.get("DurationSeconds", 0) <= 604800:
        raise AwsError("ValidationError", "Target group stickiness needs a duration between 1 and 604800 seconds")
    kept = {key: value for key, value in action.items() if key != "TargetGroupArn"}
    if len(groups) == 1:
        kept["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    return {**kept, "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}}


def _check_group(arn: str, load_balancer_arn: str) -> None:
    if arn not in state.target_groups:
        raise AwsError("TargetGroupNotFound", f"Target group '{arn}' not found")
    others = [other for other in state.load_balancers_using(arn) if other != load_balancer_arn]
    if others:
        raise AwsError(
            "TargetGroupAssociationLimit",
            f"Target group '{arn}' cannot be associated with more than one load balancer",
        )
