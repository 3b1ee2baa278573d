# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The certificate that is wanted, as a resource; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# AWS Certificate Manager API reference, RequestCertificate: labels of at most 63, names of at most 253 octets.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+{_LABEL}")
_LONGEST_DOMAIN = 253


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the parameters of `acm_certificate_request`, one sentence each."""
    for domain in (params["domain_name"], *params["subject_alternative_names"]):
        if len(domain) > _LONGEST_DOMAIN or not _DOMAIN.fullmatch(domain):
            yield f"Read the domain name {domain!r}; AWS takes names such as www.example.org or *.example.org."


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resource of an `acm_certificate_request` call. Raises PlanRefused."""
    if wrong := list(problems(params)):
        raise PlanRefused(wrong)
    name = certificate_name(params["domain_name"], params["subject_alternative_names"])
    fields = {
        "key_algorithm": params["key_algorithm"],
        "transparency_logging": params["transparency_logging"],
        **({"records_in_zone": True} if params["hosted_zone_id"] else {}),
    }
    return [Resource("certificate", name, fields, tags=named(params["tags"], params["domain_name"]))]


def certificate_name(domain: str, alternatives: Sequence[str]) -> str:
    """All names of a certificate, its own first: a certificate for other names is another certificate."""
    return ",".join([domain, *sorted({name for name in alternatives if name != domain})])
