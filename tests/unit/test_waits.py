"""What `./dev bench waits` reads out of a log of calls."""

from __future__ import annotations

import json
from typing import Any

import boto3

from benchmarks.waits import _TABLE, Creation, Wait, creations, report, waits

TABLE: dict[str, dict[str, Any]] = {
    "rds:CreateDBInstance": {"seconds": 540, "list": "DescribeDBInstances"},
    "elasticache:CreateReplicationGroup": {"seconds": 600, "list": "DescribeReplicationGroups"},
    "elbv2:CreateLoadBalancer": {"seconds": 150, "list": "DescribeLoadBalancers", "only": {"Type": "application"}},
}


def call(name: str, at: float, error: str | None = None, **parameters: Any) -> dict[str, Any]:
    service, action = name.split(":")
    return {"service": service, "action": action, "time": at, "error": error, "parameters": parameters}


def looks(name: str, *at: float, error: str | None = None) -> list[dict[str, Any]]:
    return [call(name, one, error) for one in at]


def test_a_creation_is_told_with_the_second_of_the_run_in_which_it_began() -> None:
    log = [call("rds:CreateDBInstance", 107.5), call("s3:CreateBucket", 108)]
    assert creations(log, TABLE, start=100) == [Creation("rds:CreateDBInstance", 7.5, 540)]


def test_a_creation_that_was_refused_takes_no_time() -> None:
    assert creations([call("rds:CreateDBInstance", 1, "InvalidDBInstanceState")], TABLE, start=0) == []


def test_only_resources_of_the_kind_that_is_slow_count() -> None:
    log = [call("elbv2:CreateLoadBalancer", 1, Type=kind) for kind in ("network", "application")]
    assert creations(log, TABLE, start=0) == [Creation("elbv2:CreateLoadBalancer", 1, 150)]


def test_a_wait_lasts_from_the_first_look_to_the_next_other_call() -> None:
    log = [*looks("rds:DescribeDBInstances", 10, 20, 30), call("rds:AddRoleToDBCluster", 31)]
    assert waits(log, TABLE) == [Wait("rds:CreateDBInstance", 21)]


def test_two_looks_in_a_row_are_no_wait() -> None:
    assert waits([*looks("rds:DescribeDBInstances", 10, 20), call("rds:AddRoleToDBCluster", 21)], TABLE) == []


def test_a_wait_at_the_end_of_the_run_lasts_to_the_last_look() -> None:
    assert waits(looks("rds:DescribeDBInstances", 10, 20, 30), TABLE) == [Wait("rds:CreateDBInstance", 20)]


def test_waits_side_by_side_are_one_wait_for_what_came_last() -> None:
    log = [
        *looks("elasticache:DescribeReplicationGroups", 10, 20, 30),
        *looks("rds:DescribeDBInstances", 35, 40, 50),
        call("rds:AddRoleToDBCluster", 51),
    ]
    assert waits(log, TABLE) == [Wait("rds:CreateDBInstance", 41)]


def test_what_is_refused_until_something_is_ready_belongs_to_the_wait() -> None:
    log = [
        *looks("rds:DescribeDBInstances", 10, 20),
        *looks("rds:RegisterDBProxyTargets", 25, error="InvalidDBInstanceState"),
        *looks("rds:DescribeDBInstances", 30),
        call("rds:RegisterDBProxyTargets", 40),
    ]
    assert waits(log, TABLE) == [Wait("rds:CreateDBInstance", 30)]


def test_refusals_alone_are_no_wait() -> None:
    log = [*looks("rds:RegisterDBProxyTargets", 10, 20, 30, error="AccessDenied"), call("s3:CreateBucket", 31)]
    assert waits(log, TABLE) == []


def test_the_report_gives_the_minutes_of_aws_for_a_share_of_them() -> None:
    made = [Creation("rds:CreateDBInstance", 5, 540), Creation("rds:CreateDBInstance", 6, 540)]
    told = report(made, [Wait("rds:CreateDBInstance", 60)], wall=90, share=0.1)
    # 60 s at a tenth are ten minutes; 30 s are spent on all else; two instances side by side take the time of one.
    assert told[-1].startswith("a first run on AWS: 10.5 min, 10.0 of them waiting; ")
    assert told[-1].endswith("the same resources take 9.0 min")


def test_the_table_of_the_embedded_cloud_names_a_listing_for_each_slow_creation() -> None:
    session = boto3.Session(region_name="eu-west-1")
    unknown = []
    for name, row in json.loads(_TABLE.read_text(encoding="utf-8")).items():
        service, _, action = name.partition(":")
        operations = session.client(service).meta.service_model.operation_names
        unknown += [one for one in (action, row["list"]) if one not in operations]
    assert unknown == []
