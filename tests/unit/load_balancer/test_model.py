"""The pure side of the load balancer: wishes, weights, actions."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._load_balancer.actions import (
    canonical_action,
    forward_action,
    origin_header,
    to_action,
    weights_of,
)
from ansible_collections.stories1001.platform.plugins.module_utils._load_balancer.model import desired
from ansible_collections.stories1001.platform.plugins.module_utils._load_balancer.slots import (
    live_slot,
    without_release_tags,
)

Params = dict[str, Any]
HEALTH: Params = {
    "path": "/api/health",
    "interval": 30,
    "timeout": 5,
    "healthy_threshold": 2,
    "unhealthy_threshold": 2,
    "matcher": "200",
}
GROUP: Params = {
    "port": 3000,
    "deregistration_delay": 60,
    "slow_start": 0,
    "stickiness_seconds": 0,
    "algorithm": "round_robin",
    "health_check": HEALTH,
}
WISH: Params = {
    "name": "stories-test",
    "tags": {"Project": "1001-stories", "Environment": "test"},
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-b", "subnet-a"],
    "security_group_ids": ["sg-1"],
    "scheme": "internet-facing",
    "ip_address_type": "ipv4",
    "deletion_protection": True,
    "idle_timeout": 60,
    "client_keep_alive": 3600,
    "http2": True,
    "drop_invalid_header_fields": True,
    "desync_mitigation_mode": "defensive",
    "access_logs": None,
    "attributes": {},
    "target_group": GROUP,
    "http_port": 80,
    "https_port": 443,
    "test_port": 8443,
    "active_slot": "blue",
    "certificate_arn": "arn:cert",
    "additional_certificate_arns": [],
    "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "forward_stickiness_seconds": 0,
    "origin_header": None,
}


def health(**wrong: Any) -> Params:
    return {"target_group": {**GROUP, "health_check": {**HEALTH, **wrong}}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "x" * 23}, "at most 32"),
        ({"name": "internal-stories"}, "none beginning with internal-"),
        ({"name": "stories_test"}, "letters, digits and hyphens"),
        ({"subnet_ids": ["subnet-a", "subnet-a"]}, "AWS demands two"),
        ({"https_port": 80}, "one of its own"),
        ({"idle_timeout": 0}, "1 to 4000"),
        ({"client_keep_alive": 59}, "60 to 604800"),
        ({"attributes": {"idle_timeout.timeout_seconds": "5"}}, "an option of its own"),
        ({"origin_header": {"name": "X Origin", "secret_arn": "a"}}, "token characters"),
        ({"target_group": {**GROUP, "slow_start": 10}}, "0 or 30 to 900"),
        ({"target_group": {**GROUP, "deregistration_delay": 3601}}, "0 to 3600"),
        (health(timeout=30), "must be the shorter"),
        (health(path="api/health"), "must begin with /"),
        (health(interval=4, timeout=2), "5 to 300"),
        (health(healthy_threshold=1), "2 to 10"),
        (health(matcher="ok"), "Write codes like"),
    ],
)
def test_a_wrong_wish_is_refused_in_one_sentence(wrong: Params, said: str) -> None:
    with pytest.raises(PlanRefused) as refused:
        desired({**WISH, **wrong})
    assert said in str(refused.value)


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(PlanRefused) as refused:
        desired({**WISH, "idle_timeout": 0, "subnet_ids": [], **health(path="x")})
    assert len(refused.value.problems) == 3


def test_weights_are_a_beginning_and_nothing_that_is_compared() -> None:
    listeners = [resource for resource in desired(WISH) if resource.kind == "listener"]
    assert [bool(listener.initial) for listener in listeners] == [False, True, True]
    assert not any("weight" in name for listener in listeners for name in listener.fields)


def test_the_header_moves_the_forward_behind_a_refusal_on_the_production_listener_alone() -> None:
    wish = {**WISH, "origin_header": {"name": "X-Origin-Verify", "secret_arn": "arn:secret"}}
    listeners = {resource.name: resource for resource in desired(wish, ["b", "a", "a"])}
    production, test = listeners["stories-test-443"], listeners["stories-test-8443"]
    assert production.fields["action"]["StatusCode"] == "403"
    assert production.fields["origin_header"] == {"name": "X-Origin-Verify", "values": ["a", "b"]}
    assert test.fields["action"] == {"type": "forward"}
    assert test.fields["origin_header"] is None


@pytest.mark.parametrize(
    ("weights", "live"),
    [
        ({"x-app-blue/1": 100, "x-app-green/2": 0}, "blue"),
        ({"x-app-blue/1": 0, "x-app-green/2": 1}, "green"),
        ({"x-app-blue/1": 90, "x-app-green/2": 10}, None),
        ({"x-app-blue/1": 0, "x-app-green/2": 0}, None),
        ({"other": 100}, None),
        ({"x-app-blue/1": 100, "other": 1}, None),
        ({}, None),
    ],
)
def test_the_live_slot_is_the_one_that_has_all_the_traffic(weights: dict[str, int], live: str | None) -> None:
    assert live_slot(weights) == live


@pytest.mark.parametrize(
    ("action", "weights"),
    [
        ({"Type": "forward", "TargetGroupArn": "a"}, {"a": 1}),
        (forward_action({"a": 90, "b": 10}, 0), {"a": 90, "b": 10}),
        ({"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "a"}]}}, {"a": 1}),
        ({"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}, {}),
    ],
)
def test_weights_are_read_from_every_shape_that_aws_gives_a_forward(action: Params, weights: dict[str, int]) -> None:
    assert weights_of(action) == weights


def test_a_redirect_survives_the_way_to_its_canonical_form_and_back() -> None:
    action = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    assert to_action(canonical_action(action)) == action


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        [{"Field": "path-pattern", "Values": ["/"]}],
        [{"Field": "http-header", "HttpHeaderConfig": {}}, {"Field": "path-pattern"}],
    ],
)
def test_a_rule_of_somebody_else_is_not_taken_for_the_origin_header(conditions: list[Params]) -> None:
    assert origin_header({"Conditions": conditions}) is None


def test_tags_of_a_release_are_not_compared() -> None:
    assert without_release_tags({"Project": "p", "ActiveSlot": "green"}) == {"Project": "p"}
