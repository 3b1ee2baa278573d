# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The web ACL that is wanted, as resources; pure.

Rules by priority: allowed addresses first (they end the evaluation), then the rate limit, then AWS's
managed rule groups in the order given. A rule either counts or blocks; counting is how a rule is tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from .._aws.tags import named
from .._engine.resources import Ref, Resource
from .._engine.steps import PlanRefused

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_WINDOWS = (60, 120, 300, 600)  # seconds (WAFV2 API reference, RateBasedStatement)
_RATES = range(10, 2_000_000_001)
_LONGEST_SEARCH = 200  # bytes of a ByteMatchStatement's SearchString

# The group whose rule SizeRestrictions_BODY refuses bodies above 8 KB, uploads among them, and the label
# that this rule leaves on a request when it only counts.
COMMON_RULES = "AWSManagedRulesCommonRuleSet"
_BODY_RULE = "SizeRestrictions_BODY"
_BODY_LABEL = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"

_FAMILIES = {4: "IPV4", 6: "IPV6"}


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the wishes, one sentence each."""
    name = params["name"]
    if not _NAME.fullmatch(name):
        yield f"Read the name {name!r}; WAF takes 1 to 128 letters, digits, hyphens and underscores. Choose others."
    if limit := params["rate_limit"]:
        if limit["requests"] not in _RATES:
            yield f"Read rate_limit.requests {limit['requests']}; WAF takes 10 to 2000000000. Choose one."
        if limit["window_seconds"] not in _WINDOWS:
            windows = ", ".join(map(str, _WINDOWS))
            yield f"Read rate_limit.window_seconds {limit['window_seconds']}; WAF takes {windows}. Choose one."
    groups = [group["name"] for group in params["managed_rules"]]
    for twice in sorted({group for group in groups if groups.count(group) > 1}):
        yield f"Read the managed rule group {twice} twice; its second rule would never differ. Name it once."
    for address in params["allowed_addresses"]:
        try:
            network = ip_network(address)
        except ValueError as error:
            yield f"Read {address!r} in allowed_addresses: {error}. Write a range such as 203.0.113.7/32."
            continue
        if network.prefixlen == 0:
            yield f"Read {address!r} in allowed_addresses; WAF takes no range of all addresses. Name smaller ranges."
    for path in params["upload_paths"]:
        if not path.startswith("/") or len(path.encode()) > _LONGEST_SEARCH:
            yield (
                f"Read {path!r} in upload_paths; a path begins with a slash and has at most {_LONGEST_SEARCH} bytes. "
                "Write it like /api/upload."
            )
    if params["upload_paths"] and COMMON_RULES not in groups:
        yield (
            f"Read upload_paths without the managed rule group {COMMON_RULES}; no other rule limits bodies. Add the "
            "group or leave the paths out."
        )
    if (logging := params["logging"]) and not is_waf_log_name(logging["destination_arn"]):
        yield (
            f"Read logging.destination_arn {logging['destination_arn']}; WAF writes only to log groups, buckets and "
            "streams whose names begin with aws-waf-logs-. Rename it."
        )


def is_waf_log_name(arn: str) -> bool:
    """True for a destination whose name has the prefix that WAF demands (or is not known yet)."""
    return arn.startswith("planned:") or re.split(r"[:/]", arn.removesuffix(":*"))[-1].startswith("aws-waf-logs-")


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `waf_web_acl` call, in the order of creation. Raises PlanRefused."""
    if wrong := list(problems(params)):
        raise PlanRefused(wrong)
    name, tags = params["name"], params["tags"]
    ip_sets = list(_ip_sets(name, params["allowed_addresses"], tags))
    made = list(ip_sets)
    made.append(
        Resource(
            "web_acl",
            name,
            {
                "description": params["description"],
                "default_action": params["default_action"],
                "rules": _rules(params, [one.name for one in ip_sets if one.fields["addresses"]]),
                "visibility": _visibility(name),
            },
            tags=named(tags, name),
        )
    )
    if logging := params["logging"]:
        fields = {
            "web_acl": Ref("web_acl", name),
            "destination": logging["destination_arn"].removesuffix(":*"),
            "redacted_headers": sorted(header.lower() for header in logging["redacted_headers"]),
            "keep": logging["keep"],
        }
        made.append(Resource("web_acl_logging", name, fields))
    return made


def ip_set_names(name: str) -> list[str]:
    """The names of all IP sets that a web ACL of this name may have."""
    return [f"{name}-allowed-{family.lower()}" for family in _FAMILIES.values()]


def _ip_sets(name: str, addresses: Sequence[str], tags: Mapping[str, str]) -> Iterator[Resource]:
    """One set a family, empty or not: a set costs nothing, a rule that uses it does."""
    networks = [ip_network(address) for address in addresses]
    for version, own in zip(_FAMILIES, ip_set_names(name), strict=True):
        of_family = sorted({str(network) for network in networks if network.version == version})
        fields = {
            "version": _FAMILIES[version],
            "description": f"Addresses that {name} lets through, such as load generators",
            "addresses": of_family,
        }
        yield Resource("ip_set", own, fields, tags=named(tags, own))


def _rules(params: Mapping[str, Any], ip_sets: Sequence[str]) -> dict[str, Any]:
    """The rules by name, each as WAF shows it."""
    wanted: list[dict[str, Any]] = []
    for own in ip_sets:
        statement: dict[str, Any] = {"IPSetReferenceStatement": {"ARN": Ref("ip_set", own)}}
        wanted.append(_rule(own, statement, {"Action": {"Allow": {}}}))
    if limit := params["rate_limit"]:
        statement = {
            "RateBasedStatement": {
                "Limit": limit["requests"],
                "EvaluationWindowSec": limit["window_seconds"],
                "AggregateKeyType": "IP",
            }
        }
        wanted.append(_rule("rate-limit", statement, {"Action": _action(limit["action"])}))
    for group in params["managed_rules"]:
        wanted += _managed(group, params["upload_paths"])
    return {rule["Name"]: {"Priority": place, **rule} for place, rule in enumerate(wanted)}


def _managed(group: Mapping[str, Any], upload_paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One managed group; for the common one also the rule that limits bodies everywhere but on upload paths."""
    split = group["name"] == COMMON_RULES and bool(upload_paths)
    counted = sorted({*group["count_rules"], *([_BODY_RULE] if split else [])})
    statement: dict[str, Any] = {"VendorName": group["vendor"], "Name": group["name"]}
    if group.get("version"):
        statement["Version"] = group["version"]
    if counted:
        statement["RuleActionOverrides"] = [{"Name": rule, "ActionToUse": {"Count": {}}} for rule in counted]
    override: dict[str, Any] = {"OverrideAction": {"Count": {}} if group["action"] == "count" else {"None": {}}}
    yield _rule(group["name"], {"ManagedRuleGroupStatement": statement}, override)
    if split and _BODY_RULE not in group["count_rules"]:
        label = {"LabelMatchStatement": {"Scope": "LABEL", "Key": _BODY_LABEL}}
        elsewhere = {"NotStatement": {"Statement": _any_path(upload_paths)}}
        statement = {"AndStatement": {"Statements": [label, elsewhere]}}
        yield _rule("body-size", statement, {"Action": _action(group["action"])})


def _any_path(paths: Sequence[str]) -> dict[str, Any]:
    matches = [
        {
            "ByteMatchStatement": {
                "SearchString": path,
                "FieldToMatch": {"UriPath": {}},
                "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
                "PositionalConstraint": "STARTS_WITH",
            }
        }
        for path in sorted(set(paths))
    ]
    # An OrStatement takes two statements or more.
    return matches[0] if len(matches) == 1 else {"OrStatement": {"Statements": matches}}


def _rule(name: str, statement: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
    return {"Name": name, "Statement": statement, **action, "VisibilityConfig": _visibility(name)}


def _action(action: str) -> dict[str, Any]:
    return {action.capitalize(): {}}


def _visibility(metric: str) -> dict[str, Any]:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": metric}
