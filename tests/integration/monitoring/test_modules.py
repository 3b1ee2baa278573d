"""The modules of phase 5 on the embedded cloud: plan, run, again, drift, a killed run, removal."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

from .wishes import ALARMS, CASES, CONFIG, NAME, TAGS, TOPIC, TOPICS, Case

EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def run(cloud: Cloud, case: Case, **flags: bool) -> dict[str, Any]:
    result = run_module(cloud, case.module, case.wish, **flags)
    assert not result.get("failed"), result["msg"]
    return result


def steps(result: dict[str, Any]) -> list[str]:
    return [step["id"] for step in result["steps"]]


@EVERY
def test_the_plan_is_what_the_run_makes_and_drift_by_hand_is_named_and_mended(cloud: Cloud, case: Case) -> None:
    case.prepare(cloud)
    with cloud.recorded() as calls:
        planned = run(cloud, case, check=True)
    assert not [call for call in calls if call["writes"]]
    assert steps(planned) == steps(run(cloud, case)) == case.steps
    assert run(cloud, case)["changed"] is False

    case.by_hand(cloud)
    drift = run(cloud, case, check=True)["diff"][0]
    told = drift["before"] + drift["after"]
    assert [name for name in case.named if name not in told] == [], told
    assert run(cloud, case)["changed"] is True
    assert run(cloud, case)["changed"] is False


@EVERY
def test_what_a_killed_run_left_is_finished_and_a_removal_leaves_nothing(cloud: Cloud, case: Case) -> None:
    case.prepare(cloud)
    case.partly(cloud)
    assert run(cloud, case)["changed"] is True
    assert run(cloud, case)["changed"] is False
    gone = {**case.gone, "state": "absent"}
    with cloud.recorded() as calls:
        removed = run_module(cloud, case.module, gone, check=True)
    assert removed["changed"] is True
    assert not [call for call in calls if call["writes"]]
    assert run_module(cloud, case.module, gone)["changed"] is True
    assert run_module(cloud, case.module, gone)["changed"] is False


@pytest.mark.long
@EVERY
def test_a_run_that_is_refused_at_any_write_is_finished_by_the_next(cloud: Cloud, case: Case) -> None:
    case.prepare(cloud)
    with cloud.recorded() as calls:
        run(cloud, case)
    writes = [call for call in calls if call["writes"]]
    services = {call["service"] for call in writes}
    for number in range(len(writes)):
        cloud.reset()
        case.prepare(cloud)
        for service in services:
            refusal = {"kind": "error", "code": "AccessDenied", "status": 403, "skip": number}
            cloud.admin("POST", "/faults", {"service": service, "writes_only": True, **refusal})
        first = run_module(cloud, case.module, case.wish)
        cloud.admin("DELETE", "/faults")
        assert first.get("failed") or len(services) > 1
        run(cloud, case)
        assert run(cloud, case)["changed"] is False


def test_alarms_of_others_stay_and_ours_that_are_described_no_more_go(cloud: Cloud) -> None:
    run(cloud, CASES["alarms"])
    CASES["alarms"].by_hand(cloud)
    fewer = {**ALARMS, "alarms": ALARMS["alarms"][:1], "composite_alarms": []}
    result = run_module(cloud, "cloudwatch_alarms", fewer)
    assert steps(result)[-4:] == [
        f"composite_alarm/{NAME}-both:delete",
        f"metric_alarm/{NAME}-old:delete",
        f"metric_alarm/{NAME}-ratio:delete",
        f"metric_alarm/{NAME}-unusual:delete",
    ]
    shown = cloud.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert [alarm["AlarmName"] for alarm in shown["MetricAlarms"]] == [f"{NAME}-p95", f"{NAME}-theirs"]
    assert shown["CompositeAlarms"] == []


def test_an_alarm_that_rings_is_told_and_a_composite_one_once_all_of_its_parts_ring(cloud: Cloud) -> None:
    run(cloud, CASES["alarms"])
    watch = cloud.client("cloudwatch")
    watch.set_alarm_state(AlarmName=f"{NAME}-ratio", StateValue="ALARM", StateReason="test")
    assert run(cloud, CASES["alarms"])["ringing"] == [f"{NAME}-ratio"]
    watch.set_alarm_state(AlarmName=f"{NAME}-p95", StateValue="ALARM", StateReason="test")
    assert run(cloud, CASES["alarms"])["ringing"] == [f"{NAME}-both", f"{NAME}-p95", f"{NAME}-ratio"]


def test_a_mail_that_waits_for_its_confirmation_is_told_and_sent_once(cloud: Cloud) -> None:
    first = run(cloud, CASES["topics"])
    waiting = [f"{NAME}-alerts email:head@example.org", f"{NAME}-alerts email:ops@example.org"]
    assert first["pending"] == waiting
    with cloud.recorded() as calls:
        assert run(cloud, CASES["topics"])["pending"] == waiting
    assert "Subscribe" not in [call["action"] for call in calls]
    fewer = {**TOPICS["topics"][0], "subscriptions": TOPICS["topics"][0]["subscriptions"][:1]}
    left = run_module(cloud, "sns_topics", {**TOPICS, "topics": [fewer]})
    # Nobody but its owner can end a subscription that was never confirmed.
    assert left["changed"] is False, left["steps"]


def test_the_verdicts_of_the_rules_are_told(cloud: Cloud) -> None:
    rule = CONFIG["rules"][0]["name"]
    first = run(cloud, CASES["config"])
    assert first["compliance"] == {rule: "INSUFFICIENT_DATA"}
    verdict = {
        "ComplianceResourceType": "AWS::EC2::SecurityGroup",
        "ComplianceResourceId": "sg-1",
        "ComplianceType": "NON_COMPLIANT",
        "OrderingTimestamp": 1700000000,
    }
    cloud.client("config").put_evaluations(ResultToken=rule, Evaluations=[verdict])
    assert run(cloud, CASES["config"])["non_compliant"] == [rule]


def test_the_recorder_of_somebody_else_refuses_the_plan_before_any_write(cloud: Cloud) -> None:
    config = cloud.client("config")
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": CONFIG["role_arn"]})
    with cloud.recorded() as calls:
        result = run_module(cloud, "config_recorder", CONFIG)
    assert "found default; AWS Config has one of them in a region" in result["msg"]
    assert not [call for call in calls if call["writes"]]
    gone = {"name": NAME, "tags": TAGS, "state": "absent"}
    assert run_module(cloud, "config_recorder", gone)["changed"] is False


def test_later_phases_find_the_topics_and_the_alarms_that_a_release_may_watch(cloud: Cloud) -> None:
    asked = {"name_prefix": NAME, "tags": TAGS, "requires": ["monitoring"]}
    assert "Run playbooks/phase5.yml first" in run_module(cloud, "platform_info", asked)["msg"]
    topic = TOPICS["topics"][0]
    both = [topic, {**topic, "name": f"{NAME}-notices", "subscriptions": []}]
    run_module(cloud, "sns_topics", {**TOPICS, "topics": both})
    told = run_module(cloud, "platform_info", asked)["monitoring"]
    assert told["alerts_topic_arn"] == TOPIC
    assert f"{NAME}-green-5xx" in told["release_alarms"]


@pytest.mark.parametrize("name", ["alarms", "topics", "xray", "config", "health_checks", "logs"])
def test_a_platform_whose_name_begins_like_ours_keeps_what_is_its_own(cloud: Cloud, name: str) -> None:
    case = CASES[name]
    other = json.loads(json.dumps(case.wish).replace(NAME, f"{NAME}-eu").replace('"test"', '"test-eu"'))
    case.prepare(cloud)
    for group in (f"/{NAME}-eu/app", f"/{NAME}-eu/exec"):
        cloud.client("logs").create_log_group(logGroupName=group)
    made = run_module(cloud, case.module, other)
    assert not made.get("failed"), made["msg"]
    if name != "config":  # an account has one recorder
        run(cloud, case)
    gone = {**case.gone, "state": "absent"}
    run_module(cloud, case.module, gone)
    assert run_module(cloud, case.module, other)["changed"] is False


def test_the_tags_of_many_alarms_are_asked_for_together_and_what_differs_is_asked_again(cloud: Cloud) -> None:
    first = ALARMS["alarms"][0]
    many = {**ALARMS, "alarms": [{**first, "name": f"{NAME}-{number:02}"} for number in range(20)]}
    many["composite_alarms"] = []
    run_module(cloud, "cloudwatch_alarms", many)
    with cloud.recorded() as calls:
        assert run_module(cloud, "cloudwatch_alarms", many)["changed"] is False
    asked = Counter(call["action"] for call in calls)
    assert (asked["GetResources"], asked["ListTagsForResource"]) == (1, 0)
    # A role with alarms of its own under the same prefix asks for none of these either.
    others = {**many, "alarms": [{**first, "name": f"{NAME}-release"}], "tags": {**TAGS, "Component": "release"}}
    run_module(cloud, "cloudwatch_alarms", others)
    with cloud.recorded() as calls:
        assert run_module(cloud, "cloudwatch_alarms", others)["changed"] is False
    assert sum(call["action"] == "ListTagsForResource" for call in calls) == 0
    arn = cloud.client("cloudwatch").describe_alarms(AlarmNames=[f"{NAME}-07"])["MetricAlarms"][0]["AlarmArn"]
    cloud.client("cloudwatch").untag_resource(ResourceARN=arn, TagKeys=["Project"])
    cloud.client("cloudwatch").tag_resource(ResourceARN=arn, Tags=[{"Key": "odd", "Value": "1"}])
    mended = run_module(cloud, "cloudwatch_alarms", many)
    assert steps(mended) == [f"metric_alarm/{NAME}-07:tag"]
    assert run_module(cloud, "cloudwatch_alarms", many)["changed"] is False
