"""The plan of a data migration, without a server: every state, from every point at which a run may be killed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._pg_indexes.model import Name
from ansible_collections.stories1001.platform.plugins.module_utils._pg_migration.model import (
    SOURCE,
    TARGET,
    Pair,
    Side,
    Subscription,
    Table,
    Wish,
)
from ansible_collections.stories1001.platform.plugins.module_utils._pg_migration.plan import plan
from ansible_collections.stories1001.platform.plugins.module_utils._postgres.server import Server

BOOKS = Name("public", "books")
SERVER = Server("owner", 150018, "15.18", False, False, True, False, False, False)
TABLES = {BOOKS: Table(BOOKS, (("id", "id integer"),), rows=10)}


def pair(**sides: dict[str, Any]) -> Pair:
    """An old database with a table and an empty new one, changed as given."""
    source = Side(SERVER, "stories", tables=TABLES, sequences=frozenset({Name("public", "books_id_seq")}))
    return Pair(replace(source, **sides.get("source", {})), replace(Side(SERVER, "stories"), **sides.get("target", {})))


def ids(observed: Pair, state: str, **fields: Any) -> list[str]:
    return [step.id for step in plan(observed, Wish(state, **fields))]


def follow(observed: Pair, state: str, **fields: Any) -> Pair:
    for step in plan(observed, Wish(state, **fields)):
        observed = step.after(observed)
    return observed


ROUTES = [
    ("replicated",),
    ("replicated", "absent"),
    ("replicated", "cut_over"),
    ("replicated", "cut_over", "finished"),
    ("replicated", "cut_over", "rolled_back"),
    ("replicated", "cut_over", "rolled_back", "absent"),
]


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_state_that_is_reached_needs_no_further_step(route: tuple[str, ...]) -> None:
    at = pair()
    for state in route:
        at = follow(at, state)
        assert ids(at, state) == []


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_run_that_is_killed_after_any_step_is_finished_by_the_next(route: tuple[str, ...]) -> None:
    before = pair()
    for state in route[:-1]:
        before = follow(before, state)
    whole = follow(before, route[-1])
    at = before
    for step in plan(before, Wish(route[-1])):
        at = step.after(at)
        assert follow(at, route[-1]) == whole, f"killed after {step.id}"


def test_a_cut_over_stops_writes_first_and_forgets_the_source_only_after_the_proof() -> None:
    assert ids(follow(pair(), "replicated"), "cut_over") == [
        "source/way_back:probe",
        "source/writes:stop",
        "target/takeover:settle",
        "target/publication:create",
        "target/slot:create",
        "target/subscription:drop",
        "source/subscription:create",
        "source/copy:await",
    ]


def test_a_cut_over_that_is_broken_off_can_be_taken_back_at_every_step() -> None:
    before = follow(pair(), "replicated")
    at = before
    for step in plan(before, Wish("cut_over")):
        at = step.after(at)
        back = follow(at, "rolled_back")
        assert not back.source.read_only, f"after {step.id}"
        assert ids(back, "rolled_back") == []
        assert not back.target.slot
        assert back.source.subscription is None


def test_without_a_way_back_nothing_of_the_target_is_published_and_going_back_is_refused() -> None:
    over = follow(follow(pair(), "replicated", way_back=False), "cut_over", way_back=False)
    assert over.target.published is None
    assert ids(over, "cut_over", way_back=False) == []
    with pytest.raises(PlanRefused, match="would be lost"):
        ids(over, "rolled_back")
    with pytest.raises(PlanRefused, match="way_back: false"):
        ids(over, "cut_over")


def test_a_dump_that_was_broken_off_begins_anew_and_is_finished_only_by_the_proof() -> None:
    steps = plan(pair(), Wish("cut_over", "dump"))
    assert [step.id for step in steps] == ["source/writes:stop", "target/rows:copy", "target/takeover:settle"]
    at = pair()
    for step in steps[:2]:
        at = step.after(at)
        assert ids(at, "cut_over", method="dump")[-2:] == ["target/rows:copy", "target/takeover:settle"]
        assert not follow(at, "rolled_back", method="dump").source.read_only


FILLED = {BOOKS: replace(TABLES[BOOKS], filled=True)}
BARE = {BOOKS: replace(TABLES[BOOKS], identity=False, candidate="books_isbn")}
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"source": {"server": replace(SERVER, version=160003, version_text="16.3")}}, {}, "the same major version"),
    ({"source": {"encoding": "LATIN1"}}, {}, "ENCODING 'LATIN1'"),
    ({"source": {"installed": frozenset({"postgis"})}}, {}, "uses postgis"),
    ({"source": {"large_objects": True}}, {}, "large objects"),
    ({"target": {"tables": FILLED}}, {}, "public.books hold rows already"),
    ({"source": {"size": 1000}}, {"free": 1200}, "Make room"),
    ({"source": {"wal_level": "replica"}}, {}, "Set wal_level = logical and restart"),
    (
        {"target": {"wal_level": "replica", "server": replace(SERVER, managed=True)}},
        {},
        "Set rds.logical_replication in its cluster parameter group",
    ),
    ({"source": {"publishes": False}}, {}, "ALTER ROLE owner REPLICATION"),
    ({"target": {"subscribes": False}}, {}, "to the target as owner, which may not subscribe"),
    ({"source": {"subscribes": False}}, {}, "or set way_back: false"),
    ({"source": {"free_slots": 0}}, {}, "max_replication_slots"),
    ({"target": {"workers": 0}}, {}, "max_logical_replication_workers"),
    ({"source": {"tables": BARE}}, {}, 'REPLICA IDENTITY USING INDEX "books_isbn"'),
    ({"source": {"tables": {BOOKS: replace(TABLES[BOOKS], unlogged=True)}}}, {}, "SET LOGGED"),
    ({"source": {"tables": {BOOKS: replace(TABLES[BOOKS], owned=False)}}}, {}, "does not own it"),
    (
        {"target": {"tables": {BOOKS: replace(TABLES[BOOKS], columns=(("isbn", "isbn text"),))}}},
        {},
        "differs between source and target in id, isbn",
    ),
]


@pytest.mark.parametrize(("sides", "fields", "told"), REFUSED, ids=[row[2] for row in REFUSED])
def test_what_stands_in_the_way_is_told_with_a_remedy(sides: dict[str, Any], fields: dict[str, Any], told: str) -> None:
    with pytest.raises(PlanRefused) as refused:
        ids(pair(**sides), "replicated", **fields)
    (problem,) = refused.value.problems
    assert told in problem


def test_a_table_without_identity_is_given_one_on_request() -> None:
    steps = plan(pair(source={"tables": BARE}), Wish("replicated", own_identity=True))
    assert steps[0].sentence == (
        "Let public.books on the source be identified by its unique index books_isbn in replication"
    )


@pytest.mark.parametrize(
    ("sides", "told"),
    [
        ({}, "Run this with state replicated first"),
        ({"target": {"subscription": Subscription(True, {BOOKS: "d"})}}, "public.books are still being copied"),
        ({"target": {"subscription": Subscription(True, {})}}, "does not follow public.books"),
        ({"target": {"subscription": Subscription(True, {BOOKS: "r"})}, "source": {"prepared": 2}}, "COMMIT PREPARED"),
    ],
)
def test_a_cut_over_that_would_lose_something_is_refused(sides: dict[str, Any], told: str) -> None:
    with pytest.raises(PlanRefused, match=told):
        ids(pair(**sides), "cut_over")


@pytest.mark.parametrize(("state", "told"), [("replicated", "the cut-over was made"), ("absent", "rolled_back, or")])
def test_after_the_cut_over_nothing_is_begun_anew_or_given_up_by_accident(state: str, told: str) -> None:
    over = follow(follow(pair(), "replicated"), "cut_over")
    with pytest.raises(PlanRefused, match=told):
        ids(over, state)


def test_the_sides_are_told_apart() -> None:
    at = pair().with_side(TARGET, read_only=True)
    assert (at.side(SOURCE).read_only, at.side(TARGET).read_only) == (False, True)
