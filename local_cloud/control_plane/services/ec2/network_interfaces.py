# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network interfaces that load balancers, gateways, endpoints, databases, caches and tasks have in subnets.

None of them is stored: each follows from its owner, so it is there exactly as long as the owner is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from ministack.services import ec2

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import page
from local_cloud.control_plane.services.elbv2 import state as elbv2


@dataclass(frozen=True)
class Interface:
    """A network interface: who has it, in which subnet, with which security groups."""

    owner: str
    subnet: str
    groups: list[str] = field(default_factory=list)
    description: str = ""
    kind: str = "interface"

    @property
    def id(self) -> str:
        return f"eni-{hashlib.sha256(f'{self.owner}|{self.subnet}'.encode()).hexdigest()[:17]}"


async def interfaces(call: Call) -> list[Interface]:
    """All interfaces of the call's region."""
    return [
        *_of_load_balancers(),
        *_of_nat_gateways(),
        *await _of_endpoints(call),
        *await _of_databases(call),
        *await _of_proxies(call),
        *await _of_caches(call),
        *await _of_services(call),
    ]


def _of_load_balancers() -> list[Interface]:
    return [
        Interface(
            item["LoadBalancerArn"],
            zone["SubnetId"],
            item["SecurityGroups"],
            f"ELB {item['LoadBalancerArn'].partition('loadbalancer/')[2]}",
        )
        for item in elbv2.load_balancers.values()
        for zone in item["AvailabilityZones"]
    ]


def _of_nat_gateways() -> list[Interface]:
    return [
        Interface(
            item["NatGatewayId"],
            item["SubnetId"],
            [],
            f"Interface for NAT Gateway {item['NatGatewayId']}",
            "nat_gateway",
        )
        for item in ec2._nat_gateways.values()
        if item["State"] not in ("deleted", "failed")
    ]


async def _of_endpoints(call: Call) -> list[Interface]:
    found = (await call.invoke("ec2", "DescribeVpcEndpoints", {})).get("VpcEndpoints", [])
    return [
        Interface(
            item["VpcEndpointId"],
            subnet,
            [group["GroupId"] for group in item.get("Groups", [])],
            f"VPC Endpoint Interface {item['VpcEndpointId']}",
            "vpc_endpoint",
        )
        for item in found
        for subnet in item.get("SubnetIds", [])
    ]


async def _of_databases(call: Call) -> list[Interface]:
    found = []
    instances = (await call.invoke("rds", "DescribeDBInstances", {})).get("DBInstances", [])
    for number, item in enumerate(instances):
        subnets = [subnet["SubnetIdentifier"] for subnet in (item.get("DBSubnetGroup") or {}).get("Subnets", [])]
        groups = [group["VpcSecurityGroupId"] for group in item.get("VpcSecurityGroups", [])]
        if subnets:
            subnet = subnets[number % len(subnets)]
            found.append(Interface(item["DBInstanceArn"], subnet, groups, "RDSNetworkInterface"))
    return found


async def _of_proxies(call: Call) -> list[Interface]:
    found = (await call.invoke("rds", "DescribeDBProxies", {})).get("DBProxies", [])
    return [
        Interface(item["DBProxyArn"], subnet, item.get("VpcSecurityGroupIds", []), "Network interface for DBProxy")
        for item in found
        for subnet in item.get("VpcSubnetIds", [])
    ]


async def _of_caches(call: Call) -> list[Interface]:
    nodes = (await call.invoke("elasticache", "DescribeCacheClusters", {})).get("CacheClusters", [])
    if not nodes:
        return []
    groups = (await call.invoke("elasticache", "DescribeCacheSubnetGroups", {}))["CacheSubnetGroups"]
    subnets = {item["CacheSubnetGroupName"]: [one["SubnetIdentifier"] for one in item["Subnets"]] for item in groups}
    found = []
    for number, node in enumerate(nodes):
        own = subnets.get(node.get("CacheSubnetGroupName", ""), [])
        if own:
            security = [group["SecurityGroupId"] for group in node.get("SecurityGroups", [])]
            subnet = own[number % len(own)]
            found.append(Interface(node["ARN"], subnet, security, f"ElastiCache {node['CacheClusterId']}"))
    return found


async def _of_services(call: Call) -> list[Interface]:
    """ECS services with tasks: each task has an interface in one of the service's subnets."""
    found = []
    for cluster in (await call.invoke("ecs", "ListClusters", {}))["clusterArns"]:
        arns = (await call.invoke("ecs", "ListServices", {"cluster": cluster})).get("serviceArns", [])
        for begin in range(0, len(arns), 10):
            some = {"cluster": cluster, "services": arns[begin : begin + 10]}
            for service in (await call.invoke("ecs", "DescribeServices", some))["services"]:
                network = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
                subnets = network.get("subnets", [])
                for subnet in subnets[: service.get("runningCount", 0)]:
                    groups = network.get("securityGroups", [])
                    found.append(
                        Interface(service["serviceArn"], subnet, groups, f"arn:aws:ecs attachment of {subnet}")
                    )
    return found


def _shown(interface: Interface, account: str) -> dict[str, Any]:
    subnet = ec2._subnets.get(interface.subnet, {})
    names = {name: group["GroupName"] for name, group in ec2._security_groups.items()}
    return {
        "NetworkInterfaceId": interface.id,
        "SubnetId": interface.subnet,
        "VpcId": subnet.get("VpcId", ""),
        "AvailabilityZone": subnet.get("AvailabilityZone", ""),
        "Description": interface.description,
        "InterfaceType": interface.kind,
        "OwnerId": account,
        "RequesterManaged": True,
        "Status": "in-use",
        "Groups": [{"GroupId": group, "GroupName": names.get(group, "")} for group in interface.groups],
        "TagSet": [],
    }


_FILTERS = {
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
    "network-interface-id": "NetworkInterfaceId",
    "status": "Status",
    "interface-type": "InterfaceType",
    "description": "Description",
    "availability-zone": "AvailabilityZone",
}


def _matches(shown: dict[str, Any], name: str, values: list[str]) -> bool:
    if name == "group-id":
        return bool({group["GroupId"] for group in shown.get("Groups", [])} & set(values))
    if name.startswith("tag:"):
        return any(tag["Key"] == name[4:] and tag["Value"] in values for tag in shown.get("TagSet", []))
    if name not in _FILTERS:
        raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return shown.get(_FILTERS[name]) in values


@registry.handles("ec2", "DescribeNetworkInterfaces")
async def describe(call: Call) -> Params:
    own = (await call.forward({})).get("NetworkInterfaces", [])
    items = [*own, *(_shown(interface, call.account) for interface in await interfaces(call))]
    if ids := call.params.get("NetworkInterfaceIds"):
        missing = set(ids) - {item["NetworkInterfaceId"] for item in items}
        if missing:
            raise AwsError(
                "InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{sorted(missing)[0]}' does not exist"
            )
        items = [item for item in items if item["NetworkInterfaceId"] in ids]
    for wanted in call.params.get("Filters", []):
        items = [item for item in items if _matches(item, wanted["Name"], wanted["Values"])]
    some, token = page(items, call.params.get("NextToken"), call.params.get("MaxResults"), 1000)
    return {"NetworkInterfaces": some, "NextToken": token}
