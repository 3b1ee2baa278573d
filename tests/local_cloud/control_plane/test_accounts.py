# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Regions are worlds apart; with --iam, signatures and policies count."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import RunningCloud


def _vpc(cloud: RunningCloud, region: str) -> Any:
    return cloud.client("ec2", region).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def _cluster(cloud: RunningCloud, region: str) -> Any:
    return cloud.client("ecs", region).create_cluster(clusterName="stories")["cluster"]["clusterArn"]


def _target_group(cloud: RunningCloud, region: str) -> Any:
    group = cloud.client("elbv2", region).create_target_group(
        Name="blue", Protocol="HTTP", Port=3000, VpcId=_vpc(cloud, region), TargetType="ip"
    )
    return group["TargetGroups"][0]["TargetGroupArn"]


def _parameter_group(cloud: RunningCloud, region: str) -> Any:
    return cloud.client("elasticache", region).create_cache_parameter_group(
        CacheParameterGroupName="stories", CacheParameterGroupFamily="redis7", Description="x"
    )


def _database(cloud: RunningCloud, region: str) -> Any:
    return cloud.client("rds", region).create_db_cluster(
        DBClusterIdentifier="x", Engine="aurora-postgresql", MasterUsername="m", MasterUserPassword="12345678"
    )


def _secret(cloud: RunningCloud, region: str) -> Any:
    return cloud.client("secretsmanager", region).create_secret(Name="x", SecretString="y")


# what is made, and a JMESPath-free way to count it: service, method, key of the list
MADE: list[tuple[Callable[[RunningCloud, str], Any], str, str, dict[str, Any], str]] = [
    (_vpc, "ec2", "describe_vpcs", {"Filters": [{"Name": "cidr", "Values": ["10.0.0.0/16"]}]}, "Vpcs"),
    (_cluster, "ecs", "list_clusters", {}, "clusterArns"),
    (_target_group, "elbv2", "describe_target_groups", {}, "TargetGroups"),
    (_database, "rds", "describe_db_clusters", {}, "DBClusters"),
    (_secret, "secretsmanager", "list_secrets", {}, "SecretList"),
]


@pytest.mark.parametrize(("make", "service", "method", "params", "key"), MADE, ids=[row[1] for row in MADE])
def test_what_is_made_in_one_region_is_not_seen_in_another(
    cloud: RunningCloud,
    make: Callable[[RunningCloud, str], Any],
    service: str,
    method: str,
    params: dict[str, Any],
    key: str,
) -> None:
    make(cloud, "us-east-1")
    assert getattr(cloud.client(service, "us-west-2"), method)(**params)[key] == []
    make(cloud, "us-west-2")
    for region in ("us-east-1", "us-west-2"):
        assert len(getattr(cloud.client(service, region), method)(**params)[key]) == 1


def test_a_parameter_group_of_a_region_can_have_the_name_of_one_of_another(cloud: RunningCloud) -> None:
    _parameter_group(cloud, "us-east-1")
    _parameter_group(cloud, "us-west-2")
    with pytest.raises(ClientError, match="CacheParameterGroupAlreadyExists"):
        _parameter_group(cloud, "us-west-2")


def test_a_snapshot_is_copied_to_another_region(cloud: RunningCloud) -> None:
    _database(cloud, "us-east-1")
    east, west = cloud.client("rds"), cloud.client("rds", "us-west-2")
    snapshot = east.create_db_cluster_snapshot(DBClusterIdentifier="x", DBClusterSnapshotIdentifier="one")
    west.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=snapshot["DBClusterSnapshot"]["DBClusterSnapshotArn"],
        TargetDBClusterSnapshotIdentifier="copy",
    )
    west.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="x", SnapshotIdentifier="copy", Engine="aurora-postgresql"
    )
    assert west.describe_db_clusters()["DBClusters"][0]["MasterUsername"] == "m"


@pytest.fixture(scope="session")
def guarded(start_cloud: Callable[..., RunningCloud]) -> RunningCloud:
    """A cloud that enforces IAM."""
    return start_cloud("--iam")


@pytest.fixture
def reader(guarded: RunningCloud) -> dict[str, str]:
    """Keys of a user who may list clusters and scalable targets, and nothing else."""
    guarded.admin("POST", "/reset")
    iam = guarded.client("iam")
    iam.create_user(UserName="reader")
    actions = ["ecs:ListClusters", "application-autoscaling:DescribeScalableTargets"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def test_a_user_may_do_what_a_policy_allows_and_no_more(guarded: RunningCloud, reader: dict[str, str]) -> None:
    guarded.client("ecs", keys=reader).list_clusters()
    guarded.client("application-autoscaling", keys=reader).describe_scalable_targets(ServiceNamespace="ecs")
    for service, method, params in (
        ("ecs", "create_cluster", {"clusterName": "x"}),
        ("elbv2", "describe_load_balancers", {}),
        ("application-autoscaling", "describe_scaling_policies", {"ServiceNamespace": "ecs"}),
    ):
        with pytest.raises(ClientError) as caught:
            getattr(guarded.client(service, keys=reader), method)(**params)
        assert "AccessDenied" in caught.value.response["Error"]["Code"]


def test_a_wrong_secret_key_is_refused(guarded: RunningCloud, reader: dict[str, str]) -> None:
    with pytest.raises(ClientError) as caught:
        guarded.client("ecs", keys={**reader, "aws_secret_access_key": "wrong"}).list_clusters()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


def test_without_iam_any_key_works(cloud: RunningCloud) -> None:
    cloud.client("ecs", keys={"aws_access_key_id": "anything", "aws_secret_access_key": "at-all"}).list_clusters()
