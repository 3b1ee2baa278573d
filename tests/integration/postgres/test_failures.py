"""Everything that goes wrong with concurrent index builds, on a real server; each row of the table a test."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.postgres import module_process, running, small_filesystem

from .conftest import UTILS, Background, Database, Writers


def converged(database: Database, *indexes: dict[str, Any]) -> bool:
    """Everything valid, and a further run finds nothing to do."""
    return all(database.indexes().values()) and database.migrate(*indexes)["changed"] is False


@pytest.mark.parametrize("blow", ["pg_terminate_backend", "pg_cancel_backend"])
def test_a_build_that_somebody_ends_is_built_again_in_the_same_run(database: Database, blow: str) -> None:
    index = database.slow_table()
    running_ = Background(lambda: database.migrate(index))
    database.execute(f"SELECT {blow}({database.building()})")
    result = running_.result()
    assert result["timings"][0]["attempts"] == 2
    assert converged(database, index)


def test_timeouts_of_the_role_do_not_end_a_build(database: Database) -> None:
    index = database.slow_table()
    role = f"hasty_{database.name}"
    database.execute(
        f"CREATE ROLE {role} LOGIN SUPERUSER",
        f"ALTER ROLE {role} SET statement_timeout = '200ms'",
        f"ALTER ROLE {role} SET lock_timeout = '100ms'",
        f"ALTER ROLE {role} SET idle_in_transaction_session_timeout = '100ms'",
        f"ALTER ROLE {role} SET idle_session_timeout = '300ms'",
    )
    made = database.migrate(index, connection=database.connection(username=role))
    assert made["timings"][0]["attempts"] == 1
    assert converged(database, index)


DETERMINISTIC = [
    ({"columns": [{"expression": "1 / (n - 7)"}]}, "22012", ""),
    ({"columns": ["long"]}, "54000", "another one, or index an expression"),
    ({"columns": ["twin"], "unique": True}, "23505", "(50 times); "),
    ({"columns": ["wide"], "name": "i"}, "53400", "room"),
]


@pytest.mark.parametrize(("definition", "state", "told"), DETERMINISTIC, ids=[row[1] for row in DETERMINISTIC])
def test_a_build_that_cannot_succeed_leaves_no_invalid_index_and_says_why(
    database: Database, definition: dict[str, Any], state: str, told: str
) -> None:
    role = f"small_{database.name}"
    database.execute(
        f"CREATE ROLE {role} LOGIN",
        f"ALTER ROLE {role} SET temp_file_limit = '{'64kB' if state == '53400' else -1}'",
        "CREATE TABLE t (n int, long text, twin int, wide text)",
        "INSERT INTO t SELECT g, repeat(md5(g::text), 2), g / 50, md5(g::text) FROM generate_series(1, 60000) g",
        # Random, so that it does not compress below the B-tree's 2704 bytes.
        "INSERT INTO t SELECT 0, string_agg(md5(random()::text), ''), 0 FROM generate_series(1, 200)",
        "ANALYZE t",
        f"ALTER TABLE t OWNER TO {role}",
        f"GRANT CREATE ON SCHEMA public TO {role}",
        f"GRANT CREATE ON DATABASE {database.name} TO {role}",
    )
    index = {"name": "i", "table": "t", **definition}
    failed = database.migrate(index, connection=database.connection(username=role), maintenance_work_mem="1MB")
    assert failed["failed"]
    assert state in failed["msg"]
    assert told in failed["msg"]
    assert database.indexes() == {}


def test_one_index_that_fails_does_not_keep_the_others(database: Database) -> None:
    database.execute("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (1)", "CREATE TABLE u (a int)")
    failed = database.migrate(
        {"name": "bad", "table": "t", "columns": ["a"], "unique": True},
        {"name": "same_table", "table": "t", "columns": ["a"]},
        {"name": "other_table", "table": "u", "columns": ["a"]},
    )
    assert "23505" in failed["msg"]
    assert database.indexes() == {"same_table": True, "other_table": True}


def test_an_invalid_index_is_dropped_and_built_again_with_and_without_another_definition(database: Database) -> None:
    database.execute("CREATE TABLE t (a int, b int)", "INSERT INTO t VALUES (1, 1), (1, 1)")
    for column in ("a", "b"):
        with pytest.raises(psycopg.errors.UniqueViolation):
            database.execute(f"CREATE UNIQUE INDEX CONCURRENTLY i_{column} ON t (a)")
    indexes = [{"name": f"i_{column}", "table": "t", "columns": [column]} for column in ("a", "b")]
    planned = database.migrate(*indexes, check=True)
    assert [item["status"] for item in planned["indexes"]] == ["rebuild_invalid", "rebuild_invalid"]
    database.migrate(*indexes)
    assert converged(database, *indexes)


def test_a_build_that_waits_too_long_is_given_up_and_names_whom_it_waited_for(database: Database) -> None:
    database.execute("CREATE TABLE t (id int)", "CREATE TABLE other (id int)")
    idle = database.connect()
    idle.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    idle.execute("SELECT * FROM other")
    index = {"name": "i", "table": "t", "columns": ["id"]}
    failed = database.migrate(index, max_wait=1)
    assert f"pid {idle.info.backend_pid} (postgres), idle in transaction" in failed["msg"]
    assert "max_wait" in failed["msg"]
    assert database.indexes() == {}
    idle.execute("ROLLBACK")
    database.migrate(index)
    assert converged(database, index)


def test_a_prepared_transaction_that_holds_a_build_up_is_named_when_it_is_given_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module(f"{UTILS}._pg_indexes.bench"), "_CLEAN_UP", "1s")
    database.execute("CREATE TABLE t (id int)")
    session = database.connect()
    for statement in ("BEGIN", "INSERT INTO t VALUES (1)", f"PREPARE TRANSACTION '{database.name}'"):
        session.execute(statement)
    try:
        failed = database.migrate({"name": "i", "table": "t", "columns": ["id"]}, max_wait=1)
        assert "prepared" in failed["msg"]
        assert "max_wait" in failed["msg"]
        # It holds a lock on the table itself, for which every way to drop an index must wait as well.
        assert "The invalid index public.i could not be dropped yet; the next run does it." in failed["msg"]
    finally:
        session.execute(f"ROLLBACK PREPARED '{database.name}'")
    index = {"name": "i", "table": "t", "columns": ["id"]}
    assert database.migrate(index)["changed"] is True
    assert converged(database, index)


def test_a_lock_that_is_held_too_long_is_told_before_anything_is_built(database: Database) -> None:
    database.execute("CREATE TABLE t (id int)")
    holder = database.connect()
    holder.execute("BEGIN")
    holder.execute("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE")
    failed = database.migrate({"name": "i", "table": "t", "columns": ["id"]}, max_wait=1)
    assert "Tried for 1 s to begin on public.t" in failed["msg"]
    assert f"by pid {holder.info.backend_pid} (postgres), idle in transaction" in failed["msg"]
    assert database.indexes() == {}


def test_a_client_that_is_killed_leaves_a_build_that_the_next_run_adopts(database: Database) -> None:
    index = database.slow_table(seconds=2)
    parameters = {"connection": database.connection(), "migrations": [{"name": "m1", "indexes": [index]}]}
    process = module_process("postgres_index_migration", parameters)
    orphan = database.building(20)
    process.kill()
    process.wait()
    planned = database.migrate(index, check=True)
    assert planned["indexes"][0]["status"] == "adopt"
    before = database.value("SELECT oid FROM pg_class WHERE relname = 'idx_slow'")
    result = database.migrate(index)
    assert result["steps"][0]["sentence"].startswith(f"Await process {orphan}, which is building")
    assert database.value("SELECT oid FROM pg_class WHERE relname = 'idx_slow'") == before
    assert converged(database, index)


def test_a_unique_violation_rejects_no_writes_afterwards(database: Database) -> None:
    database.execute("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (1), (2), (2), (2)")
    failed = database.migrate({"name": "i", "table": "t", "columns": ["a"], "unique": True})
    assert "Duplicates: 2 (3 times); 1 (2 times)" in failed["msg"]
    database.execute("INSERT INTO t VALUES (1)")


def test_several_indexes_of_one_table_are_built_one_after_the_other(database: Database) -> None:
    database.slow_table(seconds=0.3)
    indexes = [
        {"name": f"i{number}", "table": "slow", "columns": [{"expression": f"nap_slow(id) + {number}"}]}
        for number in range(3)
    ]
    result = database.migrate(*indexes, parallel_builds=8)
    assert [timing["attempts"] for timing in result["timings"]] == [1, 1, 1]
    assert converged(database, *indexes)


ACTIVE = "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase LIKE 'building index%'"


def test_tables_are_worked_on_side_by_side(database: Database) -> None:
    one = database.slow_table(seconds=1, name="one")
    two = database.slow_table(seconds=1, name="two")
    run = Background(lambda: database.migrate(one, two, parallel_builds=2))
    database.await_row(f"{ACTIVE} HAVING count(*) = 2")
    run.result()
    assert converged(database, one, two)


_SEEN = """
CREATE TABLE seen (workers int);
CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.seen SELECT current_setting('max_parallel_maintenance_workers')::int; END $$;
CREATE EVENT TRIGGER see ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION see()
"""


@pytest.mark.parametrize(("tables", "parallel_builds", "workers"), [(2, 2, 0), (2, 1, 2), (1, 2, 2)])
def test_builds_beside_others_take_one_process_and_a_lone_one_takes_the_servers_workers(
    database: Database, tables: int, parallel_builds: int, workers: int
) -> None:
    indexes = [database.slow_table(seconds=0.3, name=f"table_{number}") for number in range(tables)]
    database.execute(_SEEN)
    database.migrate(*indexes, parallel_builds=parallel_builds)
    assert database.execute("SELECT workers FROM seen LIMIT 1") == [(workers,)]


def test_a_build_that_only_waits_makes_room_for_the_next(database: Database) -> None:
    """Both are at their last wait at once, though only one at a time may read and sort."""
    one = database.slow_table(seconds=0.3, name="one")
    two = database.slow_table(seconds=0.3, name="two")
    database.execute("CREATE TABLE other (id int)")
    idle = database.connect()
    idle.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    idle.execute("SELECT * FROM other")
    run = Background(lambda: database.migrate(one, two, parallel_builds=1))
    waiting = "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase = 'waiting for old snapshots'"
    database.await_row(f"{waiting} HAVING count(*) = 2")
    idle.execute("ROLLBACK")
    run.result()
    assert converged(database, one, two)


@pytest.mark.parametrize(
    "statement",
    [
        "ANALYZE slow",
        pytest.param("ALTER TABLE slow SET (fillfactor = 90)", marks=pytest.mark.long),
        pytest.param("DROP INDEX CONCURRENTLY old_one", marks=pytest.mark.long),
        pytest.param("REINDEX INDEX CONCURRENTLY old_one", marks=pytest.mark.long),
    ],
)
def test_ddl_that_queues_behind_a_build_gets_through_and_the_build_too(database: Database, statement: str) -> None:
    index = database.slow_table(seconds=1.5)
    database.execute("CREATE INDEX old_one ON slow (note)")
    run = Background(lambda: database.migrate(index))
    database.building()
    ddl = Background(lambda: database.execute(statement))
    ddl.result()
    result = run.result()
    assert f"(postgres) queued: {statement}" in str(result["warnings"])
    assert converged(database, index)


def test_a_build_gives_way_to_ddl_when_it_is_told_to(database: Database) -> None:
    index = database.slow_table(seconds=4)
    run = Background(lambda: database.migrate(index, yield_to_ddl=True))
    database.building()
    begun = time.monotonic()
    database.execute("ALTER TABLE slow SET (fillfactor = 90)")
    assert time.monotonic() - begun < 2
    assert run.result()["timings"][0]["attempts"] == 2
    assert converged(database, index)


def test_a_second_runner_waits_without_a_deadlock_and_finds_nothing_left(database: Database, progress: Path) -> None:
    index = database.slow_table(seconds=1.5)
    first = Background(lambda: None)
    parameters = {"connection": database.connection(), "migrations": [{"name": "m1", "indexes": [index]}]}
    process = module_process("postgres_index_migration", parameters)
    first.result()
    database.building(20)
    second = database.migrate(index, progress_log=str(progress))
    assert second["changed"] is False
    assert "another run of index migrations is under way (pid " in progress.read_text()
    assert process.wait(30) == 0


def test_a_second_runner_that_may_not_wait_says_who_holds_the_fence(database: Database) -> None:
    database.execute("CREATE TABLE t (id int)")
    holder = database.connect()
    holder.execute("SELECT pg_advisory_lock(1001, 15)")
    failed = database.migrate({"name": "i", "table": "t", "columns": ["id"]}, max_wait=1)
    assert f"held by pid {holder.info.backend_pid} (postgres from 127.0.0.1" in failed["msg"]


def test_readers_are_not_stopped_while_an_invalid_index_is_dropped(database: Database) -> None:
    database.execute("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)")
    reader = database.connect()
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM t")
    run = Background(lambda: database.migrate({"name": "i", "table": "t", "columns": ["a"]}))
    database.await_row(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DROP INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'"
    )
    begun = time.monotonic()
    database.execute("SELECT * FROM t", "INSERT INTO t VALUES (3)")
    assert time.monotonic() - begun < 1
    reader.execute("COMMIT")
    assert run.result()["changed"] is True
    assert database.indexes() == {"i": True}


def test_a_partitioned_table_gets_its_index_partition_by_partition(database: Database) -> None:
    database.execute(
        "CREATE TABLE t (id int, note text) PARTITION BY RANGE (id)",
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (1000)",
        "CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (1000) TO (3000) PARTITION BY RANGE (id)",
        "CREATE TABLE t_2_a PARTITION OF t_2 FOR VALUES FROM (1000) TO (2000)",
        "CREATE TABLE t_2_b PARTITION OF t_2 FOR VALUES FROM (2000) TO (3000)",
        "INSERT INTO t SELECT g, 'n' FROM generate_series(1, 2999) g",
        "CREATE INDEX mine ON t_2_a (note)",
    )
    index = {"name": "i", "table": "t", "columns": ["note"]}
    with Writers(database, "t") as writers:
        database.migrate(index)
    assert writers.errors == []
    assert database.indexes() == {"i": True, "i_t_1": True, "i_t_2": True, "mine": True, "i_t_2_t_2_b": True}
    assert database.migrate(index)["changed"] is False
    database.execute("CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (3000) TO (4000)")
    assert database.migrate(index)["changed"] is False
    assert database.migrate(index, state="absent")["changed"] is True
    assert database.indexes() == {}


def test_an_unfinished_partitioned_index_is_finished(database: Database) -> None:
    database.execute(
        "CREATE TABLE t (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (1000)",
        "CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (1000) TO (2000)",
        "CREATE INDEX i ON ONLY t (id)",
        "CREATE INDEX i_t_1 ON t_1 (id)",
        "ALTER INDEX i ATTACH PARTITION i_t_1",
    )
    index = {"name": "i", "table": "t", "columns": ["id"]}
    database.migrate(index)
    assert database.indexes() == {"i": True, "i_t_1": True, "i_t_2": True}
    assert database.migrate(index)["changed"] is False


def test_what_a_killed_reindex_left_is_removed(database: Database) -> None:
    database.slow_table(seconds=1)
    database.execute("SET statement_timeout = 0", "CREATE INDEX theirs ON slow (nap_slow(id))")
    reindex = Background(lambda: database.execute("REINDEX INDEX CONCURRENTLY theirs"))
    database.execute(f"SELECT pg_terminate_backend({database.building()})")
    with pytest.raises(psycopg.Error):
        reindex.result()
    assert database.indexes()["theirs_ccnew"] is False
    index = {"name": "i", "table": "slow", "columns": ["note"]}
    result = database.migrate(index)
    assert "Drop index public.theirs_ccnew on public.slow that a killed REINDEX left behind" in str(result["steps"])
    assert database.indexes() == {"theirs": True, "i": True}


def test_a_swap_that_was_killed_half_way_is_cleared_up(database: Database) -> None:
    database.execute("CREATE TABLE t (a int, b int)", "CREATE INDEX i ON t (b)", "CREATE INDEX i_replaced ON t (a)")
    index = {"name": "i", "table": "t", "columns": ["b"]}
    database.migrate(index)
    assert database.indexes() == {"i": True}


def test_a_server_that_restarts_in_the_middle_is_waited_for(tmp_path: Path) -> None:
    with running() as server:
        database = Database(server, "postgres")
        index = database.slow_table(seconds=1)
        run = Background(lambda: database.migrate(index))
        database.building()
        server.restart("immediate")
        result = run.result()
        assert "failed" not in result, result["msg"]
        assert result["timings"][0]["attempts"] == 2
        assert converged(database, index)


def test_a_server_that_does_not_come_back_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = importlib.import_module(f"{UTILS}._pg_indexes.bench")
    monkeypatch.setattr(bench, "_RECONNECT", 1.0)
    with running() as server:
        database = Database(server, "postgres")
        index = database.slow_table(seconds=1)
        run = Background(lambda: database.migrate(index))
        database.building()
        server.kill()
        failed = run.result()
        assert len(failed["msg"].splitlines()) == 1
        # Where the blow falls is a matter of luck: in a statement, or in the connect that follows it.
        told = (f"Tried to connect to 127.0.0.1:{server.port}/postgres as postgres", "the connection broke")
        assert any(words in failed["msg"] for words in told), failed["msg"]
        server.start()
        database.migrate(index)
        assert converged(database, index)


@pytest.mark.long
def test_a_disk_that_fills_up_in_the_middle_is_one_clear_error_and_leaves_nothing(database: Database) -> None:
    with small_filesystem(4) as folder:
        database.server.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        try:
            database.execute(
                "CREATE TABLE t (id int, note text)",
                "INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, 200000) g",
                "ANALYZE t",
            )
            index = {"name": "i", "table": "t", "columns": ["note"], "tablespace": "small"}
            with Writers(database, "t", 1) as writers:
                # Said to be enough, so that the estimate does not already refuse it.
                failed = database.migrate(index, free_space="10GB")
            assert "53100" in failed["msg"]
            assert "Give the server the room that it lacks" in failed["msg"]
            assert len(failed["msg"].splitlines()) == 1
            assert writers.errors == []
            assert database.indexes() == {}
            fits = {**index, "columns": ["id"], "where": "id < 1000"}
            database.migrate(fits, free_space="10GB")
            assert converged(database, fits)
        finally:
            database.execute("DROP TABLE t")
            database.server.execute("DROP TABLESPACE small")


def test_a_rollback_removes_what_the_migration_made_and_nothing_else(database: Database) -> None:
    database.execute("CREATE TABLE t (a int, b int)", "CREATE INDEX theirs ON t (a)")
    indexes = [
        {"name": "theirs", "table": "t", "columns": ["a"]},
        {"name": "ours", "table": "t", "columns": ["b"]},
        {"name": "not_made", "table": "t", "columns": ["a"]},
    ]
    database.migrate(*indexes)
    assert database.indexes() == {"theirs": True, "ours": True}
    rolled = database.migrate(*indexes, state="absent")
    assert {item["index"]: item["status"] for item in rolled["indexes"]} == {
        "public.theirs": "foreign",
        "public.ours": "drop",
        "public.not_made": "absent",
    }
    assert database.indexes() == {"theirs": True}
    assert database.migrate(*indexes, state="absent")["changed"] is False


def test_a_rollback_leaves_an_index_that_somebody_changed(database: Database) -> None:
    database.execute("CREATE TABLE t (a int, b int)")
    index = {"name": "i", "table": "t", "columns": ["b"]}
    database.migrate(index)
    database.execute("DROP INDEX i", "CREATE INDEX i ON t (a)")
    assert database.migrate(index, state="absent")["changed"] is False
    assert database.indexes() == {"i": True}


def test_a_rollback_restores_what_the_migration_removed(database: Database) -> None:
    database.execute("CREATE TABLE t (a int, b int)", "CREATE UNIQUE INDEX gone ON t (lower(a::text)) WHERE b > 1")
    removed = {"name": "gone", "table": "t", "state": "absent"}
    before = database.value("SELECT pg_get_indexdef('gone'::regclass)")
    assert database.migrate(removed)["changed"] is True
    assert database.indexes() == {}
    assert database.migrate(removed, state="absent")["changed"] is True
    assert database.value("SELECT pg_get_indexdef('gone'::regclass)") == before
    assert database.migrate(removed, state="absent")["changed"] is False


def test_a_constraint_s_index_is_not_removed(database: Database) -> None:
    database.execute("CREATE TABLE t (a int UNIQUE)")
    refused = database.migrate({"name": "t_a_key", "table": "t", "state": "absent"})
    assert "belongs to constraint t_a_key" in refused["msg"]


def test_the_history_says_what_was_done_when_by_whom_and_with_which_definition(database: Database) -> None:
    database.execute("CREATE TABLE t (a int)")
    index = {"name": "i", "table": "t", "columns": ["a"]}
    database.migrate(index)
    database.migrate(index, state="absent")
    rows = database.execute("SELECT * FROM index_migrations.history ORDER BY id")
    assert [(row.migration, row.index_name, row.action, row.role) for row in rows] == [
        ("m1", "i", "create", "postgres"),
        ("m1", "i", "drop", "postgres"),
    ]
    assert all(len(row.checksum) == 64 and row.finished_at > row.started_at for row in rows)
    assert rows[0].checksum == rows[1].checksum
    assert rows[0].size_bytes > 0


def test_progress_is_told_with_phase_share_and_whom_it_waits_for(database: Database, progress: Path) -> None:
    index = database.slow_table(seconds=1)
    database.execute("CREATE TABLE other (id int)")
    idle = database.connect()
    idle.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    idle.execute("SELECT * FROM other")
    run = Background(lambda: database.migrate(index, progress_log=str(progress)))
    pid = idle.info.backend_pid
    database.await_row("SELECT 1 FROM pg_stat_progress_create_index WHERE phase = 'waiting for old snapshots'")
    time.sleep(0.6)
    idle.execute("ROLLBACK")
    run.result()
    told = progress.read_text()
    assert "public.idx_slow: building index" in told
    assert f"public.idx_slow: waiting for old snapshots, waits for pid {pid} (postgres), idle in transaction" in told
    assert "public.idx_slow: create done in" in told


def test_a_materialized_view_can_be_indexed(database: Database) -> None:
    database.execute("CREATE MATERIALIZED VIEW v AS SELECT 1 AS a")
    index = {"name": "i", "table": "v", "columns": ["a"]}
    database.migrate(index)
    assert converged(database, index)


def test_no_writer_meets_an_error_and_none_waits_long(database: Database) -> None:
    database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, note text)", "INSERT INTO t SELECT g, 'n' FROM generate_series(1, 20000) g"
    )
    indexes = [{"name": f"i{n}", "table": "t", "columns": [{"expression": f"id + {n}"}]} for n in range(4)]
    with Writers(database, "t") as writers:
        database.migrate(*indexes)
    assert writers.errors == []
    assert writers.writes > 5
    assert converged(database, *indexes)


@pytest.mark.parametrize("version", [pytest.param(16, marks=pytest.mark.long), 18])
def test_newer_versions_are_served_as_well(version: int) -> None:
    with running(version) as server:
        database = Database(server, "postgres")
        database.execute(
            "CREATE TABLE t (id int, note text)", "INSERT INTO t SELECT g, 'n' FROM generate_series(1, 999) g"
        )
        index = {"name": "i", "table": "t", "columns": ["note"], "unique": False, "where": "id > 5"}
        assert database.migrate(index)["server_version"].startswith(str(version))
        assert converged(database, index)
        assert database.migrate(index, state="absent")["changed"] is True
