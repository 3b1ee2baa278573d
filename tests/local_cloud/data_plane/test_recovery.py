# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Restores bring back what was there: to a moment, from another region's copy, under another name."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.local_cloud.data_plane.stage import Stage, eventually
from tests.local_cloud.data_plane.test_stores import available, described

PASSWORD = "a-password-of-the-test"
DR_REGION = "us-west-2"


@pytest.fixture(scope="module")
def rds(stage: Stage) -> Any:
    rds = stage.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="shop",
        Engine="aurora-postgresql",
        DatabaseName="library",
        MasterUsername="master",
        MasterUserPassword=PASSWORD,
    )
    rds.create_db_instance(
        DBInstanceIdentifier="shop-1",
        DBClusterIdentifier="shop",
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
    )
    available(rds, "shop")
    return rds


def query(rds: Any, cluster: str, statement: str) -> Any:
    """The first value of a statement's result, on a cluster by its name."""
    shown = described(rds, cluster)
    with psycopg.connect(
        host=shown["Endpoint"],
        port=shown["Port"],
        dbname="library",
        user="master",
        password=PASSWORD,
        connect_timeout=5,
        autocommit=True,
    ) as connection:
        result = connection.execute(statement)
        row = result.fetchone() if result.description else None
        return row[0] if row else None


def answers(ask: Callable[[], Any]) -> Any:
    """What `ask` answers as soon as the server takes connections."""

    def attempt() -> Any:
        try:
            return (ask(),)
        except psycopg.OperationalError:
            return None

    return eventually(attempt)[0]


def test_a_restore_to_a_moment_has_what_was_committed_until_then_and_nothing_of_later(stage: Stage, rds: Any) -> None:
    query(rds, "shop", "CREATE TABLE chapters (number int)")
    query(rds, "shop", "INSERT INTO chapters SELECT generate_series(1, 1001)")
    time.sleep(1)
    moment = datetime.now(UTC)
    time.sleep(1)
    query(rds, "shop", "DROP TABLE chapters")
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="shop-back", SourceDBClusterIdentifier="shop", RestoreToTime=moment
    )
    available(rds, "shop-back")
    assert answers(lambda: query(rds, "shop-back", "SELECT count(*) FROM chapters")) == 1001
    assert query(rds, "shop", "SELECT to_regclass('chapters')") is None
    # What was restored can be written to, and is restored itself.
    query(rds, "shop-back", "DELETE FROM chapters WHERE number > 1")
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="shop-again", SourceDBClusterIdentifier="shop-back", RestoreToTime=datetime.now(UTC)
    )
    available(rds, "shop-again")
    assert answers(lambda: query(rds, "shop-again", "SELECT count(*) FROM chapters")) == 1


def test_a_moment_before_the_cluster_or_in_the_future_is_refused(rds: Any) -> None:
    for moment in (datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)):
        with pytest.raises(rds.exceptions.ClientError, match="InvalidParameterValue"):
            rds.restore_db_cluster_to_point_in_time(
                DBClusterIdentifier="never", SourceDBClusterIdentifier="shop", RestoreToTime=moment
            )


def test_a_backup_that_was_copied_to_another_region_is_restored_there_with_its_rows(stage: Stage, rds: Any) -> None:
    backup, role = stage.client("backup"), "arn:aws:iam::123456789012:role/backup"
    far_backup, far = stage.client("backup", DR_REGION), stage.client("rds", DR_REGION)
    backup.create_backup_vault(BackupVaultName="near")
    destination = far_backup.create_backup_vault(BackupVaultName="far")["BackupVaultArn"]
    query(rds, "shop", "CREATE TABLE authors AS SELECT generate_series(1, 77) AS number")
    arn = described(rds, "shop")["DBClusterArn"]
    job = backup.start_backup_job(BackupVaultName="near", ResourceArn=arn, IamRoleArn=role)
    point = job["RecoveryPointArn"]
    assert backup.describe_backup_job(BackupJobId=job["BackupJobId"])["RecoveryPointArn"] == point
    copy = backup.start_copy_job(
        RecoveryPointArn=point, SourceBackupVaultName="near", DestinationBackupVaultArn=destination, IamRoleArn=role
    )
    copied = backup.describe_copy_job(CopyJobId=copy["CopyJobId"])["CopyJob"]["DestinationRecoveryPointArn"]
    eventually(lambda: [path for path in (stage.state_dir / "databases").glob("snapshot-*") if not path.suffix])
    far.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="shop", SnapshotIdentifier=copied, Engine="aurora-postgresql"
    )
    far.modify_db_cluster(DBClusterIdentifier="shop", MasterUserPassword=PASSWORD, ApplyImmediately=True)
    available(far, "shop")
    assert answers(lambda: query(far, "shop", "SELECT count(*) FROM authors")) == 77
    far.delete_db_cluster(DBClusterIdentifier="shop", SkipFinalSnapshot=True)


def test_a_renamed_cluster_keeps_its_rows_and_its_name_keeps_the_endpoint(stage: Stage, rds: Any) -> None:
    query(rds, "shop", "CREATE TABLE who AS SELECT 'first' AS name")
    rds.create_db_cluster(
        DBClusterIdentifier="other",
        Engine="aurora-postgresql",
        DatabaseName="library",
        MasterUsername="master",
        MasterUserPassword=PASSWORD,
    )
    available(rds, "other")
    answers(lambda: query(rds, "other", "CREATE TABLE who AS SELECT 'second' AS name"))
    endpoint = described(rds, "shop")["Endpoint"]
    rds.modify_db_instance(DBInstanceIdentifier="shop-1", NewDBInstanceIdentifier="was-1", ApplyImmediately=True)
    rds.modify_db_cluster(DBClusterIdentifier="shop", NewDBClusterIdentifier="was", ApplyImmediately=True)
    available(rds, "was")
    rds.modify_db_cluster(DBClusterIdentifier="other", NewDBClusterIdentifier="shop", ApplyImmediately=True)
    available(rds, "shop")
    assert described(rds, "shop")["Endpoint"] == endpoint
    assert answers(lambda: query(rds, "shop", "SELECT name FROM who")) == "second"
    assert answers(lambda: query(rds, "was", "SELECT name FROM who")) == "first"
    assert [one["DBInstanceIdentifier"] for one in described(rds, "was")["DBClusterMembers"]] == ["was-1"]
    assert rds.describe_db_instances(DBInstanceIdentifier="was-1")["DBInstances"][0]["DBClusterIdentifier"] == "was"


def test_a_master_password_that_rds_begins_to_manage_opens_the_database(stage: Stage, rds: Any) -> None:
    rds.modify_db_cluster(DBClusterIdentifier="was", ManageMasterUserPassword=True, ApplyImmediately=True)
    secret = described(rds, "was")["MasterUserSecret"]["SecretArn"]
    assert "password" in stage.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
