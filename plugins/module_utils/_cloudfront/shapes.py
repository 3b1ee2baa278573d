# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A distribution's configuration in AWS's shape, and in the fields that are compared; pure.

`read` makes fields of what AWS shows, with AWS's defaults spelled out. `write` puts fields into a
configuration and leaves alone what the fields do not speak of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .policies import items

Config = Mapping[str, Any]

DEFAULT_BEHAVIOR = "default"
# Without a certificate of one's own CloudFront takes any TLS (DistributionConfig, ViewerCertificate).
_DEFAULT_CERTIFICATE = {"arn": None, "minimum_protocol_version": "TLSv1"}
_LEGACY = ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL")


def read(config: Config) -> dict[str, Any]:
    """The fields of a distribution."""
    geo = (config.get("Restrictions") or {}).get("GeoRestriction") or {}
    behaviors = _items(config.get("CacheBehaviors"))
    return {
        "comment": config.get("Comment", ""),
        "enabled": config["Enabled"],
        "aliases": sorted(_items(config.get("Aliases"))),
        "http_version": config.get("HttpVersion", "http2").lower(),
        "ipv6": config.get("IsIPV6Enabled", False),
        "price_class": config.get("PriceClass", "PriceClass_All"),
        "default_root_object": config.get("DefaultRootObject", ""),
        "web_acl": config.get("WebACLId") or None,
        "certificate": _read_certificate(config.get("ViewerCertificate") or {}),
        "geo_restriction": {
            "type": geo.get("RestrictionType", "none"),
            "locations": sorted(geo.get("Items") or []),
        },
        "logging": _read_logging(config.get("Logging") or {}),
        "custom_errors": {
            str(item["ErrorCode"]): {
                "page": item.get("ResponsePagePath") or None,
                "response_code": item.get("ResponseCode") or None,
                "caching_min_ttl": item.get("ErrorCachingMinTTL", 10),
            }
            for item in _items(config.get("CustomErrorResponses"))
        },
        "origins": {item["Id"]: _read_origin(item) for item in _items(config.get("Origins"))},
        "origin_headers": {
            item["Id"]: {one["HeaderName"]: one["HeaderValue"] for one in _items(item.get("CustomHeaders"))}
            for item in _items(config.get("Origins"))
            if _items(item.get("CustomHeaders"))
        },
        "behaviors": {
            DEFAULT_BEHAVIOR: _read_behavior(config["DefaultCacheBehavior"]),
            **{item["PathPattern"]: _read_behavior(item) for item in behaviors},
        },
        # Of several patterns that fit, the first decides; a dict would hide a change of order.
        "behavior_order": [item["PathPattern"] for item in behaviors],
    }


def write(fields: Mapping[str, Any], base: Config) -> dict[str, Any]:
    """``base`` with the fields written into it. base: the configuration that stands, or its first seed."""
    old_origins = {item["Id"]: item for item in _items(base.get("Origins"))}
    old_behaviors = {item["PathPattern"]: item for item in _items(base.get("CacheBehaviors"))}
    ordered = [
        {"PathPattern": pattern, **_write_behavior(fields["behaviors"][pattern], old_behaviors.get(pattern, {}))}
        for pattern in fields["behavior_order"]
    ]
    geo = fields["geo_restriction"]
    origins = [
        _write_origin(ident, origin, fields["origin_headers"].get(ident, {}), old_origins.get(ident, {}))
        for ident, origin in sorted(fields["origins"].items())
    ]
    return {
        **base,
        "Comment": fields["comment"],
        "Enabled": fields["enabled"],
        "Aliases": items(fields["aliases"]),
        "HttpVersion": fields["http_version"],
        "IsIPV6Enabled": fields["ipv6"],
        "PriceClass": fields["price_class"],
        "DefaultRootObject": fields["default_root_object"],
        "WebACLId": fields["web_acl"] or "",
        "ViewerCertificate": _write_certificate(fields["certificate"]),
        "Restrictions": {"GeoRestriction": {"RestrictionType": geo["type"], **items(geo["locations"])}},
        "Logging": _write_logging(fields["logging"]),
        "CustomErrorResponses": items(
            [_write_error(code, one) for code, one in sorted(fields["custom_errors"].items())]
        ),
        "Origins": items(origins),
        "DefaultCacheBehavior": _write_behavior(
            fields["behaviors"][DEFAULT_BEHAVIOR], base.get("DefaultCacheBehavior") or {}
        ),
        "CacheBehaviors": items(ordered),
    }


def _items(found: Config | None) -> list[Any]:
    return list((found or {}).get("Items") or [])


def _read_certificate(found: Config) -> dict[str, Any]:
    if not found.get("ACMCertificateArn"):
        return dict(_DEFAULT_CERTIFICATE)
    return {"arn": found["ACMCertificateArn"], "minimum_protocol_version": found["MinimumProtocolVersion"]}


def _write_certificate(wanted: Mapping[str, Any]) -> dict[str, Any]:
    if not wanted["arn"]:
        return {"CloudFrontDefaultCertificate": True}
    return {
        "ACMCertificateArn": wanted["arn"],
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": wanted["minimum_protocol_version"],
    }


def _read_logging(found: Config) -> dict[str, Any] | None:
    if not found.get("Enabled"):
        return None
    return {
        "bucket": found["Bucket"],
        "prefix": found.get("Prefix", ""),
        "include_cookies": found.get("IncludeCookies", False),
    }


def _write_logging(wanted: Mapping[str, Any] | None) -> dict[str, Any]:
    if not wanted:
        return {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
    return {
        "Enabled": True,
        "IncludeCookies": wanted["include_cookies"],
        "Bucket": wanted["bucket"],
        "Prefix": wanted["prefix"],
    }


def _write_error(code: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {"ErrorCode": int(code), "ErrorCachingMinTTL": wanted["caching_min_ttl"]}
    if wanted["page"]:
        # AWS takes the code as text.
        written.update(ResponsePagePath=wanted["page"], ResponseCode=str(wanted["response_code"]))
    return written


def _read_origin(item: Config) -> dict[str, Any]:
    shield = item.get("OriginShield") or {}
    origin: dict[str, Any] = {
        "domain_name": item["DomainName"],
        "path": item.get("OriginPath", ""),
        "access_control": item.get("OriginAccessControlId") or None,
        "connection_attempts": item.get("ConnectionAttempts", 3),
        "connection_timeout": item.get("ConnectionTimeout", 10),
        "shield_region": shield.get("OriginShieldRegion") if shield.get("Enabled") else None,
    }
    if custom := item.get("CustomOriginConfig"):
        origin["custom"] = {
            "protocol_policy": custom["OriginProtocolPolicy"],
            "http_port": custom["HTTPPort"],
            "https_port": custom["HTTPSPort"],
            "ssl_protocols": sorted(_items(custom.get("OriginSslProtocols"))),
            "read_timeout": custom.get("OriginReadTimeout", 30),
            "keepalive_timeout": custom.get("OriginKeepaliveTimeout", 5),
        }
    return origin


def _write_origin(ident: str, wanted: Mapping[str, Any], headers: Mapping[str, str], base: Config) -> dict[str, Any]:
    kept = {key: value for key, value in base.items() if key not in ("CustomOriginConfig", "S3OriginConfig")}
    shield = wanted["shield_region"]
    written: dict[str, Any] = {
        **kept,
        "Id": ident,
        "DomainName": wanted["domain_name"],
        "OriginPath": wanted["path"],
        "CustomHeaders": items([{"HeaderName": name, "HeaderValue": headers[name]} for name in sorted(headers)]),
        "ConnectionAttempts": wanted["connection_attempts"],
        "ConnectionTimeout": wanted["connection_timeout"],
        "OriginShield": {"Enabled": True, "OriginShieldRegion": shield} if shield else {"Enabled": False},
        "OriginAccessControlId": wanted["access_control"] or "",
    }
    if custom := wanted.get("custom"):
        written["CustomOriginConfig"] = {
            **(base.get("CustomOriginConfig") or {}),
            "OriginProtocolPolicy": custom["protocol_policy"],
            "HTTPPort": custom["http_port"],
            "HTTPSPort": custom["https_port"],
            "OriginSslProtocols": items(custom["ssl_protocols"]),
            "OriginReadTimeout": custom["read_timeout"],
            "OriginKeepaliveTimeout": custom["keepalive_timeout"],
        }
    else:
        # An empty identity: the access control signs instead.
        written["S3OriginConfig"] = {"OriginAccessIdentity": ""}
    return written


def _read_behavior(item: Config) -> dict[str, Any]:
    methods = item.get("AllowedMethods") or {}
    groups = item.get("TrustedKeyGroups") or {}
    return {
        "origin": item["TargetOriginId"],
        "viewer_protocol_policy": item["ViewerProtocolPolicy"],
        "allowed_methods": sorted(methods.get("Items") or ["GET", "HEAD"]),
        "cached_methods": sorted(_items(methods.get("CachedMethods")) or ["GET", "HEAD"]),
        "compress": item.get("Compress", False),
        "cache_policy": item.get("CachePolicyId"),
        "origin_request_policy": item.get("OriginRequestPolicyId"),
        "response_headers_policy": item.get("ResponseHeadersPolicyId"),
        "key_groups": sorted(groups.get("Items") or []) if groups.get("Enabled") else [],
        "functions": _associated(item, "FunctionAssociations", "FunctionARN"),
        "lambda_functions": _associated(item, "LambdaFunctionAssociations", "LambdaFunctionARN"),
    }


def _associated(item: Config, structure: str, arn: str) -> list[str]:
    return sorted(f"{one['EventType']} {one[arn]}" for one in _items(item.get(structure)))


def _write_behavior(wanted: Mapping[str, Any], base: Config) -> dict[str, Any]:
    # A behavior has a cache policy or the legacy settings, never both.
    kept = {key: value for key, value in base.items() if key not in (*_LEGACY, "PathPattern")}
    groups: Sequence[str] = wanted["key_groups"]
    optional = {
        "OriginRequestPolicyId": wanted["origin_request_policy"],
        "ResponseHeadersPolicyId": wanted["response_headers_policy"],
    }
    written = {
        **{key: value for key, value in kept.items() if key not in optional},
        "TargetOriginId": wanted["origin"],
        "ViewerProtocolPolicy": wanted["viewer_protocol_policy"],
        "AllowedMethods": {
            **items(list(wanted["allowed_methods"])),
            "CachedMethods": items(list(wanted["cached_methods"])),
        },
        "Compress": wanted["compress"],
        "SmoothStreaming": False,
        "CachePolicyId": wanted["cache_policy"],
        "TrustedSigners": {"Enabled": False, "Quantity": 0},
        "TrustedKeyGroups": {"Enabled": bool(groups), **items(list(groups))},
        # We declare none: code at the edge that somebody attached by hand is taken off again.
        "FunctionAssociations": {"Quantity": 0},
        "LambdaFunctionAssociations": {"Quantity": 0},
        "FieldLevelEncryptionId": kept.get("FieldLevelEncryptionId", ""),
    }
    return {**written, **{key: value for key, value in optional.items() if value}}
