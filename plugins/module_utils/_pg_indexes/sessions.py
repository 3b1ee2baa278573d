# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who stands in the way of a concurrent build, and which builds are under way."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._postgres.driver import Connection
from .model import Blocker, Name

# Old snapshots block the last wait of every build in the database; locks block those on their table.
_BLOCKERS = """
SELECT a.pid, coalesce(a.usename, '') AS user, coalesce(a.state, a.backend_type) AS state,
       coalesce(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start)), 0)::float8 AS age,
       left(coalesce(a.query, ''), 200) AS query, a.backend_type, NULL AS schema, NULL AS name
  FROM pg_stat_activity a
 WHERE (a.datname = current_database() OR a.backend_type = 'walsender')
   AND a.pid <> pg_backend_pid() AND a.backend_type IN ('client backend', 'walsender')
   AND a.backend_xmin IS NOT NULL
UNION ALL
SELECT a.pid, coalesce(a.usename, ''), coalesce(a.state, a.backend_type),
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8,
       left(coalesce(a.query, ''), 200), 'lock', n.nspname, c.relname
  FROM pg_locks l
  JOIN pg_class c ON c.oid = l.relation
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',
                  'ExclusiveLock', 'AccessExclusiveLock')
   AND (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
UNION ALL
SELECT 0, owner, 'prepared ' || gid, extract(epoch FROM clock_timestamp() - prepared)::float8,
       '', 'prepared', NULL, NULL
  FROM pg_prepared_xacts
 WHERE database = current_database()
"""
_WORTH_TELLING = 1.0  # seconds; younger transactions are gone before a build gets that far

_BUILDS = """
SELECT p.pid, n.nspname AS schema, c.relname AS name
  FROM pg_stat_progress_create_index p
  JOIN pg_class c ON c.oid = p.index_relid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE p.datname = current_database()
"""

_PROGRESS = """
SELECT p.pid, p.phase, p.command,
       greatest(p.blocks_total, 0) AS blocks_total, greatest(p.blocks_done, 0) AS blocks_done,
       greatest(p.tuples_total, 0) AS tuples_total, greatest(p.tuples_done, 0) AS tuples_done
  FROM pg_stat_progress_create_index p
 WHERE p.pid = ANY(%(pids)s)
"""
_WAITING_FOR = """
SELECT w.pid, a.pid AS blocker, coalesce(a.usename, '') AS user, coalesce(a.state, a.backend_type) AS state,
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8 AS age,
       left(coalesce(a.query, ''), 200) AS query
  FROM unnest(%(pids)s::int[]) w(pid), unnest(pg_blocking_pids(w.pid)) b(pid)
  LEFT JOIN pg_stat_activity a ON a.pid = b.pid
"""
# Other sessions' statements that queue behind our builds; parallel workers and our own do not count.
_QUEUED = """
SELECT a.pid, coalesce(a.usename, '') AS user, left(coalesce(a.query, ''), 200) AS query, b.pid AS behind
  FROM pg_stat_activity a, unnest(pg_blocking_pids(a.pid)) b(pid)
 WHERE a.wait_event_type = 'Lock' AND a.datname = current_database() AND a.backend_type = 'client backend'
   AND b.pid = ANY(%(pids)s) AND a.pid <> ALL(%(pids)s)
"""


@dataclass(frozen=True)
class Progress:
    """One line of pg_stat_progress_create_index. done: a share of the present phase, None where unknown."""

    pid: int
    phase: str
    done: float | None
    detail: str

    @property
    def waiting(self) -> bool:
        return self.phase.startswith("waiting")


def masked(query: str) -> str:
    """A statement without its literals: other people's data and passwords are not ours to show."""
    flat = re.sub(r"\s+", " ", query).strip()
    flat = re.sub(r"\$(\w*)\$.*?(\$\1\$|$)", "'…'", flat)
    flat = re.sub(r"'(?:[^']|'')*(?:'|$)", "'…'", flat)
    return flat[:120]


def blockers(connection: Connection, tables: list[Name]) -> tuple[Blocker, ...]:
    """What a build would wait for if it began now, longest first; one entry for each session and table."""
    parameters = {"schemas": [name.schema for name in tables], "names": [name.name for name in tables]}
    found: dict[tuple[int, str, Name | None], Blocker] = {}
    for row in connection.execute(_BLOCKERS, parameters):
        if row.age < _WORTH_TELLING and row.backend_type != "prepared":
            continue
        table = Name(row.schema, row.name) if row.name else None
        what = {"prepared": row.state, "walsender": "replication slot's snapshot"}.get(row.backend_type, row.state)
        one = Blocker(row.pid, row.user, what, row.age, masked(row.query), table)
        found[row.pid, what if not row.pid else "", table] = one
    return tuple(sorted(found.values(), key=lambda one: -one.age))


def builds(connection: Connection) -> dict[Name, int]:
    """Indexes being built now, with the process that builds."""
    return {Name(row.schema, row.name): row.pid for row in connection.execute(_BUILDS)}


def progress(connection: Connection, pids: list[int]) -> dict[int, Progress]:
    found = {}
    for row in connection.execute(_PROGRESS, {"pids": pids}):
        done, detail = None, ""
        if row.blocks_total:
            done, detail = row.blocks_done / row.blocks_total, f"block {row.blocks_done} of {row.blocks_total}"
        elif row.tuples_total:
            done, detail = row.tuples_done / row.tuples_total, f"row {row.tuples_done} of {row.tuples_total}"
        found[row.pid] = Progress(row.pid, row.phase, done, detail)
    return found


def waiting_for(connection: Connection, pids: list[int]) -> dict[int, list[Blocker]]:
    """By waiting process: whom it waits for at this moment."""
    found: dict[int, list[Blocker]] = {}
    for row in connection.execute(_WAITING_FOR, {"pids": pids}):
        # pg_blocking_pids answers 0 for a prepared transaction.
        one = Blocker(row.blocker or 0, row.user or "", row.state or "prepared", row.age or 0, masked(row.query or ""))
        found.setdefault(row.pid, []).append(one)
    return found


def queued_behind(connection: Connection, pids: list[int]) -> dict[int, list[Blocker]]:
    """By building process: the sessions that wait for it."""
    found: dict[int, list[Blocker]] = {}
    for row in connection.execute(_QUEUED, {"pids": pids}):
        found.setdefault(row.behind, []).append(Blocker(row.pid, row.user, "queued", 0, masked(row.query)))
    return found
