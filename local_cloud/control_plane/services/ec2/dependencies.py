# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who uses a subnet or a security group, and the deletions that AWS refuses because of it."""

from __future__ import annotations

from ministack.services import ec2

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.services.ec2.network_interfaces import interfaces
from local_cloud.control_plane.services.elbv2 import state as elbv2


async def users_of_security_group(call: Call, group_id: str) -> list[str]:
    """What has a network interface in the group, and DB clusters that name it."""
    users = [item.owner for item in await interfaces(call) if group_id in item.groups]
    for cluster in (await call.invoke("rds", "DescribeDBClusters", {})).get("DBClusters", []):
        if group_id in [group["VpcSecurityGroupId"] for group in cluster.get("VpcSecurityGroups", [])]:
            users.append(cluster["DBClusterArn"])
    return users


@registry.handles("ec2", "DeleteSubnet")
async def delete_subnet(call: Call) -> Params:
    subnet = call.params["SubnetId"]
    if users := [item.owner for item in await interfaces(call) if item.subnet == subnet]:
        raise AwsError(
            "DependencyViolation", f"The subnet '{subnet}' has dependencies and cannot be deleted ({users[0]})."
        )
    answer = await call.forward()
    for table in ec2._route_tables.values():  # AWS drops the associations with the subnet
        table["Associations"] = [item for item in table.get("Associations", []) if item.get("SubnetId") != subnet]
    return answer


@registry.handles("ec2", "DetachInternetGateway")
async def detach_internet_gateway(call: Call) -> Params:
    vpc = call.params["VpcId"]
    gateway = ec2._internet_gateways.get(call.params["InternetGatewayId"])
    if gateway and vpc not in [item["VpcId"] for item in gateway.get("Attachments", [])]:
        raise AwsError(
            "Gateway.NotAttached", f"resource {call.params['InternetGatewayId']} is not attached to network {vpc}"
        )
    public = [
        item["NatGatewayId"]
        for item in ec2._nat_gateways.values()
        if item["State"] not in ("deleted", "failed") and ec2._subnets.get(item["SubnetId"], {}).get("VpcId") == vpc
    ]
    public += [
        item["LoadBalancerArn"]
        for item in elbv2.load_balancers.values()
        if item["VpcId"] == vpc and item["Scheme"] == "internet-facing"
    ]
    if public:
        raise AwsError(
            "DependencyViolation",
            f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching "
            f"the gateway ({public[0]}).",
        )
    return await call.forward()


@registry.handles("ec2", "DeleteInternetGateway")
async def delete_internet_gateway(call: Call) -> Params:
    gateway = ec2._internet_gateways.get(call.params["InternetGatewayId"])
    if gateway and gateway.get("Attachments"):
        raise AwsError(
            "DependencyViolation",
            f"The internetGateway '{call.params['InternetGatewayId']}' has dependencies and cannot be deleted.",
        )
    return await call.forward()


@registry.handles("ec2", "DeleteRouteTable")
async def delete_route_table(call: Call) -> Params:
    table = ec2._route_tables.get(call.params["RouteTableId"])
    if table and table.get("Associations"):
        raise AwsError(
            "DependencyViolation",
            f"The routeTable '{call.params['RouteTableId']}' has dependencies and cannot be deleted.",
        )
    return await call.forward()


@registry.handles("ec2", "DeleteVpc")
async def delete_vpc(call: Call) -> Params:
    vpc = call.params["VpcId"]
    endpoints = (await call.invoke("ec2", "DescribeVpcEndpoints", {})).get("VpcEndpoints", [])
    held = [
        table["RouteTableId"]
        for table in ec2._route_tables.values()
        if table["VpcId"] == vpc and not any(item.get("Main") for item in table.get("Associations", []))
    ]
    held += [item["VpcEndpointId"] for item in endpoints if item["VpcId"] == vpc]
    held += [
        item["NatGatewayId"]
        for item in ec2._nat_gateways.values()
        if item.get("VpcId") == vpc and item["State"] not in ("deleted", "failed")
    ]
    if held:
        raise AwsError("DependencyViolation", f"The vpc '{vpc}' has dependencies and cannot be deleted ({held[0]}).")
    return await call.forward()
