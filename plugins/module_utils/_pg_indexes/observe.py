# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One look at the database: everything that the plan needs, read in a handful of queries."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .._engine.steps import PlanRefused
from .._postgres.connection import Target
from .._postgres.driver import Connection, first_row
from .._postgres.server import examine, problems
from . import catalogue, sessions
from .check import check
from .history import History
from .model import Checked, Migration, Name, Observed, Table, Wanted

INDEXABLE = ("r", "p", "m")  # tables, partitioned tables, materialized views


def observe(
    connection: Connection, target: Target, wish: Sequence[Migration], history: History, free: int | None
) -> Observed:
    """Read what exists and have the wanted definitions checked.

    free: bytes that indexes may take; None looks for itself where the server is on this machine.
    Raises PlanRefused for a reader, a pooler or an unsupported server, StepFailed when a look fails.
    """
    server = examine(connection)
    if wrong := problems(server, target, "building indexes"):
        raise PlanRefused(wrong)
    wanted = [index for migration in wish for index in migration.indexes]
    names = catalogue.table_names(connection)
    candidates = _candidates(wanted, names, catalogue.search_path(connection))
    tables = catalogue.tables(
        connection, [Name(schemas[0], key.name) for key, schemas in candidates.items() if schemas]
    )
    resolved = {
        key: tables.get(Name(schemas[0], key.name)) if len(schemas) == 1 else None
        for key, schemas in candidates.items()
    }
    there = [table for table in resolved.values() if table]
    places = [place for table in there for place in (table.name, *table.partitions)]
    called = [Name(table.name.schema, one.name) for one in wanted if (table := resolved[Name(one.schema, one.table)])]
    recorded = history.exists(connection)
    return Observed(
        server=server,
        tables=resolved,
        candidates=candidates,
        names=names,
        indexes=catalogue.indexes(connection, places, called),
        checked=_checked(connection, wish, resolved),
        building=sessions.builds(connection),
        blockers=sessions.blockers(connection, places),
        records=history.last(connection) if recorded else {},
        history=recorded,
        free=free if free is not None else _free(connection, target),
        statistics_age=_statistics_age(connection),
    )


def _candidates(wanted: Sequence[Wanted], names: Sequence[Name], path: Sequence[str]) -> dict[Name, tuple[str, ...]]:
    """For each table as given, the schemas that hold it; one of the search path settles it."""
    found: dict[Name, tuple[str, ...]] = {}
    for one in wanted:
        schemas = [name.schema for name in names if name.name == one.table]
        if one.schema:
            schemas = [one.schema] if one.schema in schemas else []
        elif on_path := [schema for schema in path if schema in schemas]:
            schemas = on_path[:1]
        found[Name(one.schema, one.table)] = tuple(schemas)
    return found


def _checked(
    connection: Connection, wish: Sequence[Migration], tables: dict[Name, Table | None]
) -> dict[tuple[str, str], Checked]:
    by_table: dict[Name, list[Wanted]] = {}
    known: dict[Name, Table] = {}
    for one in [index for migration in wish for index in migration.indexes if index.keys]:
        table = tables[Name(one.schema, one.table)]
        if table and table.kind in INDEXABLE and table.owned:
            known[table.name] = table
            by_table.setdefault(table.name, []).append(one)
    verdicts: dict[tuple[str, str], Checked] = {}
    for name, several in by_table.items():
        verdicts.update(check(connection, known[name], several))
    return verdicts


def _free(connection: Connection, target: Target) -> int | None:
    """Free bytes of the data directory's file system, where the server shares this machine and shows it."""
    if not target.local:
        return None
    row = connection.execute(
        "SELECT setting FROM pg_settings WHERE name = 'data_directory'"
    ).fetchone()  # hidden from roles outside pg_read_all_settings: no row
    if not row or not os.path.isdir(row[0]):
        return None
    found = os.statvfs(row[0])
    return found.f_bavail * found.f_frsize


def _statistics_age(connection: Connection) -> float:
    """Seconds since the statistics began; an index without scans means little when that is recent."""
    row = first_row(
        connection,
        "SELECT extract(epoch FROM clock_timestamp() - coalesce(stats_reset, pg_postmaster_start_time()))::float8 "
        "FROM pg_stat_database WHERE datname = current_database()",
    )
    return float(row[0])
