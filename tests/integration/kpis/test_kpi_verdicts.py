"""The gate reads what AWS knows: metrics, scaling, alarms, audit records, health checks, bills."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.support.ansible import run_module
from tests.support.cloud import ROOT, Cloud

KPIS = yaml.safe_load((ROOT / "inventories/profiles/kpis.yml").read_text())["platform_kpis"]
PREFIX = "stories-test"
BALANCER, GROUP = "app/stories-test/0123456789abcdef", "targetgroup/stories-test-app-blue/0123456789abcdef"


def wish(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "name_prefix": PREFIX,
        "tags": {"Project": "1001-stories", "Environment": "test", "ManagedBy": "ansible"},
        "kpis": KPIS,
        "reports_folder": str(folder),
        "load_balancer_full_name": BALANCER,
        "target_group_full_names": [GROUP],
        "live_slot": "blue",
        "releases_table": f"{PREFIX}-releases",
        "active_users": 5000,
        "planned_monthly_usd": 400,
        **changes,
    }


def traffic(cloud: Cloud, minutes: list[tuple[float, float]]) -> None:
    """(requests, failed) of the last minutes, oldest first."""
    balancer = [{"Name": "LoadBalancer", "Value": BALANCER}]
    group = [*balancer, {"Name": "TargetGroup", "Value": GROUP}]
    data = []
    for at, (requests, failed) in enumerate(minutes):
        moment = datetime.now(UTC) - timedelta(minutes=len(minutes) - at)
        for name, value, dimensions in (
            ("RequestCount", requests, balancer),
            ("HTTPCode_Target_5XX_Count", failed, group),
        ):
            data.append({"MetricName": name, "Value": value, "Timestamp": moment, "Dimensions": dimensions})
    cloud.client("cloudwatch").put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)


def load_test(folder: Path, **changes: Any) -> None:
    told = {
        "started": "2026-01-31T12:00:00Z",
        "seconds": 60,
        "users": 1000,
        "target_users": 1000,
        "scale_percent": 100,
        "requests": 60000,
        "error_percent": 0.02,
        "p95_ms": {"page": 800.0, "api": 200.0},
        "passed": True,
    }
    place = folder / PREFIX / "load_test"
    place.mkdir(parents=True)
    (place / "20260131T120000Z.json").write_text(json.dumps({**told, **changes}))


def alarm_that_rang(cloud: Cloud) -> None:
    cloudwatch = cloud.client("cloudwatch")
    alarm = {"MetricName": "x", "Namespace": "y", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    compared = {"Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
    for name in (f"{PREFIX}-5xx", "another-platform-5xx"):
        cloudwatch.put_metric_alarm(AlarmName=name, **alarm, **compared)
        for state in ("ALARM", "OK"):
            cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")


def undone_swap(cloud: Cloud) -> None:
    now = time.time()
    table = f"{PREFIX}-releases"
    names = {"Application": "HASH", "Record": "RANGE"}
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names.items()],
    )
    record = {
        "outcome": "rolled_back",
        "started": now - 300,
        "ended": now,
        "phases": [{"step": "undo-weights", "at": now - 120}],
    }
    item = {"Application": f"{PREFIX}-app", "Record": "swap#1", "SwapId": "1", "Document": json.dumps(record)}
    dynamodb.put_item(TableName=table, Item={name: {"S": value} for name, value in item.items()})


def rows(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in told["kpis"]}


def test_what_aws_knows_becomes_verdicts_and_nothing_is_written(cloud: Cloud, tmp_path: Path) -> None:
    load_test(tmp_path)
    traffic(cloud, [(10, 10), (10, 0), (10, 1), (10, 0), (10, 10)])
    alarm_that_rang(cloud)
    undone_swap(cloud)
    with cloud.recorded() as calls:
        told = run_module(cloud, "kpi_verdicts", wish(tmp_path, enforce=False))
    assert not told.get("failed"), told
    assert [call["action"] for call in calls if call["writes"]] == []
    found = rows(told)
    assert found["page_p95_ms"]["verdict"] == "met"
    assert found["concurrent_users"]["value"] == 1000
    # Two of the three minutes after the first in service were up.
    assert round(found["uptime_percent"]["value"]) == 67
    assert found["mttr_minutes"]["verdict"] == "met"
    assert found["mttr_minutes"]["note"].startswith("1 alarms and 1 undone swaps")
    assert "0.080 USD" in found["cost_per_active_user_usd"]["note"]
    for name in ("scaling_seconds", "global_latency_ms", "utilisation_percent", "rto_minutes", "cost_growth_percent"):
        assert found[name]["verdict"] == "not measured", found[name]
    assert told["swaps"][0]["outcome"] == "rolled_back"
    assert told["met"] + told["missed"] + told["not_measured"] == len(KPIS)


def test_a_missed_promise_fails_with_a_sentence_for_each_and_the_verdicts(cloud: Cloud, tmp_path: Path) -> None:
    load_test(tmp_path, p95_ms={"page": 2600.0, "api": 700.0})
    told = run_module(cloud, "kpi_verdicts", wish(tmp_path, required=["rto_minutes"]))
    assert told["failed"]
    assert len(told["msg"].splitlines()) == 3
    for words in ("measured 2600", "measured 700", "dr_drill.yml"):
        assert words in told["msg"]
    assert told["missed"] == 2


def test_bad_input_is_one_clear_error(cloud: Cloud, tmp_path: Path) -> None:
    for changes, words in (
        ({"kpis": {**KPIS, "rto_minutes": -1}}, "rto_minutes -1"),
        ({"required": ["speed"]}, "no KPI is called so"),
    ):
        told = run_module(cloud, "kpi_verdicts", wish(tmp_path, **changes))
        assert told["failed"]
        assert words in told["msg"]
        assert "kpis" not in told
