# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Routes: a destination has one route, and only a route that is there can be deleted."""

from __future__ import annotations

from ministack.services import ec2

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def _destination(call: Call) -> str:
    return next((str(call.params[name]) for name in _DESTINATIONS if name in call.params), "")


def _has_route(call: Call) -> bool:
    table = ec2._route_tables.get(call.params["RouteTableId"], {})
    known = [route.get(name) for route in table.get("Routes", []) for name in _DESTINATIONS]
    return _destination(call) in known


@registry.handles("ec2", "CreateRoute")
async def create_route(call: Call) -> Params:
    if _has_route(call):
        raise AwsError("RouteAlreadyExists", f"The route identified by {_destination(call)} already exists.")
    return await call.forward()


@registry.handles("ec2", "DeleteRoute")
async def delete_route(call: Call) -> Params:
    if call.params["RouteTableId"] in ec2._route_tables and not _has_route(call):
        raise AwsError(
            "InvalidRoute.NotFound",
            f"no route with destination-cidr-block {_destination(call)} in route table {call.params['RouteTableId']}",
        )
    return await call.forward()
