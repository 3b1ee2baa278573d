# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The distribution that is wanted with its policies, access control and keys, as resources; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.tags import named
from .._engine.resources import Ref, Resource, Unordered
from .._engine.steps import PlanRefused
from .api import comment
from .rules import problems
from .shapes import DEFAULT_BEHAVIOR

_METHODS = {
    "read": ["GET", "HEAD"],
    "read_and_options": ["GET", "HEAD", "OPTIONS"],
    "all": ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
}
_POLICY_KINDS = ("cache_policy", "origin_request_policy", "response_headers_policy")


def desired(params: Mapping[str, Any], origin_headers: Mapping[str, Mapping[str, str]]) -> list[Resource]:
    """The resources of a `cloudfront_delivery` call, in the order of creation. Raises PlanRefused.

    origin_headers: {origin id: {header: value}}; the values are secrets.
    """
    if wrong := problems(params):
        raise PlanRefused(wrong)
    return [
        *_access_control(params),
        *_keys(params),
        *_policies(params),
        _distribution(params, origin_headers),
    ]


def public_key_name(prefix: str, generation: int) -> str:
    """The name of the public half of a generation of the signing key."""
    return f"{prefix}-signing-{generation}"


def _access_control(params: Mapping[str, Any]) -> Iterator[Resource]:
    if any(origin["type"] == "s3" for origin in params["origins"]):
        fields = {
            "comment": comment(params["name"], "signs requests to the buckets"),
            "signing": "always",
            "protocol": "sigv4",
            "origin_type": "s3",
        }
        yield Resource("origin_access_control", params["name"], fields)


def _keys(params: Mapping[str, Any]) -> Iterator[Resource]:
    names = []
    for key in params["public_keys"]:
        own = public_key_name(params["name"], key["generation"])
        names.append(own)
        fields = {
            "comment": comment(params["name"], f"generation {key['generation']} of the key that signs URLs"),
            "encoded_key": key["public_key"].strip(),
        }
        yield Resource("public_key", own, fields)
    if names:
        fields = {
            "comment": comment(params["name"], "keys that sign URLs"),
            "public_keys": Unordered(tuple(Ref("public_key", own) for own in names)),
        }
        yield Resource("key_group", params["name"], fields)


def _policies(params: Mapping[str, Any]) -> Iterator[Resource]:
    for policy in params["cache_policies"]:
        kept = ("min_ttl", "default_ttl", "max_ttl", "gzip", "brotli")
        fields = {**{key: policy[key] for key in kept}, **_parts(policy)}
        yield _policy(params, "cache_policy", policy, fields)
    for policy in params["origin_request_policies"]:
        yield _policy(params, "origin_request_policy", policy, _parts(policy))
    for policy in params["response_headers_policies"]:
        yield _policy(params, "response_headers_policy", policy, _response_headers(policy))


def _policy(params: Mapping[str, Any], kind: str, policy: Mapping[str, Any], fields: dict[str, Any]) -> Resource:
    prefix = params["name"]
    return Resource(kind, f"{prefix}-{policy['name']}", {"comment": comment(prefix, policy["comment"]), **fields})


def _parts(policy: Mapping[str, Any]) -> dict[str, Any]:
    return {
        part: {"behavior": policy[part]["behavior"], "names": sorted(policy[part]["names"])}
        for part in ("headers", "cookies", "query_strings")
    }


def _response_headers(policy: Mapping[str, Any]) -> dict[str, Any]:
    cors, transport = policy["cors"], policy["strict_transport_security"]
    return {
        "cors": cors
        and {
            **{key: sorted(cors[key]) for key in ("origins", "headers", "methods", "expose_headers")},
            **{key: cors[key] for key in ("credentials", "max_age_seconds", "override")},
        },
        "strict_transport_security": transport and {**transport, "override": True},
        "xss_protection": None,
        "server_timing": False,
        **{
            key: policy[key]
            for key in ("content_type_options", "frame_option", "referrer_policy", "content_security_policy")
        },
        "custom_headers": {
            header["name"]: {"value": header["value"], "override": header["override"]}
            for header in policy["custom_headers"]
        },
        "remove_headers": sorted(policy["remove_headers"]),
    }


def _distribution(params: Mapping[str, Any], origin_headers: Mapping[str, Mapping[str, str]]) -> Resource:
    name = params["name"]
    certificate = params["certificate_arn"]
    geo, logging = params["geo_restriction"], params["logging"]
    fields = {
        "comment": comment(name, params["comment"]),
        "enabled": params["enabled"],
        "aliases": sorted(params["aliases"]),
        "http_version": params["http_version"],
        "ipv6": params["ipv6"],
        "price_class": params["price_class"],
        "default_root_object": params["default_root_object"],
        "web_acl": params["web_acl_arn"] or None,
        "certificate": {
            "arn": certificate or None,
            "minimum_protocol_version": params["minimum_protocol_version"] if certificate else "TLSv1",
        },
        "geo_restriction": {"type": geo["type"], "locations": sorted(geo["locations"])},
        "logging": dict(logging) if logging else None,
        "custom_errors": {
            str(error["code"]): {
                "page": error["page"] or None,
                "response_code": str(error["response_code"]) if error["response_code"] else None,
                "caching_min_ttl": error["caching_min_ttl"],
            }
            for error in params["custom_errors"]
        },
        "origins": {origin["id"]: _origin(name, origin) for origin in params["origins"]},
        "origin_headers": {ident: dict(headers) for ident, headers in origin_headers.items()},
        "behaviors": {behavior["path"]: _behavior(name, behavior) for behavior in params["behaviors"]},
        "behavior_order": [one["path"] for one in params["behaviors"] if one["path"] != DEFAULT_BEHAVIOR],
    }
    return Resource("distribution", name, fields, tags=named(params["tags"], name))


def _origin(prefix: str, origin: Mapping[str, Any]) -> dict[str, Any]:
    bucket = origin["type"] == "s3"
    made: dict[str, Any] = {
        "domain_name": origin["domain_name"],
        "path": origin["path"],
        "access_control": Ref("origin_access_control", prefix) if bucket else None,
        "connection_attempts": origin["connection_attempts"],
        "connection_timeout": origin["connection_timeout"],
        "shield_region": origin["shield_region"] or None,
    }
    if not bucket:
        made["custom"] = {
            "protocol_policy": origin["protocol_policy"],
            "http_port": origin["http_port"],
            "https_port": origin["https_port"],
            "ssl_protocols": ["TLSv1.2"],
            "read_timeout": origin["read_timeout"],
            "keepalive_timeout": origin["keepalive_timeout"],
        }
    return made


def _behavior(prefix: str, behavior: Mapping[str, Any]) -> dict[str, Any]:
    policies = {kind: Ref(kind, f"{prefix}-{behavior[kind]}") if behavior[kind] else None for kind in _POLICY_KINDS}
    return {
        "origin": behavior["origin"],
        "viewer_protocol_policy": behavior["viewer_protocol_policy"],
        "allowed_methods": _METHODS[behavior["methods"]],
        "cached_methods": _METHODS["read"],
        "compress": behavior["compress"],
        **policies,
        "key_groups": [Ref("key_group", prefix)] if behavior["signed"] else [],
        "functions": [],
        "lambda_functions": [],
    }
