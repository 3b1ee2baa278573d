"""What AWS would refuse is refused before the first write, in one sentence that names the thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._alarms import model as alarms
from ansible_collections.stories1001.platform.plugins.module_utils._budgets import model as budgets
from ansible_collections.stories1001.platform.plugins.module_utils._cloudtrail import model as trail
from ansible_collections.stories1001.platform.plugins.module_utils._config import model as config
from ansible_collections.stories1001.platform.plugins.module_utils._dashboards import model as dashboards
from ansible_collections.stories1001.platform.plugins.module_utils._log_insights import model as logs
from ansible_collections.stories1001.platform.plugins.module_utils._site_checks import model as checks
from ansible_collections.stories1001.platform.plugins.module_utils._sns import model as sns
from ansible_collections.stories1001.platform.plugins.module_utils._xray import model as xray

Problems = Callable[[Mapping[str, Any]], Iterable[str]]

NAME = "stories-test"
QUERY: dict[str, Any] = {
    "id": "one",
    "label": None,
    "expression": None,
    "return_data": True,
    "namespace": "AWS/ECS",
    "metric_name": "CPUUtilization",
    "dimensions": {},
    "statistic": "Average",
    "period": 60,
    "unit": None,
}
COMMON: dict[str, Any] = {
    "description": "",
    "actions_enabled": True,
    "alarm_actions": [],
    "ok_actions": [],
    "insufficient_data_actions": [],
}
ALARM: dict[str, Any] = {
    **COMMON,
    "name": f"{NAME}-cpu",
    "namespace": "AWS/ECS",
    "metric_name": "CPUUtilization",
    "dimensions": {},
    "statistic": "Average",
    "unit": None,
    "period": 60,
    "metrics": [],
    "comparison": "GreaterThanThreshold",
    "threshold": 85,
    "threshold_metric": None,
    "evaluation_periods": 1,
    "datapoints_to_alarm": None,
    "treat_missing_data": "missing",
    "low_samples": None,
}
COMPOSITE: dict[str, Any] = {
    **COMMON,
    "name": f"{NAME}-both",
    "rule": f'ALARM("{NAME}-cpu")',
    "suppressor": None,
    "suppressor_wait": 60,
    "suppressor_extension": 60,
}
_EXPRESSION = {**QUERY, "id": "sum", "expression": "one + two", "metric_name": None}


def alarm(**changes: Any) -> dict[str, Any]:
    return {"name": NAME, "tags": {}, "alarms": [{**ALARM, **changes}], "composite_alarms": []}


def composite(**changes: Any) -> dict[str, Any]:
    return {"name": NAME, "tags": {}, "alarms": [ALARM], "composite_alarms": [{**COMPOSITE, **changes}]}


def of_metrics(*metrics: dict[str, Any]) -> dict[str, Any]:
    return alarm(metric_name=None, metrics=list(metrics))


def of_a_band(**changes: Any) -> dict[str, Any]:
    band = {**_EXPRESSION, "id": "usual", "expression": "ANOMALY_DETECTION_BAND(one, 2)", "return_data": True}
    learned = {"threshold": None, "threshold_metric": "usual", "comparison": "LessThanLowerThreshold"}
    return alarm(metric_name=None, metrics=[QUERY, band], **{**learned, **changes})


def topic(**changes: Any) -> dict[str, Any]:
    policy = {"Version": "2012-10-17", "Statement": []}
    whole: dict[str, Any] = {
        "name": f"{NAME}-alerts",
        "display_name": "",
        "kms_key_arn": None,
        "policy": policy,
        "subscriptions": [],
    }
    return {"name": NAME, "tags": {}, "topics": [{**whole, **changes}]}


def widgets(*given: dict[str, Any]) -> dict[str, Any]:
    whole: dict[str, Any] = {"type": "metric", "title": "CPU", "width": 12, "height": 6, "properties": {}}
    return {"dashboards": [{"name": NAME, "widgets": [{**whole, **one} for one in given]}]}


def log_filter(**changes: Any) -> dict[str, Any]:
    whole = {"name": "slow", "log_group": "/a", "pattern": "x", "metric": "Slow", "value": "1", "unit": "None"}
    return {
        "name": NAME,
        "queries": [],
        "metric_filters": [{**whole, "default_value": None, "dimensions": {}, **changes}],
    }


def query(**changes: Any) -> dict[str, Any]:
    return {
        "name": NAME,
        "queries": [{"name": "slow", "query": "limit 1", "log_groups": ["/a"], **changes}],
        "metric_filters": [],
    }


def rule(**changes: Any) -> dict[str, Any]:
    whole = {"name": f"{NAME}-api", "priority": 1, "fixed_rate": 0.1, "reservoir_size": 0}
    return {"name": NAME, "groups": [], "sampling_rules": [{**whole, **changes}]}


def recorder(**changes: Any) -> dict[str, Any]:
    one = {"name": f"{NAME}-ssh", "identifier": "INCOMING_SSH_DISABLED", "description": "", **changes.pop("rule", {})}
    return {"name": NAME, "role_arn": "arn:aws:iam::1:role/r", "bucket": "b", "rules": [one], **changes}


def a_trail(**changes: Any) -> dict[str, Any]:
    return {"name": NAME, "bucket": "b", "bucket_prefix": "", "kms_key_arn": None, **changes}


def budget(*notifications: dict[str, Any], **changes: Any) -> dict[str, Any]:
    whole = {"type": "ACTUAL", "threshold_percent": 80, "emails": ["a@example.org"], "topic_arns": []}
    return {"name": NAME, "limit_usd": 500, "notifications": [{**whole, **one} for one in notifications], **changes}


def check(**changes: Any) -> dict[str, Any]:
    whole = {"name": f"{NAME}-site", "host": "stories.example.org", "path": "/", "search": "", "failure_threshold": 3}
    return {"name": NAME, "health_checks": [{**whole, "regions": [], **changes}]}


@pytest.mark.parametrize(
    ("problems", "wish", "sentence"),
    [
        (alarms.problems, alarm(name="cpu"), "does not begin with stories-test-"),
        (alarms.problems, alarm(name=f"{NAME}-{'x' * 250}"), "CloudWatch takes 255"),
        (alarms.problems, alarm(description="x" * 1025), "1024 characters"),
        (alarms.problems, alarm(alarm_actions=["arn"] * 6), "CloudWatch takes 5"),
        (alarms.problems, alarm(metrics=[QUERY]), "Give one of them"),
        (alarms.problems, alarm(namespace=None), "without the namespace"),
        (alarms.problems, alarm(period=45), "multiples of 60"),
        (alarms.problems, alarm(period=300, evaluation_periods=289), "looks back a day at most"),
        (alarms.problems, alarm(statistic="p101"), "Take Average"),
        (alarms.problems, alarm(datapoints_to_alarm=2), "Lower it"),
        (alarms.problems, alarm(low_samples="ignore"), "on no percentile"),
        (alarms.problems, of_metrics(QUERY, {**QUERY, "id": "two"}), "not exactly one has return_data"),
        (alarms.problems, of_metrics({**QUERY, "id": "One"}), "begins with a small letter"),
        (alarms.problems, of_metrics({**QUERY, "return_data": False}, _EXPRESSION), "Read two in an expression"),
        (alarms.problems, alarm(threshold=None), "Give one of them"),
        (alarms.problems, of_a_band(threshold=3), "Give one of them"),
        (alarms.problems, of_a_band(comparison="LessThanThreshold"), "go with one"),
        (alarms.problems, alarm(comparison="LessThanLowerThreshold"), "go with one"),
        (alarms.problems, of_a_band(threshold_metric="one"), "found no expression ANOMALY_DETECTION_BAND"),
        (alarms.problems, composite(rule="ALARM()"), "found no alarm in it"),
        (alarms.problems, composite(rule='ALARM("other")'), "no such metric alarm is described"),
        (sns.problems, topic(name="alerts"), "begins with stories-test-"),
        (sns.problems, topic(display_name="x" * 101), "100 characters"),
        (sns.problems, topic(policy={"Version": "2012-10-17"}), "Give a JSON policy document"),
        (sns.problems, topic(subscriptions=[{"protocol": "email", "endpoint": "ops"}]), "not an address"),
        (sns.problems, topic(subscriptions=[{"protocol": "sms", "endpoint": "0123"}]), "not a number such as"),
        (sns.problems, topic(subscriptions=[{"protocol": "email", "endpoint": "a@b.org"}] * 2), "twice as subscriber"),
        (dashboards.problems, widgets({}, {}), "a title of its own"),
        (dashboards.problems, widgets({"width": 25}), "24 wide"),
        (logs.problems, log_filter(name="a:b"), "without : and *"),
        (logs.problems, log_filter(metric="a/b"), "is without"),
        (logs.problems, log_filter(dimensions={"a": "$.a"}, default_value=0), "one of them"),
        (logs.problems, log_filter(pattern="x" * 1025), "1024 characters"),
        (logs.problems, query(query=" "), "empty or longer"),
        (logs.problems, query(log_groups=[]), "a query asks 1 to 50"),
        (xray.problems, rule(name=f"{NAME}-{'x' * 30}"), "up to 32 letters"),
        (xray.problems, rule(fixed_rate=10), "share from 0 to 1"),
        (xray.problems, rule(priority=10000), "1 to 9999"),
        (xray.problems, rule(reservoir_size=-1), "0 or more"),
        (config.problems, recorder(role_arn=""), "a role to read with"),
        (config.problems, recorder(bucket=""), "a bucket to deliver to"),
        (config.problems, recorder(rule={"name": "ssh"}), "begins with stories-test-"),
        (config.problems, recorder(rule={"identifier": "ssh"}), "is one such as"),
        (trail.problems, a_trail(name="a"), "3 to 128"),
        (trail.problems, a_trail(bucket=""), "without a bucket"),
        (trail.problems, a_trail(kms_key_arn="alias/logs"), "Give the key's ARN"),
        (budgets.problems, budget(limit_usd=0), "more than nothing"),
        (budgets.problems, budget(name="a:b"), "without : and"),
        (budgets.problems, budget({}, {}), "twice"),
        (budgets.problems, budget({"threshold_percent": 0}), "more than 0 %"),
        (budgets.problems, budget({"emails": []}), "without anyone to tell"),
        (budgets.problems, budget({"emails": ["ops"]}), "not one such as"),
        (budgets.problems, budget({"topic_arns": ["a", "b"]}), "than AWS takes"),
        (checks.problems, check(host="localhost"), "no public name"),
        (checks.problems, check(path="health"), "begins with /"),
        (checks.problems, check(failure_threshold=11), "1 to 10"),
        (checks.problems, check(regions=["us-east-1"]), "checks from 3 or more"),
    ],
)
def test_what_aws_refuses_is_one_sentence(problems: Problems, wish: dict[str, Any], sentence: str) -> None:
    assert any(sentence in problem for problem in problems(wish)), [*problems(wish)]


@pytest.mark.parametrize(
    ("problems", "wish"),
    [
        (alarms.problems, alarm(statistic="p99.9", low_samples="ignore")),
        (alarms.problems, of_metrics({**QUERY, "return_data": False}, {**_EXPRESSION, "expression": "FILL(one, 0)"})),
        (alarms.problems, of_a_band()),
        (alarms.problems, composite()),
        (sns.problems, topic(subscriptions=[{"protocol": "https", "endpoint": "https://example.org/x"}])),
        (dashboards.problems, widgets({}, {"title": "Memory"})),
        (logs.problems, log_filter(default_value=0)),
        (xray.problems, rule()),
        (config.problems, recorder()),
        (trail.problems, a_trail()),
        (budgets.problems, budget({}, {"type": "FORECASTED"})),
        (checks.problems, check(regions=["us-east-1", "eu-west-1", "sa-east-1"])),
    ],
)
def test_what_aws_takes_is_taken(problems: Problems, wish: dict[str, Any]) -> None:
    assert [*problems(wish)] == []


def test_a_money_amount_has_one_form_however_aws_writes_it() -> None:
    assert {budgets.amount("500"), budgets.amount("500.0"), budgets.amount(500)} == {"500"}
    assert budgets.amount("12.50") == "12.5"


def test_a_notice_survives_the_way_into_a_name_and_back() -> None:
    notice = {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": 80.0,
        "ThresholdType": "PERCENTAGE",
    }
    assert budgets.notice(budgets.notice_name(notice)) == notice


def test_widgets_stand_in_rows_as_wide_as_a_dashboard() -> None:
    given: list[dict[str, Any]] = [
        {"type": "metric", "title": str(n), "width": 10, "height": n, "properties": {}} for n in (2, 4, 3)
    ]
    assert [(one["x"], one["y"]) for one in dashboards.placed(given)] == [(0, 0), (10, 0), (0, 4)]


def test_an_alarm_that_aws_shows_with_its_defaults_equals_the_one_that_left_them_out() -> None:
    wanted = alarms.desired(alarm())[0].fields
    shown = {
        **alarms.request(wanted, alarms.METRIC),
        "DatapointsToAlarm": 1,
        "OKActions": [],
        "Dimensions": [],
        "AlarmDescription": "",
        "StateValue": "OK",
    }
    assert alarms.metric_fields(shown) == wanted
