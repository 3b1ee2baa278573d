# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The edge: a viewer's request passes the web ACL, then the signature check, then ministack's own data plane.

A distribution answers at the cloud's port by its name or an alias in the header Host; the header
X-Forwarded-Proto says https. With the data plane it has an address of its own too, with TLS, whose requests come
here. `X-Local-Cloud-Viewer` stands for the address that a viewer comes from.
"""

from __future__ import annotations

import os
import socket
import ssl
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ministack import app as ministack
from ministack.core import iam_evaluator
from ministack.services import cloudfront as ministack_cloudfront

from local_cloud.control_plane.services.cloudfront import firewall, signatures
from local_cloud.data_plane.addresses import UNPRIVILEGED_OFFSET
from local_cloud.settings import STATE_DIR_VARIABLE

Response = tuple[int, dict[str, Any], bytes]

VIEWER_HEADER = "x-local-cloud-viewer"

# Address at which the data plane serves a distribution → its id.
addresses: dict[str, str] = {}

_serve = ministack_cloudfront.handle_viewer_request
_route = ministack._handle_cloudfront_dataplane_request
_connect_target = ministack_cloudfront._origin_connect_target
_serve_bucket = ministack_cloudfront._serve_s3_origin
_before_the_body = ministack._handle_pre_body_request
_after_the_body = ministack._handle_post_body_shortcuts


async def handle_viewer_request(
    distribution: dict[str, Any],
    method: str,
    path: str,
    raw_uri: str,
    raw_query: str,
    headers: dict[str, Any],
    body: bytes,
    query: dict[str, list[str]],
    client: str = "127.0.0.1",
) -> Response:
    """Answer a viewer as an edge location does."""
    if not distribution["enabled"]:
        return _refusal(403, "The distribution is disabled.")
    client = headers.pop(VIEWER_HEADER, client)
    request = firewall.Request(method, path, raw_query, headers, body, client)
    if firewall.blocks(_web_acl(distribution), request):
        return _refusal(403, "Request blocked.")
    groups = signatures.trusted_key_groups(distribution, path)
    if groups:
        scheme = "https" if headers.get("x-forwarded-proto") == "https" else "http"
        host = headers.get("host", "").split(":")[0]
        problem, raw_query = signatures.check(f"{scheme}://{host}{raw_uri}", raw_query, groups, client)
        if problem:
            return _refusal(403, problem)
        query = parse_qs(raw_query, keep_blank_values=True)
    answer: Response = await _serve(distribution, method, path, raw_uri, raw_query, headers, body, query, client)
    return answer


def _refusal(status: int, why: str) -> Response:
    refusal: Response = ministack_cloudfront._cf_error_response(status, why, "Error from cloudfront")
    return refusal


def _web_acl(distribution: dict[str, Any]) -> str:
    config = ministack_cloudfront._dist_config_el(distribution)
    return str(ministack_cloudfront._text(config, "WebACLId") or "")


def _distribution_of(host: str) -> dict[str, Any] | None:
    """The distribution of this name, alias or address."""
    name = host.split(":")[0].lower()
    if name in addresses:
        found = ministack_cloudfront._distributions.get(addresses[name])
        return dict(found) if found else None
    for distribution in ministack_cloudfront._distributions.values():
        aliases = ministack_cloudfront._get_distribution_aliases(distribution)
        if name in [distribution["DomainName"].lower(), *(alias.lower() for alias in aliases)]:
            return dict(distribution)
    return None


async def route(host: str, *request: Any) -> Response | None:
    """As ministack's, which knows distributions by their own names only."""
    if distribution := _distribution_of(host):
        path, raw_path, raw_query, method, headers, body, query, client = request
        return await handle_viewer_request(
            distribution, method, path, raw_path, raw_query, headers, body, query, client
        )
    response: Response | None = await _route(host, *request)
    return response


async def before_the_body(method: str, path: str, headers: dict[str, Any], *rest: Any) -> Any:
    """ministack's own paths, such as /login and /health, are a viewer's paths at a distribution."""
    if _distribution_of(headers.get("host", "")):
        return None
    return await _before_the_body(method, path, headers, *rest)


async def after_the_body(method: str, path: str, headers: dict[str, Any], *rest: Any) -> Any:
    """As `before_the_body`, for paths that take a body."""
    if _distribution_of(headers.get("host", "")):
        return None
    return await _after_the_body(method, path, headers, *rest)


def serve_bucket(*request: Any) -> Response:
    """CloudFront asks a bucket with TLS, whatever the viewer used; policies that refuse plain HTTP let it pass."""
    address, _secure = iam_evaluator._request_origin.get()
    token = iam_evaluator._request_origin.set((address, True))
    try:
        response: Response = _serve_bucket(*request)
    finally:
        iam_evaluator._request_origin.reset(token)
    return response


def origin_ssl_context() -> ssl.SSLContext:
    """Trusts the certificates of this cloud's load balancers, which stand for names that do not resolve here."""
    authority = Path(os.environ.get(STATE_DIR_VARIABLE, ".")) / "tls" / "ca.pem"
    return _context(authority, authority.exists())


@cache
def _context(authority: Path, exists: bool) -> ssl.SSLContext:
    """Made once: reading the machine's own authorities takes longer than a request."""
    context = ssl.create_default_context()
    if exists:
        context.load_verify_locations(authority)
    context.check_hostname = False
    return context


def origin_connect_target(origin: dict[str, Any], viewer_is_https: bool) -> tuple[str, int, bool]:
    """The origin's address. A load balancer that may not have a port below 1024 listens at a higher one."""
    host, port, tls = _connect_target(origin, viewer_is_https)
    if host.startswith("127.") and port < 1024 and not _answers(host, port):
        port += UNPRIVILEGED_OFFSET
    return host, port, tls


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


ministack_cloudfront.handle_viewer_request = handle_viewer_request
ministack_cloudfront._serve_s3_origin = serve_bucket
ministack_cloudfront._origin_ssl_context = origin_ssl_context
ministack_cloudfront._origin_connect_target = origin_connect_target
ministack._handle_cloudfront_dataplane_request = route
ministack._handle_pre_body_request = before_the_body
ministack._handle_post_body_shortcuts = after_the_body
