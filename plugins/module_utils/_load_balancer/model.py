# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The load balancer that is wanted, as resources; pure.

One application load balancer named after the platform, a target group for each slot, and three
listeners: 80 redirects to 443; 443 is production; the test port leads to the slot that is not live.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._aws.tags import named
from .._engine.resources import Ref, Resource
from .._engine.steps import PlanRefused
from .slots import SLOTS, slot_name

# Elastic Load Balancing API reference, CreateLoadBalancer and CreateTargetGroup: 32 characters, alphanumeric or
# hyphens, no hyphen at the ends, and load balancers do not begin with "internal-".
_NAME = re.compile(r"(?!internal-)[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
_MATCHER = re.compile(r"[2-4]\d\d(?:-[2-4]\d\d|(?:,[2-4]\d\d)*)")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40}")

REDIRECT = {"Protocol": "HTTPS", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301"}
FORBIDDEN = {"type": "fixed-response", "StatusCode": "403", "ContentType": "text/plain", "MessageBody": "Forbidden"}
FORWARD = {"type": "forward"}

# (option, lowest, highest); the limits are those of the API reference.
_BALANCER_BOUNDS = (("idle_timeout", 1, 4000), ("client_keep_alive", 60, 604800))
_GROUP_BOUNDS = (
    ("port", 1, 65535),
    ("deregistration_delay", 0, 3600),
    ("stickiness_seconds", 0, 604800),
)
_HEALTH_BOUNDS = (
    ("interval", 5, 300),
    ("timeout", 2, 120),
    ("healthy_threshold", 2, 10),
    ("unhealthy_threshold", 2, 10),
)


def problems(params: Mapping[str, Any]) -> list[str]:
    """Everything wrong with the parameters of `load_balancer`, one sentence each."""
    return [*_naming(params["name"]), *_placing(params), *_health(params["target_group"]), *_numbers(params)]


def _naming(name: str) -> Iterator[str]:
    for own in (name, *(slot_name(name, slot) for slot in SLOTS)):
        if not _NAME.fullmatch(own):
            yield (
                f"Read the name {own!r}; AWS takes at most 32 letters, digits and hyphens, none of them a hyphen at "
                "an end, and none beginning with internal-. Shorten platform_name or platform_environment."
            )


def _placing(params: Mapping[str, Any]) -> Iterator[str]:
    if len(set(params["subnet_ids"])) < 2:
        yield (
            f"Read {len(set(params['subnet_ids']))} subnet for load balancer {params['name']}; AWS demands two in "
            "different zones. Give one of each zone."
        )
    ports = [params["http_port"], params["https_port"], params["test_port"]]
    if len(set(ports)) < len(ports):
        yield f"Read the ports {', '.join(map(str, ports))}; every listener needs one of its own. Change one."
    header = params["origin_header"]
    if header and not _HEADER.fullmatch(header["name"]):
        yield f"Read the header name {header['name']!r}; AWS takes 1 to 40 token characters. Choose another."
    reserved = sorted(set(params["attributes"]) & set(balancer_attributes({**params, "attributes": {}})))
    for name in reserved:
        yield f"Read {name} in attributes; it has an option of its own. Use that one."


def _health(group: Mapping[str, Any]) -> Iterator[str]:
    check = group["health_check"]
    if check["timeout"] >= check["interval"]:
        yield (
            f"Read a health check timeout of {check['timeout']} s and an interval of {check['interval']} s; the "
            "timeout must be the shorter. Lower it."
        )
    if not check["path"].startswith("/") or len(check["path"]) > 1024:
        yield f"Read the health check path {check['path']!r}; it must begin with / and have at most 1024 characters."
    if not _MATCHER.fullmatch(check["matcher"]):
        yield f"Read the health check matcher {check['matcher']!r}. Write codes like 200, 200,202 or 200-299."
    if group["slow_start"] and not 30 <= group["slow_start"] <= 900:
        yield f"Read slow_start {group['slow_start']}; AWS takes 0 or 30 to 900 seconds. Change it."


def _numbers(params: Mapping[str, Any]) -> Iterator[str]:
    group = params["target_group"]
    for values, bounds in ((params, _BALANCER_BOUNDS), (group, _GROUP_BOUNDS), (group["health_check"], _HEALTH_BOUNDS)):
        for option, low, high in bounds:
            if not low <= values[option] <= high:
                yield f"Read {option} {values[option]}; AWS takes {low} to {high}. Change it."


def desired(params: Mapping[str, Any], header_values: Sequence[str] = ()) -> list[Resource]:
    """The resources of a `load_balancer` call, in the order of creation. Raises PlanRefused.

    header_values: what the origin header may hold; empty when no header is demanded. Without a certificate no listener
    is among them: a call that has one makes them.
    """
    if wrong := problems(params):
        raise PlanRefused(wrong)
    name, tags = params["name"], params["tags"]
    groups = [
        Resource(
            "target_group",
            slot_name(name, slot),
            group_fields(params),
            tags={**named(tags, slot_name(name, slot)), "Slot": slot},
        )
        for slot in SLOTS
    ]
    balancer = Resource(
        "load_balancer",
        name,
        {
            "scheme": params["scheme"],
            "ip_address_type": params["ip_address_type"],
            "subnets": sorted(set(params["subnet_ids"])),
            "security_groups": sorted(set(params["security_group_ids"])),
            **balancer_attributes(params),
        },
        tags=named(tags, name),
    )
    return [*groups, balancer, *(_listeners(params, header_values) if params["certificate_arn"] else [])]


def balancer_attributes(params: Mapping[str, Any]) -> dict[str, str]:
    """Attributes of the load balancer in AWS's own keys and spelling."""
    logs = params["access_logs"]
    told = {
        "deletion_protection.enabled": params["deletion_protection"],
        "idle_timeout.timeout_seconds": params["idle_timeout"],
        "client_keep_alive.seconds": params["client_keep_alive"],
        "routing.http2.enabled": params["http2"],
        "routing.http.drop_invalid_header_fields.enabled": params["drop_invalid_header_fields"],
        "routing.http.desync_mitigation_mode": params["desync_mitigation_mode"],
        "access_logs.s3.enabled": bool(logs),
        **({"access_logs.s3.bucket": logs["bucket"], "access_logs.s3.prefix": logs["prefix"]} if logs else {}),
        **params["attributes"],
    }
    return {key: spelled(value) for key, value in told.items()}


def group_fields(params: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a target group; the attributes are in AWS's own keys and spelling."""
    group = params["target_group"]
    check = group["health_check"]
    sticky = group["stickiness_seconds"]
    return {
        "vpc": params["vpc_id"],
        "protocol": "HTTP",
        "protocol_version": "HTTP1",
        "port": group["port"],
        "target_type": "ip",
        "health_check.enabled": True,
        "health_check.protocol": "HTTP",
        "health_check.port": "traffic-port",
        "health_check.path": check["path"],
        "health_check.interval": check["interval"],
        "health_check.timeout": check["timeout"],
        "health_check.healthy_threshold": check["healthy_threshold"],
        "health_check.unhealthy_threshold": check["unhealthy_threshold"],
        "health_check.matcher": check["matcher"],
        "deregistration_delay.timeout_seconds": spelled(group["deregistration_delay"]),
        "slow_start.duration_seconds": spelled(group["slow_start"]),
        "load_balancing.algorithm.type": group["algorithm"],
        "stickiness.enabled": spelled(bool(sticky)),
        **(
            {"stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": spelled(sticky)} if sticky else {}
        ),
    }


def _listeners(params: Mapping[str, Any], header_values: Sequence[str]) -> list[Resource]:
    name, active = params["name"], params["active_slot"]
    header = params["origin_header"]
    demanded = {"name": header["name"], "values": sorted(set(header_values))} if header else None
    groups = [Ref("target_group", slot_name(name, slot)) for slot in SLOTS]

    def listener(port: int, fields: dict[str, Any], weights: Mapping[str, int] | None = None) -> Resource:
        own = listener_name(name, port)
        split = [{"target_group": group, "weight": (weights or {}).get(group.name, 0)} for group in groups]
        return Resource(
            "listener",
            own,
            {"load_balancer": Ref("load_balancer", name), **fields},
            initial={"weights": split} if weights else {},
            tags=named(params["tags"], own),
        )

    def forwarding(port: int, slot: str, origin_header: Mapping[str, Any] | None) -> Resource:
        fields = {
            "protocol": "HTTPS",
            "ssl_policy": params["ssl_policy"],
            "certificate": params["certificate_arn"],
            "additional_certificates": sorted(set(params["additional_certificate_arns"])),
            "action": FORBIDDEN if origin_header else FORWARD,
            "target_groups": groups,
            "stickiness_seconds": params["forward_stickiness_seconds"],
            "origin_header": origin_header,
        }
        return listener(port, fields, {slot_name(name, slot): 100})

    idle = next(slot for slot in SLOTS if slot != active)
    redirect = {
        "protocol": "HTTP",
        "action": {"type": "redirect", "Port": str(params["https_port"]), **REDIRECT},
        "target_groups": [],
    }
    return [
        listener(params["http_port"], redirect),
        forwarding(params["https_port"], active, demanded),
        forwarding(params["test_port"], idle, None),
    ]


def listener_name(balancer: str, port: int) -> str:
    """AWS gives listeners no names; ours is the load balancer's and the port."""
    return f"{balancer}-{port}"


def spelled(value: object) -> str:
    """A value as AWS spells it in an attribute."""
    return str(value).lower() if isinstance(value, bool) else str(value)
