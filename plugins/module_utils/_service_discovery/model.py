# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Cloud Map namespace and services that are wanted, as resources; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.tags import named
from .._engine.resources import Ref, Resource
from .._engine.steps import PlanRefused

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_NAMESPACE = 253


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the parameters of `service_discovery`, one sentence each."""
    namespace, services = params["namespace"], params["services"]
    labels = namespace.split(".")
    if len(namespace) > _LONGEST_NAMESPACE or not all(_LABEL.fullmatch(label) for label in labels):
        yield f"Read the namespace {namespace!r}; it must be a domain name such as stories-production.internal."
    for service in services:
        if not _LABEL.fullmatch(service):
            yield f"Read the service name {service!r}; it must be one DNS label such as app-blue. Change it."
    for service in sorted({service for service in services if services.count(service) > 1}):
        yield f"Read the service {service} twice. Name each once."
    for option in ("ttl", "soa_ttl"):
        if not 0 <= params[option] <= 2147483647:
            yield f"Read {option} {params[option]}; AWS takes 0 to 2147483647 seconds. Change it."


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `service_discovery` call, in the order of creation. Raises PlanRefused."""
    if wrong := list(problems(params)):
        raise PlanRefused(wrong)
    namespace, tags = params["namespace"], params["tags"]
    made = [
        Resource(
            "namespace",
            namespace,
            {"description": params["description"], "soa_ttl": params["soa_ttl"]},
            # Cloud Map never shows the VPC again, and nobody can change it.
            initial={"vpc": params["vpc_id"]},
            tags=named(tags, namespace),
        )
    ]
    for service in params["services"]:
        own = f"{service}.{namespace}"
        fields = {
            "namespace": Ref("namespace", namespace),
            "description": params["description"],
            "routing_policy": "MULTIVALUE",
            "records": [{"type": "A", "ttl": params["ttl"]}],
            "custom_health_check": True,
        }
        made.append(Resource("discovery_service", own, fields, tags=named(tags, own)))
    return made
