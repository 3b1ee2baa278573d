# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which rule a request meets, and what its redirects and weights come to. Pure."""

from __future__ import annotations

import ipaddress
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

Record = dict[str, Any]


@dataclass(slots=True)
class Seen:
    """What conditions look at. Header names in lower case; `port` is the listener's."""

    method: str
    host: str
    path: str
    query: str
    headers: dict[str, str]
    client: str
    protocol: str
    port: int


Condition = Callable[[Seen], bool]


@cache
def _wildcard(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """ELB's patterns: * is any number of characters, ? exactly one."""
    text = "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile(text, re.IGNORECASE | re.DOTALL if ignore_case else re.DOTALL)


def _any(patterns: list[str], text: str, ignore_case: bool) -> bool:
    return any(_wildcard(pattern, ignore_case).fullmatch(text) for pattern in patterns)


def compile_condition(condition: Record) -> Condition:
    """A function for one rule condition as DescribeRules shows it. Raises ValueError for an unknown field."""
    field = condition["Field"]

    def values(config: str) -> list[str]:
        return (condition.get(config) or {}).get("Values") or condition.get("Values") or []

    if field == "path-pattern":
        paths = values("PathPatternConfig")
        return lambda seen: _any(paths, seen.path, False)
    if field == "host-header":
        hosts = values("HostHeaderConfig")
        return lambda seen: _any(hosts, seen.host.partition(":")[0], True)
    if field == "http-request-method":
        methods = values("HttpRequestMethodConfig")
        return lambda seen: seen.method in methods
    if field == "http-header":
        name, wanted = condition["HttpHeaderConfig"]["HttpHeaderName"].lower(), values("HttpHeaderConfig")
        return lambda seen: name in seen.headers and _any(wanted, seen.headers[name], True)
    if field == "query-string":
        pairs = (condition.get("QueryStringConfig") or {}).get("Values", [])
        return lambda seen: _query_matches(pairs, seen.query)
    if field == "source-ip":
        networks = [ipaddress.ip_network(text, strict=False) for text in values("SourceIpConfig")]
        return lambda seen: any(ipaddress.ip_address(seen.client) in network for network in networks)
    raise ValueError(f"rule condition on {field!r} is unknown")


def _query_matches(wanted: list[Record], query: str) -> bool:
    given = parse_qsl(query, keep_blank_values=True)
    return any(
        (not pair.get("Key") or _any([pair["Key"]], key, True)) and _any([pair.get("Value", "")], value, True)
        for pair in wanted
        for key, value in given
    )


@dataclass(slots=True)
class Rule:
    conditions: list[Condition]
    actions: list[Record]

    @classmethod
    def compile(cls, rule: Record) -> Rule:
        actions = sorted(rule["actions"], key=lambda action: action.get("Order", 1))
        return cls([compile_condition(condition) for condition in rule["conditions"]], actions)

    def matches(self, seen: Seen) -> bool:
        return all(condition(seen) for condition in self.conditions)


def redirect_location(config: Record, seen: Seen, offset: int = 0) -> str:
    """The Location of a redirect action. `offset`: added to a port below 1024, where listeners are that much higher."""
    host, _, _ = seen.host.partition(":")
    values = {
        "protocol": seen.protocol.lower(),
        "host": host,
        "port": str(seen.port),
        "path": seen.path.lstrip("/"),
        "query": seen.query,
    }

    def filled(text: str) -> str:
        return re.sub(r"#\{(protocol|host|port|path|query)\}", lambda match: values[match[1]], text)

    protocol = filled(config.get("Protocol") or "#{protocol}").lower()
    port = filled(config.get("Port") or "#{port}")
    host = filled(config.get("Host") or "#{host}")
    path = filled(config.get("Path") or "/#{path}")
    query = filled(config["Query"] if config.get("Query") is not None else "#{query}")
    if offset and port.isdigit() and int(port) < 1024:
        port = str(int(port) + offset)
    standard = {"http": "80", "https": "443"}.get(protocol)
    return f"{protocol}://{host}{'' if port == standard else ':' + port}{path}{'?' + query if query else ''}"


def choose_group(action: Record, stuck_to: str | None) -> str | None:
    """The ARN of the target group for one request, by weight; None if no group has weight.

    `stuck_to`: the group in the client's AWSALBTG cookie, which wins while it is in the action.
    """
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn"), "Weight": 1}]
    if stuck_to and (config.get("TargetGroupStickinessConfig") or {}).get("Enabled"):
        for group in groups:
            # Weight 0 ends stickiness: "if you set the weight to 0, the group gets no traffic".
            if group["TargetGroupArn"] == stuck_to and group.get("Weight", 1) > 0:
                return stuck_to
    if len(groups) == 1:
        return str(groups[0]["TargetGroupArn"]) if groups[0].get("Weight", 1) > 0 else None
    weights = [group.get("Weight", 1) for group in groups]
    if not any(weights):
        return None
    return str(random.choices(groups, weights)[0]["TargetGroupArn"])


def code_matches(matcher: str, code: int) -> bool:
    """True if a health check's answer is in a matcher such as "200", "200,301" or "200-299"."""
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= code <= int(high or low):
            return True
    return False
