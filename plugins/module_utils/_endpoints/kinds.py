# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes VPC endpoints: one list call for all."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.policies import canonical, text
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._network.kinds import Ec2Kind

# field → what Create, and with Add and Remove before it Modify, call it
_LISTS = {"route_tables": "RouteTableIds", "subnets": "SubnetIds", "security_groups": "SecurityGroupIds"}
_GONE = ("deleting", "deleted")


class VpcEndpoint(Ec2Kind):
    kind = "vpc_endpoint"
    traits = Traits("VPC endpoint", immutable=frozenset({"vpc", "service", "type"}))
    listing = ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId")
    tag_type = "vpc-endpoint"

    def found(self, name: str, ident: str, item: dict[str, Any], tags: dict[str, str]) -> Found | None:
        state = item["State"].lower()  # EC2 writes it in either case
        if state in _GONE:
            return None
        fields = {
            "vpc": item["VpcId"],
            "service": item["ServiceName"],
            "type": item["VpcEndpointType"],
            "route_tables": sorted(item.get("RouteTableIds", [])),
            "subnets": sorted(item.get("SubnetIds", [])),
            "security_groups": sorted(one["GroupId"] for one in item.get("Groups", [])),
            "private_dns": item.get("PrivateDnsEnabled", False),
            "policy": canonical(item.get("PolicyDocument")),
        }
        return Found(self.kind, name, ident, fields, tags, settled=state != "pending")

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        lists = {key: fields[field] for field, key in _LISTS.items() if fields[field]}
        private_dns = {"PrivateDnsEnabled": fields["private_dns"]} if fields["type"] == "Interface" else {}
        answer = self.call(
            f"create VPC endpoint {wanted.name}",
            "create_vpc_endpoint",
            VpcId=fields["vpc"],
            ServiceName=fields["service"],
            VpcEndpointType=fields["type"],
            PolicyDocument=text(fields["policy"]),
            ClientToken=str(uuid.uuid4()),
            TagSpecifications=self.tag_specifications(wanted),
            **lists,
            **private_dns,
        )
        return self.new(wanted, answer["VpcEndpoint"]["VpcEndpointId"])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        changes: dict[str, Any] = {}
        for field in fields:
            value = wanted.fields[field]
            if field in _LISTS:
                have = found.fields[field]
                changes[f"Add{_LISTS[field]}"] = sorted(set(value) - set(have))
                changes[f"Remove{_LISTS[field]}"] = sorted(set(have) - set(value))
            elif field == "private_dns":
                changes["PrivateDnsEnabled"] = value
            elif field == "policy":
                changes["PolicyDocument"] = text(value)
        given = {key: value for key, value in changes.items() if value != []}
        attempt = f"change {', '.join(fields)} of VPC endpoint {found.name}"
        self.call(attempt, "modify_vpc_endpoint", VpcEndpointId=found.id, **given)

    def delete(self, found: Found) -> None:
        self.call(f"delete VPC endpoint {found.name}", "delete_vpc_endpoints", VpcEndpointIds=[found.id])
        # Its network interfaces keep subnets and security groups from being deleted until it is gone.
        until(
            f"VPC endpoint {found.name} to be deleted", lambda: self._state(found), good={"", *_GONE[1:]}, timeout=900
        )

    def wait(self, found: Found) -> None:
        what = f"VPC endpoint {found.name} to be available"
        until(what, lambda: self._state(found), good={"available"}, bad={"failed", "rejected", "expired", *_GONE})

    def _state(self, found: Found) -> str:
        listed = self.aws.pages(
            f"look at VPC endpoint {found.name}",
            "ec2",
            "describe_vpc_endpoints",
            "VpcEndpoints",
            missing={"InvalidVpcEndpointId.NotFound"},
            VpcEndpointIds=[found.id],
        )
        return str(listed[0]["State"]).lower() if listed else ""


def endpoint_kinds(aws: Aws, tags: Mapping[str, str]) -> list[Kind]:
    """The one kind of this package."""
    return [VpcEndpoint(aws, tags)]
