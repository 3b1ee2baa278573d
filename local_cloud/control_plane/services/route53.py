# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Route 53: locations of new hosted zones and health checks, all of a check's settings, DNSSEC, which no zone has."""

from __future__ import annotations

from ministack.services import route53

from local_cloud.control_plane.overlay import Call, Params, registry


@registry.handles("route53", "CreateHostedZone")
async def create_hosted_zone(call: Call) -> Params:
    answer = await call.forward()
    zone = answer["HostedZone"]["Id"].rpartition("/")[2]
    return {**answer, "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone}"}


_OFF = dict.fromkeys(("Inverted", "Disabled", "MeasureLatency"), False)
_DEFAULTS = {"FailureThreshold": 3, "RequestInterval": 30, **_OFF}


def _set_config(ident: str, config: Params) -> Params:
    """Keep a HealthCheckConfig whole; ministack loses its regions and writes truth as Python does."""
    kept = {key: str(value).lower() if isinstance(value, bool) else value for key, value in config.items()}
    route53._health_checks[ident]["config"] = kept
    return config


@registry.handles("route53", "CreateHealthCheck")
async def create_health_check(call: Call) -> Params:
    answer = await call.forward()
    check = answer["HealthCheck"]
    wanted = call.params["HealthCheckConfig"]
    sni = {"EnableSNI": True} if wanted["Type"].startswith("HTTPS") else {}
    check["HealthCheckConfig"] = _set_config(check["Id"], {**_DEFAULTS, **sni, **wanted})
    return {**answer, "Location": f"https://route53.amazonaws.com/2013-04-01/healthcheck/{answer['HealthCheck']['Id']}"}


@registry.handles("route53", "UpdateHealthCheck")
async def update_health_check(call: Call) -> Params:
    ident = call.params["HealthCheckId"]
    before = (await call.invoke("route53", "GetHealthCheck", {"HealthCheckId": ident}))["HealthCheck"]
    answer = await call.forward()
    aside = ("HealthCheckId", "HealthCheckVersion", "ResetElements")
    changes = {key: value for key, value in call.params.items() if key not in aside}
    answer["HealthCheck"]["HealthCheckConfig"] = _set_config(ident, {**before["HealthCheckConfig"], **changes})
    return answer


@registry.handles("route53", "GetDNSSEC")
async def get_dnssec(call: Call) -> Params:
    await call.invoke("route53", "GetHostedZone", {"Id": call.params["HostedZoneId"]})
    return {"Status": {"ServeSignature": "NOT_SIGNING"}, "KeySigningKeys": []}


@registry.handles("route53", "ListTagsForResources")
async def list_tags_for_resources(call: Call) -> Params:
    kind = call.params["ResourceType"]
    asked = [{"ResourceType": kind, "ResourceId": ident} for ident in call.params["ResourceIds"]]
    answers = [await call.invoke("route53", "ListTagsForResource", one) for one in asked]
    return {"ResourceTagSets": [answer["ResourceTagSet"] for answer in answers]}
