# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Route 53: the locations of new hosted zones and health checks, and DNSSEC, which no zone here has."""

from __future__ import annotations

from local_cloud.control_plane.overlay import Call, Params, registry


@registry.handles("route53", "CreateHostedZone")
async def create_hosted_zone(call: Call) -> Params:
    answer = await call.forward()
    zone = answer["HostedZone"]["Id"].rpartition("/")[2]
    return {**answer, "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone}"}


@registry.handles("route53", "CreateHealthCheck")
async def create_health_check(call: Call) -> Params:
    answer = await call.forward()
    return {**answer, "Location": f"https://route53.amazonaws.com/2013-04-01/healthcheck/{answer['HealthCheck']['Id']}"}


@registry.handles("route53", "GetDNSSEC")
async def get_dnssec(call: Call) -> Params:
    await call.invoke("route53", "GetHostedZone", {"Id": call.params["HostedZoneId"]})
    return {"Status": {"ServeSignature": "NOT_SIGNING"}, "KeySigningKeys": []}
