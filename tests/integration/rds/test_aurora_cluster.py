"""aurora_cluster on the embedded cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.rds.conftest import NAME, TAGS, Ground
from tests.support.ansible import run_module
from tests.support.cloud import Cloud

GROUP = f"{NAME}-aurora-postgresql15"


def run(cloud: Cloud, wish: dict[str, Any], **flags: bool) -> dict[str, Any]:
    result = run_module(cloud, "aurora_cluster", wish, **flags)
    assert not result.get("failed"), result["msg"]
    return result


def steps(result: dict[str, Any]) -> list[str]:
    return [step["id"] for step in result["steps"]]


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(
    cloud: Cloud, ground: Ground
) -> None:
    with cloud.recorded() as calls:
        planned = run(cloud, ground.cluster, check=True)
    assert not [call for call in calls if call["writes"]]
    made = run(cloud, ground.cluster)
    assert steps(planned) == steps(made)
    assert len(steps(made)) == 1 + 2 + 1 + 1 + 3
    assert made["endpoint"]
    assert made["master_secret_arn"]
    assert made["engine_version"].startswith("15.")
    assert run(cloud, ground.cluster)["changed"] is False


def test_a_plan_is_made_while_subnets_groups_and_roles_do_not_exist_yet(cloud: Cloud) -> None:
    wish = {
        "name": NAME,
        "tags": TAGS,
        "subnet_ids": ["planned:subnet/a", "planned:subnet/b"],
        "security_group_ids": ["planned:security_group/rds"],
        "monitoring_role_arn": "planned:role/monitoring",
    }
    assert len(steps(run(cloud, wish, check=True))) == 8


def cluster(cloud: Cloud, **parameters: Any) -> None:
    cloud.client("rds").modify_db_cluster(DBClusterIdentifier=NAME, ApplyImmediately=True, **parameters)


def instance(cloud: Cloud, **parameters: Any) -> None:
    cloud.client("rds").modify_db_instance(DBInstanceIdentifier=f"{NAME}-2", ApplyImmediately=True, **parameters)


def other_security_group(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, VpcSecurityGroupIds=ground.groups)


def no_protection(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, DeletionProtection=False)


def short_backups(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, BackupRetentionPeriod=3)


def other_backup_window(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, PreferredBackupWindow="07:00-08:00")


def other_maintenance_window(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, PreferredMaintenanceWindow="mon:09:00-mon:10:00")


def no_logs(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql"]})


def no_iam(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, EnableIAMDatabaseAuthentication=False)


def no_copied_tags(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, CopyTagsToSnapshot=False)


def other_storage(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, StorageType="aurora-iopt1")


def other_cluster_parameter_group(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, DBClusterParameterGroupName="default.aurora-postgresql15")


def other_class(cloud: Cloud, ground: Ground) -> None:
    instance(cloud, DBInstanceClass="db.r6g.xlarge")


def no_insights(cloud: Cloud, ground: Ground) -> None:
    instance(cloud, EnablePerformanceInsights=False)


def no_monitoring(cloud: Cloud, ground: Ground) -> None:
    instance(cloud, MonitoringInterval=0)


def other_tier(cloud: Cloud, ground: Ground) -> None:
    instance(cloud, PromotionTier=7)


def no_minor_upgrades(cloud: Cloud, ground: Ground) -> None:
    instance(cloud, AutoMinorVersionUpgrade=False)


def open_to_the_world(cloud: Cloud, ground: Ground) -> None:
    instance(cloud, PubliclyAccessible=True)


def other_certificate(cloud: Cloud, ground: Ground) -> None:
    instance(cloud, CACertificateIdentifier="rds-ca-ecc384-g1")


def other_key_of_the_secret(cloud: Cloud, ground: Ground) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    cluster(cloud, ManageMasterUserPassword=True, MasterUserSecretKmsKeyId=key)


def lost_instance(cloud: Cloud, ground: Ground) -> None:
    cloud.client("rds").delete_db_instance(DBInstanceIdentifier=f"{NAME}-3", SkipFinalSnapshot=True)


def other_parameters(cloud: Cloud, ground: Ground) -> None:
    cloud.client("rds").modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=GROUP,
        Parameters=[
            {"ParameterName": "log_min_duration_statement", "ParameterValue": "5", "ApplyMethod": "immediate"},
            {"ParameterName": "log_connections", "ParameterValue": "1", "ApplyMethod": "immediate"},
        ],
    )


def own_password(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, ManageMasterUserPassword=False, MasterUserPassword="a-password-of-somebodys-own")


def other_port(cloud: Cloud, ground: Ground) -> None:
    cluster(cloud, Port=5433)


def other_monitoring_role(cloud: Cloud, ground: Ground) -> None:
    instance(cloud, MonitoringInterval=60, MonitoringRoleArn=ground.other_role)


def other_instance_parameter_group(cloud: Cloud, ground: Ground) -> None:
    instance(cloud, DBParameterGroupName="default.aurora-postgresql15")


def other_instance_parameters(cloud: Cloud, ground: Ground) -> None:
    cloud.client("rds").modify_db_parameter_group(
        DBParameterGroupName=GROUP,
        Parameters=[{"ParameterName": "track_functions", "ParameterValue": "all", "ApplyMethod": "immediate"}],
    )


def fewer_subnets(cloud: Cloud, ground: Ground) -> None:
    cloud.client("rds").modify_db_subnet_group(DBSubnetGroupName=NAME, SubnetIds=ground.subnets[:2])


def endless_logs(cloud: Cloud, ground: Ground) -> None:
    cloud.client("logs").delete_retention_policy(logGroupName=f"/aws/rds/cluster/{NAME}/postgresql")


def foreign_tag(operation: str, key: str, arn: str) -> Callable[[Cloud, Ground], None]:
    """What puts a tag of somebody else on ours among those that the operation lists."""

    def put(cloud: Cloud, ground: Ground) -> None:
        rds = cloud.client("rds")
        ours = next(one[arn] for one in getattr(rds, operation)()[key] if NAME in one[arn])
        rds.add_tags_to_resource(ResourceName=ours, Tags=[{"Key": "Owner", "Value": "me"}])

    return put


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (other_security_group, "security_groups"),
        (no_protection, "deletion_protection"),
        (short_backups, "backup_retention_period"),
        (other_backup_window, "backup_window"),
        (other_maintenance_window, "maintenance_window"),
        (no_logs, "logs"),
        (no_iam, "iam_authentication"),
        (no_copied_tags, "copy_tags_to_snapshot"),
        (other_storage, "storage_type"),
        (other_cluster_parameter_group, "parameter_group"),
        (other_class, "instance_class"),
        (no_insights, "performance_insights"),
        (no_monitoring, "monitoring_interval"),
        (other_tier, "promotion_tier"),
        (no_minor_upgrades, "auto_minor_version_upgrade"),
        (open_to_the_world, "publicly_accessible"),
        (other_certificate, "ca_certificate"),
        (other_key_of_the_secret, "master_secret_kms_key"),
        (lost_instance, "stories-test-3"),
        (other_parameters, "log_connections"),
        (fewer_subnets, "subnets"),
        (endless_logs, "retention_days"),
        (own_password, "managed_master_password"),
        (other_port, "port"),
        (other_monitoring_role, "monitoring_role"),
        (other_instance_parameter_group, "parameter_group"),
        (other_instance_parameters, "track_functions"),
        (foreign_tag("describe_db_clusters", "DBClusters", "DBClusterArn"), "Owner"),
        (foreign_tag("describe_db_instances", "DBInstances", "DBInstanceArn"), "Owner"),
        (foreign_tag("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupArn"), "Owner"),
        (foreign_tag("describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupArn"), "Owner"),
        (
            foreign_tag(
                "describe_db_cluster_parameter_groups", "DBClusterParameterGroups", "DBClusterParameterGroupArn"
            ),
            "Owner",
        ),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, ground: Ground, by_hand: Callable[[Cloud, Ground], None], field: str
) -> None:
    run(cloud, ground.cluster)
    by_hand(cloud, ground)
    drift = run(cloud, ground.cluster, check=True)
    assert field in drift["diff"][0]["before"] + drift["diff"][0]["after"]
    run(cloud, ground.cluster)
    assert run(cloud, ground.cluster)["changed"] is False


def test_a_static_parameter_waits_for_a_reboot_that_is_made_only_when_asked(cloud: Cloud, ground: Ground) -> None:
    run(cloud, ground.cluster)
    parameters = {**ground.cluster["cluster_parameters"], "max_connections": 500}
    wish = {**ground.cluster, "cluster_parameters": parameters}
    assert run(cloud, wish)["pending_reboot"] == [f"{NAME}-1", f"{NAME}-2", f"{NAME}-3"]
    assert run(cloud, wish)["changed"] is False
    more = {**wish, "cluster_parameters": {**parameters, "max_connections": 600}, "reboot": True}
    with cloud.recorded() as calls:
        assert run(cloud, more)["pending_reboot"] == []
    assert [call["action"] for call in calls].count("RebootDBInstance") == 3
    assert run(cloud, more)["changed"] is False


def test_an_unknown_version_is_refused_with_those_that_aws_offers(cloud: Cloud, ground: Ground) -> None:
    with cloud.recorded() as calls:
        result = run_module(cloud, "aurora_cluster", {**ground.cluster, "engine_version": "15.99"})
    assert "AWS offers 15." in result["msg"]
    assert not [call for call in calls if call["writes"]]


def test_a_lean_cluster_scales_by_itself_and_its_limits_can_change(cloud: Cloud, ground: Ground) -> None:
    scaling = {"min_capacity": 0.5, "max_capacity": 4}
    lean = {
        **ground.cluster,
        "instance_class": "db.serverless",
        "instance_count": 1,
        "serverless_v2_scaling": scaling,
    }
    run(cloud, lean)
    assert run(cloud, lean)["changed"] is False
    wider = {**lean, "serverless_v2_scaling": {**scaling, "max_capacity": 8}}
    assert "serverless_v2_scaling" in run(cloud, wider)["diff"][0]["after"]
    assert run(cloud, wider)["changed"] is False


def test_what_can_never_change_refuses_the_plan(cloud: Cloud, ground: Ground) -> None:
    run(cloud, ground.cluster)
    result = run_module(cloud, "aurora_cluster", {**ground.cluster, "database_name": "other_db"})
    assert "AWS cannot change it" in result["msg"]


def test_a_creation_that_stopped_half_way_is_finished(cloud: Cloud, ground: Ground) -> None:
    for stop in range(8):
        refusal = {"kind": "error", "code": "AccessDenied", "status": 403, "writes_only": True}
        cloud.admin("POST", "/faults", {"service": "rds", "skip": stop, **refusal})
        run_module(cloud, "aurora_cluster", ground.cluster)
        cloud.admin("DELETE", "/faults")
    run(cloud, ground.cluster)
    assert run(cloud, ground.cluster)["changed"] is False
    assert len(cloud.client("rds").describe_db_instances()["DBInstances"]) == 3


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"skip_final_snapshot": True}, "found its deletion protection on"),
        ({"deletion_protection": False}, "exactly one of final_snapshot_name"),
    ],
)
def test_a_cluster_is_removed_only_unprotected_and_with_a_word_on_its_data(
    cloud: Cloud, ground: Ground, wish: dict[str, Any], sentence: str
) -> None:
    run(cloud, ground.cluster)
    gone = {"name": NAME, "tags": TAGS, "state": "absent", **wish}
    with cloud.recorded() as calls:
        assert sentence in run_module(cloud, "aurora_cluster", gone)["msg"]
    assert not [call for call in calls if call["writes"]]


def test_absent_removes_everything_with_a_last_snapshot_and_autoscaled_readers_too(
    cloud: Cloud, ground: Ground
) -> None:
    run(cloud, ground.cluster)
    rds = cloud.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="application-autoscaling-1",
        DBClusterIdentifier=NAME,
        DBInstanceClass="db.r6g.large",
        Engine="aurora-postgresql",
    )
    assert run(cloud, ground.cluster)["changed"] is False
    gone = {
        "name": NAME,
        "tags": TAGS,
        "state": "absent",
        "deletion_protection": False,
        "final_snapshot_name": f"{NAME}-final",
    }
    assert len(steps(run(cloud, gone))) == 9
    assert run(cloud, gone)["changed"] is False
    snapshots = rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert [snapshot["DBClusterSnapshotIdentifier"] for snapshot in snapshots] == [f"{NAME}-final"]


def test_the_master_password_is_shown_nowhere(cloud: Cloud, ground: Ground) -> None:
    shown = json.dumps([run(cloud, ground.cluster, check=True), run(cloud, ground.cluster)])
    secret = json.loads(shown)[1]["master_secret_arn"]
    value = json.loads(cloud.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    assert value["password"] not in shown
    assert value["password"] not in json.dumps(cloud.calls())


def snapshot_of_the_lost_one(cloud: Cloud, ground: Ground, **changed: Any) -> str:
    """The ARN of a snapshot of a cluster that does not exist any more."""
    rds = cloud.client("rds")
    lost = {**ground.cluster, "name": "stories-lost", "tags": {**TAGS, "Environment": "lost"}, **changed}
    run(cloud, lost)
    made = rds.create_db_cluster_snapshot(DBClusterIdentifier="stories-lost", DBClusterSnapshotIdentifier="last")
    rds.get_waiter("db_cluster_snapshot_available").wait(DBClusterSnapshotIdentifier="last")
    run(cloud, {**lost, "state": "absent", "deletion_protection": False, "skip_final_snapshot": True})
    return str(made["DBClusterSnapshot"]["DBClusterSnapshotArn"])


def test_a_cluster_that_does_not_exist_is_restored_from_a_snapshot_under_the_settings_described(
    cloud: Cloud, ground: Ground
) -> None:
    wish = {**ground.cluster, "snapshot": snapshot_of_the_lost_one(cloud, ground)}
    planned = run(cloud, wish, check=True)
    with cloud.recorded() as calls:
        made = run(cloud, wish)
    assert steps(planned) == steps(made)
    actions = [call["action"] for call in calls]
    assert "RestoreDBClusterFromSnapshot" in actions
    assert "CreateDBCluster" not in actions
    assert made["master_secret_arn"]
    shown = cloud.client("rds").describe_db_clusters(DBClusterIdentifier=NAME)["DBClusters"][0]
    assert (shown["BackupRetentionPeriod"], shown["MasterUserSecret"]["KmsKeyId"]) == (
        30,
        ground.cluster["master_secret_kms_key_arn"],
    )
    assert run(cloud, wish)["changed"] is False
    # It stands now; another snapshot, or none any more, is of no effect.
    assert run(cloud, {**wish, "snapshot": "gone"})["changed"] is False


def test_what_is_restored_keeps_its_version_though_aws_offers_a_newer_one(cloud: Cloud, ground: Ground) -> None:
    offered = cloud.client("rds").describe_db_engine_versions(Engine="aurora-postgresql")["DBEngineVersions"]
    oldest, *_newer = [one["EngineVersion"] for one in offered if one["EngineVersion"].startswith("15.")]
    wish = {**ground.cluster, "snapshot": snapshot_of_the_lost_one(cloud, ground, engine_version=oldest)}
    assert run(cloud, wish)["engine_version"] == oldest
    assert run(cloud, wish)["changed"] is False


def test_a_restore_that_was_killed_before_its_password_was_set_is_finished(cloud: Cloud, ground: Ground) -> None:
    wish = {**ground.cluster, "snapshot": snapshot_of_the_lost_one(cloud, ground)}
    refusal = {"kind": "error", "service": "rds", "action": "ModifyDBCluster", "code": "AccessDenied", "status": 403}
    cloud.admin("POST", "/faults", refusal)
    broken = run_module(cloud, "aurora_cluster", wish)
    assert broken["failed"]
    cloud.admin("DELETE", "/faults")
    assert f"db_cluster/{NAME}:change" in steps(run(cloud, wish))
    assert run(cloud, wish)["changed"] is False


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"snapshot": "nowhere"}, "found none in this region"), ({"master_username": "chief"}, "found the master user")],
)
def test_a_snapshot_that_cannot_serve_is_refused_before_the_first_write(
    cloud: Cloud, ground: Ground, changed: dict[str, str], told: str
) -> None:
    wish = {**ground.cluster, "snapshot": snapshot_of_the_lost_one(cloud, ground), **changed}
    with cloud.recorded() as calls:
        result = run_module(cloud, "aurora_cluster", wish)
    assert told in result["msg"]
    assert not [call for call in calls if call["writes"]]
