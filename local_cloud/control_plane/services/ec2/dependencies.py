# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who uses a subnet or a security group, and the deletions that AWS refuses because of it."""

from __future__ import annotations

from typing import Any

from ministack.services import ec2

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.services.elbv2 import state as elbv2


async def _endpoints(call: Call) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await call.invoke("ec2", "DescribeVpcEndpoints", {})).get("VpcEndpoints", [])
    return found


async def _running_services(call: Call) -> list[dict[str, Any]]:
    """ECS services with tasks: each task has a network interface in the service's subnets."""
    services = []
    for cluster in (await call.invoke("ecs", "ListClusters", {}))["clusterArns"]:
        arns = (await call.invoke("ecs", "ListServices", {"cluster": cluster})).get("serviceArns", [])
        for begin in range(0, len(arns), 10):
            some = {"cluster": cluster, "services": arns[begin : begin + 10]}
            services += (await call.invoke("ecs", "DescribeServices", some))["services"]
    return [service for service in services if service.get("runningCount", 0) > 0]


def _network_of(service: dict[str, Any]) -> dict[str, Any]:
    network: dict[str, Any] = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    return network


async def users_of_security_group(call: Call, group_id: str) -> list[str]:
    """Names of what holds a network interface in the group."""
    users = [item["LoadBalancerArn"] for item in elbv2.load_balancers.values() if group_id in item["SecurityGroups"]]
    for endpoint in await _endpoints(call):
        if group_id in [group["GroupId"] for group in endpoint.get("Groups", [])]:
            users.append(endpoint["VpcEndpointId"])
    for kind, plural, name in (("DescribeDBClusters", "DBClusters", "DBClusterIdentifier"),):
        for item in (await call.invoke("rds", kind, {})).get(plural, []):
            if group_id in [group["VpcSecurityGroupId"] for group in item.get("VpcSecurityGroups", [])]:
                users.append(item[name])
    for proxy in (await call.invoke("rds", "DescribeDBProxies", {})).get("DBProxies", []):
        if group_id in proxy.get("VpcSecurityGroupIds", []):
            users.append(proxy["DBProxyName"])
    for node in (await call.invoke("elasticache", "DescribeCacheClusters", {})).get("CacheClusters", []):
        if group_id in [group["SecurityGroupId"] for group in node.get("SecurityGroups", [])]:
            users.append(node["CacheClusterId"])
    users += [
        item["serviceName"]
        for item in await _running_services(call)
        if group_id in _network_of(item).get("securityGroups", [])
    ]
    return users


async def _users_of_subnet(call: Call, subnet: str) -> list[str]:
    users = [
        gateway["NatGatewayId"]
        for gateway in ec2._nat_gateways.values()
        if gateway["SubnetId"] == subnet and gateway["State"] not in ("deleted", "failed")
    ]
    users += [item["VpcEndpointId"] for item in await _endpoints(call) if subnet in item.get("SubnetIds", [])]
    users += [
        item["LoadBalancerArn"]
        for item in elbv2.load_balancers.values()
        if subnet in [zone["SubnetId"] for zone in item["AvailabilityZones"]]
    ]
    users += [
        item["serviceName"] for item in await _running_services(call) if subnet in _network_of(item).get("subnets", [])
    ]
    for proxy in (await call.invoke("rds", "DescribeDBProxies", {})).get("DBProxies", []):
        if subnet in proxy.get("VpcSubnetIds", []):
            users.append(proxy["DBProxyName"])
    for instance in (await call.invoke("rds", "DescribeDBInstances", {})).get("DBInstances", []):
        if subnet in [item["SubnetIdentifier"] for item in instance.get("DBSubnetGroup", {}).get("Subnets", [])]:
            users.append(instance["DBInstanceIdentifier"])
    for node in (await call.invoke("elasticache", "DescribeCacheClusters", {})).get("CacheClusters", []):
        groups = {"CacheSubnetGroupName": node.get("CacheSubnetGroupName")}
        if not groups["CacheSubnetGroupName"]:
            continue
        found = (await call.invoke("elasticache", "DescribeCacheSubnetGroups", groups))["CacheSubnetGroups"]
        if subnet in [item["SubnetIdentifier"] for group in found for item in group["Subnets"]]:
            users.append(node["CacheClusterId"])
    return users


@registry.handles("ec2", "DeleteSubnet")
async def delete_subnet(call: Call) -> Params:
    subnet = call.params["SubnetId"]
    if users := await _users_of_subnet(call, subnet):
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
    held = [
        table["RouteTableId"]
        for table in ec2._route_tables.values()
        if table["VpcId"] == vpc and not any(item.get("Main") for item in table.get("Associations", []))
    ]
    held += [item["VpcEndpointId"] for item in await _endpoints(call) if item["VpcId"] == vpc]
    held += [
        item["NatGatewayId"]
        for item in ec2._nat_gateways.values()
        if item.get("VpcId") == vpc and item["State"] not in ("deleted", "failed")
    ]
    if held:
        raise AwsError("DependencyViolation", f"The vpc '{vpc}' has dependencies and cannot be deleted ({held[0]}).")
    return await call.forward()
