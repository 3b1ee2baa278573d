"""The plan of index migrations, without a server: what exists and what is wanted in, items and steps out."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._pg_indexes.advice import covers
from ansible_collections.stories1001.platform.plugins.module_utils._pg_indexes.ddl import create_index, fitting
from ansible_collections.stories1001.platform.plugins.module_utils._pg_indexes.model import (
    Blocker,
    Checked,
    Index,
    Key,
    Migration,
    Name,
    Observed,
    Record,
    Shape,
    Table,
    Wanted,
    WantedKey,
)
from ansible_collections.stories1001.platform.plugins.module_utils._pg_indexes.plan import Plan, plan
from ansible_collections.stories1001.platform.plugins.module_utils._pg_indexes.problems import nearest
from ansible_collections.stories1001.platform.plugins.module_utils._pg_indexes.sessions import masked
from ansible_collections.stories1001.platform.plugins.module_utils._pg_indexes.steps import Build, Settings
from ansible_collections.stories1001.platform.plugins.module_utils._pg_indexes.wish import migrations
from ansible_collections.stories1001.platform.plugins.module_utils._postgres.server import Server

BOOKS = Name("public", "books")
SERVER = Server("owner", 150018, "15.18", False, False, False, False, False, False)
TABLE = Table(BOOKS, columns={"id": "integer", "language": "text", "tags": "text[]"}, arrays=frozenset({"tags"}))


def shape(*columns: str, **fields: Any) -> Shape:
    return Shape("btree", tuple(Key(column, "text_ops", "default", 0) for column in columns), **fields)


def wanted(name: str = "i", *columns: str, **fields: Any) -> Wanted:
    keys = tuple(WantedKey(column=column) for column in columns or ("language",))
    return Wanted("m", name, "books", "public", keys=keys, **fields)


def existing(name: str, *columns: str, **fields: Any) -> Index:
    return Index(Name("public", name), BOOKS, shape(*columns or ("language",)), **fields)


def observed(*indexes: Index, wish: tuple[Wanted, ...] = (), **fields: Any) -> Observed:
    """A database with one table, in which PostgreSQL takes every wanted index as it is written."""
    checked = {(one.migration, one.name): Checked(shape(*(key.column for key in one.keys)), size=1000) for one in wish}
    return Observed(
        server=SERVER,
        tables={BOOKS: TABLE},
        candidates={BOOKS: ("public",)},
        names=(BOOKS,),
        indexes={index.name: index for index in indexes},
        checked=checked,
        **{"history": True, **fields},
    )


def planned(*wish: Wanted, on: tuple[Index, ...] = (), settings: Settings | None = None, **fields: Any) -> Plan:
    look = observed(*on, wish=wish, **fields)
    return plan(look, (Migration("m", wish),), settings or Settings())


def statuses(made: Plan) -> list[str]:
    return [item.status for item in made.items]


STATUSES = [
    ("a missing index is created", (), {}, "create"),
    ("an equal one is left alone", (existing("i"),), {}, "ok"),
    ("an invalid one is rebuilt", (existing("i", valid=False),), {}, "rebuild_invalid"),
    ("an invalid one of another definition too", (existing("i", "id", valid=False),), {}, "rebuild_invalid"),
    (
        "one that is being built is adopted",
        (existing("i", valid=False),),
        {"building": {Name("public", "i"): 7}},
        "adopt",
    ),
    ("another definition is drift", (existing("i", "id"),), {}, "drift"),
    ("a twin makes it redundant", (existing("twin"),), {}, "redundant"),
    ("a longer index that begins alike makes it redundant", (existing("long", "language", "id"),), {}, "redundant"),
    ("an invalid twin does not", (existing("twin", valid=False),), {}, "create"),
    ("a longer index that begins otherwise does not", (existing("long", "id", "language"),), {}, "create"),
]


@pytest.mark.parametrize(("on", "fields", "status"), [row[1:] for row in STATUSES], ids=[row[0] for row in STATUSES])
def test_status_of(on: tuple[Index, ...], fields: dict[str, Any], status: str) -> None:
    assert statuses(planned(wanted(), on=on, **fields)) == [status]


def test_a_plan_that_is_carried_out_leaves_nothing_to_plan() -> None:
    wish = (wanted("a"), wanted("b", "id"), wanted("c", "id", "language"))
    before = observed(existing("b", "id", valid=False), wish=wish, history=False)
    made = plan(before, (Migration("m", wish),), Settings())
    assert [step.id for step in made.steps] == [
        "history/index_migrations:create",
        "index/public.a:create",
        "index/public.b:rebuild_invalid",
        "index/public.c:create",
    ]
    after = reduce(lambda state, step: step.after(state), made.steps, before)
    again = plan(after, (Migration("m", wish),), Settings())
    assert again.steps == ()
    assert statuses(again) == ["ok", "ok", "ok"]


def test_what_is_made_does_not_depend_on_how_far_an_earlier_run_came() -> None:
    short, long = wanted("short"), wanted("long", "language", "id")
    fresh = planned(short, long)
    halfway = planned(short, long, on=(existing("long", "language", "id"),))
    assert statuses(fresh) == ["create", "create"]
    assert statuses(halfway) == ["create", "ok"]
    assert [one.kind for one in fresh.advice] == ["overlap"]


def test_of_twins_in_one_wish_the_first_is_made() -> None:
    made = planned(wanted("a"), wanted("b"))
    assert statuses(made) == ["create", "redundant"]
    assert made.items[1].covered_by == "public.a"


def test_a_drifted_index_is_replaced_only_on_request_and_never_a_constraint_s() -> None:
    drifted, bound = existing("i", "id"), existing("i", "id", constraint="i")
    replace_ = Settings(drift="replace")
    assert statuses(planned(wanted(), on=(drifted,), settings=replace_)) == ["replace"]
    refused = planned(wanted(), on=(bound,), settings=replace_)
    assert statuses(refused) == ["drift"]
    assert "belongs to constraint i" in refused.problems[0]


def test_everything_that_blocks_this_table_is_told_with_the_item_and_nothing_else() -> None:
    here = Blocker(1, "app", "idle in transaction", 9, table=BOOKS)
    elsewhere = Blocker(2, "app", "active", 9, table=Name("public", "users"))
    snapshot = Blocker(3, "report", "active", 9)
    made = planned(wanted(), blockers=(here, elsewhere, snapshot))
    assert [one.pid for one in made.items[0].blockers] == [1, 3]


def test_the_disk_must_hold_the_indexes_and_the_largest_sort() -> None:
    assert planned(wanted("a"), wanted("b", "id"), free=3000).problems == ()
    problems = planned(wanted("a"), wanted("b", "id"), free=2999).problems
    assert problems == (
        "Estimated 3,000 bytes for the indexes to build and their sort files; the server has 2,999 free. "
        "Make room, or leave some indexes for later.",
    )


def test_only_invalid_twins_that_nobody_builds_are_leftovers() -> None:
    twin = existing("theirs_ccnew", "id", valid=False)
    valid = existing("theirs_ccold", "id")
    ids = [step.id for step in planned(wanted(), on=(twin, valid)).steps]
    assert "index/public.theirs_ccnew:drop" in ids
    assert "index/public.theirs_ccold:drop" not in ids
    assert planned(wanted(), on=(twin,), building={twin.name: 5}).steps[0].id == "index/public.i:create"


@pytest.mark.parametrize(
    ("record", "status"),
    [
        (None, "foreign"),
        (Record("create", shape("language").checksum(BOOKS), ""), "drop"),
        (Record("repair", shape("language").checksum(BOOKS), ""), "drop"),
        (Record("create", shape("id").checksum(BOOKS), ""), "foreign"),
        (Record("drop", shape("language").checksum(BOOKS), ""), "foreign"),
    ],
    ids=["unknown to the history", "created", "repaired", "changed since", "dropped and made again by others"],
)
def test_a_rollback_of_an_index_that_is(record: Record | None, status: str) -> None:
    one = wanted()
    records = {Name("public", "i"): record} if record else {}
    look = observed(existing("i"), wish=(one,), records=records)
    assert statuses(plan(look, (Migration("m", (one,), present=False),), Settings())) == [status]


def test_a_rollback_goes_backwards() -> None:
    wish = (wanted("a"), wanted("b", "id"))
    look = observed(
        existing("a"),
        existing("b", "id"),
        wish=wish,
        records={
            Name("public", "a"): Record("create", shape("language").checksum(BOOKS), ""),
            Name("public", "b"): Record("create", shape("id").checksum(BOOKS), ""),
        },
    )
    made = plan(look, (Migration("m", wish, present=False),), Settings())
    assert [step.id for step in made.steps] == ["index/public.b:drop", "index/public.a:drop"]


def test_a_unique_index_is_covered_only_by_a_unique_one_with_exactly_its_keys() -> None:
    unique = replace(shape("language"), unique=True)
    assert not covers(existing("plain"), unique)
    assert not covers(existing("long", "language", "id"), unique)
    assert covers(Index(Name("public", "u"), BOOKS, unique), unique)
    assert covers(Index(Name("public", "u"), BOOKS, unique), shape("language"))


def test_an_index_is_not_covered_by_one_with_another_predicate_or_order() -> None:
    partial = replace(shape("language"), predicate="id > 1")
    descending = replace(shape("language"), keys=(replace(shape("language").keys[0], options=3),))
    for other in (partial, descending):
        assert not covers(existing("plain"), other)


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("reviewer_id", ["reviewerId", "volunteerId", "id"], "reviewerId"),
        ("USERID", ["userId", "bookId"], "userId"),
        ("langage", ["language", "tags"], "language"),
        ("zebra", ["language"], None),
    ],
)
def test_the_nearest_name(name: str, known: list[str], found: str | None) -> None:
    assert nearest(name, known) == ([found] if found else [])


def test_names_are_quoted_and_definitions_rendered_in_postgresql_s_order() -> None:
    one = Wanted(
        "m",
        'odd"name',
        "t",
        keys=(
            WantedKey(column="a b", opclass="text_pattern_ops", collation="C", order="desc", nulls="last"),
            WantedKey(expression="lower(x) -- note"),
        ),
        include=("c",),
        unique=True,
        nulls_not_distinct=True,
        storage=(("fillfactor", "70"),),
        tablespace="fast",
        where="a > 'x'",
    )
    assert create_index(one, Name("s", "t"), one.name) == (
        'CREATE UNIQUE INDEX CONCURRENTLY "odd""name" ON "s"."t" USING "btree" '
        '("a b" COLLATE "C" "text_pattern_ops" DESC NULLS LAST, (lower(x) -- note\n)) INCLUDE ("c") '
        "NULLS NOT DISTINCT WITH (\"fillfactor\" = '70') TABLESPACE \"fast\" WHERE a > 'x'"
    )


def test_generated_names_fit_into_63_bytes_and_stay_apart() -> None:
    long = "ü" * 31
    one, two = fitting(long, "partition_1"), fitting(long, "partition_2")
    assert len(one.encode()) <= 63
    assert one != two
    assert fitting("i", "p") == "i_p"


@pytest.mark.parametrize(
    "query",
    [
        "ALTER ROLE x PASSWORD 'secret-word'",
        "SELECT $$secret-word$$",
        "SELECT $a$secret-word$a$",
        "UPDATE t SET a = 'it''s secret-word",
    ],
)
def test_literals_of_other_people_s_queries_are_masked(query: str) -> None:
    assert "secret-word" not in masked(query)
    assert masked(query).startswith(query.split()[0])


def given(**index: Any) -> list[dict[str, Any]]:
    whole = {
        "name": "i", "table": "t", "schema": None, "state": "present", "columns": ["a"], "include": None,
        "method": "btree", "unique": False, "nulls_not_distinct": False, "where": None,
        "storage_parameters": None, "tablespace": None, "keep_redundant": False,
    }  # fmt: skip
    return [{"name": "m", "state": "present", "indexes": [{**whole, **index}]}]


def test_a_migration_is_read_whole() -> None:
    (read,) = migrations(
        given(columns=["a", {"expression": "lower(b)", "order": "desc"}], storage_parameters={"fastupdate": False}),
        "public",
        "present",
    )
    (index,) = read.indexes
    assert index.schema == "public"
    assert index.keys == (WantedKey(column="a"), WantedKey(expression="lower(b)", order="desc"))
    assert index.storage == (("fastupdate", "false"),)


def test_all_faults_of_the_text_are_told_at_once() -> None:
    with pytest.raises(PlanRefused) as refusal:
        migrations(given(name="x" * 70, columns=[{"order": "up"}, 5]), None, "present")
    assert len(refusal.value.problems) == 4


def test_an_absent_index_needs_no_columns() -> None:
    (read,) = migrations(given(state="absent", columns=None), None, "present")
    assert read.indexes[0].present is False


def test_a_step_says_what_it_does() -> None:
    step = planned(wanted()).steps[0]
    assert isinstance(step, Build)
    assert step.sentence == "Create index public.i on public.books: btree (language text_ops)"
