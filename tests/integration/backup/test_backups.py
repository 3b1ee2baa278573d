"""Vaults, plans, their coverage and the replication of media on the embedded cloud."""

from __future__ import annotations

import json
from typing import Any

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

TAGS = {"Project": "1001-stories", "Environment": "test"}
NAME, DR = "stories-test", "us-west-2"
ROLE = "arn:aws:iam::123456789012:role/stories-test-backup"
SELECTION = {
    "role_arn": ROLE,
    "resources": ["arn:aws:rds:*:*:cluster:*"],
    "tags": TAGS,
    "not_tags": {"Purpose": "dr-drill"},
}
DAILY = {
    "name": "daily",
    "vault": NAME,
    "schedule": "cron(0 4 ? * * *)",
    "delete_after_days": 365,
    "copies": [
        {"vault_arn": f"arn:aws:backup:{DR}:123456789012:backup-vault:{NAME}-dr", "delete_after_days": 365},
    ],
}
WEEKLY = {
    "name": "weekly",
    "vault": NAME,
    "schedule": "cron(0 2 ? * SUN *)",
    "cold_storage_after_days": 90,
    "delete_after_days": 2555,
}
PLANS: dict[str, Any] = {
    "name": NAME,
    "tags": TAGS,
    "plans": [{"name": "warm", "rules": [DAILY, WEEKLY], "selection": SELECTION}],
}
PLAN_IDS = [f"backup_plan/{NAME}-warm:create", f"backup_selection/{NAME}-warm:create"]


def run(cloud: Cloud, module: str, wish: dict[str, Any], **flags: bool) -> dict[str, Any]:
    result = run_module(cloud, module, wish, **flags)
    assert not result.get("failed"), result["msg"]
    return result


def ids(result: dict[str, Any]) -> list[str]:
    return [step["id"] for step in result["steps"]]


def settles(cloud: Cloud, module: str, wish: dict[str, Any]) -> dict[str, Any]:
    """Check on what stands, run, run again; the first run's result. The check writes nothing and foresees the run."""
    with cloud.recorded() as calls:
        planned = run(cloud, module, wish, check=True)
    assert [call["action"] for call in calls if call["writes"]] == []
    made = run(cloud, module, wish)
    assert ids(planned) == ids(made)
    assert run(cloud, module, wish)["changed"] is False
    return made


def key(cloud: Cloud) -> str:
    return str(cloud.client("kms").create_key()["KeyMetadata"]["Arn"])


def vault_wish(cloud: Cloud, **more: Any) -> dict[str, Any]:
    return {"name": NAME, "tags": TAGS, "kms_key_arn": key(cloud), **more}


def test_a_vault_is_made_locked_and_its_drift_is_named_and_mended(cloud: Cloud) -> None:
    backup = cloud.client("backup")
    wish = vault_wish(cloud, lock="governance", lock_min_retention_days=7, lock_max_retention_days=365)
    assert ids(settles(cloud, "backup_vault", wish)) == [f"backup_vault/{NAME}:create"]

    arn = backup.describe_backup_vault(BackupVaultName=NAME)["BackupVaultArn"]
    backup.delete_backup_vault_lock_configuration(BackupVaultName=NAME)
    backup.tag_resource(ResourceArn=arn, Tags={"Owner": "me"})
    drift = run(cloud, "backup_vault", wish, check=True)
    assert "lock" in drift["diff"][0]["after"]
    assert "Owner" in drift["diff"][0]["before"]
    settles(cloud, "backup_vault", wish)
    shown = backup.describe_backup_vault(BackupVaultName=NAME)
    assert (shown["Locked"], shown["MinRetentionDays"], shown["MaxRetentionDays"]) == (True, 7, 365)

    refused = run_module(cloud, "backup_vault", {**wish, "kms_key_arn": key(cloud)})
    assert "cannot change it" in refused["msg"]


def test_a_compliance_lock_is_made_only_for_the_vault_that_is_named(cloud: Cloud) -> None:
    wish = vault_wish(cloud, lock="compliance")
    for named in ("", "another"):
        refused = run_module(cloud, "backup_vault", {**wish, "compliance_lock_confirmed": named})
        assert "nobody can ever shorten or remove it" in refused["msg"]
    assert cloud.client("backup").list_backup_vaults()["BackupVaultList"] == []
    settles(cloud, "backup_vault", {**wish, "compliance_lock_confirmed": NAME})
    assert "LockDate" in cloud.client("backup").describe_backup_vault(BackupVaultName=NAME)


def test_a_filled_vault_stays_and_is_told_unless_its_data_may_go(cloud: Cloud) -> None:
    run(cloud, "backup_vault", vault_wish(cloud))
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/stories-test-releases"
    cloud.client("backup").start_backup_job(BackupVaultName=NAME, ResourceArn=table, IamRoleArn=ROLE)
    gone = {"name": NAME, "tags": TAGS, "state": "absent"}
    kept = run(cloud, "backup_vault", gone)
    assert (kept["changed"], kept["kept"]) == (False, 1)
    assert "holds 1 recovery points" in json.dumps(kept["warnings"])
    assert ids(run(cloud, "backup_vault", {**gone, "delete_recovery_points": True})) == [f"backup_vault/{NAME}:delete"]
    assert cloud.client("backup").list_backup_vaults()["BackupVaultList"] == []
    assert run(cloud, "backup_vault", gone)["changed"] is False


def test_a_plan_is_made_and_every_change_by_hand_is_named_and_mended(cloud: Cloud) -> None:
    backup = cloud.client("backup")
    run(cloud, "backup_vault", vault_wish(cloud))
    assert ids(settles(cloud, "backup_plans", PLANS)) == PLAN_IDS

    (plan,) = backup.list_backup_plans()["BackupPlansList"]
    shown = backup.get_backup_plan(BackupPlanId=plan["BackupPlanId"])["BackupPlan"]
    daily = next(rule for rule in shown["Rules"] if rule["RuleName"] == "daily")
    # Capital letters too: the stock module makes "project" of them.
    assert daily["RecoveryPointTags"] == {**TAGS, "Rule": "daily"}
    changes = {
        "ScheduleExpression": "cron(0 5 ? * * *)",
        "StartWindowMinutes": 120,
        "CompletionWindowMinutes": 999,
        "Lifecycle": {"DeleteAfterDays": 3},
        "RecoveryPointTags": {"mine": "yes"},
        "CopyActions": [],
    }
    others = [rule for rule in shown["Rules"] if rule["RuleName"] != "daily"]
    document = {"BackupPlanName": shown["BackupPlanName"], "Rules": [{**daily, **changes}, *others]}
    backup.update_backup_plan(BackupPlanId=plan["BackupPlanId"], BackupPlan=document)
    backup.tag_resource(ResourceArn=plan["BackupPlanArn"], Tags={"Owner": "me"})
    drift = run(cloud, "backup_plans", PLANS, check=True)["diff"][0]["before"]
    for text in ("cron(0 5", "start_window_minutes: 120", "999", "DeleteAfterDays: 3", "mine", "copies: {}", "Owner"):
        assert text in drift
    settles(cloud, "backup_plans", PLANS)

    where = {"BackupPlanId": plan["BackupPlanId"]}
    (chosen,) = backup.list_backup_selections(**where)["BackupSelectionsList"]
    backup.delete_backup_selection(**where, SelectionId=chosen["SelectionId"])
    wider = {
        "SelectionName": f"{NAME}-warm",
        "IamRoleArn": "arn:aws:iam::123456789012:role/another",
        "Resources": ["*"],
        "NotResources": ["arn:aws:s3:::secret"],
        "ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": "a", "ConditionValue": "b"}],
        "Conditions": {"StringLike": [{"ConditionKey": "aws:ResourceTag/Name", "ConditionValue": "*"}]},
    }
    backup.create_backup_selection(**where, BackupSelection=wider)
    drift = run(cloud, "backup_plans", PLANS, check=True)["diff"][0]["before"]
    for field in ("role: ", "resources:", "not_resources:", "list_of_tags:", "likes:", "tags_equal: {}", "tags_differ"):
        assert field in drift
    settles(cloud, "backup_plans", PLANS)


def test_a_plan_that_was_killed_before_its_selection_is_finished(cloud: Cloud) -> None:
    run(cloud, "backup_vault", vault_wish(cloud))
    run(cloud, "backup_plans", PLANS)
    backup = cloud.client("backup")
    (plan,) = backup.list_backup_plans()["BackupPlansList"]
    where = {"BackupPlanId": plan["BackupPlanId"]}
    (chosen,) = backup.list_backup_selections(**where)["BackupSelectionsList"]
    backup.delete_backup_selection(**where, SelectionId=chosen["SelectionId"])
    assert ids(settles(cloud, "backup_plans", PLANS)) == PLAN_IDS[1:]
    gone = {"name": NAME, "tags": TAGS, "state": "absent"}
    assert len(settles(cloud, "backup_plans", gone)["steps"]) == 2


def test_bad_wishes_are_refused_at_once_with_all_that_is_wrong(cloud: Cloud) -> None:
    rule = {**DAILY, "schedule": "daily", "start_window_minutes": 5, "cold_storage_after_days": 300}
    plan = {"name": "warm", "rules": [rule, rule], "selection": {**SELECTION, "tags": {}}}
    with cloud.recorded() as calls:
        result = run_module(cloud, "backup_plans", {**PLANS, "plans": [plan]})
    assert calls == []
    for part in ("schedule 'daily'", "windows of 5", "stays 90 days", "Read rule daily", "without tags"):
        assert part in result["msg"]
    nowhere = {"bucket": "a", "destination_bucket": "a", "role_arn": ROLE, "source_kms_key_arn": "arn:aws:kms:x"}
    refused = run_module(cloud, "s3_replication", nowhere)["msg"]
    assert "its own destination" in refused
    assert "replica_kms_key_arn" in refused


def test_what_no_plan_takes_is_named_and_what_is_taken_is_told(cloud: Cloud) -> None:
    check = {"name_prefix": NAME, "tags": TAGS, "replication": False}
    rds = cloud.client("rds")
    tags = [{"Key": name, "Value": value} for name, value in TAGS.items()]
    made = {"Engine": "aurora-postgresql", "MasterUsername": "master", "MasterUserPassword": "not-a-secret"}
    rds.create_db_cluster(DBClusterIdentifier=NAME, BackupRetentionPeriod=7, Tags=tags, **made)
    drill = [*tags, {"Key": "Purpose", "Value": "dr-drill"}]
    rds.create_db_cluster(DBClusterIdentifier=f"{NAME}-drill", Tags=drill, **made)

    left_out = run_module(cloud, "backup_coverage", check)
    assert left_out["failed"]
    assert "found none" in left_out["problems"][0]
    assert "automated backups of 7 days" in left_out["problems"][1]
    assert run(cloud, "backup_coverage", check, check=True)["problems"] == left_out["problems"]

    run(cloud, "backup_vault", vault_wish(cloud))
    run(cloud, "backup_plans", PLANS)
    rds.modify_db_cluster(DBClusterIdentifier=NAME, BackupRetentionPeriod=30, ApplyImmediately=True)
    (told,) = run(cloud, "backup_coverage", check)["covered"]
    assert (told["kind"], told["plans"], told["newest_recovery_point"]) == ("aurora", [f"{NAME}-warm"], None)

    backup = cloud.client("backup")
    backup.start_backup_job(BackupVaultName=NAME, ResourceArn=told["arn"], IamRoleArn=ROLE)
    point = backup.list_recovery_points_by_backup_vault(BackupVaultName=NAME)["RecoveryPoints"][0]["RecoveryPointArn"]
    far = cloud.client("backup", DR).create_backup_vault(BackupVaultName=f"{NAME}-dr")["BackupVaultArn"]
    copy = {"RecoveryPointArn": point, "SourceBackupVaultName": NAME, "DestinationBackupVaultArn": far}
    backup.start_copy_job(**copy, IamRoleArn=ROLE)
    far_away = {**check, "dr_region": DR, "dr_vault": f"{NAME}-dr"}
    (told,) = run(cloud, "backup_coverage", far_away)["covered"]
    assert told["newest_recovery_point"]
    assert told["newest_copy"] >= told["newest_recovery_point"]


def test_media_are_copied_to_the_other_region_and_the_rule_is_kept(cloud: Cloud) -> None:
    near, far = cloud.client("s3"), cloud.client("s3", DR)
    source, target = f"{NAME}-media", f"{NAME}-dr-media"
    near.create_bucket(Bucket=source)
    far.create_bucket(Bucket=target, CreateBucketConfiguration={"LocationConstraint": DR})
    for client, bucket in ((near, source), (far, target)):
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    wish = {"bucket": source, "destination_bucket": target, "role_arn": ROLE}
    assert ids(settles(cloud, "s3_replication", wish)) == [f"bucket_replication/{source}:create"]
    near.put_object(Bucket=source, Key="content/book.pdf", Body=b"%PDF")
    assert far.get_object(Bucket=target, Key="content/book.pdf")["Body"].read() == b"%PDF"

    shown = near.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]
    rule = {
        **shown["Rules"][0],
        "Status": "Disabled",
        "Filter": {"Prefix": "only/"},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": shown["Rules"][0]["Destination"]["Bucket"], "StorageClass": "GLACIER"},
    }
    other = {"Role": "arn:aws:iam::123456789012:role/another", "Rules": [rule]}
    near.put_bucket_replication(Bucket=source, ReplicationConfiguration=other)
    drift = run(cloud, "s3_replication", wish, check=True)["diff"][0]["before"]
    for text in (
        "role/another",
        "enabled: false",
        "prefix: only/",
        "delete_markers: true",
        "GLACIER",
        "metrics: false",
    ):
        assert text in drift
    settles(cloud, "s3_replication", wish)
    settles(cloud, "s3_replication", {"bucket": source, "state": "absent"})
