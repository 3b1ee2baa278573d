# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Interface endpoints' private DNS and security groups, endpoint policies; ministack keeps none of them."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.stores import store

_ALLOW_ALL = '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}'

extras = store("ec2_endpoint_extras")  # endpoint id -> {"PrivateDnsEnabled", "PolicyDocument", "Groups"}


def _with_extras(endpoint: dict[str, Any]) -> dict[str, Any]:
    return {**endpoint, **extras.get(endpoint["VpcEndpointId"], {})}


def _fits(endpoint: dict[str, Any], filters: list[dict[str, Any]]) -> bool:
    """True when the endpoint passes every filter; ministack looks at none."""
    known = {
        "vpc-id": endpoint["VpcId"],
        "vpc-endpoint-id": endpoint["VpcEndpointId"],
        "service-name": endpoint["ServiceName"],
        "vpc-endpoint-type": endpoint["VpcEndpointType"],
        "vpc-endpoint-state": endpoint["State"],
        **{f"tag:{tag['Key']}": tag["Value"] for tag in endpoint.get("Tags", [])},
    }
    return all(known.get(one["Name"]) in one["Values"] for one in filters)


async def _groups(call: Call, ids: list[str]) -> list[dict[str, str]]:
    if not ids:
        return []
    found = await call.invoke("ec2", "DescribeSecurityGroups", {"GroupIds": ids})
    return [{"GroupId": group["GroupId"], "GroupName": group["GroupName"]} for group in found["SecurityGroups"]]


@registry.handles("ec2", "CreateVpcEndpoint")
async def create_vpc_endpoint(call: Call) -> Params:
    wanted = call.params
    filters = [{"Name": "vpc-id", "Values": [wanted["VpcId"]]}]
    await call.invoke("ec2", "DescribeVpcs", {"VpcIds": [wanted["VpcId"]]})
    interface = wanted.get("VpcEndpointType", "Gateway") == "Interface"
    private = interface and wanted.get("PrivateDnsEnabled", True)
    groups = wanted.get("SecurityGroupIds", [])
    if interface and not groups:
        default = await call.invoke(
            "ec2", "DescribeSecurityGroups", {"Filters": [*filters, {"Name": "group-name", "Values": ["default"]}]}
        )
        groups = [group["GroupId"] for group in default["SecurityGroups"]]
    shown_groups = await _groups(call, groups)
    existing = (await call.invoke("ec2", "DescribeVpcEndpoints", {"Filters": filters}))["VpcEndpoints"]
    for other in existing:
        if private and other["ServiceName"] == wanted["ServiceName"] and other.get("PrivateDnsEnabled"):
            raise AwsError(
                "InvalidParameter",
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                f"{wanted['ServiceName']} in the VPC {wanted['VpcId']}",
            )
    answer = await call.forward()
    endpoint = answer["VpcEndpoint"]
    extras[endpoint["VpcEndpointId"]] = {
        "PrivateDnsEnabled": private,
        "PolicyDocument": wanted.get("PolicyDocument", _ALLOW_ALL),
        "Groups": shown_groups,
        "IpAddressType": "ipv4",
        "RequesterManaged": False,
    }
    return {**answer, "VpcEndpoint": _with_extras(endpoint)}


@registry.handles("ec2", "DescribeVpcEndpoints")
async def describe_vpc_endpoints(call: Call) -> Params:
    answer = await call.forward()
    shown = [_with_extras(endpoint) for endpoint in answer.get("VpcEndpoints", [])]
    filters = call.params.get("Filters", [])
    return {**answer, "VpcEndpoints": [endpoint for endpoint in shown if _fits(endpoint, filters)]}


@registry.handles("ec2", "ModifyVpcEndpoint")
async def modify_vpc_endpoint(call: Call) -> Params:
    wanted = call.params
    answer = await call.forward()
    extra = dict(extras.get(wanted["VpcEndpointId"], {"Groups": []}))
    if wanted.get("ResetPolicy"):
        extra["PolicyDocument"] = _ALLOW_ALL
    for name in ("PolicyDocument", "PrivateDnsEnabled"):
        if name in wanted:
            extra[name] = wanted[name]
    kept = [group for group in extra["Groups"] if group["GroupId"] not in wanted.get("RemoveSecurityGroupIds", [])]
    extra["Groups"] = [*kept, *await _groups(call, wanted.get("AddSecurityGroupIds", []))]
    extras[wanted["VpcEndpointId"]] = extra
    return answer


@registry.handles("ec2", "DeleteVpcEndpoints")
async def delete_vpc_endpoints(call: Call) -> Params:
    answer = await call.forward()
    for endpoint in call.params["VpcEndpointIds"]:
        extras.pop(endpoint, None)
    return answer
