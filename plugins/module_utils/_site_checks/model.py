# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Health checks of public addresses that are wanted, as resources, and their canonical form; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# API reference of HealthCheckConfig.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+")
_PATH, _SEARCH, _REGIONS = 255, 255, 3
REGIONS = (
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-west-1",
    "sa-east-1",
    "us-east-1",
    "us-west-1",
    "us-west-2",
)

# Our names of the fields and AWS's.
CHECK = {
    "disabled": "Disabled",
    "failure_threshold": "FailureThreshold",
    "host": "FullyQualifiedDomainName",
    "inverted": "Inverted",
    "measure_latency": "MeasureLatency",
    "path": "ResourcePath",
    "port": "Port",
    "regions": "Regions",
    "request_interval": "RequestInterval",
    "search": "SearchString",
    "type": "Type",
}
# What Route 53 cannot change on a standing check.
FIXED = frozenset({"measure_latency", "request_interval", "type"})


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `route53_health_checks` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    return [
        Resource("health_check", one["name"], fields(_config(one)), tags=named(params["tags"], one["name"]))
        for one in params["health_checks"]
    ]


def _config(one: Mapping[str, Any]) -> dict[str, Any]:
    """A check of the module's parameters in AWS's shape."""
    sort = one["protocol"] + ("_STR_MATCH" if one["search"] else "")
    told = {key: one[name] for name, key in CHECK.items() if name in one and one[name] not in (None, "", [])}
    return {**told, "Type": sort}


def fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """A HealthCheckConfig in canonical form."""
    told = {name: config.get(key) for name, key in CHECK.items()}
    return {
        **told,
        "disabled": config.get("Disabled", False),
        "inverted": config.get("Inverted", False),
        "measure_latency": config.get("MeasureLatency", False),
        "regions": sorted(config.get("Regions") or REGIONS),
        "search": config.get("SearchString") or "",
    }


def config(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The HealthCheckConfig of canonical fields."""
    told = {key: wanted[name] for name, key in CHECK.items() if wanted[name] not in (None, "")}
    return {**told, "EnableSNI": wanted["type"].startswith("HTTPS")}


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the checks, one sentence each."""
    names = [one["name"] for one in params["health_checks"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read health check {name} twice. Name each check once."
    for one in params["health_checks"]:
        name = one["name"]
        if not name.startswith(f"{params['name']}-"):
            yield f"Read the health check name {name!r}; it does not begin with {params['name']}-. Rename it."
        if not _HOST.fullmatch(one["host"]) and not one["host"].startswith("planned:"):
            yield f"Read host {one['host']!r} for health check {name}; it is no public name. Give the name of the site."
        if not one["path"].startswith("/") or len(one["path"]) > _PATH:
            yield (
                f"Read path {one['path']!r} for health check {name}; it begins with / and has {_PATH} characters. "
                "Mend it."
            )
        if len(one["search"]) > _SEARCH:
            yield f"Read a search of health check {name} longer than Route 53 takes ({_SEARCH} characters). Shorten it."
        if not 1 <= one["failure_threshold"] <= 10:
            yield (
                f"Read failure_threshold {one['failure_threshold']} for health check {name}; it is 1 to 10. Choose one."
            )
        if one["regions"] and (len(one["regions"]) < _REGIONS or set(one["regions"]) - set(REGIONS)):
            yield (
                f"Read regions {', '.join(one['regions'])} for health check {name}; Route 53 checks from {_REGIONS} or "
                f"more of {', '.join(REGIONS)}. Choose among these."
            )
