"""Restores with real rows: the drill, its report and its remains, a deleted table, the switch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.ansible import PlayResult, playbook_command, playbook_environment, run_playbook
from tests.support.aurora import PREFIX, make, sql
from tests.support.aurora import TAGS as IDENTITY
from tests.support.cloud import Cloud, running
from tests.support.postgres import binaries

CLUSTER, DR_REGION = PREFIX, "us-west-2"
TAGS = {**IDENTITY, "ManagedBy": "ansible"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud with its data plane and one database that holds books."""
    with running(tmp_path_factory.mktemp("cloud"), data_plane=True) as cloud:
        make(cloud, tags=TAGS)
        sql(cloud, "CREATE TABLE books AS SELECT n AS id, 'Title ' || n AS title FROM generate_series(1, 5000) n")
        sql(cloud, "CREATE TABLE submissions (id serial, body text, at timestamptz DEFAULT now())")
        sql(cloud, "INSERT INTO submissions (body) SELECT repeat('x', n % 50) FROM generate_series(1, 2000) n")
        sql(cloud, "CREATE TABLE nothing (id int)")
        yield cloud


def clusters(cloud: Cloud) -> list[str]:
    return sorted(one["DBClusterIdentifier"] for one in cloud.client("rds").describe_db_clusters()["DBClusters"])


def drill(cloud: Cloud, folder: Path, *options: str, **variables: Any) -> PlayResult:
    told = {"dr_drill_report_folder": str(folder), **variables}
    return run_playbook(cloud, "playbooks/dr_drill.yml", *options, variables=told)


def test_a_drill_restores_every_row_measures_reports_and_leaves_nothing(cloud: Cloud, tmp_path: Path) -> None:
    result = drill(cloud, tmp_path)
    assert result.returncode == 0, result.errors
    (file,) = tmp_path.glob("*.json")
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["verdict"] == "passed"
    by_name = {one["table"]: one for one in report["tables"]}
    assert {name: (one["rows"], one["restored_rows"], one["result"]) for name, one in by_name.items()} == {
        "books": (5000, 5000, "same"),
        "nothing": (0, 0, "same"),
        "submissions": (2000, 2000, "same"),
    }
    rto, rpo, far = report["measured"]
    assert (report["rto_seconds"], report["rpo_seconds"]) == (rto["seconds"], rpo["seconds"])
    assert (rto["verdict"], rpo["verdict"], far["verdict"]) == ("met", "met", "not measured")
    assert 0 < rto["seconds"] < 600
    assert rpo["seconds"] < 10
    assert "books | 5000 | 5000" in file.with_suffix(".md").read_text(encoding="utf-8")
    assert clusters(cloud) == [CLUSTER]
    secret = cloud.client("secretsmanager").list_secrets()["SecretList"][0]["ARN"]
    password = json.loads(cloud.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])["password"]
    assert password not in result.output + json.dumps(cloud.calls()) + file.read_text(encoding="utf-8")


@pytest.mark.long
def test_the_check_of_a_drill_writes_nothing(cloud: Cloud, tmp_path: Path) -> None:
    with cloud.recorded() as calls:
        result = drill(cloud, tmp_path, "--check")
    assert result.returncode == 0, result.errors
    assert [call["action"] for call in calls if call["writes"]] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_drill_that_cannot_keep_its_promise_fails_and_still_cleans_up(cloud: Cloud, tmp_path: Path) -> None:
    result = drill(cloud, tmp_path, dr_drill_rto_limit_minutes=0)
    assert result.returncode != 0
    assert "found wanting: RTO" in result.errors[-1]
    assert clusters(cloud) == [CLUSTER]


@pytest.mark.long
def test_what_a_killed_drill_left_is_removed_by_the_next(cloud: Cloud, tmp_path: Path) -> None:
    told = {"dr_drill_report_folder": str(tmp_path)}
    command = playbook_command(cloud, "playbooks/dr_drill.yml", variables=told)
    process = subprocess.Popen(
        command, env=playbook_environment(cloud), start_new_session=True, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while f"{CLUSTER}-drill" not in clusters(cloud):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert f"{CLUSTER}-drill" in clusters(cloud)
    result = drill(cloud, tmp_path)
    assert result.returncode == 0, result.errors
    assert clusters(cloud) == [CLUSTER]


@pytest.mark.long
def test_a_drill_while_others_write_proves_what_stood_still(cloud: Cloud, tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        while not done.wait(0.1):
            sql(cloud, "UPDATE submissions SET body = left(body || 'y', 90) || random() WHERE id <= 3")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        result = drill(cloud, tmp_path)
    finally:
        done.set()
        writer.join()
    assert result.returncode == 0, result.output
    (file,) = tmp_path.glob("*.json")
    tables = {one["table"]: one for one in json.loads(file.read_text(encoding="utf-8"))["tables"]}
    assert tables["books"]["result"] == "same"
    assert tables["submissions"]["result"] == "same where it stood still"
    assert tables["submissions"]["verified"] > 40


def shell(cloud: Cloud, cluster: str, program: str, *arguments: str) -> None:
    """One of PostgreSQL's programs as the runbook calls it, with the master user's password."""
    found = cloud.client("rds").describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=found["MasterUserSecret"]["SecretArn"])
    password = json.loads(secret["SecretString"])["password"]
    where = ["-h", found["Endpoint"], "-p", str(found["Port"]), "-U", "stories_admin", "-d", "stories_db"]
    environment = {**os.environ, "PGPASSWORD": password, "PGSSLMODE": "require"}
    subprocess.run([binaries() / program, *where, *arguments], env=environment, check=True)


@pytest.mark.long
def test_a_deleted_table_comes_back_beside_the_original_and_then_in_its_place(cloud: Cloud, tmp_path: Path) -> None:
    time.sleep(1)
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.5)
    endpoint = cloud.client("rds").describe_db_clusters()["DBClusters"][0]["Endpoint"]
    sql(cloud, "DROP TABLE books")
    sql(cloud, "INSERT INTO submissions (body) VALUES ('written after the mistake')")
    told = {"restore_to_time": moment, "restore_expected_tables": ["books"]}

    planned = run_playbook(cloud, "playbooks/restore.yml", "--check", variables=told)
    assert planned.returncode == 0, planned.errors
    made = run_playbook(cloud, "playbooks/restore.yml", variables=told)
    assert made.returncode == 0, made.errors
    assert planned.steps == made.steps
    assert run_playbook(cloud, "playbooks/restore.yml", variables=told).changed == 0
    assert sql(cloud, "SELECT count(*) FROM books", f"{CLUSTER}-restored") == 5000
    assert sql(cloud, "SELECT to_regclass('books')") is None

    dump = str(tmp_path / "books.dump")
    shell(cloud, f"{CLUSTER}-restored", "pg_dump", "-Fc", "-t", "books", "-f", dump)
    shell(cloud, CLUSTER, "pg_restore", dump)
    assert sql(cloud, "SELECT count(*) FROM books") == 5000
    sql(cloud, "DROP TABLE books")

    other = run_playbook(cloud, "playbooks/restore.yml", variables={"restore_to_time": ""})
    assert "Choose another name" in other.errors[0]

    switched = run_playbook(cloud, "playbooks/restore.yml", variables={**told, "restore_switch": True})
    assert switched.returncode == 0, switched.errors
    assert clusters(cloud) == [CLUSTER, f"{CLUSTER}-before"]
    serving = cloud.client("rds").describe_db_clusters(DBClusterIdentifier=CLUSTER)["DBClusters"][0]
    assert serving["Endpoint"] == endpoint
    assert serving["DeletionProtection"] is True
    assert {tag["Key"] for tag in serving["TagList"]} == {*TAGS, "Name"}
    assert [one["DBInstanceIdentifier"] for one in serving["DBClusterMembers"]] == [f"{CLUSTER}-1"]
    assert sql(cloud, "SELECT count(*) FROM books") == 5000
    kept = sql(cloud, "SELECT count(*) FROM submissions WHERE body LIKE 'written after%'", f"{CLUSTER}-before")
    assert kept == 1

    again = run_playbook(cloud, "playbooks/restore.yml", variables={**told, "restore_switch": True})
    assert "earlier switch kept" in again.errors[0]
    refused = run_playbook(
        cloud, "playbooks/restore.yml", variables={"restore_state": "absent", "restore_name": CLUSTER}
    )
    assert "switched into service" in refused.errors[0]


@pytest.mark.long
def test_a_copied_backup_is_restored_in_the_other_region(cloud: Cloud) -> None:
    rows = sql(cloud, "SELECT count(*) FROM submissions")
    backup, role = cloud.client("backup"), "arn:aws:iam::123456789012:role/stories-local-backup"
    backup.create_backup_vault(BackupVaultName=CLUSTER)
    far = cloud.client("backup", DR_REGION).create_backup_vault(BackupVaultName=f"{CLUSTER}-dr")["BackupVaultArn"]
    arn = cloud.client("rds").describe_db_clusters(DBClusterIdentifier=CLUSTER)["DBClusters"][0]["DBClusterArn"]
    job = backup.start_backup_job(BackupVaultName=CLUSTER, ResourceArn=arn, IamRoleArn=role)
    copy = backup.start_copy_job(
        RecoveryPointArn=job["RecoveryPointArn"],
        SourceBackupVaultName=CLUSTER,
        DestinationBackupVaultArn=far,
        IamRoleArn=role,
    )
    point = backup.describe_copy_job(CopyJobId=copy["CopyJobId"])["CopyJob"]["DestinationRecoveryPointArn"]
    ec2, rds = cloud.client("ec2", DR_REGION), cloud.client("rds", DR_REGION)
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{n}.0/24", AvailabilityZone=f"{DR_REGION}{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    rds.create_db_subnet_group(
        DBSubnetGroupName="far",
        DBSubnetGroupDescription="far",
        SubnetIds=[subnet["SubnetId"] for subnet in subnets],
    )
    group = ec2.create_security_group(GroupName="rds", Description="rds", VpcId=vpc)["GroupId"]
    told = {
        "platform_region": DR_REGION,
        "platform_availability_zones": [f"{DR_REGION}{zone}" for zone in "abc"],
        "platform_dr_region": "",
        "restore_snapshot": point,
        "restore_expected_tables": ["submissions"],
    }
    refused = run_playbook(cloud, "playbooks/restore.yml", variables=told)
    assert "Give it" in refused.errors[0]
    place = {
        "restore_subnet_group": "far",
        "restore_security_group_ids": [group],
        "restore_instance_class": "db.r6g.large",
    }
    result = run_playbook(cloud, "playbooks/restore.yml", variables={**told, **place})
    assert result.returncode == 0, result.errors
    assert sql(cloud, "SELECT count(*) FROM submissions", f"{CLUSTER}-restored", DR_REGION) == rows
