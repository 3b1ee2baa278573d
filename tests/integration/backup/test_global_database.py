"""An Aurora Global Database on the embedded cloud."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

NAME, DR = "stories-test", "us-west-2"
TAGS = {"Project": "1001-stories", "Environment": "test"}


@pytest.fixture
def wish(cloud: Cloud) -> dict[str, Any]:
    """What is wanted, on a standing cluster and a network in the other region."""
    rds, ec2 = cloud.client("rds"), cloud.client("ec2", DR)
    tags = [{"Key": name, "Value": value} for name, value in TAGS.items()]
    rds.create_db_cluster(
        DBClusterIdentifier=NAME,
        Engine="aurora-postgresql",
        EngineVersion="15.10",
        MasterUsername="master",
        MasterUserPassword="not-a-secret",
        Tags=tags,
    )
    rds.create_db_instance(
        DBInstanceIdentifier=f"{NAME}-1",
        DBClusterIdentifier=NAME,
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
        Tags=tags,
    )
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{n}.0/24", AvailabilityZone=f"{DR}{zone}")["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="rds", Description="rds", VpcId=vpc)["GroupId"]
    return {
        "name": NAME,
        "tags": TAGS,
        "secondary_region": DR,
        "secondary_name": f"{NAME}-dr",
        "subnet_ids": subnets,
        "security_group_ids": [group],
        "kms_key_arn": cloud.client("kms", DR).create_key()["KeyMetadata"]["Arn"],
        "instance_count": 1,
    }


def run(cloud: Cloud, wish: dict[str, Any], **flags: bool) -> list[str]:
    result = run_module(cloud, "aurora_global_database", wish, **flags)
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


@pytest.mark.long
def test_a_follower_is_made_kept_and_removed_and_the_writer_stays(cloud: Cloud, wish: dict[str, Any]) -> None:
    with cloud.recorded() as calls:
        planned = run(cloud, wish, check=True)
    assert [call["action"] for call in calls if call["writes"]] == []
    made = run(cloud, wish)
    assert (
        planned
        == made
        == [
            f"global_cluster/{NAME}:create",
            f"db_subnet_group/{NAME}-dr:create",
            f"db_cluster/{NAME}-dr:create",
            f"db_instance/{NAME}-dr-1:create",
        ]
    )
    assert run(cloud, wish) == []
    rds, far = cloud.client("rds"), cloud.client("rds", DR)
    (frame,) = rds.describe_global_clusters()["GlobalClusters"]
    assert sorted(one["IsWriter"] for one in frame["GlobalClusterMembers"]) == [False, True]

    rds.modify_global_cluster(GlobalClusterIdentifier=NAME, DeletionProtection=False)
    far.modify_db_cluster(DBClusterIdentifier=f"{NAME}-dr", DeletionProtection=False)
    assert run(cloud, wish) == [f"global_cluster/{NAME}:change", f"db_cluster/{NAME}-dr:change"]

    refused = run_module(cloud, "aurora_global_database", {**wish, "state": "absent"})
    assert "deletion protection on" in refused["msg"]
    gone = {**wish, "state": "absent", "deletion_protection": False}
    assert len(run(cloud, gone)) == 4
    assert run(cloud, gone) == []
    assert rds.describe_global_clusters()["GlobalClusters"] == []
    assert far.describe_db_clusters()["DBClusters"] == []
    assert [one["DBClusterIdentifier"] for one in rds.describe_db_clusters()["DBClusters"]] == [NAME]


def test_what_aurora_would_refuse_is_said_before_anything_is_made(cloud: Cloud, wish: dict[str, Any]) -> None:
    bad = {**wish, "secondary_region": "us-east-1", "subnet_ids": [], "instance_class": "db.t4g.medium"}
    told = run_module(cloud, "aurora_global_database", bad)["msg"]
    for part in ("its own", "none of db.t", "Make a network there first"):
        assert part in told
    nowhere = run_module(cloud, "aurora_global_database", {**wish, "name": "stories-else"})["msg"]
    assert "playbooks/phase2.yml" in nowhere


def test_a_follower_becomes_the_writer_by_the_calls_of_the_runbook(cloud: Cloud, wish: dict[str, Any]) -> None:
    run(cloud, {**wish, "instance_count": 0})
    far = cloud.client("rds", DR)
    follower = far.describe_db_clusters(DBClusterIdentifier=f"{NAME}-dr")["DBClusters"][0]["DBClusterArn"]
    far.create_db_instance(
        DBClusterIdentifier=f"{NAME}-dr",
        DBInstanceIdentifier=f"{NAME}-dr-1",
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
    )
    far.failover_global_cluster(GlobalClusterIdentifier=NAME, AllowDataLoss=True, TargetDbClusterIdentifier=follower)
    (worldwide,) = far.describe_global_clusters()["GlobalClusters"]
    assert [one["DBClusterArn"] for one in worldwide["GlobalClusterMembers"] if one["IsWriter"]] == [follower]
    last = {"DBClusterSnapshotIdentifier": "stories-last"}
    far.create_db_cluster_snapshot(DBClusterIdentifier=f"{NAME}-dr", **last)
    far.get_waiter("db_cluster_snapshot_available").wait(**last)
