# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes the parts of a network.

Each observe is one Describe call for all resources of its kind; identity is by tags, which every Create
call sets itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from .._aws.api import Aws, tag_filters
from .._aws.tags import belongs, from_boto3, identity, specifications, to_boto3
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import together
from .._engine.steps import StepFailed


class Ec2Kind(Kind):
    """What all EC2 resources share: tag filters, tags at creation, CreateTags and DeleteTags.

    listing: the Describe method, the key of its answer and the key of an item's id.
    """

    listing: ClassVar[tuple[str, str, str]]
    tag_type: ClassVar[str]

    def __init__(self, aws: Aws, tags: Mapping[str, str]) -> None:
        self.aws = aws
        self.identity = identity(tags)

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "ec2", operation, **parameters)

    def remove(self, what: str, operation: str, **parameters: Any) -> None:
        """Delete something whose users AWS may still be taking down (network interfaces of load balancers,
        databases, functions); for five minutes a dependency is a reason to wait, then it is the error."""

        def attempt() -> str:
            done = self.aws.call_unless({"DependencyViolation"}, f"delete {what}", "ec2", operation, **parameters)
            return "gone" if done is not None else "in use by something else"

        until(f"{what} to be free for deletion", attempt, good={"gone"}, timeout=300)

    def filters(self) -> list[dict[str, Any]]:
        return tag_filters(self.identity)

    def listed(self) -> list[dict[str, Any]]:
        operation, key, _id = self.listing
        return self.aws.pages(f"list every {self.traits.title}", "ec2", operation, key, Filters=self.filters())

    def observe(self) -> Iterable[Found]:
        for item in self.listed():
            tags = from_boto3(item.get("Tags", []))
            if not belongs(tags, self.identity):
                continue  # what is removed is removed by this list alone
            found = self.found(tags.get("Name", ""), item[self.listing[2]], item, tags)
            if found is not None:
                yield found

    def found(self, name: str, ident: str, item: dict[str, Any], tags: dict[str, str]) -> Found | None:
        raise NotImplementedError

    def new(self, wanted: Resource, ident: str, **outputs: Any) -> Found:
        return Found(self.kind, wanted.name, ident, wanted.fields, wanted.tags, outputs)

    def tag_specifications(self, wanted: Resource) -> Any:
        return specifications(dict(wanted.tags or {}), [self.tag_type])

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self.call(f"tag {found.id}", "create_tags", Resources=[found.id], Tags=to_boto3(dict(put)))
        if remove:
            tags = [{"Key": name} for name in remove]
            self.call(f"remove tags from {found.id}", "delete_tags", Resources=[found.id], Tags=tags)


class Vpc(Ec2Kind):
    kind = "vpc"
    traits = Traits("VPC", immutable=frozenset({"cidr_block"}))
    listing = ("describe_vpcs", "Vpcs", "VpcId")
    tag_type = "vpc"
    slow = False  # some seconds, which `create` waits: its DNS attributes are set afterwards

    def found(self, name: str, ident: str, item: dict[str, Any], tags: dict[str, str]) -> Found:
        support, hostnames = together(
            lambda: self._attribute(ident, "enableDnsSupport", "EnableDnsSupport"),
            lambda: self._attribute(ident, "enableDnsHostnames", "EnableDnsHostnames"),
        )
        fields = {"cidr_block": item["CidrBlock"], "dns_support": support, "dns_hostnames": hostnames}
        return Found(self.kind, name, ident, fields, tags, settled=item["State"] == "available")

    def _attribute(self, ident: str, attribute: str, key: str) -> bool:
        answer = self.call(f"read {attribute} of {ident}", "describe_vpc_attribute", VpcId=ident, Attribute=attribute)
        return bool(answer[key]["Value"])

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create VPC {wanted.name}",
            "create_vpc",
            CidrBlock=wanted.fields["cidr_block"],
            TagSpecifications=self.tag_specifications(wanted),
        )
        made = self.new(wanted, answer["Vpc"]["VpcId"])
        self.wait(made)
        self.change(made, wanted, ("dns_support", "dns_hostnames"))
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        # Host names need DNS support, and AWS takes one attribute a call.
        for field, key in (("dns_support", "EnableDnsSupport"), ("dns_hostnames", "EnableDnsHostnames")):
            if field in fields:
                value = {key: {"Value": wanted.fields[field]}}
                self.call(f"set {field} of VPC {found.name}", "modify_vpc_attribute", VpcId=found.id, **value)

    def delete(self, found: Found) -> None:
        self.remove(f"VPC {found.name}", "delete_vpc", VpcId=found.id)

    def wait(self, found: Found) -> None:
        def read() -> str:
            answer = self.call(f"look at VPC {found.name}", "describe_vpcs", VpcIds=[found.id])
            return str(answer["Vpcs"][0]["State"])

        until(f"VPC {found.name} to be available", read, good={"available"}, timeout=120)


class InternetGateway(Ec2Kind):
    kind = "internet_gateway"
    traits = Traits("internet gateway")
    listing = ("describe_internet_gateways", "InternetGateways", "InternetGatewayId")
    tag_type = "internet-gateway"

    def found(self, name: str, ident: str, item: dict[str, Any], tags: dict[str, str]) -> Found:
        attached = [one["VpcId"] for one in item.get("Attachments", [])]
        return Found(self.kind, name, ident, {"vpc": attached[0] if attached else None}, tags)

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create internet gateway {wanted.name}",
            "create_internet_gateway",
            TagSpecifications=self.tag_specifications(wanted),
        )
        made = self.new(wanted, answer["InternetGateway"]["InternetGatewayId"])
        self._attach(made, wanted)
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._detach(found)
        self._attach(found, wanted)

    def _attach(self, found: Found, wanted: Resource) -> None:
        attempt = f"attach internet gateway {found.name}"
        self.call(attempt, "attach_internet_gateway", InternetGatewayId=found.id, VpcId=wanted.fields["vpc"])

    def _detach(self, found: Found) -> None:
        if vpc := found.fields["vpc"]:
            what = f"the attachment of internet gateway {found.name}"
            self.remove(what, "detach_internet_gateway", InternetGatewayId=found.id, VpcId=vpc)

    def delete(self, found: Found) -> None:
        self._detach(found)
        attempt = f"delete internet gateway {found.name}"
        self.call(attempt, "delete_internet_gateway", InternetGatewayId=found.id)


class Subnet(Ec2Kind):
    kind = "subnet"
    traits = Traits("subnet", immutable=frozenset({"vpc", "cidr_block", "availability_zone"}))
    listing = ("describe_subnets", "Subnets", "SubnetId")
    tag_type = "subnet"

    def found(self, name: str, ident: str, item: dict[str, Any], tags: dict[str, str]) -> Found:
        fields = {
            "vpc": item["VpcId"],
            "cidr_block": item["CidrBlock"],
            "availability_zone": item["AvailabilityZone"],
            "public_ips": item["MapPublicIpOnLaunch"],
        }
        return Found(self.kind, name, ident, fields, tags, settled=item["State"] == "available")

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create subnet {wanted.name}",
            "create_subnet",
            VpcId=wanted.fields["vpc"],
            CidrBlock=wanted.fields["cidr_block"],
            AvailabilityZone=wanted.fields["availability_zone"],
            TagSpecifications=self.tag_specifications(wanted),
        )
        made = self.new(wanted, answer["Subnet"]["SubnetId"])
        if wanted.fields["public_ips"]:
            self.change(made, wanted, ("public_ips",))
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self.call(
            f"set public IPs of subnet {found.name}",
            "modify_subnet_attribute",
            SubnetId=found.id,
            MapPublicIpOnLaunch={"Value": wanted.fields["public_ips"]},
        )

    def delete(self, found: Found) -> None:
        self.remove(f"subnet {found.name}", "delete_subnet", SubnetId=found.id)


class ElasticIp(Ec2Kind):
    kind = "elastic_ip"
    traits = Traits("Elastic IP address")
    listing = ("describe_addresses", "Addresses", "AllocationId")
    tag_type = "elastic-ip"

    def found(self, name: str, ident: str, item: dict[str, Any], tags: dict[str, str]) -> Found:
        return Found(self.kind, name, ident, {}, tags, {"public_ip": item["PublicIp"]})

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"allocate Elastic IP address {wanted.name}",
            "allocate_address",
            Domain="vpc",
            TagSpecifications=self.tag_specifications(wanted),
        )
        return self.new(wanted, answer["AllocationId"], public_ip=answer["PublicIp"])

    def delete(self, found: Found) -> None:
        self.call(f"release Elastic IP address {found.name}", "release_address", AllocationId=found.id)


class NatGateway(Ec2Kind):
    kind = "nat_gateway"
    traits = Traits("NAT gateway", immutable=frozenset({"subnet", "address"}))
    listing = ("describe_nat_gateways", "NatGateways", "NatGatewayId")
    tag_type = "natgateway"

    def listed(self) -> list[dict[str, Any]]:
        # A deleted gateway stays listed for an hour; it is not ours any more.
        alive = [*self.filters(), {"Name": "state", "Values": ["pending", "available"]}]
        return self.aws.pages("list every NAT gateway", "ec2", "describe_nat_gateways", "NatGateways", Filter=alive)

    def found(self, name: str, ident: str, item: dict[str, Any], tags: dict[str, str]) -> Found:
        addresses = [one.get("AllocationId") for one in item.get("NatGatewayAddresses", [])]
        fields = {"subnet": item["SubnetId"], "address": addresses[0] if addresses else None}
        return Found(self.kind, name, ident, fields, tags, settled=item["State"] == "available")

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create NAT gateway {wanted.name}",
            "create_nat_gateway",
            SubnetId=wanted.fields["subnet"],
            AllocationId=wanted.fields["address"],
            ClientToken=str(uuid.uuid4()),
            TagSpecifications=self.tag_specifications(wanted),
        )
        return self.new(wanted, answer["NatGateway"]["NatGatewayId"])

    def delete(self, found: Found) -> None:
        self.call(f"delete NAT gateway {found.name}", "delete_nat_gateway", NatGatewayId=found.id)
        # Its address can be released and its subnet deleted only when it is gone.
        until(f"NAT gateway {found.name} to be deleted", lambda: self._state(found), good={"deleted", ""})

    def wait(self, found: Found) -> None:
        what = f"NAT gateway {found.name} to be available"
        until(what, lambda: self._state(found), good={"available"}, bad={"failed", "deleted"})

    def _state(self, found: Found) -> str:
        attempt = f"look at NAT gateway {found.name}"
        listed = self.aws.pages(
            attempt,
            "ec2",
            "describe_nat_gateways",
            "NatGateways",
            missing={"NatGatewayNotFound"},
            NatGatewayIds=[found.id],
        )
        return str(listed[0]["State"]) if listed else ""


class RouteTable(Ec2Kind):
    kind = "route_table"
    traits = Traits("route table", immutable=frozenset({"vpc"}))
    listing = ("describe_route_tables", "RouteTables", "RouteTableId")
    tag_type = "route-table"

    def found(self, name: str, ident: str, item: dict[str, Any], tags: dict[str, str]) -> Found:
        associations = {
            one["SubnetId"]: one["RouteTableAssociationId"] for one in item["Associations"] if "SubnetId" in one
        }
        fields = {"vpc": item["VpcId"], "routes": self._routes(item), "subnets": sorted(associations)}
        return Found(self.kind, name, ident, fields, tags, {"associations": associations})

    @staticmethod
    def _routes(item: dict[str, Any]) -> dict[str, str]:
        """Our routes: not the local one, and not those that a gateway endpoint put there."""
        return {
            route["DestinationCidrBlock"]: route.get("NatGatewayId") or route.get("GatewayId") or "blackhole"
            for route in item["Routes"]
            if "DestinationCidrBlock" in route and route.get("GatewayId") != "local"
        }

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create route table {wanted.name}",
            "create_route_table",
            VpcId=wanted.fields["vpc"],
            TagSpecifications=self.tag_specifications(wanted),
        )
        ident = answer["RouteTable"]["RouteTableId"]
        bare = Found(self.kind, wanted.name, ident, {"routes": {}, "subnets": []}, wanted.tags, {"associations": {}})
        self.change(bare, wanted, ("routes", "subnets"))
        return self.new(wanted, ident)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if "routes" in fields:
            self._change_routes(found, wanted.fields["routes"])
        if "subnets" in fields:
            self._change_subnets(found, wanted.fields["subnets"])

    def _change_routes(self, found: Found, wanted: Mapping[str, str]) -> None:
        have: Mapping[str, str] = found.fields["routes"]
        for cidr, target in wanted.items():
            if have.get(cidr) == target:
                continue
            key = "NatGatewayId" if target.startswith("nat-") else "GatewayId"
            operation = "replace_route" if cidr in have else "create_route"
            route = {"RouteTableId": found.id, "DestinationCidrBlock": cidr, key: target}
            self.call(f"route {cidr} of {found.name} to {target}", operation, **route)
        for cidr in have.keys() - wanted.keys():
            attempt = f"delete route {cidr} of {found.name}"
            self.call(attempt, "delete_route", RouteTableId=found.id, DestinationCidrBlock=cidr)

    def _change_subnets(self, found: Found, wanted: Sequence[str]) -> None:
        associations: Mapping[str, str] = found.outputs["associations"]
        for subnet in sorted(associations.keys() - set(wanted)):
            attempt = f"take subnet {subnet} from route table {found.name}"
            self.call(attempt, "disassociate_route_table", AssociationId=associations[subnet])
        for subnet in wanted:
            if subnet not in associations:
                attempt = f"give subnet {subnet} the route table {found.name}"
                self.call(attempt, "associate_route_table", RouteTableId=found.id, SubnetId=subnet)

    def delete(self, found: Found) -> None:
        self._change_subnets(found, [])
        self.call(f"delete route table {found.name}", "delete_route_table", RouteTableId=found.id)


class FlowLog(Ec2Kind):
    kind = "flow_log"
    traits = Traits("flow log")
    listing = ("describe_flow_logs", "FlowLogs", "FlowLogId")
    tag_type = "vpc-flow-log"

    def listed(self) -> list[dict[str, Any]]:
        # The one EC2 list whose parameter is called Filter.
        return self.aws.pages("list every flow log", "ec2", "describe_flow_logs", "FlowLogs", Filter=self.filters())

    def found(self, name: str, ident: str, item: dict[str, Any], tags: dict[str, str]) -> Found:
        kind = item["LogDestinationType"]
        group = item.get("LogGroupName") if kind == "cloud-watch-logs" else None
        fields = {
            "resource": item["ResourceId"],
            "destination": item.get("LogDestination") or group,
            "destination_type": kind,
            "traffic_type": item["TrafficType"],
            "role": item.get("DeliverLogsPermissionArn"),
            "interval": item.get("MaxAggregationInterval", 600),
        }
        return Found(self.kind, name, ident, fields, tags)

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        role = {"DeliverLogsPermissionArn": fields["role"]} if fields["role"] else {}
        answer = self.call(
            f"create flow log {wanted.name}",
            "create_flow_logs",
            ResourceIds=[fields["resource"]],
            ResourceType="VPC",
            TrafficType=fields["traffic_type"],
            LogDestinationType=fields["destination_type"],
            LogDestination=fields["destination"],
            MaxAggregationInterval=fields["interval"],
            ClientToken=str(uuid.uuid4()),
            TagSpecifications=self.tag_specifications(wanted),
            **role,
        )
        if refused := answer.get("Unsuccessful"):
            # CreateFlowLogs answers 200 for what it could not do.
            why = refused[0].get("Error", {})
            raise StepFailed(
                f"Tried to create flow log {wanted.name}; AWS answered {why.get('Code')}: {why.get('Message')} "
                f"Check that {fields['destination']} exists and takes log delivery, then run again."
            )
        return self.new(wanted, answer["FlowLogIds"][0])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        # AWS cannot change a flow log. Killed between the two calls, the next run finds none and makes it.
        self.delete(found)
        self.create(wanted)

    def delete(self, found: Found) -> None:
        self.call(f"delete flow log {found.name}", "delete_flow_logs", FlowLogIds=[found.id])


def network_kinds(aws: Aws, tags: Mapping[str, str]) -> list[Kind]:
    """All kinds of a network, in the order of creation."""
    order = (Vpc, InternetGateway, Subnet, ElasticIp, NatGateway, RouteTable, FlowLog)
    return [kind(aws, tags) for kind in order]
