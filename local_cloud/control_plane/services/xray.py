# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""X-Ray's settings: groups, sampling rules, encryption, tags. No traces: nothing here collects them."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import drop_tags, merge_tags, now, random_upper
from local_cloud.control_plane.stores import store

registry.new_service("xray")

groups = store("xray_groups")  # name -> Group
rules = store("xray_sampling_rules")  # name -> SamplingRuleRecord
encryption = store("xray_encryption")  # "config" -> EncryptionConfig
tags = store("xray_tags")  # ARN -> [{"Key", "Value"}]

_DEFAULT_RULE = {
    "RuleName": "Default",
    "ResourceARN": "*",
    "Priority": 10000,
    "FixedRate": 0.05,
    "ReservoirSize": 1,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
    "Attributes": {},
}


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message, 400)


def _group(params: Params) -> dict[str, Any]:
    for name, group in groups.items():
        if name == params.get("GroupName") or group["GroupARN"] == params.get("GroupARN"):
            found: dict[str, Any] = group
            return found
    raise _invalid("Group not found")


@registry.handles("xray", "CreateGroup")
def create_group(call: Call) -> Params:
    name = call.params["GroupName"]
    if name in groups:
        raise _invalid(f"Group with name {name} already exists")
    group = {
        "GroupName": name,
        "GroupARN": f"arn:aws:xray:{call.region}:{call.account}:group/{name}/{random_upper(32)}",
        "FilterExpression": call.params.get("FilterExpression", ""),
        "InsightsConfiguration": {
            "InsightsEnabled": False,
            "NotificationsEnabled": False,
            **call.params.get("InsightsConfiguration", {}),
        },
    }
    groups[name] = group
    tags[group["GroupARN"]] = call.params.get("Tags", [])
    return {"Group": group}


@registry.handles("xray", "GetGroup")
def get_group(call: Call) -> Params:
    return {"Group": _group(call.params)}


@registry.handles("xray", "GetGroups")
def get_groups(_call: Call) -> Params:
    return {"Groups": list(groups.values())}


@registry.handles("xray", "UpdateGroup")
def update_group(call: Call) -> Params:
    group = dict(_group(call.params))
    if "FilterExpression" in call.params:
        group["FilterExpression"] = call.params["FilterExpression"]
    group["InsightsConfiguration"] = {**group["InsightsConfiguration"], **call.params.get("InsightsConfiguration", {})}
    groups[group["GroupName"]] = group
    return {"Group": group}


@registry.handles("xray", "DeleteGroup")
def delete_group(call: Call) -> Params:
    group = _group(call.params)
    groups.pop(group["GroupName"], None)
    tags.pop(group["GroupARN"], None)
    return {}


def _rule(params: Params) -> dict[str, Any]:
    for name, record in rules.items():
        if name == params.get("RuleName") or record["SamplingRule"]["RuleARN"] == params.get("RuleARN"):
            found: dict[str, Any] = record
            return found
    raise _invalid("Sampling rule does not exist.")


@registry.handles("xray", "CreateSamplingRule")
def create_sampling_rule(call: Call) -> Params:
    wanted = call.params["SamplingRule"]
    name = wanted.get("RuleName", "")
    if name in rules or name == "Default":
        raise _invalid("Sampling rule already exists")
    if not 1 <= wanted["Priority"] <= 9999:
        raise _invalid("Priority must be between 1 and 9999")
    arn = f"arn:aws:xray:{call.region}:{call.account}:sampling-rule/{name}"
    record = {"SamplingRule": {"Attributes": {}, **wanted, "RuleARN": arn}, "CreatedAt": now(), "ModifiedAt": now()}
    rules[name] = record
    tags[arn] = call.params.get("Tags", [])
    return {"SamplingRuleRecord": record}


@registry.handles("xray", "GetSamplingRules")
def get_sampling_rules(call: Call) -> Params:
    arn = f"arn:aws:xray:{call.region}:{call.account}:sampling-rule/Default"
    default = {"SamplingRule": {**_DEFAULT_RULE, "RuleARN": arn}, "CreatedAt": 0, "ModifiedAt": 0}
    ordered = sorted(rules.values(), key=lambda record: record["SamplingRule"]["Priority"])
    return {"SamplingRuleRecords": [*ordered, default]}


@registry.handles("xray", "UpdateSamplingRule")
def update_sampling_rule(call: Call) -> Params:
    wanted = call.params["SamplingRuleUpdate"]
    record = _rule(wanted)
    rule = {**record["SamplingRule"], **{name: value for name, value in wanted.items() if name != "RuleARN"}}
    record = {**record, "SamplingRule": rule, "ModifiedAt": now()}
    rules[rule["RuleName"]] = record
    return {"SamplingRuleRecord": record}


@registry.handles("xray", "DeleteSamplingRule")
def delete_sampling_rule(call: Call) -> Params:
    record = _rule(call.params)
    rules.pop(record["SamplingRule"]["RuleName"], None)
    tags.pop(record["SamplingRule"]["RuleARN"], None)
    return {"SamplingRuleRecord": record}


@registry.handles("xray", "GetEncryptionConfig")
def get_encryption_config(_call: Call) -> Params:
    return {"EncryptionConfig": encryption.get("config", {"Type": "NONE", "Status": "ACTIVE"})}


@registry.handles("xray", "PutEncryptionConfig")
def put_encryption_config(call: Call) -> Params:
    kept = {"Type": call.params["Type"], "Status": "ACTIVE"}
    if "KeyId" in call.params:
        kept["KeyId"] = call.params["KeyId"]
    encryption["config"] = kept
    return {"EncryptionConfig": {**kept, "Status": "UPDATING"}}


def _tags_of(arn: str) -> list[dict[str, str]]:
    if arn not in tags:
        raise AwsError("ResourceNotFoundException", f"The resource {arn} was not found.", 404)
    found: list[dict[str, str]] = tags[arn]
    return found


@registry.handles("xray", "ListTagsForResource")
def list_tags(call: Call) -> Params:
    return {"Tags": _tags_of(call.params["ResourceARN"])}


@registry.handles("xray", "TagResource")
def tag(call: Call) -> Params:
    arn = call.params["ResourceARN"]
    tags[arn] = merge_tags(_tags_of(arn), call.params["Tags"])
    return {}


@registry.handles("xray", "UntagResource")
def untag(call: Call) -> Params:
    arn = call.params["ResourceARN"]
    tags[arn] = drop_tags(_tags_of(arn), call.params["TagKeys"])
    return {}
