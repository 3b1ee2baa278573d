# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules of a listener: conditions, actions and priorities."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import page, random_hex
from local_cloud.control_plane.services.elbv2 import actions, state

_CONFIGS = {
    "path-pattern": "PathPatternConfig",
    "host-header": "HostHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
}


def _stored(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Path and host conditions are shown in both of their notations."""
    kept = []
    for condition in conditions:
        condition = dict(condition)
        config = _CONFIGS.get(condition.get("Field", ""))
        values = condition.get("Values") or condition.get(config or "", {}).get("Values")
        if config in ("PathPatternConfig", "HostHeaderConfig"):
            if not values:
                raise AwsError("ValidationError", f"A condition on {condition['Field']} must have a value")
            condition[config] = {**condition.get(config, {}), "Values": values}
            condition["Values"] = values
        kept.append(condition)
    return kept


def _shown(rule: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in rule.items() if key != "_listener"}


def _check_priority(listener_arn: str, priority: int, but: str | None = None) -> None:
    if not 1 <= priority <= 50000:
        raise AwsError("ValidationError", f"Priority '{priority}' must be between 1 and 50000")
    if any(rule["Priority"] == str(priority) and rule["RuleArn"] != but for rule in state.rules_of(listener_arn)):
        raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")


@registry.handles("elbv2", "CreateRule")
def create_rule(call: Call) -> Params:
    listener = state.get("listener", call.params["ListenerArn"])
    _check_priority(listener["ListenerArn"], call.params["Priority"])
    arn = listener["ListenerArn"].replace(":listener/", ":listener-rule/") + "/" + random_hex(16)
    rule = {
        "RuleArn": arn,
        "Priority": str(call.params["Priority"]),
        "Conditions": _stored(call.params["Conditions"]),
        "Actions": actions.stored(call.params["Actions"], listener["LoadBalancerArn"]),
        "IsDefault": False,
        "_listener": listener["ListenerArn"],
    }
    state.rules[arn] = rule
    state.tags[arn] = call.params.get("Tags", [])
    return {"Rules": [_shown(rule)]}


def _default_rule(listener: dict[str, Any]) -> dict[str, Any]:
    """The rule that a listener has from the start. Its id is the listener's, so that it stays the same."""
    listener_arn = listener["ListenerArn"]
    return {
        "RuleArn": listener_arn.replace(":listener/", ":listener-rule/") + "/" + listener_arn.rpartition("/")[2][::-1],
        "Priority": "default",
        "Conditions": [],
        "Actions": listener["DefaultActions"],
        "IsDefault": True,
    }


@registry.handles("elbv2", "DescribeRules")
def describe_rules(call: Call) -> Params:
    if arns := call.params.get("RuleArns"):
        defaults = {rule["RuleArn"]: rule for rule in map(_default_rule, state.listeners.values())}
        items = [defaults[arn] if arn in defaults else _shown(state.get("listener-rule", arn)) for arn in arns]
    elif "ListenerArn" in call.params:
        listener = state.get("listener", call.params["ListenerArn"])
        items = [*map(_shown, state.rules_of(listener["ListenerArn"])), _default_rule(listener)]
    else:
        raise AwsError("ValidationError", "You must specify either rule ARNs or a listener ARN")
    some, marker = page(items, call.params.get("Marker"), call.params.get("PageSize"))
    return {"Rules": some, "NextMarker": marker}


@registry.handles("elbv2", "ModifyRule")
def modify_rule(call: Call) -> Params:
    arn = call.params["RuleArn"]
    if arn in {_default_rule(listener)["RuleArn"] for listener in state.listeners.values()}:
        raise AwsError("OperationNotPermitted", f"Default rule '{arn}' cannot be modified")
    rule = dict(state.get("listener-rule", arn))
    if "Conditions" in call.params:
        rule["Conditions"] = _stored(call.params["Conditions"])
    if "Actions" in call.params:
        load_balancer = state.get("listener", rule["_listener"])["LoadBalancerArn"]
        rule["Actions"] = actions.stored(call.params["Actions"], load_balancer)
    state.rules[arn] = rule
    return {"Rules": [_shown(rule)]}


@registry.handles("elbv2", "DeleteRule")
def delete_rule(call: Call) -> Params:
    arn = call.params["RuleArn"]
    if arn in {_default_rule(listener)["RuleArn"] for listener in state.listeners.values()}:
        raise AwsError("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")
    state.get("listener-rule", arn)
    state.rules.pop(arn, None)
    state.forget(arn)
    return {}


@registry.handles("elbv2", "SetRulePriorities")
def set_rule_priorities(call: Call) -> Params:
    wanted = {item["RuleArn"]: item["Priority"] for item in call.params["RulePriorities"]}
    changed = [{**state.get("listener-rule", arn), "Priority": str(priority)} for arn, priority in wanted.items()]
    taken = {
        rule["Priority"]: rule["RuleArn"]
        for listener in {rule["_listener"] for rule in changed}
        for rule in state.rules_of(listener)
        if rule["RuleArn"] not in wanted
    }
    for rule in changed:
        if rule["Priority"] in taken or not 1 <= int(rule["Priority"]) <= 50000:
            raise AwsError("PriorityInUse", f"Priority '{rule['Priority']}' is currently in use")
        taken[rule["Priority"]] = rule["RuleArn"]
    for rule in changed:
        state.rules[rule["RuleArn"]] = rule
    return {"Rules": [_shown(rule) for rule in changed]}
