# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cache, origin request and response headers policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._engine.resources import Resource, Traits
from .api import NamedKind

# What of a request a policy speaks of: our field, AWS's structure, its behavior and its list of names.
_PARTS = (
    ("headers", "HeadersConfig", "HeaderBehavior", "Headers"),
    ("cookies", "CookiesConfig", "CookieBehavior", "Cookies"),
    ("query_strings", "QueryStringsConfig", "QueryStringBehavior", "QueryStrings"),
)


def _read_parts(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field: {
            "behavior": config[structure][behavior],
            "names": sorted(config[structure].get(names, {}).get("Items") or []),
        }
        for field, structure, behavior, names in _PARTS
    }


def _write_parts(fields: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for field, structure, behavior, names in _PARTS:
        part = fields[field]
        written[structure] = {behavior: part["behavior"]}
        if part["names"]:
            written[structure][names] = items(part["names"])
    return written


def items(values: list[Any]) -> dict[str, Any]:
    """CloudFront's way to write a list."""
    return {"Quantity": len(values), "Items": values} if values else {"Quantity": 0}


class CachePolicy(NamedKind):
    kind = "cache_policy"
    thing = "CachePolicy"
    snake = "cache_policy"
    listing = ("list_cache_policies", "CachePolicyList", {"Type": "custom"})
    in_use = "CachePolicyInUse"
    traits = Traits("cache policy")

    def fields(self, config: Mapping[str, Any]) -> dict[str, Any]:
        key = config["ParametersInCacheKeyAndForwardedToOrigin"]
        return {
            "comment": config.get("Comment", ""),
            "min_ttl": config["MinTTL"],
            "default_ttl": config.get("DefaultTTL"),
            "max_ttl": config.get("MaxTTL"),
            "gzip": key["EnableAcceptEncodingGzip"],
            "brotli": key.get("EnableAcceptEncodingBrotli", False),
            **_read_parts(key),
        }

    def config(self, wanted: Resource) -> dict[str, Any]:
        fields = wanted.fields
        return {
            "Name": wanted.name,
            "Comment": fields["comment"],
            "MinTTL": fields["min_ttl"],
            "DefaultTTL": fields["default_ttl"],
            "MaxTTL": fields["max_ttl"],
            "ParametersInCacheKeyAndForwardedToOrigin": {
                "EnableAcceptEncodingGzip": fields["gzip"],
                "EnableAcceptEncodingBrotli": fields["brotli"],
                **_write_parts(fields),
            },
        }


class OriginRequestPolicy(NamedKind):
    kind = "origin_request_policy"
    thing = "OriginRequestPolicy"
    snake = "origin_request_policy"
    listing = ("list_origin_request_policies", "OriginRequestPolicyList", {"Type": "custom"})
    in_use = "OriginRequestPolicyInUse"
    traits = Traits("origin request policy")

    def fields(self, config: Mapping[str, Any]) -> dict[str, Any]:
        return {"comment": config.get("Comment", ""), **_read_parts(config)}

    def config(self, wanted: Resource) -> dict[str, Any]:
        return {"Name": wanted.name, "Comment": wanted.fields["comment"], **_write_parts(wanted.fields)}


class ResponseHeadersPolicy(NamedKind):
    kind = "response_headers_policy"
    thing = "ResponseHeadersPolicy"
    snake = "response_headers_policy"
    listing = ("list_response_headers_policies", "ResponseHeadersPolicyList", {"Type": "custom"})
    in_use = "ResponseHeadersPolicyInUse"
    traits = Traits("response headers policy")

    def fields(self, config: Mapping[str, Any]) -> dict[str, Any]:
        security = config.get("SecurityHeadersConfig") or {}
        transport = security.get("StrictTransportSecurity")
        custom = (config.get("CustomHeadersConfig") or {}).get("Items") or []
        removed = (config.get("RemoveHeadersConfig") or {}).get("Items") or []
        return {
            "comment": config.get("Comment", ""),
            "cors": _read_cors(config.get("CorsConfig")),
            "strict_transport_security": transport
            and {
                "max_age_seconds": transport["AccessControlMaxAgeSec"],
                "include_subdomains": transport.get("IncludeSubdomains", False),
                "preload": transport.get("Preload", False),
                "override": transport["Override"],
            },
            "content_type_options": (security.get("ContentTypeOptions") or {}).get("Override", False),
            **{field: _read_text(security.get(structure), key) for field, structure, key in _TEXTS},
            # What we never write, so that it shows when somebody else has.
            "xss_protection": security.get("XSSProtection"),
            "server_timing": (config.get("ServerTimingHeadersConfig") or {}).get("Enabled", False),
            "custom_headers": {
                item["Header"]: {"value": item["Value"], "override": item["Override"]} for item in custom
            },
            "remove_headers": sorted(item["Header"] for item in removed),
        }

    def config(self, wanted: Resource) -> dict[str, Any]:
        fields = wanted.fields
        security: dict[str, Any] = {}
        if fields["content_type_options"]:
            security["ContentTypeOptions"] = {"Override": True}
        if transport := fields["strict_transport_security"]:
            security["StrictTransportSecurity"] = {
                "Override": transport["override"],
                "AccessControlMaxAgeSec": transport["max_age_seconds"],
                "IncludeSubdomains": transport["include_subdomains"],
                "Preload": transport["preload"],
            }
        # The application may say otherwise for a page of its own: what it sends itself stays.
        for field, structure, key in _TEXTS:
            if fields[field]:
                security[structure] = {"Override": False, key: fields[field]}
        config: dict[str, Any] = {"Name": wanted.name, "Comment": fields["comment"]}
        if security:
            config["SecurityHeadersConfig"] = security
        if fields["cors"]:
            config["CorsConfig"] = _write_cors(fields["cors"])
        if fields["custom_headers"]:
            headers = [
                {"Header": name, "Value": header["value"], "Override": header["override"]}
                for name, header in sorted(fields["custom_headers"].items())
            ]
            config["CustomHeadersConfig"] = items(headers)
        if fields["remove_headers"]:
            config["RemoveHeadersConfig"] = items([{"Header": name} for name in fields["remove_headers"]])
        return config


# Security headers that are one text: our field, AWS's structure and its key.
_TEXTS = (
    ("frame_option", "FrameOptions", "FrameOption"),
    ("referrer_policy", "ReferrerPolicy", "ReferrerPolicy"),
    ("content_security_policy", "ContentSecurityPolicy", "ContentSecurityPolicy"),
)


def _read_text(found: Mapping[str, Any] | None, key: str) -> str | None:
    if not found:
        return None
    return f"{found[key]} (override)" if found["Override"] else str(found[key])


_CORS_LISTS = {
    "origins": "AccessControlAllowOrigins",
    "headers": "AccessControlAllowHeaders",
    "methods": "AccessControlAllowMethods",
    "expose_headers": "AccessControlExposeHeaders",
}


def _read_cors(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not found:
        return None
    return {
        **{field: sorted((found.get(key) or {}).get("Items") or []) for field, key in _CORS_LISTS.items()},
        "credentials": found["AccessControlAllowCredentials"],
        "max_age_seconds": found.get("AccessControlMaxAgeSec"),
        "override": found["OriginOverride"],
    }


def _write_cors(cors: Mapping[str, Any]) -> dict[str, Any]:
    written = {key: items(cors[field]) for field, key in _CORS_LISTS.items()}
    if not cors["expose_headers"]:
        del written["AccessControlExposeHeaders"]
    return {
        **written,
        "AccessControlAllowCredentials": cors["credentials"],
        "AccessControlMaxAgeSec": cors["max_age_seconds"],
        "OriginOverride": cors["override"],
    }
