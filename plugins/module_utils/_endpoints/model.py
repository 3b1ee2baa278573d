# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The VPC endpoints that are wanted, as resources; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.policies import canonical
from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

GATEWAYS = ("s3", "dynamodb")
_SERVICE = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
# What AWS puts on an endpoint that is given no policy (AWS PrivateLink guide, "Default endpoint policy").
_EVERYTHING = {
    "Version": "2008-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}


def desired(params: Mapping[str, Any], region: str) -> list[Resource]:
    """The resources of a `vpc_endpoints` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)

    def endpoint(service: str, sort: str, attachments: Mapping[str, Any]) -> Resource:
        own = full_name(params["name"], service)
        fields = {
            "vpc": params["vpc_id"],
            "service": f"com.amazonaws.{region}.{service}",
            "type": sort,
            "route_tables": [],
            "subnets": [],
            "security_groups": [],
            "private_dns": False,
            "policy": canonical(params["policies"].get(service) or _EVERYTHING),
            **attachments,
        }
        return Resource("vpc_endpoint", own, fields, tags=named(params["tags"], own))

    gateway = {"route_tables": sorted(set(params["route_table_ids"]))}
    interface = {
        "subnets": sorted(set(params["subnet_ids"])),
        "security_groups": sorted(set(params["security_group_ids"])),
        "private_dns": params["private_dns"],
    }
    return [
        *(endpoint(service, "Gateway", gateway) for service in params["gateway_services"]),
        *(endpoint(service, "Interface", interface) for service in params["interface_services"]),
    ]


def full_name(prefix: str, service: str) -> str:
    """The Name tag, such as ``stories-production-ecr.api``."""
    return f"{prefix}-{service}"


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the endpoints, one sentence each."""
    services = [*params["gateway_services"], *params["interface_services"]]
    for service in sorted({service for service in services if services.count(service) > 1}):
        yield f"Read the endpoint service {service} twice. Name it once, as a gateway or as an interface."
    for service in services:
        if not _SERVICE.fullmatch(service) or service.startswith("com.amazonaws."):
            yield f"Read the endpoint service {service!r}; name it without com.amazonaws and region, such as ecr.api."
    for service in sorted(set(params["gateway_services"]) - set(GATEWAYS)):
        yield f"Read {service} among the gateway services; AWS has gateways for s3 and dynamodb. Make it an interface."
    if params["gateway_services"] and not params["route_table_ids"]:
        yield "Read gateway services without route tables; nothing would be routed to them. Give route_table_ids."
    if params["interface_services"]:
        for needed in ("subnet_ids", "security_group_ids"):
            if not params[needed]:
                yield f"Read interface services and found no {needed}. Give them."
    for service, policy in params["policies"].items():
        if service not in services:
            yield f"Read a policy for {service}, no endpoint here; there are {', '.join(services)}. Mend its key."
        try:
            canonical(policy)
        except ValueError as error:
            yield f"Read the policy of the endpoint {service}: {error}. Give a JSON policy document."
