"""A database moved to another real server while it is written to: there, back, killed, refused, proved."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import PASSWORD, module_process

from .conftest import Pair, Readers


def ok(result: dict[str, Any]) -> dict[str, Any]:
    assert "failed" not in result, result["msg"]
    return result


def test_a_database_moves_while_it_is_written_to_and_back_again_without_losing_a_write(
    pair: Pair, tmp_path: Path
) -> None:
    log = tmp_path / "progress"
    shown: list[Any] = []
    with Readers(pair) as readers:
        planned = ok(pair.migrate(check=True))
        assert [step["id"] for step in planned["steps"]] == [
            "replica_identity/public.tokens:set",
            "target/extensions:create",
            "target/schema:copy",
            "source/publication:create",
            "target/subscription:create",
            "target/copy:await",
        ]
        assert pair.leftovers() == []
        assert pair.on(pair.new, "SELECT FROM pg_tables WHERE tablename = 'books'") == []

        copied = ok(pair.migrate(progress_log=str(log)))
        assert copied["phase"] == "replicated"
        assert ok(pair.migrate())["changed"] is False
        assert readers.refused == 0

        begun = time.monotonic()
        over = ok(pair.migrate("cut_over"))
        assert over["phase"] == "cut_over"
        assert over["write_gap"] < time.monotonic() - begun
        assert {one["table"] for one in over["compared"]} == {
            "public.books",
            "public.events",
            "public.readingProgress",
            "public.tokens",
        }
        readers.move(pair.new)
        time.sleep(0.5)
        assert ok(pair.migrate("cut_over"))["changed"] is False
        # The sequences go on where they were, and the view was filled.
        assert pair.value(pair.new, "SELECT nextval('tickets')") == 1001
        assert pair.value(pair.new, "SELECT nextval('books_id_seq')") == 2001
        assert pair.value(pair.new, "SELECT sum(books) FROM moods") >= 2000
        readers.refused = 0
        time.sleep(0.3)
        assert readers.refused == 0

        back = ok(pair.migrate("rolled_back"))
        assert back["phase"] == "none"
        readers.move(pair.old)
        time.sleep(0.3)
        assert ok(pair.migrate("rolled_back"))["changed"] is False
        shown += [planned, copied, over, back]
    assert readers.errors == []
    there = {row[0] for row in pair.on(pair.old, "SELECT id FROM books WHERE title = 'new'")}
    assert readers.acknowledged - there == set(), "an acknowledged write is missing"
    assert ok(pair.migrate("absent"))["changed"] is True
    assert pair.leftovers() == []
    assert PASSWORD not in json.dumps(shown) + log.read_text()
    for server in (pair.old, pair.new):
        assert PASSWORD not in (server.folder / "log").read_text()


def test_the_way_back_is_ended_and_the_old_server_stays_closed(pair: Pair) -> None:
    for state in ("replicated", "cut_over", "finished"):
        ok(pair.migrate(state))
    assert pair.leftovers() == []
    assert ok(pair.migrate("finished"))["changed"] is False
    assert pair.value(pair.old, "SHOW default_transaction_read_only") == "on"
    pair.on(pair.new, "INSERT INTO books (title) VALUES ('later')")


def test_a_copy_is_given_up_without_a_trace_on_the_source(pair: Pair) -> None:
    ok(pair.migrate())
    ok(pair.migrate("absent"))
    assert pair.leftovers() == []
    assert ok(pair.migrate("absent"))["changed"] is False
    pair.on(pair.old, "INSERT INTO books (title) VALUES ('later')")
    again = pair.migrate()
    assert "hold rows already" in again["msg"]


def test_a_cut_over_whose_proof_fails_leaves_the_source_in_charge(pair: Pair) -> None:
    ok(pair.migrate())
    pair.on(pair.new, "UPDATE books SET title = 'by hand' WHERE id = 7")
    failed = pair.migrate("cut_over")
    assert "public.books (2000 rows on the source, 2000 on the target, other contents)" in failed["msg"]
    pair.on(pair.new, "UPDATE books SET title = md5('7') WHERE id = 7")
    ok(pair.migrate("rolled_back"))
    pair.on(pair.old, "INSERT INTO books (title) VALUES ('goes on')")
    ok(pair.migrate("cut_over"))
    assert pair.value(pair.new, "SELECT count(*) FROM books WHERE title = 'goes on'") == 1


def test_a_source_that_could_not_follow_the_target_is_told_before_its_writes_are_stopped(pair: Pair) -> None:
    ok(pair.migrate())
    nowhere = {"host": "127.0.0.1", "port": 1}
    failed = pair.migrate("cut_over", target_from_source=nowhere)["msg"]
    assert "Tried to check that the source reaches the target" in failed
    assert PASSWORD not in failed
    pair.on(pair.old, "INSERT INTO books (title) VALUES ('still served')")


def test_a_small_database_moves_by_dump_and_an_unfinished_one_begins_anew(pair: Pair) -> None:
    planned = ok(pair.migrate("cut_over", method="dump", check=True))
    assert next(step["id"] for step in planned["steps"]) == "source/writes:stop"
    pair.on(pair.old, "INSERT INTO books (title) VALUES ('not stopped by a check')")
    # A run that was killed in its restore: begun, and half of the tables there.
    pair.on(
        pair.new,
        "CREATE SCHEMA data_migration",
        "CREATE TABLE data_migration.dumps (name text PRIMARY KEY, begun_at timestamptz, finished_at timestamptz)",
        f"INSERT INTO data_migration.dumps VALUES ('m_{pair.name}', now(), NULL)",
        "CREATE TABLE tokens (half int)",
    )
    moved = ok(pair.migrate("cut_over", method="dump"))
    assert {one["rows"] for one in moved["compared"]} == {2000, 2001}
    assert pair.value(pair.new, "SELECT nextval('tickets')") == 1001
    assert ok(pair.migrate("cut_over", method="dump"))["changed"] is False
    assert "writes of the target since the cut-over would be lost" in pair.migrate("rolled_back", method="dump")["msg"]


def test_ddl_on_one_side_is_noticed_before_the_cut_over_and_new_tables_are_taken_in(pair: Pair) -> None:
    ok(pair.migrate())
    pair.on(pair.old, "ALTER TABLE books ADD COLUMN pages int", "CREATE TABLE later (id int PRIMARY KEY)")
    refused = pair.migrate("cut_over")["msg"]
    assert "public.books differs between source and target in pages" in refused
    assert "public.later exists on the source alone" in refused
    pair.on(pair.new, "ALTER TABLE books ADD COLUMN pages int", "CREATE TABLE later (id int PRIMARY KEY)")
    pair.on(pair.old, "INSERT INTO later VALUES (1)")
    assert "does not follow public.later" in pair.migrate("cut_over")["msg"]
    taken = ok(pair.migrate())
    assert [step["id"] for step in taken["steps"]] == ["source/publication:change", "target/subscription:refresh"]
    assert ok(pair.migrate())["changed"] is False
    ok(pair.migrate("cut_over"))
    assert pair.value(pair.new, "SELECT count(*) FROM later") == 1


def test_everything_in_the_way_is_told_at_once_and_nothing_is_written(pair: Pair) -> None:
    pair.on(
        pair.old,
        "CREATE UNLOGGED TABLE quick (id int PRIMARY KEY)",
        "CREATE TABLE nameless (id int)",
        "SELECT lo_create(0)",
    )
    pair.on(pair.new, "CREATE TABLE books (id int)", "INSERT INTO books VALUES (1)")
    refused = pair.migrate(replica_identity="refuse", free_space="1MB")["msg"].splitlines()
    told = " ".join(refused)
    for words in (
        "public.quick on the source; it is unlogged",
        "ALTER TABLE public.nameless REPLICA IDENTITY FULL",
        'ALTER TABLE public.tokens REPLICA IDENTITY USING INDEX "tokens_token_key"',
        "holds large objects",
        "public.books hold rows already",
        "bytes for the copy",
    ):
        assert words in told
    assert pair.leftovers() == []
    assert "Run this with state replicated first" in pair.migrate("cut_over")["msg"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"name": "With-Dash"}, "a replication slot takes small letters"),
        ({"method": "dump"}, "a dump has no such state"),
        ({"free_space": "much"}, "it is no size"),
        ({"client_path": "/nowhere"}, "Looked for the program pg_dump in /nowhere"),
    ],
)
def test_a_wrong_wish_is_one_clear_error(pair: Pair, options: dict[str, Any], told: str) -> None:
    assert told in pair.migrate(**options)["msg"]
    assert pair.leftovers() == []


STATES = ["replicated", "cut_over", "rolled_back", "absent"]


def kill_at_random(pair: Pair, rounds: int) -> None:
    """Each state's run is killed somewhere; the next one finishes it, and no acknowledged write is lost."""
    dice = random.Random(15)
    killed = 0
    with Readers(pair) as readers:
        for _ in range(rounds):
            for state in STATES:
                process = module_process("postgres_data_migration", pair.parameters(state))
                # Its work begins about 0.4 s after its start and lasts from 0.5 s to 2 s.
                time.sleep(0.4 + dice.random() * (2.0 if state == "replicated" else 1.0))
                killed += process.poll() is None
                process.kill()
                process.wait()
                ok(pair.migrate(state))
                assert ok(pair.migrate(state))["changed"] is False
                if state in ("cut_over", "rolled_back"):
                    readers.move(pair.new if state == "cut_over" else pair.old)
                    time.sleep(0.2)
            assert pair.leftovers() == []
            tables = 'books, "readingProgress", events, tokens'
            pair.on(pair.new, f"DROP TABLE {tables} CASCADE", "DROP SEQUENCE tickets", "DROP TYPE mood", write=True)
    there = {row[0] for row in pair.on(pair.old, "SELECT id FROM books WHERE title = 'new'")}
    assert readers.acknowledged - there == set(), "an acknowledged write is missing"
    assert readers.errors == []
    assert killed >= rounds, f"only {killed} of {rounds * len(STATES)} runs were still working when they were killed"


def test_runs_that_are_killed_at_random_points_are_finished_by_the_next(pair: Pair) -> None:
    kill_at_random(pair, 1)


@pytest.mark.long
def test_fifty_runs_that_are_killed_at_random_points_are_finished_by_the_next(pair: Pair) -> None:
    kill_at_random(pair, 13)
