# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes security groups and their rules.

Three list calls for all groups: the groups, their rules, the prefix lists that rules name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.steps import PlanRefused
from .._network.kinds import Ec2Kind
from .rules import EGRESS, INGRESS, Rule, observed

_BATCH = 200  # values that one EC2 filter takes


class PrefixLists:
    """Managed prefix lists by name and by id, each asked for once."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._ids: dict[str, str] = {}

    def require(self, names: Sequence[str]) -> None:
        """Look these up. Raises PlanRefused for each name that the region does not have."""
        wanted = [name for name in names if not name.startswith("pl-")]
        self._read(wanted, "prefix-list-name")
        missing = [
            f"Looked for the prefix list {name} in {self._aws.region} and found none. Check its name with "
            "aws ec2 describe-managed-prefix-lists."
            for name in wanted
            if name not in self._ids
        ]
        if missing:
            raise PlanRefused(missing)

    def know(self, idents: Iterable[str]) -> None:
        """Look up the names of these ids."""
        self._read(sorted(set(idents) - set(self._ids.values())), "prefix-list-id")

    def _read(self, values: Sequence[str], by: str) -> None:
        if values:
            filters = [{"Name": by, "Values": list(values)}]
            attempt, operation = "list managed prefix lists", "describe_managed_prefix_lists"
            for item in self._aws.pages(attempt, "ec2", operation, "PrefixLists", Filters=filters):
                self._ids[item["PrefixListName"]] = item["PrefixListId"]

    def id(self, name: str) -> str:
        if not name.startswith("pl-") and name not in self._ids:
            self.require([name])
        return self._ids.get(name, name)

    def name(self, ident: str) -> str:
        """Its name; the id itself when it belongs to another account."""
        return next((name for name, its_id in self._ids.items() if its_id == ident), ident)


class SecurityGroup(Ec2Kind):
    """Groups; found by tags, called by their group name, which AWS never changes."""

    kind = "security_group"
    traits = Traits("security group", immutable=frozenset({"vpc", "description"}))
    listing = ("describe_security_groups", "SecurityGroups", "GroupId")
    tag_type = "security-group"

    def found(self, name: str, ident: str, item: dict[str, Any], tags: dict[str, str]) -> Found:
        fields = {"vpc": item["VpcId"], "description": item["Description"]}
        return Found(self.kind, item["GroupName"], ident, fields, tags)

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create security group {wanted.name}",
            "create_security_group",
            GroupName=wanted.name,
            Description=wanted.fields["description"],
            VpcId=wanted.fields["vpc"],
            TagSpecifications=self.tag_specifications(wanted),
        )
        return self.new(wanted, answer["GroupId"])

    def delete(self, found: Found) -> None:
        attempt = f"delete security group {found.name}"

        def read() -> str:
            # Network interfaces of a task, a database or a function let go of it some time after they end.
            codes = {"DependencyViolation"}
            gone = self.aws.call_unless(codes, attempt, "ec2", "delete_security_group", GroupId=found.id)
            return "in use" if gone is None else "deleted"

        until(f"security group {found.name} to be let go of", read, good={"deleted"}, timeout=900)


class SecurityGroupRules(Kind):
    """All rules of one group, as lines; new ones are added before others are taken away."""

    kind = "security_group_rules"
    traits = Traits("rules of security group")

    def __init__(self, aws: Aws, tags: Mapping[str, str], prefix_lists: PrefixLists | None = None) -> None:
        self._aws = aws
        self._groups = SecurityGroup(aws, tags)
        self._prefix_lists = prefix_lists or PrefixLists(aws)
        self._ids: dict[str, str] = {}  # group name → id

    def observe(self) -> Iterable[Found]:
        self._ids = {item["GroupName"]: item["GroupId"] for item in self._groups.listed()}
        items: dict[str, list[dict[str, Any]]] = {ident: [] for ident in self._ids.values()}
        idents = sorted(items)
        for start in range(0, len(idents), _BATCH):
            for item in self._listed(idents[start : start + _BATCH]):
                items[item["GroupId"]].append(item)
        self._prefix_lists.know(
            item["PrefixListId"] for its in items.values() for item in its if item.get("PrefixListId")
        )
        for name, ident in self._ids.items():
            yield self._found(name, ident, items[ident])

    def _listed(self, idents: Sequence[str]) -> list[dict[str, Any]]:
        filters = [{"Name": "group-id", "Values": list(idents)}]
        attempt, operation = "list every security group rule", "describe_security_group_rules"
        return self._aws.pages(attempt, "ec2", operation, "SecurityGroupRules", Filters=filters)

    def _found(self, name: str, ident: str, items: Sequence[Mapping[str, Any]]) -> Found:
        lines: dict[str, dict[str, str]] = {INGRESS: {}, EGRESS: {}}
        rule_ids: dict[str, dict[str, str]] = {INGRESS: {}, EGRESS: {}}
        for item in items:
            direction = EGRESS if item["IsEgress"] else INGRESS
            line = observed(item, self._group_name, self._prefix_lists.name).line(direction)
            lines[direction][line] = item.get("Description", "")
            rule_ids[direction][line] = item["SecurityGroupRuleId"]
        return Found(self.kind, name, ident, lines, outputs={"rule_ids": rule_ids})

    def _group_name(self, ident: str) -> str:
        return next((name for name, its_id in self._ids.items() if its_id == ident), ident)

    def _group_id(self, name: str) -> str:
        if name not in self._ids and not name.startswith("sg-"):
            self._ids = {item["GroupName"]: item["GroupId"] for item in self._groups.listed()}
        return self._ids.get(name, name)

    def create(self, wanted: Resource) -> Found:
        # A new group has one rule already: everything may leave.
        ident = self._group_id(wanted.name)
        found = self._found(wanted.name, ident, self._listed([ident]))
        self.change(found, wanted, (INGRESS, EGRESS))
        return Found(self.kind, wanted.name, ident, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        for direction in fields:
            have: Mapping[str, str] = found.fields[direction]
            want: Mapping[str, str] = wanted.fields[direction]
            self._write("authorize", found, direction, {line: want[line] for line in want.keys() - have.keys()})
            told = {line: want[line] for line in want.keys() & have.keys() if want[line] != have[line]}
            self._write("update", found, direction, told)
            self._revoke(found, direction, sorted(have.keys() - want.keys()))

    def _write(self, verb: str, found: Found, direction: str, lines: Mapping[str, str]) -> None:
        if not lines:
            return
        permissions = [
            Rule.parse(line).permission(description, self._group_id, self._prefix_lists.id)
            for line, description in sorted(lines.items())
        ]
        operation = {
            "authorize": f"authorize_security_group_{direction}",
            "update": f"update_security_group_rule_descriptions_{direction}",
        }[verb]
        attempt = f"{verb} {direction} rules {'; '.join(sorted(lines))} of security group {found.name}"
        self._aws.call(attempt, "ec2", operation, GroupId=found.id, IpPermissions=permissions)

    def _revoke(self, found: Found, direction: str, lines: Sequence[str]) -> None:
        if lines:
            idents = [found.outputs["rule_ids"][direction][line] for line in lines]
            attempt = f"revoke {direction} rules {'; '.join(lines)} of security group {found.name}"
            operation = f"revoke_security_group_{direction}"
            self._aws.call(attempt, "ec2", operation, GroupId=found.id, SecurityGroupRuleIds=idents)

    def delete(self, found: Found) -> None:
        for direction in (INGRESS, EGRESS):
            self._revoke(found, direction, sorted(found.fields[direction]))


def security_group_kinds(aws: Aws, tags: Mapping[str, str], prefix_lists: PrefixLists | None = None) -> list[Kind]:
    """The groups and their rules, in the order of creation."""
    return [SecurityGroup(aws, tags), SecurityGroupRules(aws, tags, prefix_lists)]
