# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Security groups' rules, each a thing of its own with an id, a description and tags, as AWS keeps them.

ministack keeps permissions (a protocol and port range with many sources) under one id and drops prefix lists. Here a
rule is a SecurityGroupRule as DescribeSecurityGroupRules shows it, and permissions are derived from rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ministack.services import ec2

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import page, random_hex
from local_cloud.control_plane.services.ec2.dependencies import users_of_security_group
from local_cloud.control_plane.stores import store

Rule = dict[str, Any]

rules = store("ec2_security_group_rules")  # group id -> [rule]

# Kind of source: (list in a permission, member there, member of a rule)
_SOURCES = (
    ("IpRanges", "CidrIp", "CidrIpv4"),
    ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId", "PrefixListId"),
    ("UserIdGroupPairs", "GroupId", "ReferencedGroupInfo"),
)
_IDENTITY = (
    "IsEgress",
    "IpProtocol",
    "FromPort",
    "ToPort",
    "CidrIpv4",
    "CidrIpv6",
    "PrefixListId",
    "ReferencedGroupInfo",
)


def rules_of(group_id: str, account: str) -> list[Rule]:
    """The group's rules. Those that ministack made with the group are taken over at the first look."""
    if group_id not in ec2._security_groups:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    if group_id not in rules:
        group = ec2._security_groups[group_id]
        rules[group_id] = [
            rule
            for egress, name in ((False, "IpPermissions"), (True, "IpPermissionsEgress"))
            for rule in _from_permissions(group_id, group.get(name, []), egress, account)
        ]
    found: list[Rule] = rules[group_id]
    return found


def _from_permissions(group_id: str, permissions: list[dict[str, Any]], egress: bool, account: str) -> Iterator[Rule]:
    for permission in permissions:
        protocol = str(permission.get("IpProtocol", "-1"))
        protocol = {"6": "tcp", "17": "udp", "1": "icmp"}.get(protocol, protocol)
        for plural, member, name in _SOURCES:
            for source in permission.get(plural, []):
                if name == "ReferencedGroupInfo":
                    value: Any = {"GroupId": source["GroupId"], "UserId": source.get("UserId", account)}
                else:
                    value = source[member]
                rule: Rule = {
                    "SecurityGroupRuleId": f"sgr-{random_hex(17)}",
                    "GroupId": group_id,
                    "GroupOwnerId": account,
                    "IsEgress": egress,
                    "IpProtocol": protocol,
                    "FromPort": permission.get("FromPort", -1) if protocol != "-1" else -1,
                    "ToPort": permission.get("ToPort", -1) if protocol != "-1" else -1,
                    name: value,
                }
                if source.get("Description"):
                    rule["Description"] = source["Description"]
                yield rule


def _permissions(group_rules: list[Rule], egress: bool) -> list[dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for rule in group_rules:
        if rule["IsEgress"] is not egress:
            continue
        key = (rule["IpProtocol"], rule["FromPort"], rule["ToPort"])
        permission = found.setdefault(key, {"IpProtocol": key[0], **{plural: [] for plural, _, _ in _SOURCES}})
        if key[0] != "-1":
            permission |= {"FromPort": key[1], "ToPort": key[2]}
        for plural, member, name in _SOURCES:
            if name in rule:
                source = dict(rule[name]) if name == "ReferencedGroupInfo" else {member: rule[name]}
                if rule.get("Description"):
                    source["Description"] = rule["Description"]
                permission[plural].append(source)
    return list(found.values())


def _identity(rule: Rule) -> tuple[Any, ...]:
    return tuple(str(rule.get(name)) for name in _IDENTITY)


def _shown(rule: Rule, call: Call) -> Rule:
    arn = f"arn:aws:ec2:{call.region}:{call.account}:security-group-rule/{rule['SecurityGroupRuleId']}"
    return {**rule, "SecurityGroupRuleArn": arn, "Tags": ec2._tags.get(rule["SecurityGroupRuleId"]) or []}


async def _group_id(call: Call) -> str:
    if "GroupId" in call.params:
        return str(call.params["GroupId"])
    filters = [{"Name": "group-name", "Values": [call.params.get("GroupName", "")]}]
    found = (await call.invoke("ec2", "DescribeSecurityGroups", {"Filters": filters}))["SecurityGroups"]
    if not found:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{call.params.get('GroupName')}' does not exist")
    return str(found[0]["GroupId"])


def _wanted_permissions(params: Params) -> list[dict[str, Any]]:
    """The permissions of the call; the flat form (CidrIp, FromPort, …) is one permission."""
    if "IpPermissions" in params:
        return list(params["IpPermissions"])
    flat: dict[str, Any] = {name: params[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in params}
    if "CidrIp" in params:
        flat["IpRanges"] = [{"CidrIp": params["CidrIp"]}]
    if "SourceSecurityGroupName" in params:
        raise AwsError("InvalidParameterValue", "A group in a VPC is named by its id; use IpPermissions.")
    return [flat] if flat else []


@registry.handles("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
async def authorize(call: Call) -> Params:
    group_id, egress = await _group_id(call), call.operation.endswith("Egress")
    known = rules_of(group_id, call.account)
    new = list(_from_permissions(group_id, _wanted_permissions(call.params), egress, call.account))
    if not new:
        raise AwsError("MissingParameter", "The request must contain the parameter ipPermissions with a source")
    taken = {_identity(rule) for rule in known}
    for rule in new:
        _check_source(rule)
        if _identity(rule) in taken:
            peer = next(rule[name] for _, _, name in _SOURCES if name in rule)
            peer = peer["GroupId"] if isinstance(peer, dict) else peer
            raise AwsError(
                "InvalidPermission.Duplicate",
                f'the specified rule "peer: {peer}, {rule["IpProtocol"].upper()}, from port: {rule["FromPort"]}, '
                f'to port: {rule["ToPort"]}, ALLOW" already exists',
            )
        taken.add(_identity(rule))
    tags = [tag for spec in call.params.get("TagSpecifications", []) for tag in spec.get("Tags", [])]
    for rule in new:
        if tags:
            ec2._tags[rule["SecurityGroupRuleId"]] = list(tags)
    rules[group_id] = [*known, *new]
    return {"Return": True, "SecurityGroupRules": [_shown(rule, call) for rule in new]}


def _check_source(rule: Rule) -> None:
    other = rule.get("ReferencedGroupInfo", {}).get("GroupId")
    if other and other not in ec2._security_groups:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{other}' does not exist")
    if rule["IpProtocol"] in ("tcp", "udp") and not 0 <= rule["FromPort"] <= rule["ToPort"] <= 65535:
        raise AwsError("InvalidParameterValue", f"Invalid value for portRange: {rule['FromPort']}-{rule['ToPort']}")


@registry.handles("ec2", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress")
async def revoke(call: Call) -> Params:
    group_id, egress = await _group_id(call), call.operation.endswith("Egress")
    known = rules_of(group_id, call.account)
    if ids := call.params.get("SecurityGroupRuleIds"):
        missing = set(ids) - {rule["SecurityGroupRuleId"] for rule in known}
        if missing:
            raise AwsError(
                "InvalidSecurityGroupRuleId.NotFound",
                f"The security group rule ID '{sorted(missing)[0]}' does not exist",
            )
        gone = [rule for rule in known if rule["SecurityGroupRuleId"] in ids]
    else:
        wanted = list(_from_permissions(group_id, _wanted_permissions(call.params), egress, call.account))
        identities = {_identity(rule) for rule in wanted}
        gone = [rule for rule in known if _identity(rule) in identities]
        if len(gone) < len(identities):
            raise AwsError("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
    rules[group_id] = [rule for rule in known if rule not in gone]
    for rule in gone:
        ec2._tags.pop(rule["SecurityGroupRuleId"], None)
    members = ("SecurityGroupRuleId", "GroupId", "IsEgress", "IpProtocol", "FromPort", "ToPort", "CidrIpv4", "CidrIpv6")
    revoked = []
    for rule in gone:
        shown = {name: rule[name] for name in (*members, "PrefixListId", "Description") if name in rule}
        if "ReferencedGroupInfo" in rule:
            shown["ReferencedGroupId"] = rule["ReferencedGroupInfo"]["GroupId"]
        revoked.append(shown)
    return {"Return": True, "RevokedSecurityGroupRules": revoked}


@registry.handles("ec2", "DescribeSecurityGroupRules")
def describe_security_group_rules(call: Call) -> Params:
    items = [_shown(rule, call) for group_id in list(ec2._security_groups) for rule in rules_of(group_id, call.account)]
    if ids := call.params.get("SecurityGroupRuleIds"):
        by_id = {rule["SecurityGroupRuleId"]: rule for rule in items}
        missing = [rule_id for rule_id in ids if rule_id not in by_id]
        if missing:
            raise AwsError(
                "InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{missing[0]}' does not exist"
            )
        items = [by_id[rule_id] for rule_id in ids]
    for item in call.params.get("Filters", []):
        items = [rule for rule in items if _matches(rule, item["Name"], item["Values"])]
    some, token = page(items, call.params.get("NextToken"), call.params.get("MaxResults"), 1000)
    return {"SecurityGroupRules": some, "NextToken": token}


def _matches(rule: Rule, name: str, values: list[str]) -> bool:
    tags = {tag["Key"]: tag["Value"] for tag in rule["Tags"]}
    if name.startswith("tag:"):
        return tags.get(name[4:]) in values
    if name == "tag-key":
        return bool(tags.keys() & set(values))
    member = {"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"}.get(name)
    if member is None:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return rule[member] in values


@registry.handles("ec2", "ModifySecurityGroupRules")
async def modify_security_group_rules(call: Call) -> Params:
    group_id = await _group_id(call)
    known = {rule["SecurityGroupRuleId"]: rule for rule in rules_of(group_id, call.account)}
    for update in call.params["SecurityGroupRules"]:
        old = known.get(update["SecurityGroupRuleId"])
        if old is None:
            raise AwsError(
                "InvalidSecurityGroupRuleId.NotFound",
                f"The security group rule ID '{update['SecurityGroupRuleId']}' does not exist",
            )
        wanted = update.get("SecurityGroupRule", {})
        kept = {name: old[name] for name in ("SecurityGroupRuleId", "GroupId", "GroupOwnerId", "IsEgress")}
        new = {**kept, "FromPort": -1, "ToPort": -1}
        new |= {name: value for name, value in wanted.items() if name != "ReferencedGroupId"}
        if "ReferencedGroupId" in wanted:
            new["ReferencedGroupInfo"] = {"GroupId": wanted["ReferencedGroupId"], "UserId": call.account}
        _check_source(new)
        known[update["SecurityGroupRuleId"]] = new
    rules[group_id] = list(known.values())
    return {"Return": True}


@registry.handles("ec2", "UpdateSecurityGroupRuleDescriptionsIngress", "UpdateSecurityGroupRuleDescriptionsEgress")
async def update_descriptions(call: Call) -> Params:
    group_id, egress = await _group_id(call), call.operation.endswith("Egress")
    known = rules_of(group_id, call.account)
    texts = {
        item["SecurityGroupRuleId"]: item.get("Description", "")
        for item in call.params.get("SecurityGroupRuleDescriptions", [])
    }
    for wanted in _from_permissions(group_id, _wanted_permissions(call.params), egress, call.account):
        for rule in known:
            if _identity(rule) == _identity(wanted):
                texts[rule["SecurityGroupRuleId"]] = wanted.get("Description", "")
    changed = []
    for rule in known:
        if rule["SecurityGroupRuleId"] in texts:
            rule = {name: value for name, value in rule.items() if name != "Description"}
            if texts[rule["SecurityGroupRuleId"]]:
                rule["Description"] = texts[rule["SecurityGroupRuleId"]]
        changed.append(rule)
    rules[group_id] = changed
    return {"Return": True}


@registry.handles("ec2", "CreateSecurityGroup")
async def create_security_group(call: Call) -> Params:
    return await call.forward()


@registry.handles("ec2", "DescribeSecurityGroups")
async def describe_security_groups(call: Call) -> Params:
    answer = await call.forward()
    for group in answer.get("SecurityGroups", []):
        own = rules_of(group["GroupId"], call.account)
        group["IpPermissions"] = _permissions(own, egress=False)
        group["IpPermissionsEgress"] = _permissions(own, egress=True)
    return answer


@registry.handles("ec2", "DeleteSecurityGroup")
async def delete_security_group(call: Call) -> Params:
    group_id = await _group_id(call)
    users = await users_of_security_group(call, group_id)
    users += [
        f"a rule of {other}"
        for other in list(ec2._security_groups)
        if other != group_id
        for rule in rules_of(other, call.account)
        if rule.get("ReferencedGroupInfo", {}).get("GroupId") == group_id
    ]
    if users:
        raise AwsError("DependencyViolation", f"resource {group_id} has a dependent object ({users[0]})")
    answer = await call.forward()
    rules.pop(group_id, None)
    return answer
