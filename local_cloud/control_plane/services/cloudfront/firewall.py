# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""WAF as far as it can be had without AWS's own rules.

Exact: priorities, actions, labels, IP sets, rate limits, byte matches and their combinations. AWS's managed
groups are secret; here each has a few well-known patterns, enough to see a rule count or block.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from ministack.services import waf as ministack_waf

from local_cloud.control_plane.overlay import registry


@dataclass
class Request:
    """What WAF looks at. labels: what the rules so far have left on it."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, Any]
    body: bytes
    client: str
    labels: set[str] = field(default_factory=set)


# Times of the requests of (web ACL, rule, address); forgotten with the process.
_seen: dict[tuple[str, str, str], deque[float]] = {}


@registry.at_reset
async def _forget() -> None:
    _seen.clear()


def blocks(web_acl: str, request: Request) -> bool:
    """Whether the web ACL stops this request; no web ACL stops nothing."""
    acl = _found(ministack_waf._web_acls, web_acl)
    if acl is None:
        return False
    for rule in sorted(acl["Rules"], key=lambda rule: rule["Priority"]):
        action = _action(web_acl, rule, request)
        if action in ("Allow", "Block"):
            return action == "Block"
    return "Block" in acl["DefaultAction"]


def _found(resources: Any, arn: str) -> dict[str, Any] | None:
    for _scope, resource in resources.all_items():
        if resource["ARN"] == arn:
            return dict(resource)
    return None


def _action(web_acl: str, rule: Mapping[str, Any], request: Request) -> str | None:
    """What the rule says to this request; None when it does not match or only counts."""
    group = rule["Statement"].get("ManagedRuleGroupStatement")
    if group:
        counted = {one["Name"] for one in group.get("RuleActionOverrides", []) if "Count" in one["ActionToUse"]}
        stopped = [name for name in _managed(group["Name"], request) if name not in counted]
        return "Block" if stopped and "Count" not in rule["OverrideAction"] else None
    if not _matches(rule["Statement"], request, (web_acl, rule["Name"])):
        return None
    request.labels.update(label["Name"] for label in rule.get("RuleLabels", []))
    action = next(iter(rule["Action"]))
    return None if action == "Count" else action


def _matches(statement: Mapping[str, Any], request: Request, rule: tuple[str, str]) -> bool:
    [(kind, inner)] = statement.items()
    match kind:
        case "AndStatement":
            return all(_matches(one, request, rule) for one in inner["Statements"])
        case "OrStatement":
            return any(_matches(one, request, rule) for one in inner["Statements"])
        case "NotStatement":
            return not _matches(inner["Statement"], request, rule)
        case "IPSetReferenceStatement":
            ip_set = _found(ministack_waf._ip_sets, inner["ARN"]) or {"Addresses": []}
            client = ipaddress.ip_address(request.client)
            return any(client in ipaddress.ip_network(address) for address in ip_set["Addresses"])
        case "RateBasedStatement":
            return _too_many(inner, request, rule)
        case "LabelMatchStatement":
            return inner["Key"] in request.labels
        case "ByteMatchStatement":
            return _byte_match(inner, request)
    return False  # a kind of statement that this cloud does not evaluate


def _too_many(statement: Mapping[str, Any], request: Request, rule: tuple[str, str]) -> bool:
    times = _seen.setdefault((*rule, request.client), deque())
    now = time.monotonic()
    times.append(now)
    while times[0] < now - statement.get("EvaluationWindowSec", 300):
        times.popleft()
    return len(times) > statement["Limit"]


def _byte_match(statement: Mapping[str, Any], request: Request) -> bool:
    import base64

    # ministack keeps what came over the wire, where the text is base64.
    wanted = base64.b64decode(statement["SearchString"]).decode()
    where = statement["FieldToMatch"]
    if "UriPath" in where:
        text = request.path
    elif "QueryString" in where:
        text = request.raw_query
    elif "SingleHeader" in where:
        text = str(request.headers.get(where["SingleHeader"]["Name"].lower(), ""))
    else:
        text = request.body.decode("utf-8", "replace")
    tests: dict[str, Callable[[], bool]] = {
        "STARTS_WITH": lambda: text.startswith(wanted),
        "ENDS_WITH": lambda: text.endswith(wanted),
        "EXACTLY": lambda: text == wanted,
        "CONTAINS": lambda: wanted in text,
    }
    return tests.get(statement["PositionalConstraint"], lambda: False)()


_LARGEST_BODY = 8192
_CORE = "awswaf:managed:aws:core-rule-set:"
_SQL = re.compile(r"('|\b)\s*(or|and)\s+['\d]+\s*=\s*['\d]|union\s+(all\s+)?select|;\s*drop\s+table|sleep\(\d", re.I)
_SCRIPT = re.compile(r"<script|javascript:|onerror\s*=", re.I)
_KNOWN_BAD = re.compile(r"\$\{jndi:|class\.module\.classloader|/etc/passwd", re.I)


def _managed(group: str, request: Request) -> Iterator[str]:
    """Names of the group's rules that match, each having left its label."""
    query, body = unquote_plus(request.raw_query), unquote_plus(request.body[:_LARGEST_BODY].decode("utf-8", "replace"))
    if group == "AWSManagedRulesCommonRuleSet":
        if len(request.body) > _LARGEST_BODY:
            request.labels.add(f"{_CORE}SizeRestrictions_Body")
            yield "SizeRestrictions_BODY"
        if not request.headers.get("user-agent"):
            request.labels.add(f"{_CORE}NoUserAgent_Header")
            yield "NoUserAgent_HEADER"
        if _SCRIPT.search(query):
            request.labels.add(f"{_CORE}CrossSiteScripting_QueryArguments")
            yield "CrossSiteScripting_QUERYARGUMENTS"
    elif group == "AWSManagedRulesSQLiRuleSet":
        if _SQL.search(query):
            request.labels.add("awswaf:managed:aws:sql-database:SQLi_QueryArguments")
            yield "SQLi_QUERYARGUMENTS"
        if _SQL.search(body):
            request.labels.add("awswaf:managed:aws:sql-database:SQLi_Body")
            yield "SQLi_BODY"
    elif group == "AWSManagedRulesKnownBadInputsRuleSet" and _KNOWN_BAD.search(f"{request.path} {query} {body}"):
        request.labels.add("awswaf:managed:aws:known-bad-inputs:Log4JRCE")
        yield "Log4JRCE_QUERYSTRING"
