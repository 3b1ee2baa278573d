# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NAT gateways hold their Elastic IP address: ministack forgets which one, and hands out a second for a repeat.

It also lists every address, whatever the filters.
"""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.stores import store

_addresses = store("nat_gateway_addresses")  # NAT gateway id: its NatGatewayAddresses
_tokens = store("nat_gateway_tokens")  # ClientToken: NAT gateway id


@registry.handles("ec2", "CreateNatGateway")
async def create_nat_gateway(call: Call) -> Params:
    token = call.params.get("ClientToken")
    if token in _tokens:
        described = await call.invoke("ec2", "DescribeNatGateways", {"NatGatewayIds": [_tokens[token]]})
        return {"NatGateway": described["NatGateways"][0], "ClientToken": token}
    addresses = []
    if allocation := call.params.get("AllocationId"):
        listed = await call.invoke("ec2", "DescribeAddresses", {"AllocationIds": [allocation]})
        address = {"AllocationId": allocation, "PublicIp": listed["Addresses"][0]["PublicIp"], "Status": "succeeded"}
        addresses.append({**address, "IsPrimary": True})
    answer = await call.forward()
    ident = answer["NatGateway"]["NatGatewayId"]
    _addresses[ident] = addresses
    if token:
        _tokens[token] = ident
    answer["NatGateway"]["NatGatewayAddresses"] = addresses
    return answer


@registry.handles("ec2", "DescribeNatGateways")
async def describe_nat_gateways(call: Call) -> Params:
    answer = await call.forward()
    for gateway in answer.get("NatGateways", []):
        gateway["NatGatewayAddresses"] = _addresses.get(gateway["NatGatewayId"], [])
    return answer


@registry.handles("ec2", "DescribeAddresses")
async def describe_addresses(call: Call) -> Params:
    answer = await call.forward()
    filters = call.params.get("Filters", [])
    return {**answer, "Addresses": [address for address in answer.get("Addresses", []) if _fits(address, filters)]}


def _fits(address: dict[str, Any], filters: list[dict[str, Any]]) -> bool:
    known = {
        "allocation-id": address["AllocationId"],
        "public-ip": address["PublicIp"],
        "domain": address["Domain"],
        **{f"tag:{tag['Key']}": tag["Value"] for tag in address.get("Tags", [])},
    }
    return all(known.get(one["Name"]) in one["Values"] for one in filters)


@registry.handles("ec2", "ReleaseAddress")
async def release_address(call: Call) -> Params:
    allocation = call.params.get("AllocationId")
    filters = [{"Name": "state", "Values": ["pending", "available", "deleting"]}]
    alive = await call.invoke("ec2", "DescribeNatGateways", {"Filter": filters})
    for gateway in alive["NatGateways"]:
        if any(address["AllocationId"] == allocation for address in gateway["NatGatewayAddresses"]):
            raise AwsError("InvalidIPAddress.InUse", f"Address {allocation} is in use by {gateway['NatGatewayId']}.")
    return await call.forward()
