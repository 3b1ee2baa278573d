"""The rules of a web ACL."""

from __future__ import annotations

from typing import Any

from ansible_collections.stories1001.platform.plugins.module_utils._engine.resources import Ref
from ansible_collections.stories1001.platform.plugins.module_utils._waf.kinds import canonical
from ansible_collections.stories1001.platform.plugins.module_utils._waf.model import COMMON_RULES, desired

GROUP: dict[str, Any] = {"vendor": "AWS", "version": None, "action": "block", "count_rules": []}
WISH: dict[str, Any] = {
    "name": "stories-test",
    "tags": {"Project": "1001-stories", "Environment": "test"},
    "description": "",
    "default_action": "allow",
    "allowed_addresses": [],
    "rate_limit": None,
    "managed_rules": [],
    "upload_paths": [],
    "logging": None,
}


def rules(**changed: Any) -> dict[str, Any]:
    acl = next(one for one in desired({**WISH, **changed}) if one.kind == "web_acl")
    found: dict[str, Any] = acl.fields["rules"]
    return found


def test_allowed_addresses_come_before_everything_that_could_stop_them() -> None:
    found = rules(
        allowed_addresses=["2001:db8::/48", "203.0.113.7/32"],
        rate_limit={"requests": 2000, "window_seconds": 300, "action": "block"},
        managed_rules=[{**GROUP, "name": COMMON_RULES}],
    )
    order = sorted(found, key=lambda name: found[name]["Priority"])
    assert order == ["stories-test-allowed-ipv4", "stories-test-allowed-ipv6", "rate-limit", COMMON_RULES]
    assert found[order[0]]["Statement"]["IPSetReferenceStatement"]["ARN"] == Ref("ip_set", order[0])
    assert found[order[0]]["Action"] == {"Allow": {}}


def test_no_rule_is_paid_for_an_empty_ip_set() -> None:
    assert rules() == {}
    assert [one.fields["addresses"] for one in desired(WISH) if one.kind == "ip_set"] == [[], []]


def test_a_counting_group_overrides_all_its_rules_and_a_blocking_one_none() -> None:
    for action, override in (("count", {"Count": {}}), ("block", {"None": {}})):
        found = rules(managed_rules=[{**GROUP, "name": COMMON_RULES, "action": action}])
        assert found[COMMON_RULES]["OverrideAction"] == override
        assert "Action" not in found[COMMON_RULES]


def test_the_limit_on_bodies_moves_to_a_rule_that_spares_upload_paths() -> None:
    for paths, kind in ((["/api/upload"], "ByteMatchStatement"), (["/api/upload", "/books"], "OrStatement")):
        found = rules(managed_rules=[{**GROUP, "name": COMMON_RULES}], upload_paths=paths)
        overrides = found[COMMON_RULES]["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]
        assert overrides == [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]
        label, spared = found["body-size"]["Statement"]["AndStatement"]["Statements"]
        assert label["LabelMatchStatement"]["Key"].endswith(":SizeRestrictions_Body")
        assert list(spared["NotStatement"]["Statement"]) == [kind]
        assert found["body-size"]["Action"] == {"Block": {}}
        assert found["body-size"]["Priority"] > found[COMMON_RULES]["Priority"]


def test_a_group_whose_limit_on_bodies_only_counts_gets_no_rule_of_ours() -> None:
    group = {**GROUP, "name": COMMON_RULES, "count_rules": ["SizeRestrictions_BODY"]}
    assert "body-size" not in rules(managed_rules=[group], upload_paths=["/api/upload"])


def test_a_rule_as_aws_shows_it_is_the_rule_as_we_write_it() -> None:
    match = {
        "SearchString": b"/api/upload",
        "FieldToMatch": {"UriPath": {}},
        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        "PositionalConstraint": "STARTS_WITH",
    }
    shown = {"Statement": {"ByteMatchStatement": match}, "RuleLabels": [], "CaptchaConfig": None}
    assert canonical(shown) == {"Statement": {"ByteMatchStatement": {**match, "SearchString": "/api/upload"}}}
