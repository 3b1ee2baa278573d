# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Route 53: a new hosted zone answers with its location."""

from __future__ import annotations

from local_cloud.control_plane.overlay import Call, Params, registry


@registry.handles("route53", "CreateHostedZone")
async def create_hosted_zone(call: Call) -> Params:
    answer = await call.forward()
    zone = answer["HostedZone"]["Id"].rpartition("/")[2]
    return {**answer, "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone}"}
