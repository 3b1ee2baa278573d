"""Prices, figures and offers as AWS answers them, and what becomes of them."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.support.ansible import run_module
from tests.support.cloud import ROOT, Cloud

LISTS = ROOT / "roles" / "cost_control" / "files" / "price_lists"


def refresh(cloud: Cloud, path: Path, region: str = "us-east-1", *, check: bool = False, **more: Any) -> dict[str, Any]:
    parameters = {"path": str(path), "price_region": region, "region": region, **more}
    return run_module(cloud, "price_list_refresh", parameters, check=check)


def test_prices_that_changed_are_shown_then_written_then_settled(cloud: Cloud, tmp_path: Path) -> None:
    path = tmp_path / "us-east-1.yml"
    shutil.copy(LISTS / "us-east-1.yml", path)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["services"]["nat_gateway"]["hour"] = 0.05
    del content["services"]["aurora"]["instance_hour"]["db.r6g.large"]
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    wanted = {"instance_classes": ["db.r6g.large"], "node_types": ["cache.t4g.micro"], "other_region": "us-west-2"}

    planned = refresh(cloud, path, check=True, **wanted)
    assert [step["id"] for step in planned["steps"]] == [
        "price/aurora/instance_hour/db.r6g.large:change",
        "price/elasticache/valkey_hour/cache.t4g.micro:change",
        "price/nat_gateway/hour:change",
    ]
    assert "nat_gateway/hour: 0.05" in planned["diff"][0]["before"]
    assert path.read_text(encoding="utf-8") == before

    done = refresh(cloud, path, **wanted)
    assert done["changed"]
    mended = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert mended["services"]["nat_gateway"]["hour"] == 0.045
    assert mended["services"]["aurora"]["instance_hour"]["db.r6g.large"] == 0.26
    # AWS answers with things of like names too: a trust store's hour, writes to tables for what is seldom read.
    assert mended["services"]["load_balancer"]["hour"] == 0.0225
    assert mended["services"]["dynamodb"]["million_writes"] == 0.625
    assert mended["services"]["cross_region"]["gb"] == 0.02
    assert mended["date"] == done["date"] == "2025-10-28"
    # What the API left unanswered stays, and is told.
    assert mended["services"]["rds_proxy"]["vcpu_hour"] == 0.015
    assert "rds_proxy/vcpu_hour" in done["not_found"]
    assert not refresh(cloud, path, **wanted)["changed"]


def test_a_region_without_a_list_gets_one(cloud: Cloud, tmp_path: Path) -> None:
    path = tmp_path / "eu-central-1.yml"
    assert refresh(cloud, path, "eu-central-1")["changed"]
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert content["region"] == "eu-central-1"
    assert content["services"]["nat_gateway"]["gb"] == 0.052
    assert content["services"]["fargate"]["vcpu_hour"] == {"X86_64": 0.04656, "ARM64": 0.03725}
    assert "AWS Price List API" in content["source"]


def test_a_region_that_has_no_prices_and_a_list_of_another_region_are_refused(cloud: Cloud, tmp_path: Path) -> None:
    nowhere = refresh(cloud, tmp_path / "none.yml", "ap-south-1")
    assert "found none at all" in nowhere["msg"]
    assert not (tmp_path / "none.yml").exists()
    shutil.copy(LISTS / "us-east-1.yml", tmp_path / "eu-central-1.yml")
    wrong = refresh(cloud, tmp_path / "eu-central-1.yml", "eu-central-1")
    assert "found that of us-east-1" in wrong["msg"]


def test_the_figures_of_a_standing_platform_are_read_and_offers_beside_them(cloud: Cloud) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    metrics = cloud.client("cloudwatch")
    for hours, value in ((1, 7200.0), (2, 3600.0)):
        stamp = now - timedelta(hours=hours)
        for namespace, name, dimension, data in (
            ("AWS/ApplicationELB", "RequestCount", ("LoadBalancer", "app/x/1"), value),
            ("AWS/RDS", "CPUUtilization", ("DBClusterIdentifier", "x"), value / 360),
        ):
            dimensions = [{"Name": dimension[0], "Value": dimension[1]}]
            point = {"MetricName": name, "Dimensions": dimensions, "Timestamp": stamp, "Value": data}
            metrics.put_metric_data(Namespace=namespace, MetricData=[point])
    wanted = {
        "load_balancer": "app/x/1",
        "db_cluster": "x",
        "instance_class": "db.r6g.large",
        "node_type": "cache.t3.medium",
    }
    told = run_module(cloud, "platform_usage_info", {**wanted, "region": "us-east-1"})
    assert told["figures"]["requests_per_s"] == 2.0
    assert told["figures"]["database"] == {"cpu_percent": 15.0, "cpu_peak_percent": 20.0, "hours": 2}
    assert told["figures"]["monthly_percent"] is None
    assert told["figures"]["cache"] is None
    assert told["offers"]["reserved_db"][0]["DBInstanceClass"] == "db.r6g.large"
    assert told["offers"]["reserved_cache"][0]["CacheNodeType"] == "cache.t3.medium"
    assert set(told["offers"]["savings_rates"]) >= {"Fargate-vCPU-Hours:perCPU", "Fargate-ARM-GB-Hours"}
    assert not cloud.calls(writes=True, since=0) or all(
        call["action"] == "PutMetricData" for call in cloud.calls(writes=True) if call["service"] != "sts"
    )


def test_nothing_to_ask_about_is_told_as_nothing_measured(cloud: Cloud) -> None:
    told = run_module(cloud, "platform_usage_info", {"region": "us-east-1"})
    assert told["figures"]["days"] == 0
    assert told["figures"]["database"] is None
    assert told["offers"]["reserved_db"] == []
