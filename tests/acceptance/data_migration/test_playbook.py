"""The move of an old server's database and files onto the platform, as a person runs it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ansible import PlayResult, run_playbook
from tests.support.aurora import Aurora, make
from tests.support.cloud import ROOT, Cloud
from tests.support.postgres import PASSWORD, Server, running

PLAYBOOK = "playbooks/data_migration.yml"
BUCKET = "stories-local-media-123456789012"
# On all addresses of loopback, from which Aurora's server comes.
HBA = ["local all all trust", "host all all 127.0.0.0/8 scram-sha-256"]


@pytest.fixture(scope="module")
def old() -> Iterator[Server]:
    settings = {"wal_level": "logical", "wal_receiver_status_interval": "1s", "wal_retrieve_retry_interval": "200ms"}
    with running(15, settings, hba=HBA) as server:
        schema = (ROOT / "molecule" / "db_tuning" / "schema.sql").read_text(encoding="utf-8")
        local = {"host": str(server.folder)}
        server.execute("CREATE DATABASE stories_db", f"ALTER ROLE postgres PASSWORD '{PASSWORD}'", **local)
        server.execute(schema, database="stories_db", **local)
        yield server


@pytest.fixture(scope="module")
def aurora(whole_cloud: Cloud) -> Aurora:
    parameters = {"rds.logical_replication": True, "rds.force_ssl": True}
    return make(whole_cloud, cluster_parameters=parameters, reboot=True)


def play(aurora: Aurora, old: Server, state: str, media: Path, *options: str) -> PlayResult:
    variables = {
        "data_migration_state": state,
        "data_migration_source": old.connection("stories_db", password=PASSWORD),
        "data_migration_target_from_source": {"sslmode": "require"},
        "data_migration_media_path": str(media),
    }
    result = run_playbook(aurora.cloud, PLAYBOOK, *options, variables=variables)
    assert PASSWORD not in result.output
    return result


@pytest.mark.long
def test_database_and_files_move_to_the_platform_and_back(aurora: Aurora, old: Server, tmp_path: Path) -> None:
    (tmp_path / "cover.png").write_bytes(b"\x89PNG")
    s3 = aurora.cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)

    planned = play(aurora, old, "replicated", tmp_path, "--check")
    assert planned.returncode == 0, planned.errors
    assert planned.steps[0] == f"s3_files/{BUCKET}:upload"
    assert "target/schema:copy" in planned.steps

    copied = play(aurora, old, "replicated", tmp_path)
    assert copied.returncode == 0, copied.errors
    assert copied.steps == planned.steps
    assert s3.get_object(Bucket=BUCKET, Key="cover.png")["Body"].read() == b"\x89PNG"
    assert play(aurora, old, "replicated", tmp_path).changed == 0

    over = play(aurora, old, "cut_over", tmp_path)
    assert over.returncode == 0, over.errors
    with aurora.connect() as connection:
        assert connection.execute("SELECT count(*) FROM books").fetchone() == (5000,)
        connection.execute("DELETE FROM books WHERE id = '7'")

    back = play(aurora, old, "rolled_back", tmp_path)
    assert back.returncode == 0, back.errors
    time.sleep(0.2)
    local = {"database": "stories_db", "host": str(old.folder)}
    assert old.execute("SELECT count(*) FROM books", **local)[0][0] == 4999
    old.execute("INSERT INTO books VALUES ('7', true)", **local)
