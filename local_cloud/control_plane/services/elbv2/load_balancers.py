# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Load balancers: create, describe, attributes, protection, delete."""

from __future__ import annotations

import re
from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now, page, random_hex
from local_cloud.control_plane.services.elbv2 import state

# Source: API reference, LoadBalancerAttribute; the defaults that a new load balancer shows.
DEFAULT_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "health_check_logs.s3.enabled": "false",
    "health_check_logs.s3.bucket": "",
    "health_check_logs.s3.prefix": "",
    "idle_timeout.timeout_seconds": "60",
    "deletion_protection.enabled": "false",
    "routing.http2.enabled": "true",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "client_keep_alive.seconds": "3600",
    "waf.fail_open.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "zonal_shift.config.enabled": "false",
}
# ELB's own hosted zones. Source: "Elastic Load Balancing endpoints and quotas".
_HOSTED_ZONES = {"us-east-1": "Z35SXDOTRQ7X7K", "us-west-2": "Z1H1FL5HABSF5", "eu-west-1": "Z32O12XQLNTSW2"}


@registry.handles("elbv2", "CreateLoadBalancer")
async def create_load_balancer(call: Call) -> Params:
    wanted = call.params
    name = wanted["Name"]
    if not re.fullmatch(r"(?!internal-)[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?", name):
        raise AwsError(
            "ValidationError",
            f"The load balancer name '{name}' must have 1 to 32 characters, only letters, digits and hyphens, must "
            "not begin or end with a hyphen, and must not begin with 'internal-'",
        )
    zones = await _zones(call, wanted)
    groups = wanted.get("SecurityGroups", [])
    vpc = zones[0]["_vpc"]
    await _check_security_groups(call, groups)
    settings = {
        "LoadBalancerName": name,
        "Scheme": wanted.get("Scheme", "internet-facing"),
        "Type": wanted.get("Type", "application"),
        "SecurityGroups": groups,
        "IpAddressType": wanted.get("IpAddressType", "ipv4"),
        "VpcId": vpc,
        "AvailabilityZones": [{key: value for key, value in zone.items() if key != "_vpc"} for zone in zones],
    }
    for existing in state.load_balancers.values():
        if existing["LoadBalancerName"] == name:
            if {key: existing[key] for key in settings} != settings:
                raise AwsError(
                    "DuplicateLoadBalancerName",
                    f"A load balancer with the same name '{name}' exists, with other settings",
                )
            return {"LoadBalancers": [existing]}
    arn = f"arn:aws:elasticloadbalancing:{call.region}:{call.account}:loadbalancer/app/{name}/{random_hex(16)}"
    internal = "internal-" if settings["Scheme"] == "internal" else ""
    load_balancer = {
        "LoadBalancerArn": arn,
        "DNSName": f"{internal}{name}-{int(random_hex(7), 16)}.{call.region}.elb.amazonaws.com",
        "CanonicalHostedZoneId": _HOSTED_ZONES.get(call.region, "Z35SXDOTRQ7X7K"),
        "CreatedTime": now(),
        "State": {"Code": "active"},
        **settings,
    }
    state.load_balancers[arn] = load_balancer
    state.attributes[arn] = dict(DEFAULT_ATTRIBUTES)
    state.tags[arn] = wanted.get("Tags", [])
    return {"LoadBalancers": [{**load_balancer, "State": {"Code": "provisioning"}}]}


async def _zones(call: Call, wanted: Params) -> list[dict[str, Any]]:
    subnets = wanted.get("Subnets") or [mapping["SubnetId"] for mapping in wanted.get("SubnetMappings", [])]
    try:
        found = (await call.invoke("ec2", "DescribeSubnets", {"SubnetIds": subnets}))["Subnets"] if subnets else []
    except AwsError as error:
        raise AwsError("SubnetNotFound", f"The subnet ID in {subnets} is not valid: {error.message}") from error
    by_id = {subnet["SubnetId"]: subnet for subnet in found}
    names = [by_id[subnet]["AvailabilityZone"] for subnet in subnets]
    if wanted.get("Type", "application") == "application" and len(set(names)) < 2:
        raise AwsError("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    if len(set(names)) < len(names):
        raise AwsError(
            "InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same zone"
        )
    return [
        {"ZoneName": zone, "SubnetId": subnet, "LoadBalancerAddresses": [], "_vpc": by_id[subnet]["VpcId"]}
        for zone, subnet in zip(names, subnets, strict=True)
    ]


async def _check_security_groups(call: Call, groups: list[str]) -> None:
    if not groups:
        return
    try:
        await call.invoke("ec2", "DescribeSecurityGroups", {"GroupIds": groups})
    except AwsError as error:
        raise AwsError("InvalidSecurityGroup", f"One or more security groups are invalid: {error.message}") from error


@registry.handles("elbv2", "DescribeLoadBalancers")
def describe_load_balancers(call: Call) -> Params:
    items = list(state.load_balancers.values())
    if arns := call.params.get("LoadBalancerArns"):
        items = [state.get("loadbalancer", arn) for arn in arns]
    if names := call.params.get("Names"):
        by_name = {item["LoadBalancerName"]: item for item in items}
        missing = [name for name in names if name not in by_name]
        if missing:
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
        items = [by_name[name] for name in names]
    shown, marker = page(items, call.params.get("Marker"), call.params.get("PageSize"), 400)
    return {"LoadBalancers": shown, "NextMarker": marker}


@registry.handles("elbv2", "DeleteLoadBalancer")
def delete_load_balancer(call: Call) -> Params:
    arn = call.params["LoadBalancerArn"]
    if arn not in state.load_balancers:
        return {}
    if state.attributes[arn]["deletion_protection.enabled"] == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    for listener in state.listeners_of(arn):
        for rule in state.rules_of(listener["ListenerArn"]):
            state.rules.pop(rule["RuleArn"], None)
            state.forget(rule["RuleArn"])
        state.listeners.pop(listener["ListenerArn"], None)
        state.certificates.pop(listener["ListenerArn"], None)
        state.forget(listener["ListenerArn"])
    state.load_balancers.pop(arn, None)
    state.forget(arn)
    return {}


def shown(attributes: dict[str, str]) -> list[dict[str, str]]:
    """Attributes as the APIs list them."""
    return [{"Key": key, "Value": value} for key, value in attributes.items()]


def change_attributes(arn: str, known: dict[str, str], noun: str, wanted: list[dict[str, str]]) -> list[dict[str, str]]:
    """Lay `wanted` over the resource's attributes. Raises ValidationError for a key that is not `known`."""
    for item in wanted:
        if item["Key"] not in known:
            raise AwsError("ValidationError", f"{noun} attribute key '{item['Key']}' is not recognized")
    state.attributes[arn] = {**state.attributes[arn], **{item["Key"]: item.get("Value", "") for item in wanted}}
    return shown(state.attributes[arn])


@registry.handles("elbv2", "DescribeLoadBalancerAttributes")
def describe_load_balancer_attributes(call: Call) -> Params:
    state.get("loadbalancer", call.params["LoadBalancerArn"])
    return {"Attributes": shown(state.attributes[call.params["LoadBalancerArn"]])}


@registry.handles("elbv2", "ModifyLoadBalancerAttributes")
async def modify_load_balancer_attributes(call: Call) -> Params:
    arn = call.params["LoadBalancerArn"]
    state.get("loadbalancer", arn)
    wanted = {item["Key"]: item.get("Value", "") for item in call.params["Attributes"]}
    if wanted.get("access_logs.s3.enabled") == "true":
        bucket = wanted.get("access_logs.s3.bucket") or state.attributes[arn]["access_logs.s3.bucket"]
        try:
            await call.invoke("s3", "HeadBucket", {"Bucket": bucket})
        except AwsError as error:
            raise AwsError(
                "InvalidConfigurationRequest", f"Access Denied for bucket: {bucket}. Please check S3bucket permission"
            ) from error
    return {"Attributes": change_attributes(arn, DEFAULT_ATTRIBUTES, "Load balancer", call.params["Attributes"])}


@registry.handles("elbv2", "SetSecurityGroups")
async def set_security_groups(call: Call) -> Params:
    load_balancer = state.get("loadbalancer", call.params["LoadBalancerArn"])
    await _check_security_groups(call, call.params["SecurityGroups"])
    load_balancer["SecurityGroups"] = call.params["SecurityGroups"]
    return {"SecurityGroupIds": load_balancer["SecurityGroups"]}


@registry.handles("elbv2", "SetSubnets")
async def set_subnets(call: Call) -> Params:
    load_balancer = state.get("loadbalancer", call.params["LoadBalancerArn"])
    zones = await _zones(call, {"Type": load_balancer["Type"], **call.params})
    load_balancer["AvailabilityZones"] = [
        {key: value for key, value in zone.items() if key != "_vpc"} for zone in zones
    ]
    return {"AvailabilityZones": load_balancer["AvailabilityZones"], "IpAddressType": load_balancer["IpAddressType"]}


@registry.handles("elbv2", "SetIpAddressType")
def set_ip_address_type(call: Call) -> Params:
    load_balancer = state.get("loadbalancer", call.params["LoadBalancerArn"])
    load_balancer["IpAddressType"] = call.params["IpAddressType"]
    return {"IpAddressType": load_balancer["IpAddressType"]}
