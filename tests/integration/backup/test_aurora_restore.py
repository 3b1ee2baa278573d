"""aurora_restore and aurora_switch against the APIs; rows are restored in tests/acceptance/recovery."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

NAME, BACK, KEPT = "stories-test", "stories-test-restored", "stories-test-before"
TAGS = {"Project": "1001-stories", "Environment": "test"}
WISH = {"name": BACK, "tags": TAGS, "source_cluster": NAME}
SWITCH = {"name": NAME, "restored": BACK, "kept": KEPT, "tags": TAGS}


@pytest.fixture
def rds(cloud: Cloud) -> Any:
    """RDS with one cluster of ours, its instance and a proxy."""
    ec2, rds = cloud.client("ec2"), cloud.client("rds")
    tags = [{"Key": name, "Value": value} for name, value in TAGS.items()]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    ids = [subnet["SubnetId"] for subnet in subnets]
    rds.create_db_subnet_group(DBSubnetGroupName=NAME, DBSubnetGroupDescription="data", SubnetIds=ids)
    group = ec2.create_security_group(GroupName="rds", Description="rds", VpcId=vpc)["GroupId"]
    rds.create_db_cluster(
        DBClusterIdentifier=NAME,
        Engine="aurora-postgresql",
        EngineVersion="15.10",
        DatabaseName="stories_db",
        MasterUsername="stories_admin",
        ManageMasterUserPassword=True,
        DBSubnetGroupName=NAME,
        VpcSecurityGroupIds=[group],
        DeletionProtection=True,
        Tags=tags,
    )
    rds.create_db_instance(
        DBInstanceIdentifier=f"{NAME}-1",
        DBClusterIdentifier=NAME,
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
        Tags=tags,
    )
    proxy = {"DBProxyName": NAME, "EngineFamily": "POSTGRESQL", "RoleArn": "arn:aws:iam::123456789012:role/p"}
    rds.create_db_proxy(**proxy, Auth=[{"AuthScheme": "SECRETS"}], VpcSubnetIds=ids)
    rds.register_db_proxy_targets(DBProxyName=NAME, DBClusterIdentifiers=[NAME])
    return rds


def run(cloud: Cloud, module: str, wish: dict[str, Any], **flags: bool) -> list[str]:
    result = run_module(cloud, module, wish, **flags)
    assert not result.get("failed"), result["msg"]
    return [step["id"] for step in result["steps"]]


def refused(cloud: Cloud, module: str, wish: dict[str, Any]) -> str:
    with cloud.recorded() as calls:
        result = run_module(cloud, module, wish)
    assert [call["action"] for call in calls if call["writes"]] == []
    return str(result["msg"])


def test_a_restore_is_planned_made_mended_and_removed(cloud: Cloud, rds: Any) -> None:
    with cloud.recorded() as calls:
        planned = run(cloud, "aurora_restore", WISH, check=True)
    assert [call["action"] for call in calls if call["writes"]] == []
    assert (
        planned == run(cloud, "aurora_restore", WISH) == [f"db_cluster/{BACK}:create", f"db_instance/{BACK}-1:create"]
    )
    assert run(cloud, "aurora_restore", WISH) == []
    rds.modify_db_cluster(DBClusterIdentifier=BACK, DeletionProtection=True)
    rds.modify_db_instance(DBInstanceIdentifier=f"{BACK}-1", DBInstanceClass="db.r6g.xlarge", ApplyImmediately=True)
    assert run(cloud, "aurora_restore", WISH) == [f"db_cluster/{BACK}:change", f"db_instance/{BACK}-1:change"]
    gone = {**WISH, "state": "absent"}
    assert len(run(cloud, "aurora_restore", gone)) == 2
    assert run(cloud, "aurora_restore", gone) == []
    assert "no restore made" in refused(cloud, "aurora_restore", {**gone, "name": NAME})
    assert [one["DBClusterIdentifier"] for one in rds.describe_db_clusters()["DBClusters"]] == [NAME]


def test_a_restore_that_was_killed_after_its_first_call_is_finished(cloud: Cloud, rds: Any) -> None:
    group = rds.describe_db_clusters()["DBClusters"][0]["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
    tags = {**TAGS, "Name": BACK, "RestoredFrom": NAME, "RestoredTo": "latest"}
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier=BACK,
        SourceDBClusterIdentifier=NAME,
        UseLatestRestorableTime=True,
        DBSubnetGroupName=NAME,
        VpcSecurityGroupIds=[group],
        Tags=[{"Key": name, "Value": value} for name, value in tags.items()],
    )
    assert run(cloud, "aurora_restore", WISH) == [f"db_cluster/{BACK}:change", f"db_instance/{BACK}-1:create"]
    assert run(cloud, "aurora_restore", WISH) == []
    assert rds.describe_db_clusters(DBClusterIdentifier=BACK)["DBClusters"][0]["MasterUserSecret"]["SecretArn"]


def test_what_cannot_be_restored_is_refused_with_what_can(cloud: Cloud, rds: Any) -> None:
    for moment in ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"):
        assert "Choose one between" in refused(cloud, "aurora_restore", {**WISH, "restore_to_time": moment})
    assert "found none" in refused(cloud, "aurora_restore", {**WISH, "source_cluster": "stories-else"})
    run(cloud, "aurora_restore", WISH)
    rds.create_db_cluster_snapshot(DBClusterIdentifier=NAME, DBClusterSnapshotIdentifier="by-hand")
    assert "Choose another name" in refused(cloud, "aurora_restore", {**WISH, "snapshot": "by-hand"})
    other = {**WISH, "name": "stories-test-other", "snapshot": "by-hand"}
    assert run(cloud, "aurora_restore", other)[0] == "db_cluster/stories-test-other:create"


def test_a_switch_that_was_killed_half_way_is_finished_and_then_has_nothing_to_do(cloud: Cloud, rds: Any) -> None:
    assert "found none" in refused(cloud, "aurora_switch", SWITCH)
    run(cloud, "aurora_restore", WISH)
    planned = run(cloud, "aurora_switch", SWITCH, check=True)
    rds.modify_db_cluster(DBClusterIdentifier=NAME, NewDBClusterIdentifier=KEPT, ApplyImmediately=True)
    rds.modify_db_cluster(DBClusterIdentifier=BACK, NewDBClusterIdentifier=NAME, ApplyImmediately=True)
    assert run(cloud, "aurora_switch", SWITCH) == planned[2:]
    assert run(cloud, "aurora_switch", SWITCH) == []
    clusters = {one["DBClusterIdentifier"]: one for one in rds.describe_db_clusters()["DBClusters"]}
    members = {name: one["DBClusterMembers"][0]["DBInstanceIdentifier"] for name, one in clusters.items()}
    assert members == {NAME: f"{NAME}-1", KEPT: f"{KEPT}-1"}
    assert {tag["Key"]: tag["Value"] for tag in clusters[NAME]["TagList"]} == {**TAGS, "Name": NAME}
    targets = rds.describe_db_proxy_targets(DBProxyName=NAME)["Targets"]
    assert {one["RdsResourceId"] for one in targets} == {NAME, f"{NAME}-1"}
    # It serves now, and is no restored cluster any more.
    assert "no restore made" in refused(cloud, "aurora_restore", {**WISH, "name": NAME, "state": "absent"})
