"""The plan on a real server: every item's status, everything wrong at once, nothing written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.postgres import owned_folder

from .conftest import Background, Database

# The application's own schema, as Prisma makes it: quoted camelCase columns, indexes that it already has.
APPLICATION = (
    "CREATE TABLE users (id text PRIMARY KEY, email text NOT NULL, role text NOT NULL DEFAULT 'READER')",
    "CREATE UNIQUE INDEX users_email_key ON users (email)",
    "CREATE INDEX users_email_idx ON users (email)",
    "CREATE INDEX users_role_idx ON users (role)",
    """CREATE TYPE "SubmissionStatus" AS ENUM ('DRAFT', 'PENDING', 'PUBLISHED')""",
    """CREATE TABLE volunteer_submissions (id text PRIMARY KEY, status "SubmissionStatus" NOT NULL, priority int,
       "reviewerId" text, "volunteerId" text, "createdAt" timestamptz NOT NULL DEFAULT now())""",
    "CREATE INDEX volunteer_submissions_status_idx ON volunteer_submissions (status)",
    'CREATE INDEX "volunteer_submissions_reviewerId_idx" ON volunteer_submissions ("reviewerId")',
    'CREATE TABLE reading_progress (id text PRIMARY KEY, "userId" text, "bookId" text, "lastReadAt" timestamptz)',
    'CREATE UNIQUE INDEX "reading_progress_userId_bookId_key" ON reading_progress ("userId", "bookId")',
    """CREATE TABLE books (id text PRIMARY KEY, "isPublished" boolean NOT NULL DEFAULT false, language text,
       category text[], "createdAt" timestamptz NOT NULL DEFAULT now())""",
    'CREATE TABLE entitlements (id text PRIMARY KEY, "userId" text, "bookId" text, "isActive" boolean)',
    "CREATE TABLE ai_reviews (id text PRIMARY KEY, status text)",
)


def role_sets() -> dict[str, Any]:
    from pathlib import Path

    import yaml

    path = Path(__file__).resolve().parents[3] / "roles" / "db_tuning" / "vars" / "main.yml"
    sets: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["_db_tuning_index_sets"]
    return sets


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {item["index"].split(".")[-1]: item["status"] for item in result["indexes"]}


def test_the_application_s_set_makes_what_is_missing_and_nothing_twice(database: Database) -> None:
    database.execute(*APPLICATION)
    made = database.migrate(migrations=role_sets()["application"], schema="public")
    assert statuses(made) == {
        "idx_users_role": "redundant",
        "idx_users_email": "redundant",
        "idx_volunteer_submissions_status": "redundant",
        "idx_volunteer_submissions_reviewer": "redundant",
        "idx_reading_progress_user_book": "redundant",
        "idx_books_published": "create",
        "idx_submissions_workflow": "create",
        "idx_active_entitlements": "create",
        "idx_published_books_language": "create",
        "idx_published_books_category": "create",
    }
    assert {item["index"]: item["covered_by"] for item in made["indexes"]}["public.idx_users_email"] in (
        "public.users_email_key",
        "public.users_email_idx",
    )
    again = database.migrate(migrations=role_sets()["application"], schema="public")
    assert again["changed"] is False
    assert again["steps"] == []


def test_the_design_s_set_on_the_application_s_schema_is_refused_whole_with_the_nearest_names(
    database: Database,
) -> None:
    database.execute(*APPLICATION)
    before = database.indexes()
    refused = database.migrate(migrations=role_sets()["design"], schema="public")
    wrong = refused["msg"].splitlines()
    assert refused["failed"]
    assert len([item for item in refused["indexes"] if item["status"] == "refused"]) == 7
    assert any("reviewer_id (42703)" in line and "Did you mean reviewerId?" in line for line in wrong)
    assert any("submission_reviews" in line and "42P01" in line and "ai_reviews" in line for line in wrong)
    assert database.indexes() == before
    assert database.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'index_migrations'") == 0


def test_the_plan_tells_ddl_size_and_blockers_and_changes_nothing(database: Database) -> None:
    database.execute(
        "CREATE TABLE t (id int, note text)",
        "INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, 50000) g",
        "ANALYZE t",
    )
    writer = database.connect()
    writer.execute("BEGIN")
    writer.execute("UPDATE t SET note = 'a secret literal' WHERE id = 1")
    writer.execute("SELECT pg_sleep(1.1)")
    planned = database.migrate({"name": "i", "table": "t", "columns": ["note"]}, check=True)
    (item,) = planned["indexes"]
    assert planned["changed"] is True
    assert item["ddl"] == 'CREATE INDEX CONCURRENTLY "i" ON "public"."t" USING "btree" ("note")'
    assert 2_000_000 < item["size_bytes"] < 4_000_000
    assert any(f"pid {writer.info.backend_pid} (postgres), idle in transaction" in one for one in item["waits_for"])
    assert "secret literal" not in str(planned)
    assert database.indexes() == {}
    writer.execute("ROLLBACK")
    made = database.migrate({"name": "i", "table": "t", "columns": ["note"]})
    assert made["timings"][0]["size_bytes"] == pytest.approx(item["size_bytes"], rel=0.2)


@pytest.mark.parametrize(
    ("blocks", "shown"),
    [
        (["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1"], "idle in transaction"),
        (["BEGIN", "DECLARE c CURSOR FOR SELECT * FROM other", "FETCH 1 FROM c"], "idle in transaction"),
        (["BEGIN", "INSERT INTO t VALUES (2)"], "idle in transaction"),
        (["BEGIN", "INSERT INTO t VALUES (2)", "PREPARE TRANSACTION 'two-phase'"], "prepared two-phase"),
    ],
    ids=["snapshot", "cursor", "writer", "prepared"],
)
def test_whatever_a_build_would_wait_for_is_listed(database: Database, blocks: list[str], shown: str) -> None:
    database.execute("CREATE TABLE t (id int)", "CREATE TABLE other (id int)", "INSERT INTO other VALUES (1)")
    session = database.connect()
    for statement in blocks:
        session.execute(statement)
    try:
        database.execute("SELECT pg_sleep(1.1)")
        planned = database.migrate({"name": "i", "table": "t", "columns": ["id"]}, check=True)
        assert shown in str(planned["indexes"][0]["waits_for"])
    finally:
        session.execute("ROLLBACK PREPARED 'two-phase'" if "prepared" in shown else "ROLLBACK")


def test_a_long_statement_elsewhere_in_the_database_is_listed(database: Database) -> None:
    database.execute("CREATE TABLE t (id int)")
    statement = Background(lambda: database.execute("SELECT pg_sleep(2)"))
    database.execute("SELECT pg_sleep(1.1)")
    planned = database.migrate({"name": "i", "table": "t", "columns": ["id"]}, check=True)
    assert "active" in str(planned["indexes"][0]["waits_for"])
    statement.result()


def test_the_snapshot_of_a_replication_slot_is_listed(database: Database) -> None:
    database.execute("CREATE TABLE t (id int)")
    walsender = database.connect(replication="database")
    walsender.execute("CREATE_REPLICATION_SLOT exporting TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT")
    database.execute("SELECT pg_sleep(1.1)")
    planned = database.migrate({"name": "i", "table": "t", "columns": ["id"]}, check=True)
    assert "replication slot's snapshot" in str(planned["indexes"][0]["waits_for"])


BAD = [
    ({"table": "nowhere"}, "42P01"),
    ({"columns": ["user_id"]}, "Did you mean userId?"),
    ({"include": ["bookid"]}, "Did you mean bookId?"),
    ({"columns": [{"name": "userId", "opclass": "nothing_ops"}]}, "42704"),
    ({"columns": [{"name": "userId", "collation": "klingon"}]}, "42704"),
    ({"method": "btrie"}, "42704"),
    ({"where": "userId ="}, "42601"),
    ({"where": '"userid" = 1'}, "Did you mean userId?"),
    ({"where": "true; DROP TABLE t"}, "42601"),
    ({"columns": [{"expression": "lower("}]}, "42601"),
    ({"columns": [{"expression": "now()"}]}, "42P17"),
    ({"columns": [{"expression": "no_such_function(1)"}]}, "42883"),
    ({"storage_parameters": {"fillfactor": 5}}, "22023"),
    ({"tablespace": "nowhere"}, "42704"),
    ({"columns": []}, "no columns"),
    ({"columns": [{"name": "userId", "order": "up"}]}, "none of asc, desc"),
    ({"columns": [{"name": "userId", "colour": "red"}]}, "no field 'colour'"),
    ({"columns": [{"name": "userId", "expression": "1"}]}, "either a name or an expression"),
    ({"name": "x" * 64}, "64 bytes"),
    ({"name": "ü" * 32}, "64 bytes"),
    ({"name": "taken"}, "exists on public.other"),
    ({"table": "a_view"}, "a view"),
    ({"schema": "nowhere"}, "42P01"),
]


@pytest.mark.parametrize(("change", "told"), BAD, ids=[told for _, told in BAD])
def test_bad_input_gets_one_clear_sentence_and_leaves_the_database_as_it_was(
    database: Database, change: dict[str, Any], told: str
) -> None:
    database.execute(
        'CREATE TABLE t ("userId" int, "bookId" int)',
        "CREATE TABLE other (id int)",
        "CREATE INDEX taken ON other (id)",
        "CREATE VIEW a_view AS SELECT * FROM t",
    )
    good = {"name": "good", "table": "t", "columns": ["bookId"]}
    bad = {"name": "bad", "table": "t", "columns": ["userId"], **change}
    refused = database.migrate(good, bad)
    assert refused["failed"]
    assert told in refused["msg"]
    assert len(refused["msg"].splitlines()) == 1
    assert database.indexes() == {"taken": True}


def test_everything_wrong_is_told_at_once(database: Database) -> None:
    database.execute("CREATE TABLE t (id int)")
    refused = database.migrate(
        {"name": "a", "table": "t", "columns": ["x"]},
        {"name": "b", "table": "t", "columns": ["y"]},
        {"name": "c", "table": "u", "columns": ["id"]},
        {"name": "d", "table": "t", "columns": ["id"], "where": "id >"},
    )
    assert len(refused["msg"].splitlines()) == 4


def test_a_unique_index_must_hold_the_key_of_a_partitioned_table(database: Database) -> None:
    database.execute("CREATE TABLE p (id int, note text) PARTITION BY RANGE (id)")
    wrong = {"name": "u", "table": "p", "columns": ["note"], "unique": True}
    assert "refuses it with 0A000" in database.migrate(wrong)["msg"]
    assert database.migrate({**wrong, "columns": ["note", "id"]})["changed"] is True


def test_a_name_given_twice_is_refused(database: Database) -> None:
    index = {"name": "i", "table": "t", "columns": ["id"]}
    refused = database.migrate(migrations=[{"name": "a", "indexes": [index]}, {"name": "b", "indexes": [index]}])
    assert "migration a has one of that name" in refused["msg"]


def test_a_table_in_two_schemas_must_be_told_apart(database: Database) -> None:
    database.execute("CREATE SCHEMA a", "CREATE SCHEMA b", "CREATE TABLE a.t (id int)", "CREATE TABLE b.t (id int)")
    index = {"name": "i", "table": "t", "columns": ["id"]}
    assert "a, b have one of that name" in database.migrate(index)["msg"]
    assert database.migrate({**index, "schema": "b"})["indexes"][0]["table"] == "b.t"


def test_a_missing_table_can_be_left_for_later(database: Database) -> None:
    database.execute("CREATE TABLE t (id int)")
    here = {"name": "i", "table": "t", "columns": ["id"]}
    later = {"name": "j", "table": "later", "columns": ["id"]}
    assert statuses(database.migrate(here, later, missing_tables="skip")) == {"i": "create", "j": "no_table"}
    assert database.indexes() == {"i": True}


def test_an_estimate_larger_than_the_room_is_refused(database: Database) -> None:
    database.execute("CREATE TABLE t (id int)", "INSERT INTO t SELECT generate_series(1, 50000)", "ANALYZE t")
    refused = database.migrate({"name": "i", "table": "t", "columns": ["id"]}, free_space="1MB")
    assert "the server has 1,048,576 free" in refused["msg"]
    assert database.indexes() == {}


@pytest.fixture
def tablespace(database: Database) -> Iterator[str]:
    """A tablespace of the test's own; its name."""
    folder = owned_folder("space")
    name = f"space_{database.name}"
    database.execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'", "CREATE TABLE t (id int)")
    yield name
    database.execute("DROP TABLE t", f"DROP TABLESPACE {name}")
    shutil.rmtree(folder)


def test_an_index_lies_in_the_tablespace_that_is_named(database: Database, tablespace: str) -> None:
    elsewhere = {"name": "elsewhere", "table": "t", "columns": ["id"], "tablespace": tablespace}
    here = {"name": "here", "table": "t", "columns": ["id"], "tablespace": "pg_default", "keep_redundant": True}
    assert database.migrate(elsewhere, here)["changed"] is True
    assert database.migrate(elsewhere, here)["changed"] is False
    assert database.value("SELECT tablespace FROM pg_indexes WHERE indexname = 'elsewhere'") == tablespace


def test_a_tablespace_that_the_role_may_not_use_is_refused(database: Database, tablespace: str) -> None:
    role = f"owner_{database.name}"
    database.execute(
        f"CREATE ROLE {role} LOGIN", f"ALTER TABLE t OWNER TO {role}", f"GRANT CREATE ON SCHEMA public TO {role}"
    )
    index = {"name": "i", "table": "t", "columns": ["id"]}
    given = {"connection": database.connection(username=role), "history_schema": ""}
    refused = database.migrate({**index, "tablespace": tablespace}, **given)
    assert f"refuses it with 42501: permission denied for tablespace {tablespace}" in refused["msg"]
    assert database.migrate({**index, "tablespace": "pg_default"}, **given)["changed"] is True


DEFINITIONS: list[dict[str, Any]] = [
    {"columns": ["id"], "unique": True, "nulls_not_distinct": True},
    {"columns": [{"name": "id", "order": "desc", "nulls": "last"}, "note"], "include": ["tags"]},
    {"columns": [{"name": "note", "opclass": "text_pattern_ops", "collation": "C"}]},
    {"columns": [{"expression": "lower(note) -- a comment"}], "where": "id > 5 AND note IS NOT NULL"},
    {"columns": ["tags"], "method": "gin", "storage_parameters": {"fastupdate": False}},
    {"columns": ["id"], "method": "brin", "storage_parameters": {"pages_per_range": 32}},
    {"columns": ["note"], "method": "hash"},
    {"columns": [{"name": "span", "opclass": "range_ops"}], "method": "gist"},
    {"columns": [{"name": "tags", "opclass": "array_ops"}], "method": "gin"},
    {"columns": ["id"], "storage_parameters": {"fillfactor": 70, "deduplicate_items": False}},
    {"columns": ["state"], "where": "state = 'on'"},
]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=[str(number) for number in range(len(DEFINITIONS))])
def test_every_kind_of_definition_converges_and_stays(database: Database, definition: dict[str, Any]) -> None:
    database.execute(
        "CREATE TYPE onoff AS ENUM ('on', 'off')",
        'CREATE TABLE "Odd ""Name""" (id int, note text, tags text[], span int4range, state onoff)',
    )
    index = {"name": "Odd Index", "table": 'Odd "Name"', **definition}
    assert database.migrate(index)["changed"] is True
    assert database.indexes() == {"Odd Index": True}
    assert database.migrate(index)["changed"] is False


def test_an_index_of_the_wanted_name_and_another_definition_is_drift(database: Database) -> None:
    database.execute("CREATE TABLE t (id int, note text)", "CREATE INDEX i ON t (id)")
    wanted = {"name": "i", "table": "t", "columns": ["note"]}
    refused = database.migrate(wanted)
    assert statuses(refused) == {"i": "drift"}
    assert "exists as btree (id int4_ops) and is wanted as btree (note text_ops)" in refused["msg"]
    replaced = database.migrate(wanted, drift="replace")
    assert replaced["changed"] is True
    assert database.indexes() == {"i": True}
    assert database.migrate(wanted)["changed"] is False


def test_an_array_under_a_b_tree_is_advised_against(database: Database) -> None:
    database.execute("CREATE TABLE t (tags text[])")
    made = database.migrate({"name": "i", "table": "t", "columns": ["tags"]}, check=True)
    assert [one["kind"] for one in made["advice"]] == ["array"]
    assert "Use method gin" in str(made["warnings"])


def test_redundant_and_unused_indexes_are_told(database: Database) -> None:
    database.execute(
        "CREATE TABLE t (a int, b int UNIQUE)",
        "CREATE INDEX twin ON t (b)",
        "CREATE INDEX short ON t (a)",
        "CREATE INDEX long ON t (a, b)",
    )
    planned = database.migrate({"name": "i", "table": "t", "columns": ["b", "a"]}, check=True)
    assert {(one["kind"], one["index"]) for one in planned["advice"]} == {
        ("redundant", "public.twin"),
        ("redundant", "public.short"),
    }


def test_a_wanted_unique_index_is_not_covered_by_a_plain_one(database: Database) -> None:
    database.execute("CREATE TABLE t (a int)", "CREATE INDEX plain ON t (a)")
    made = database.migrate({"name": "i", "table": "t", "columns": ["a"], "unique": True})
    assert statuses(made) == {"i": "create"}


def test_a_redundant_index_is_made_when_it_is_asked_for(database: Database) -> None:
    database.execute("CREATE TABLE t (a int)", "CREATE INDEX plain ON t (a)")
    index = {"name": "i", "table": "t", "columns": ["a"], "keep_redundant": True}
    assert statuses(database.migrate(index)) == {"i": "create"}
