# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network that is wanted, as resources; pure.

One VPC; subnets in tiers, each tier with one subnet a zone; an internet gateway; NAT gateways with
their addresses; one public route table, one route table a zone for the application tier (so that each
zone can leave through its own NAT gateway), one for the data tier, which has no way out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, ip_network
from typing import Any

from .._aws.tags import named
from .._engine.resources import Ref, Resource, State, Unordered
from .._engine.steps import PlanRefused

ANYWHERE = "0.0.0.0/0"
TIERS = ("public", "app", "data")


def problems(cidr_block: str, zones: Sequence[str], subnets: Mapping[str, Sequence[str]]) -> list[str]:
    """Everything wrong with the addresses and zones, one sentence each; empty when all is well."""
    found: list[str] = []
    vpc = _network(cidr_block, "the VPC", found)
    if vpc and not 16 <= vpc.prefixlen <= 28:
        found.append(f"Read CIDR {cidr_block} for the VPC; AWS takes a prefix from /16 to /28. Choose one.")
    for zone in sorted({zone for zone in zones if list(zones).count(zone) > 1}):
        found.append(f"Read zone {zone} twice; each tier has one subnet a zone. Name each zone once.")
    seen: list[tuple[str, IPv4Network]] = []
    for tier, cidrs in subnets.items():
        if cidrs and len(cidrs) != len(zones):
            found.append(
                f"Read {len(cidrs)} {tier} subnets for {len(zones)} zones ({', '.join(zones)}). Give one CIDR a zone."
            )
        for cidr in cidrs:
            subnet = _network(cidr, f"the {tier} tier", found)
            if subnet is None:
                continue
            if vpc and not subnet.subnet_of(vpc):
                found.append(f"Read CIDR {cidr} for the {tier} tier; it lies outside the VPC's {vpc}. Move it inside.")
            for other_tier, other in seen:
                if subnet.overlaps(other):
                    found.append(
                        f"Read CIDR {cidr} for the {tier} tier; it overlaps {other} of the {other_tier} tier. "
                        "Give each subnet a range of its own."
                    )
            seen.append((tier, subnet))
    return found


def _network(cidr: str, what: str, found: list[str]) -> IPv4Network | None:
    try:
        network = ip_network(cidr)
    except ValueError as error:
        found.append(f"Read CIDR {cidr!r} for {what}: {error}. Write it like 10.0.0.0/16.")
        return None
    if not isinstance(network, IPv4Network):
        found.append(f"Read CIDR {cidr!r} for {what}; this network is IPv4. Write it like 10.0.0.0/16.")
        return None
    return network


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `vpc_network` call, in the order of creation. Raises PlanRefused."""
    name, tags, zones = params["name"], params["tags"], params["availability_zones"]
    cidrs: dict[str, list[str]] = {tier: params[f"{tier}_subnets"] for tier in TIERS}
    if wrong := problems(params["cidr_block"], zones, cidrs):
        raise PlanRefused(wrong)

    def resource(kind: str, own: str, fields: dict[str, Any]) -> Resource:
        return Resource(kind, own, fields, tags=named(tags, own))

    vpc = Ref("vpc", name)
    made = [
        resource(
            "vpc",
            name,
            {"cidr_block": params["cidr_block"], "dns_support": True, "dns_hostnames": True},
        ),
        resource("internet_gateway", name, {"vpc": vpc}),
    ]
    for tier in TIERS:
        for number, (zone, cidr) in enumerate(zip(zones, cidrs[tier], strict=False), start=1):
            fields = {
                "vpc": vpc,
                "cidr_block": cidr,
                "availability_zone": zone,
                "public_ips": tier == "public",
            }
            made.append(resource("subnet", f"{name}-{tier}-{number}", fields))

    nats = {"none": 0, "single": 1, "per_zone": len(zones)}[params["nat_gateways"]]
    gateways = []
    for number in range(1, nats + 1):
        own = f"{name}-nat-{number}"
        fields = {"subnet": Ref("subnet", f"{name}-public-{number}"), "address": Ref("elastic_ip", own)}
        gateways.append(resource("nat_gateway", own, fields))
    made += [resource("elastic_ip", gateway.name, {}) for gateway in gateways] + gateways

    def route_table(own: str, routes: dict[str, Any], subnets: list[str]) -> Resource:
        attached = Unordered(tuple(Ref("subnet", subnet) for subnet in subnets))
        return resource("route_table", own, {"vpc": vpc, "routes": routes, "subnets": attached})

    def of(tier: str) -> list[str]:
        return [f"{name}-{tier}-{number}" for number in range(1, len(cidrs[tier]) + 1)]

    made.append(route_table(f"{name}-public", {ANYWHERE: Ref("internet_gateway", name)}, of("public")))
    for number, subnet in enumerate(of("app"), start=1):
        way_out = {ANYWHERE: Ref("nat_gateway", f"{name}-nat-{min(number, nats)}")} if nats else {}
        made.append(route_table(f"{name}-app-{number}", way_out, [subnet]))
    if cidrs["data"]:
        made.append(route_table(f"{name}-data", {}, of("data")))
    if flow_logs := params["flow_logs"]:
        fields = {
            "resource": vpc,
            "destination": flow_logs["destination"],
            "destination_type": flow_logs["destination_type"],
            "traffic_type": flow_logs["traffic_type"],
            "role": flow_logs.get("role_arn"),
            "interval": flow_logs["max_aggregation_interval"],
        }
        made.append(resource("flow_log", name, fields))
    return made


def ids(name: str, state: State) -> dict[str, Any]:
    """What a caller needs of a network: the VPC's id, and the ids of each tier in the order of the zones."""

    def numbered(kind: str, tier: str) -> list[str]:
        numbers = range(1, len(state) + 1)
        own = [f"{name}-{tier}-{number}" for number in numbers]
        return [state[kind, one].id for one in own if (kind, one) in state]

    return {
        "vpc_id": state["vpc", name].id,
        "cidr_block": state["vpc", name].fields.get("cidr_block"),
        **{f"{tier}_subnet_ids": numbered("subnet", tier) for tier in TIERS},
        "app_route_table_ids": numbered("route_table", "app"),
    }
