# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Creations take their share of AWS's time once that is switched on, and boto3's waiters wait for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from .conftest import CHECKOUT, RunningCloud

TABLE: dict[str, dict[str, Any]] = json.loads(
    (CHECKOUT / "local_cloud" / "control_plane" / "creation_times.json").read_text(encoding="utf-8")
)


@pytest.fixture
def cloud(cloud: RunningCloud) -> Iterator[RunningCloud]:
    yield cloud
    cloud.admin("POST", "/creation-times", {"scale": 0})


def make_cluster(cloud: RunningCloud, name: str) -> Any:
    rds = cloud.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier=name, Engine="aurora-postgresql", MasterUsername="master", MasterUserPassword="long-enough"
    )
    return rds


def status(rds: Any, name: str) -> str:
    found: str = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["Status"]
    return found


def two_subnets(cloud: RunningCloud) -> list[str]:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(("us-east-1a", "us-east-1b"))
    ]


def test_a_creation_is_over_at_once_unless_times_are_switched_on(cloud: RunningCloud) -> None:
    assert status(make_cluster(cloud, "at-once"), "at-once") == "available"


def test_a_creation_is_shown_as_under_way_for_its_time(cloud: RunningCloud) -> None:
    cloud.admin("POST", "/creation-times", {"scale": 10})
    rds = make_cluster(cloud, "slow")
    assert status(rds, "slow") == "creating"
    assert [one["Status"] for one in rds.describe_db_clusters()["DBClusters"] if one["DBClusterIdentifier"] == "slow"]
    cloud.admin("POST", "/creation-times", {"scale": 0.01})
    rds = make_cluster(cloud, "quick")
    waiter = rds.get_waiter("db_cluster_available")
    waiter.wait(DBClusterIdentifier="quick", WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    assert status(rds, "slow") == "creating"


def test_a_slow_proxy_does_not_hold_up_the_cluster_of_the_same_name(cloud: RunningCloud) -> None:
    cloud.admin("POST", "/creation-times", {"scale": 0.001})
    rds = make_cluster(cloud, "namesake")
    cloud.admin("POST", "/creation-times", {"scale": 10})
    rds.create_db_proxy(
        DBProxyName="namesake",
        EngineFamily="POSTGRESQL",
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s-abcdef"}],
        RoleArn="arn:aws:iam::123456789012:role/proxy",
        VpcSubnetIds=two_subnets(cloud),
    )
    waiter = rds.get_waiter("db_cluster_available")
    waiter.wait(DBClusterIdentifier="namesake", WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    assert rds.describe_db_proxies(DBProxyName="namesake")["DBProxies"][0]["Status"] == "creating"


def test_a_creation_ends_and_leaves_the_resource_as_it_is(cloud: RunningCloud) -> None:
    cloud.admin("POST", "/creation-times", {"scale": 0.01})
    elb = cloud.client("elbv2")
    made = elb.create_load_balancer(Name="slow", Subnets=two_subnets(cloud))["LoadBalancers"][0]
    arns = [made["LoadBalancerArn"]]
    assert elb.describe_load_balancers(LoadBalancerArns=arns)["LoadBalancers"][0]["State"]["Code"] == "provisioning"
    waiter = elb.get_waiter("load_balancer_available")
    waiter.wait(LoadBalancerArns=arns, WaiterConfig={"Delay": 1, "MaxAttempts": 10})


@pytest.mark.parametrize("name", TABLE)
def test_each_row_of_the_table_is_a_creation_and_a_listing_of_its_service(name: str) -> None:
    service, create = name.split(":")
    row = TABLE[name]
    model = boto3.client(service, region_name="us-east-1")._service_model
    assert create in model.operation_names
    shape = model.operation_model(row["list"]).output_shape
    for key in row["in"].split("."):
        shape = shape.members[key]
    assert row["id"] in shape.member.members
    shape = shape.member
    for key in row["status"].split("."):
        shape = shape.members[key]
    assert shape.type_name == "string"
    # EC2 writes its words small, whatever its model says.
    assert not shape.enum or row["word"].lower() in {word.lower() for word in shape.enum}
