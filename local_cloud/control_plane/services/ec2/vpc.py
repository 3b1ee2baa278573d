# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""VPCs and subnets: checks of their ranges, and answers without members that AWS does not have."""

from __future__ import annotations

import ipaddress

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry


def _network(cidr: str, code: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
        ) from error
    if not 16 <= network.prefixlen <= 28:
        raise AwsError(code, f"The CIDR '{cidr}' is invalid.")
    return network


@registry.handles("ec2", "CreateVpc")
async def create_vpc(call: Call) -> Params:
    if "CidrBlock" in call.params:
        _network(call.params["CidrBlock"], "InvalidVpc.Range")
    return await call.forward()


@registry.handles("ec2", "DescribeVpcs", "CreateDefaultVpc")
async def without_unknown_members(call: Call) -> Params:
    return await call.forward()


@registry.handles("ec2", "CreateSubnet")
async def create_subnet(call: Call) -> Params:
    vpc = (await call.invoke("ec2", "DescribeVpcs", {"VpcIds": [call.params["VpcId"]]}))["Vpcs"][0]
    wanted = _network(call.params.get("CidrBlock", ""), "InvalidSubnet.Range")
    blocks = [block["CidrBlock"] for block in vpc.get("CidrBlockAssociationSet", [])] or [vpc["CidrBlock"]]
    if not any(wanted.subnet_of(ipaddress.IPv4Network(block)) for block in blocks):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{wanted}' is invalid.")
    zone = call.params.get("AvailabilityZone")
    if zone and zone not in {f"{call.region}{letter}" for letter in "abc"}:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the "
            f"following availability zones: {call.region}a, {call.region}b, {call.region}c.",
        )
    filters = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    for subnet in (await call.invoke("ec2", "DescribeSubnets", {"Filters": filters}))["Subnets"]:
        if wanted.overlaps(ipaddress.IPv4Network(subnet["CidrBlock"])):
            raise AwsError("InvalidSubnet.Conflict", f"The CIDR '{wanted}' conflicts with another subnet")
    return await call.forward()
