"""waf_web_acl on the embedded cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

NAME = "stories-test"
TAGS = {"Project": "1001-stories", "Environment": "test"}
LOG_GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-stories-test"
WISH: dict[str, Any] = {
    "name": NAME,
    "tags": TAGS,
    "description": "Edge of stories-test",
    "allowed_addresses": ["203.0.113.7/32", "2001:db8::/48"],
    "rate_limit": {"requests": 2000, "window_seconds": 300, "action": "count"},
    "managed_rules": [
        {"name": "AWSManagedRulesAmazonIpReputationList", "action": "block"},
        {"name": "AWSManagedRulesCommonRuleSet", "action": "count"},
        {"name": "AWSManagedRulesSQLiRuleSet", "action": "count", "count_rules": ["SQLi_BODY"]},
    ],
    "upload_paths": ["/api/upload", "/api/books/upload"],
    "logging": {"destination_arn": LOG_GROUP, "redacted_headers": ["Cookie", "authorization"]},
}


def steps(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def waf(cloud: Cloud) -> Any:
    return cloud.client("wafv2", "us-east-1")


def get(cloud: Cloud, thing: str = "web_acl", name: str = NAME) -> dict[str, Any]:
    """The answer of GetWebACL or GetIPSet for the resource of that name, scope CLOUDFRONT."""
    client = waf(cloud)
    key = {"web_acl": "WebACLs", "ip_set": "IPSets"}[thing]
    summary = next(one for one in getattr(client, f"list_{thing}s")(Scope="CLOUDFRONT")[key] if one["Name"] == name)
    found: dict[str, Any] = getattr(client, f"get_{thing}")(Name=name, Id=summary["Id"], Scope="CLOUDFRONT")
    return found


def update_acl(cloud: Cloud, **changed: Any) -> None:
    shown = get(cloud)
    acl = {key: shown["WebACL"][key] for key in ("Name", "Id", "Description", "DefaultAction", "Rules")}
    acl["VisibilityConfig"] = shown["WebACL"]["VisibilityConfig"]
    waf(cloud).update_web_acl(Scope="CLOUDFRONT", LockToken=shown["LockToken"], **{**acl, **changed})


def update_set(cloud: Cloud, name: str, **changed: Any) -> None:
    shown = get(cloud, "ip_set", name)
    kept = {key: shown["IPSet"][key] for key in ("Name", "Id", "Description", "Addresses")}
    waf(cloud).update_ip_set(Scope="CLOUDFRONT", LockToken=shown["LockToken"], **{**kept, **changed})


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(cloud: Cloud) -> None:
    with cloud.recorded() as calls:
        planned = run_module(cloud, "waf_web_acl", WISH, check=True)
    assert [call["action"] for call in calls if call["writes"]] == []
    assert steps(planned) == steps(run_module(cloud, "waf_web_acl", WISH))
    assert steps(planned) == [
        "ip_set/stories-test-allowed-ipv4:create",
        "ip_set/stories-test-allowed-ipv6:create",
        "web_acl/stories-test:create",
        "web_acl_logging/stories-test:create",
    ]


def test_the_second_run_changes_nothing(cloud: Cloud) -> None:
    run_module(cloud, "waf_web_acl", WISH)
    with cloud.recorded() as calls:
        assert steps(run_module(cloud, "waf_web_acl", WISH)) == []
    assert not [call for call in calls if call["writes"]]


def lost_rule(cloud: Cloud) -> None:
    update_acl(cloud, Rules=[rule for rule in get(cloud)["WebACL"]["Rules"] if rule["Name"] != "rate-limit"])


def foreign_rule(cloud: Cloud) -> None:
    rules = get(cloud)["WebACL"]["Rules"]
    update_acl(cloud, Rules=[*rules, {**rules[2], "Name": "by-hand", "Priority": 99}])


def higher_limit(cloud: Cloud) -> None:
    rules = get(cloud)["WebACL"]["Rules"]
    limit = next(rule for rule in rules if rule["Name"] == "rate-limit")
    limit["Statement"]["RateBasedStatement"]["Limit"] = 20000
    update_acl(cloud, Rules=rules)


def group_only_counts(cloud: Cloud) -> None:
    rules = get(cloud)["WebACL"]["Rules"]
    group = next(rule for rule in rules if rule["Name"] == "AWSManagedRulesAmazonIpReputationList")
    group["OverrideAction"] = {"Count": {}}
    update_acl(cloud, Rules=rules)


def logging(cloud: Cloud, **changed: Any) -> None:
    arn = get(cloud)["WebACL"]["ARN"]
    shown = waf(cloud).get_logging_configuration(ResourceArn=arn)["LoggingConfiguration"]
    kept = {key: shown[key] for key in ("ResourceArn", "LogDestinationConfigs", "RedactedFields", "LoggingFilter")}
    configuration = {key: value for key, value in {**kept, **changed}.items() if value is not None}
    waf(cloud).put_logging_configuration(LoggingConfiguration=configuration)


def tagged(cloud: Cloud) -> None:
    waf(cloud).tag_resource(ResourceARN=get(cloud)["WebACL"]["ARN"], Tags=[{"Key": "Owner", "Value": "somebody"}])


@pytest.mark.long
@pytest.mark.parametrize(
    ("by_hand", "resource", "field"),
    [
        (lost_rule, "web ACL stories-test", "rate-limit"),
        (foreign_rule, "web ACL stories-test", "by-hand"),
        (higher_limit, "web ACL stories-test", "Limit: 20000"),
        (group_only_counts, "web ACL stories-test", "OverrideAction"),
        (lambda cloud: update_acl(cloud, DefaultAction={"Block": {}}), "web ACL stories-test", "default_action"),
        (lambda cloud: update_acl(cloud, Description="mine"), "web ACL stories-test", "description"),
        (
            lambda cloud: update_acl(
                cloud, VisibilityConfig={**get(cloud)["WebACL"]["VisibilityConfig"], "SampledRequestsEnabled": False}
            ),
            "web ACL stories-test",
            "visibility",
        ),
        (tagged, "web ACL stories-test", "Owner"),
        (
            lambda cloud: update_set(cloud, "stories-test-allowed-ipv4", Addresses=["198.51.100.0/24"]),
            "IP set stories-test-allowed-ipv4",
            "addresses",
        ),
        (
            lambda cloud: update_set(cloud, "stories-test-allowed-ipv6", Description="mine"),
            "IP set stories-test-allowed-ipv6",
            "description",
        ),
        (lambda cloud: logging(cloud, LoggingFilter=None), "logging of web ACL stories-test", "keep"),
        (lambda cloud: logging(cloud, RedactedFields=None), "logging of web ACL stories-test", "redacted_headers"),
        (
            lambda cloud: logging(cloud, LogDestinationConfigs=["arn:aws:s3:::aws-waf-logs-elsewhere"]),
            "logging of web ACL stories-test",
            "destination",
        ),
        (
            lambda cloud: waf(cloud).delete_logging_configuration(ResourceArn=get(cloud)["WebACL"]["ARN"]),
            "logging of web ACL stories-test",
            "destination",
        ),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, by_hand: Callable[[Cloud], None], resource: str, field: str
) -> None:
    run_module(cloud, "waf_web_acl", WISH)
    by_hand(cloud)
    drift = run_module(cloud, "waf_web_acl", WISH, check=True)
    assert steps(drift)
    shown = drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert resource in shown
    assert field in shown
    assert steps(run_module(cloud, "waf_web_acl", WISH))
    assert steps(run_module(cloud, "waf_web_acl", WISH)) == []


def test_a_rule_goes_from_count_to_block_by_its_action_alone(cloud: Cloud) -> None:
    run_module(cloud, "waf_web_acl", WISH)
    blocking = {**WISH, "rate_limit": {**WISH["rate_limit"], "action": "block"}}
    changed = run_module(cloud, "waf_web_acl", blocking)
    assert steps(changed) == ["web_acl/stories-test:change"]
    rules = {rule["Name"]: rule for rule in get(cloud)["WebACL"]["Rules"]}
    assert rules["rate-limit"]["Action"] == {"Block": {}}


def test_a_web_acl_that_was_left_half_built_is_finished(cloud: Cloud) -> None:
    made = steps(run_module(cloud, "waf_web_acl", WISH))
    for stop in range(1, len(made)):
        cloud.reset()
        refusal = {"kind": "error", "code": "AccessDeniedException", "status": 400}
        cloud.admin("POST", "/faults", {"service": "wafv2", "writes_only": True, "skip": stop, **refusal})
        assert run_module(cloud, "waf_web_acl", WISH)["failed"] is True
        cloud.admin("DELETE", "/faults")
        # Which of the two address sets came first is chance: they are made side by side.
        later = steps(run_module(cloud, "waf_web_acl", WISH))
        assert len(later) == len(made) - stop
        assert later == [step for step in made if step in later]
        assert steps(run_module(cloud, "waf_web_acl", WISH)) == []


def test_absent_removes_everything_and_a_second_time_nothing(cloud: Cloud) -> None:
    made = steps(run_module(cloud, "waf_web_acl", WISH))
    gone = {"name": NAME, "tags": TAGS, "state": "absent"}
    assert len(steps(run_module(cloud, "waf_web_acl", gone, check=True))) == len(made)
    assert len(steps(run_module(cloud, "waf_web_acl", gone))) == len(made)
    assert steps(run_module(cloud, "waf_web_acl", gone)) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rate_limit": {"requests": 5}}, "WAF takes 10 to 2000000000"),
        ({"allowed_addresses": ["0.0.0.0/0"]}, "WAF takes no range of all addresses"),
        ({"allowed_addresses": ["203.0.113.7/24"]}, "has host bits set"),
        ({"managed_rules": [{"name": "AWSManagedRulesSQLiRuleSet"}] * 2, "upload_paths": []}, "Name it once"),
        ({"managed_rules": []}, "Read upload_paths without the managed rule group"),
        ({"upload_paths": ["api/upload"]}, "Write it like /api/upload"),
        ({"logging": {"destination_arn": "arn:aws:s3:::stories-logs"}}, "names begin with aws-waf-logs-"),
        ({"name": "stories production"}, "letters, digits, hyphens and underscores"),
    ],
)
def test_a_bad_wish_is_one_clear_error_before_the_first_call(
    cloud: Cloud, wrong: dict[str, Any], sentence: str
) -> None:
    with cloud.recorded() as calls:
        result = run_module(cloud, "waf_web_acl", {**WISH, **wrong})
    assert result["failed"] is True
    assert sentence in result["msg"]
    assert calls == []
