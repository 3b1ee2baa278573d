"""Killed at every phase and at random, and two runners at once: a run afterwards always finishes the work.

The short form runs with every change; the long one repeats each fifty times.
"""

from __future__ import annotations

import json
import random
import time
from typing import Any

import psycopg
import pytest

from tests.support.postgres import module_process

from .conftest import Database, Writers

_ROWS = 4000


def prepare(database: Database) -> list[dict[str, Any]]:
    """Two tables, one partitioned, and indexes of several kinds on them."""
    database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, note text, tags text[])",
        f"INSERT INTO t SELECT g, 'n', ARRAY[g::text] FROM generate_series(1, {_ROWS}) g",
        "CREATE TABLE p (id int, note text) PARTITION BY RANGE (id)",
        "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (2000)",
        "CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM (2000) TO (100000)",
        f"INSERT INTO p SELECT g, 'n' FROM generate_series(1, {_ROWS}) g",
        "CREATE INDEX drifted ON t (id)",
        "ANALYZE",
    )
    return [
        {"name": "a", "table": "t", "columns": ["note"], "where": "id > 10"},
        {"name": "b", "table": "t", "columns": ["tags"], "method": "gin"},
        {"name": "drifted", "table": "t", "columns": ["note", "id"]},
        {"name": "c", "table": "p", "columns": ["note"]},
    ]


def start(database: Database, indexes: list[dict[str, Any]], **options: Any) -> Any:
    parameters = {"connection": database.connection(), "migrations": [{"name": "m1", "indexes": indexes}], **options}
    return module_process("postgres_index_migration", {**parameters, "drift": "replace"})


def assert_converged(database: Database, indexes: list[dict[str, Any]]) -> None:
    result = database.migrate(*indexes, drift="replace")
    assert "failed" not in result, result["msg"]
    assert database.indexes() == {"a": True, "b": True, "drifted": True, "c": True, "c_p_1": True, "c_p_2": True}
    assert database.migrate(*indexes, drift="replace")["changed"] is False
    database.migrate(*indexes, state="absent")
    # What a rollback leaves is what a plain database holds: nothing of ours.
    assert database.indexes() == {}


PHASES = [
    "waiting for writers before build",
    "building index: scanning table",
    "waiting for writers before validation",
    "index validation",
    "waiting for old snapshots",
]


@pytest.mark.parametrize("phase", PHASES)
def test_a_run_that_is_killed_in_this_phase_is_finished_by_the_next(database: Database, phase: str) -> None:
    index = database.slow_table(seconds=0.5)
    database.execute("CREATE TABLE other (id int)")
    if phase == "index validation":  # evaluates no expression; only many rows make it last
        database.execute("INSERT INTO slow SELECT g, 'n' FROM generate_series(1000, 600000) g")
        index = {**index, "columns": ["note"]}
    # A build comes to the phase and stays there: a transaction of this kind must have begun before it.
    begin = {
        "waiting for writers before build": ["BEGIN", "INSERT INTO slow VALUES (0, 'x')"],
        "waiting for old snapshots": ["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT * FROM other"],
    }
    holder = database.connect()
    for statement in begin.get(phase, []):
        holder.execute(statement)
    process = start(database, [index])
    if phase == "waiting for writers before validation":
        database.building()
        for statement in begin["waiting for writers before build"]:
            holder.execute(statement)
    watcher, query = database.connect(), "SELECT 1 FROM pg_stat_progress_create_index WHERE phase LIKE %s"
    while not watcher.execute(query, [f"{phase}%"]).fetchall():
        assert process.poll() is None, "it ended before it was killed"
    process.kill()
    process.wait()
    holder.execute("ROLLBACK")
    result = database.migrate(index)
    assert "failed" not in result, result["msg"]
    assert database.indexes() == {"idx_slow": True}
    assert database.migrate(index)["changed"] is False


def kill_at_random(database: Database, rounds: int) -> None:
    """Kill, run again, roll back; the same database serves all rounds, so what one leaves the next one meets."""
    indexes = prepare(database)
    dice = random.Random(1001)
    begun = time.monotonic()
    assert start(database, indexes).wait() == 0
    lasts = time.monotonic() - begun
    assert_converged(database, indexes)
    database.execute("CREATE INDEX drifted ON t (id)")
    killed = 0
    with Writers(database, "t", 1) as writers, Writers(database, "p", 1) as others:
        for _ in range(rounds):
            process = start(database, indexes)
            # At first it only loads itself; a few shall be done before they are killed.
            time.sleep(lasts * (0.25 + dice.random() * 0.85))
            killed += process.poll() is None
            process.kill()
            process.wait()
            assert_converged(database, indexes)
            database.execute("CREATE INDEX drifted ON t (id)")
    assert writers.errors + others.errors == []
    assert killed >= rounds / 3, f"only {killed} of {rounds} runs were still working when they were killed"


def test_runs_that_are_killed_at_random_points_are_finished_by_the_next(database: Database) -> None:
    kill_at_random(database, 6)


@pytest.mark.long
def test_fifty_runs_that_are_killed_at_random_points_are_finished_by_the_next(database: Database) -> None:
    kill_at_random(database, 50)


def two_runners(database: Database, rounds: int) -> None:
    indexes = prepare(database)
    before = database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    with Writers(database, "t", 1) as writers, Writers(database, "p", 1) as others:
        for _ in range(rounds):
            runs = [start(database, indexes) for _ in range(2)]
            results = [json.loads(run.communicate()[0].splitlines()[-1]) for run in runs]
            assert [result.get("msg") for result in results] == [None, None]
            # One did the work; the other waited for it and found nothing left.
            assert sorted(result["changed"] for result in results) == [False, True]
            assert_converged(database, indexes)
            database.execute("CREATE INDEX drifted ON t (id)")
    assert writers.errors + others.errors == []
    database.execute("SELECT pg_stat_clear_snapshot()")
    after = database.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert after - before == 0


def test_two_runners_at_once_do_the_work_once(database: Database) -> None:
    two_runners(database, 4)


@pytest.mark.long
def test_two_runners_at_once_do_the_work_once_fifty_times(database: Database) -> None:
    two_runners(database, 50)


def test_a_plain_index_build_would_have_stopped_the_writers(database: Database) -> None:
    """What the writers of these tests can show: they do meet an error when a build takes their lock."""
    prepare(database)
    holder = database.connect()
    holder.execute("BEGIN")
    holder.execute("CREATE INDEX blocking ON t (note)")
    writer = database.connect(options="-c lock_timeout=100ms")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        writer.execute("UPDATE t SET note = 'x' WHERE id = 1")
    holder.execute("ROLLBACK")
