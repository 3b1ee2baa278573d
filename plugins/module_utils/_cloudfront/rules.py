# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a wish for a distribution, a sentence each; pure.

Limits are those of the CloudFront API reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .._engine.resources import is_planned
from .shapes import DEFAULT_BEHAVIOR

Params = Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]+\.s3(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LONGEST_COMMENT = 128
_POLICIES = ("cache_policy", "origin_request_policy", "response_headers_policy")
_PLURALS = {policy: f"{policy[:-1]}ies" for policy in _POLICIES}
# Every viewer may send these, and CloudFront treats them itself.
_NEVER_IN_ORIGIN_REQUEST = {"authorization", "accept-encoding"}
_ERROR_CODES = {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}


def problems(params: Params) -> list[str]:
    """Everything wrong with the wish; empty when all is well."""
    checks: Sequence[Callable[[Params], Iterator[str]]] = (
        _general,
        _origins,
        _behaviors,
        _cache_policies,
        _origin_request_policies,
        _response_headers_policies,
    )
    return [sentence for check in checks for sentence in check(params)]


def _general(params: Params) -> Iterator[str]:
    name = params["name"]
    if not _NAME.fullmatch(name):
        yield f"Read the name {name!r}; CloudFront takes letters, digits, hyphens and underscores. Choose others."
    if len(params["comment"]) > _LONGEST_COMMENT:
        yield f"Read a comment of {len(params['comment'])} characters; CloudFront takes {_LONGEST_COMMENT}. Shorten it."
    certificate = params["certificate_arn"]
    if params["aliases"] and not certificate:
        yield (
            f"Read the aliases {', '.join(params['aliases'])} without certificate_arn; viewers would see a wrong "
            "certificate and CloudFront refuses them. Give the ARN of a certificate of us-east-1."
        )
    if certificate and not is_planned(certificate) and ":acm:us-east-1:" not in certificate:
        yield f"Read certificate_arn {certificate}; CloudFront takes certificates of us-east-1 only. Request one there."
    acl = params["web_acl_arn"]
    if acl and not is_planned(acl) and ":global/webacl/" not in acl:
        yield f"Read web_acl_arn {acl}; CloudFront takes web ACLs of the scope CLOUDFRONT only. Make one of that scope."
    geo = params["geo_restriction"]
    if (geo["type"] == "none") is bool(geo["locations"]):
        yield (
            f"Read geo_restriction of type {geo['type']} with {len(geo['locations'])} locations; a list needs "
            "locations, and no restriction takes none. Mend the one or the other."
        )
    for location in geo["locations"]:
        if not _COUNTRY.fullmatch(location):
            yield f"Read {location!r} in geo_restriction.locations; countries have codes such as DE. Use ISO 3166."
    if (logging := params["logging"]) and not _BUCKET.fullmatch(logging["bucket"]):
        yield (
            f"Read logging.bucket {logging['bucket']!r}; CloudFront takes a bucket's domain name. Write it like "
            "stories-logs.s3.amazonaws.com."
        )
    for error in params["custom_errors"]:
        if error["code"] not in _ERROR_CODES:
            yield f"Read custom_errors for code {error['code']}; CloudFront has no page for it. Choose another code."
        if bool(error["page"]) is not bool(error["response_code"]):
            yield f"Read custom_errors for code {error['code']}; page and response_code go together. Give both or none."


def _origins(params: Params) -> Iterator[str]:
    origins = params["origins"]
    for ident in _twice([origin["id"] for origin in origins]):
        yield f"Read the origin {ident} twice; each id is one origin. Name it once."
    for origin in origins:
        domain = origin["domain_name"]
        if origin["type"] == "s3" and not _BUCKET.fullmatch(domain):
            yield (
                f"Read the domain name {domain!r} of S3 origin {origin['id']}; it is no bucket's. Write it like "
                "stories-static.s3.us-east-1.amazonaws.com."
            )
        for key, least, most in (
            ("read_timeout", 1, 120),
            ("keepalive_timeout", 1, 120),
            ("connection_attempts", 1, 3),
            ("connection_timeout", 1, 10),
        ):
            if not least <= origin[key] <= most:
                yield f"Read {key} {origin[key]} of origin {origin['id']}; AWS takes {least} to {most}. Choose one."
        if origin["path"] and (not origin["path"].startswith("/") or origin["path"].endswith("/")):
            yield (
                f"Read the path {origin['path']!r} of origin {origin['id']}; it begins with a slash and ends without. "
                "Write it like /public."
            )
        if origin["type"] == "s3" and origin["header"]:
            yield f"Read a header for S3 origin {origin['id']}; its access control signs requests. Leave it out."


def _behaviors(params: Params) -> Iterator[str]:
    paths = [behavior["path"] for behavior in params["behaviors"]]
    if paths.count(DEFAULT_BEHAVIOR) != 1:
        yield f"Read {paths.count(DEFAULT_BEHAVIOR)} behaviors with path {DEFAULT_BEHAVIOR}; there is one. Give one."
    for path in _twice([path for path in paths if path != DEFAULT_BEHAVIOR]):
        yield f"Read the behavior {path} twice; the second would never be used. Name it once."
    known = {"origin": [origin["id"] for origin in params["origins"]]}
    known.update({policy: [one["name"] for one in params[_PLURALS[policy]]] for policy in _POLICIES})
    for behavior in params["behaviors"]:
        for key, names in known.items():
            if behavior[key] and behavior[key] not in names:
                there = ", ".join(names) or "none"
                yield f"Read {key} {behavior[key]} for path {behavior['path']}; there is {there}. Choose one of these."
        if behavior["signed"] and not params["public_keys"]:
            yield f"Read behavior {behavior['path']} as signed without public_keys; nobody could read it. Give a key."


def _cache_policies(params: Params) -> Iterator[str]:
    for policy in params["cache_policies"]:
        name, ttls = policy["name"], (policy["min_ttl"], policy["default_ttl"], policy["max_ttl"])
        if list(ttls) != sorted(ttls):
            yield (
                f"Read cache policy {name} with TTLs {', '.join(map(str, ttls))}; they go from least to most. Order "
                "min_ttl, default_ttl and max_ttl."
            )
        keyed = [part for part in ("headers", "cookies", "query_strings") if policy[part]["behavior"] != "none"]
        if not policy["max_ttl"] and (keyed or policy["gzip"] or policy["brotli"]):
            yield (
                f"Read cache policy {name} with max_ttl 0 and a cache key; what is not cached has none and AWS refuses "
                "it. Turn off gzip and brotli and set the behaviors to none."
            )
        yield from _names(f"cache policy {name}", policy)


def _origin_request_policies(params: Params) -> Iterator[str]:
    for policy in params["origin_request_policies"]:
        yield from _names(f"origin request policy {policy['name']}", policy)
        for header in policy["headers"]["names"]:
            if header.lower() in _NEVER_IN_ORIGIN_REQUEST:
                yield (
                    f"Read header {header} in origin request policy {policy['name']}; AWS takes it only in a cache "
                    "policy, or with the behavior allViewer. Move it."
                )


_NAMELESS = ("none", "all", "allViewer")


def _names(what: str, policy: Params) -> Iterator[str]:
    for part in ("headers", "cookies", "query_strings"):
        behavior, names = policy[part]["behavior"], policy[part]["names"]
        if (behavior in _NAMELESS) is bool(names):
            yield (
                f"Read {part} of {what} with behavior {behavior} and {len(names)} names; AWS wants names for whitelist "
                "and allExcept only. Mend the one or the other."
            )


def _response_headers_policies(params: Params) -> Iterator[str]:
    for policy in params["response_headers_policies"]:
        cors = policy["cors"]
        if cors and cors["credentials"] and "*" in [*cors["origins"], *cors["headers"], *cors["expose_headers"]]:
            yield (
                f"Read response headers policy {policy['name']} with credentials for all (*); browsers refuse that. "
                "Name the origins and headers."
            )


def _twice(values: Sequence[str]) -> list[str]:
    return sorted({value for value in values if values.count(value) > 1})
