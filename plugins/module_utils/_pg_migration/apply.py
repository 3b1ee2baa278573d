# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries the steps of a data migration out, one small function for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .._engine.steps import StepFailed
from .._pg_indexes import ddl
from .._postgres.connection import Connections, Session
from .._postgres.driver import Connection, first_row, psycopg
from .._postgres.errors import sentence
from .dump import Programs, copy_all, copy_schema
from .model import OWN_SCHEMAS, SOURCE, TARGET, Pair, other
from .observe import Names, subscription
from .steps import (
    AllowWrites,
    AwaitCopy,
    CopyByDump,
    CopySchema,
    CreateExtensions,
    MakeSlot,
    MigrationStep,
    ProbeWayBack,
    Publish,
    Refresh,
    SetIdentity,
    Settle,
    StopWrites,
    Subscribe,
    Unpublish,
    Unsubscribe,
)
from .verify import Compared, compare

_PAUSE = 0.1  # seconds between two looks
_TELL_EVERY = 10.0  # seconds between two lines about a wait
_BRIEF = "5s"  # for a lock of the source's that its writers would queue behind

_STUBBORN = 10.0  # seconds for the sessions of a database to end
_END_SESSIONS = """
SELECT a.pid, coalesce(a.usename, '') AS name, pg_terminate_backend(a.pid)
  FROM pg_stat_activity a
 WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.backend_start < %s
   AND a.application_name NOT LIKE 'postgres_data_migration%%' AND a.pid <> pg_backend_pid()
"""

# The password of a subscription stands in its statement; these keep it out of the server's log, where one may set them.
_QUIET = ("log_statement = 'none'", "log_min_duration_statement = -1", "log_min_error_statement = 'panic'")


@dataclass(frozen=True)
class Limits:
    """patience: seconds for the initial copy. drain: seconds for what is on its way when writes have stopped.

    lag: bytes that the follower may be behind when the copy counts as done. jobs: tables or processes at once.
    """

    patience: float = 86400
    drain: float = 120
    lag: int = 1_000_000
    jobs: int = 4


@dataclass
class Done:
    """What the module tells afterwards. write_gap: seconds between the stop of writes and the end of the run."""

    compared: list[Compared] = field(default_factory=list)
    stopped_at: float | None = None
    settled_at: float | None = None
    copied_in: float | None = None


class Work:
    """The two servers, and how to reach the one from the other.

    routes: by side, connection parameters with which the *other* server reaches it, where they differ from ours.
    """

    def __init__(
        self,
        sides: Mapping[str, Connections],
        names: Names,
        routes: Mapping[str, Mapping[str, Any]],
        programs: Programs,
        limits: Limits,
        dump_folder: str | None,
        report: Callable[[str], None],
    ) -> None:
        self._sides, self._names, self._routes = sides, names, routes
        self._programs, self._limits, self._folder, self._report = programs, limits, dump_folder, report
        self.done = Done()

    def carry_out(self, steps: Sequence[MigrationStep], observed: Pair) -> None:
        """All steps in order. Raises StepFailed; what was done stands, and a run again continues."""
        for step in steps:
            self._report(f"{step.sentence} ...")
            begun = time.monotonic()
            try:
                self._one(step, observed)
            except psycopg.Error as error:
                raise StepFailed(sentence(step.sentence[0].lower() + step.sentence[1:], error)) from None
            self._report(f"{step.id} done in {time.monotonic() - begun:.1f} s")

    def _one(self, step: MigrationStep, observed: Pair) -> None:
        match step:
            case SetIdentity():
                self._set_identity(step)
            case CreateExtensions():
                for name in step.names:
                    self._execute(TARGET, f"CREATE EXTENSION IF NOT EXISTS {ddl.quoted(name)}")
            case CopySchema():
                self._check_programs(observed)
                copy_schema(self._programs, self._sides[SOURCE], self._sides[TARGET])
            case Publish():
                self._publish(step)
            case Subscribe():
                self._subscribe(step)
            case Refresh():
                name = ddl.quoted(self._names.forward)
                self._execute(TARGET, f"ALTER SUBSCRIPTION {name} REFRESH PUBLICATION WITH (copy_data = true)")
                self._await_copy(TARGET)
            case AwaitCopy():
                self._await_copy(step.which)
            case ProbeWayBack():
                self._probe()
            case StopWrites():
                self._stop_writes(step.which)
            case AllowWrites():
                database = ddl.quoted(observed.side(step.which).database)
                self._execute(step.which, f"ALTER DATABASE {database} RESET default_transaction_read_only")
                self._end_sessions(step.which)  # those that are open would stay read-only
            case Settle():
                self._settle(step, observed)
            case MakeSlot():
                query = "SELECT pg_create_logical_replication_slot(%s, 'pgoutput')"
                self._execute(TARGET, query, [self._names.back])
            case Unsubscribe():
                self._unsubscribe(step.which)
            case Unpublish():
                self._unpublish(step.which)
            case CopyByDump():
                self._copy_by_dump(observed)

    # --- sessions -----------------------------------------------------------------------------

    def _session(self, which: str) -> Session:
        return Session(self._sides[which], which, _writing)

    def _execute(self, which: str, statement: str, parameters: Any = None) -> None:
        with self._session(which) as connection:
            connection.execute(statement, parameters)

    # --- the way there --------------------------------------------------------------------------

    def _set_identity(self, step: SetIdentity) -> None:
        how = f"USING INDEX {ddl.quoted(step.index)}" if step.index else "FULL"
        with self._session(SOURCE) as connection:
            connection.execute(f"SET lock_timeout = '{_BRIEF}'")
            connection.execute(f"ALTER TABLE {ddl.qualified(step.table)} REPLICA IDENTITY {how}")

    def _check_programs(self, observed: Pair) -> None:
        have, needed = self._programs.major(), observed.source.server.major
        if have < needed:
            raise StepFailed(
                f"Looked at pg_dump; it is of version {have} and the source is PostgreSQL {needed}. "
                "Install newer client programs, or name their folder in client_path."
            )

    def _publish(self, step: Publish) -> None:
        name = ddl.quoted(self._names.published_by(step.which))
        tables = ", ".join(map(ddl.qualified, sorted(step.tables)))
        if step.exists:
            self._execute(step.which, f"ALTER PUBLICATION {name} SET TABLE {tables}")
        else:
            # Partitioned tables travel under their own name: the other side may be partitioned otherwise.
            root = "WITH (publish_via_partition_root = true)"
            self._execute(step.which, f"CREATE PUBLICATION {name} FOR TABLE {tables} {root}")

    def _subscribe(self, step: Subscribe) -> None:
        name, publisher = self._names.followed_by(step.which), other(step.which)
        if step.stale_slot:  # of a run that was killed while it made the subscription
            self._drop_slot(publisher)
        # The slot of the way back was made before; it holds everything since the cut-over.
        options = "" if step.copy else f", create_slot = false, slot_name = {_literal(name)}"
        statement = (
            f"CREATE SUBSCRIPTION {ddl.quoted(name)} CONNECTION {_literal(self._route(publisher))} "
            f"PUBLICATION {ddl.quoted(name)} WITH (copy_data = {str(step.copy).lower()}{options})"
        )
        with self._session(step.which) as connection:
            _hush(connection)
            connection.execute(statement)

    def _route(self, which: str) -> str:
        """The connection string with which the other server reaches this one."""
        side = self._sides[which]
        target, changes = side.target, {key: value for key, value in self._routes[which].items() if value is not None}
        given: dict[str, Any] = {
            "host": target.host,
            "port": target.port,
            "dbname": target.database,
            "user": side.username,
            "password": side.password(),
            "sslmode": target.sslmode,
            "sslrootcert": target.sslrootcert,
            **changes,
        }
        made: str = psycopg.conninfo.make_conninfo(**{key: value for key, value in given.items() if value is not None})
        return made

    def _await_copy(self, which: str) -> None:
        """Until all tables are ready and the follower is less than ``lag`` behind."""
        begun, told = time.monotonic(), 0.0
        name, publisher = self._names.followed_by(which), other(which)
        with self._session(which) as here, self._session(publisher) as there:
            failures = _failures(here, name)
            while True:
                follows = subscription(here, name)
                left = [str(one) for one, state in (follows.states if follows else {}).items() if state != "r"]
                lag = _lag(there, name)
                if follows and not left and lag is not None and lag <= self._limits.lag:
                    self.done.copied_in = time.monotonic() - begun
                    return
                now = time.monotonic()
                if now - told > _TELL_EVERY:
                    told = now
                    behind = "unknown" if lag is None else f"{lag:,} bytes"
                    self._report(f"{which}: {len(left)} tables to copy, {behind} behind{_share(here, left)}")
                self._judge(here, name, failures, f"follow the {publisher}", begun, self._limits.patience)
                time.sleep(_PAUSE)

    def _judge(
        self, connection: Connection, name: str, before: int, attempt: str, begun: float, patience: float
    ) -> None:
        """End a wait that cannot succeed, or that has lasted too long."""
        failures = _failures(connection, name)
        if failures > before + 2:
            raise StepFailed(
                f"Tried to {attempt}; the subscription {name} failed {failures - before} times. Its server's log says "
                "why: most often a row that is there twice, a server that cannot be reached, or DDL on one side alone."
            )
        if time.monotonic() - begun > patience:
            raise StepFailed(
                f"Tried for {patience:.0f} s to {attempt}; it is not done. Look at pg_stat_subscription and the "
                "server's log, raise the limit, or run the play again: it continues."
            )

    # --- taking over ------------------------------------------------------------------------------

    def _probe(self) -> None:
        """A subscription that is never made: its statement connects, and the transaction is rolled back."""
        name = self._names.followed_by(SOURCE)
        with self._session(SOURCE) as connection:
            _hush(connection)
            with connection.transaction(force_rollback=True):
                connection.execute(
                    f"CREATE SUBSCRIPTION {ddl.quoted(name)} CONNECTION {_literal(self._route(TARGET))} "
                    f"PUBLICATION {ddl.quoted(name)} "
                    "WITH (enabled = false, create_slot = false, slot_name = NONE, copy_data = false)"
                )

    def _stop_writes(self, which: str) -> None:
        self.done.stopped_at = time.monotonic()
        with self._session(which) as connection:
            database = ddl.quoted(first_row(connection, "SELECT current_database()")[0])
            connection.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        self._end_sessions(which)

    def _end_sessions(self, which: str) -> None:
        """Every other client of the database; a new session takes the new default. Ours and replication stay."""
        deadline = time.monotonic() + _STUBBORN
        with self._session(which) as connection:
            begun = first_row(connection, "SELECT clock_timestamp()")[0]
            while rows := connection.execute(_END_SESSIONS, [begun]).fetchall():
                if time.monotonic() > deadline:
                    left = ", ".join(f"{row.pid} ({row.name})" for row in rows)
                    raise StepFailed(
                        f"Tried to end the sessions of the {which}; {left} did not end within {_STUBBORN:.0f} s. "
                        "End them by hand, then run the play again."
                    )
                time.sleep(_PAUSE / 5)

    def _settle(self, step: Settle, observed: Pair) -> None:
        if step.drain:
            if self.done.stopped_at is None:
                # A run that was killed closed the database; whether it came to end the sessions is not known.
                self.done.stopped_at = time.monotonic()
                self._end_sessions(other(step.which))
            self._drain(step.which)
            self._sequences(step.which, observed)
        for view in observed.source.views:
            self._execute(step.which, f"REFRESH MATERIALIZED VIEW {ddl.qualified(view)}")
        if step.verify != "none":
            sums = step.verify == "checksums"
            sides = (self._sides[SOURCE], self._sides[TARGET])
            self.done.compared = compare(*sides, observed.source.tables, sums, self._limits.jobs)
        if not step.drain:
            query = "UPDATE data_migration.dumps SET finished_at = clock_timestamp() WHERE name = %s"
            self._execute(TARGET, query, [self._names.base])
        self.done.settled_at = time.monotonic()

    def _drain(self, which: str) -> None:
        """Until the follower has confirmed everything that the publisher had written when this began."""
        name, publisher, begun = self._names.followed_by(which), other(which), time.monotonic()
        with self._session(which) as here, self._session(publisher) as there:
            failures = _failures(here, name)
            # Of its own, so that there is something to confirm even where nobody wrote.
            end = first_row(there, "SELECT pg_logical_emit_message(false, 'data_migration', 'end')::text")[0]
            query = "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s"
            while True:
                row = there.execute(query, [end, name]).fetchone()
                if row is None:
                    raise StepFailed(
                        f"Looked for replication slot {name} on the {publisher} and found none. Begin anew: absent."
                    )
                if row[0]:
                    return
                self._judge(here, name, failures, f"drain the {publisher}", begun, self._limits.drain)
                time.sleep(_PAUSE / 2)

    def _sequences(self, which: str, observed: Pair) -> None:
        """Replication leaves sequences where the schema's copy put them: at their start."""
        with self._session(other(which)) as there, self._session(which) as here:
            known = observed.side(which).sequences
            for name in sorted(observed.side(other(which)).sequences & known):
                query = f"SELECT last_value, is_called FROM {ddl.qualified(name)}"  # noqa: S608 - quoted
                last, called = first_row(there, query)
                here.execute("SELECT setval(%s::regclass, %s, %s)", [ddl.qualified(name), last, called])

    # --- taking apart -----------------------------------------------------------------------------

    def _unsubscribe(self, which: str) -> None:
        name = self._names.followed_by(which)
        with self._session(which) as connection:
            try:
                connection.execute(f"DROP SUBSCRIPTION IF EXISTS {ddl.quoted(name)}")
            except psycopg.errors.UndefinedObject:
                # The slot is gone already; the subscription must be told before it lets go.
                connection.execute(f"ALTER SUBSCRIPTION {ddl.quoted(name)} DISABLE")
                connection.execute(f"ALTER SUBSCRIPTION {ddl.quoted(name)} SET (slot_name = NONE)")
                connection.execute(f"DROP SUBSCRIPTION IF EXISTS {ddl.quoted(name)}")

    def _unpublish(self, which: str) -> None:
        self._execute(which, f"DROP PUBLICATION IF EXISTS {ddl.quoted(self._names.published_by(which))}")
        self._drop_slot(which)

    def _drop_slot(self, which: str) -> None:
        query = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s"
        self._execute(which, query, [self._names.published_by(which)])

    # --- by dump ------------------------------------------------------------------------------------

    def _copy_by_dump(self, observed: Pair) -> None:
        self._check_programs(observed)
        schema = OWN_SCHEMAS[0]
        with self._session(TARGET) as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {schema}.dumps "
                "(name text PRIMARY KEY, begun_at timestamptz NOT NULL, finished_at timestamptz)"
            )
            connection.execute(
                f"INSERT INTO {schema}.dumps VALUES (%s, clock_timestamp()) "  # noqa: S608 - a constant
                "ON CONFLICT (name) DO UPDATE SET begun_at = excluded.begun_at, finished_at = NULL",
                [self._names.base],
            )
        begun = time.monotonic()
        copy_all(self._programs, self._sides[SOURCE], self._sides[TARGET], self._limits.jobs, self._folder)
        self.done.copied_in = time.monotonic() - begun
        self._execute(TARGET, "ANALYZE")


def _writing(connection: Connection) -> None:
    """Our own sessions may write where the database's default says no."""
    connection.execute("SET default_transaction_read_only = off; SET statement_timeout = 0; SET lock_timeout = 0")


def _hush(connection: Connection) -> None:
    for setting in _QUIET:
        # A role that may not set it must rely on the server's log being nobody else's; the documentation says so.
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"SET {setting}")


def _literal(text: str) -> str:
    made: str = psycopg.sql.Literal(text).as_string(None)
    return made


def _failures(connection: Connection, name: str) -> int:
    """How often the subscription's workers failed; 0 before PostgreSQL 15, which does not count."""
    if connection.info.server_version < 150000:
        return 0
    query = "SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats WHERE subname = %s"
    row = connection.execute(query, [name]).fetchone()
    return int(row[0]) if row else 0


def _lag(connection: Connection, slot: str) -> int | None:
    query = (
        "SELECT (pg_current_wal_lsn() - confirmed_flush_lsn)::bigint FROM pg_replication_slots "
        "WHERE slot_name = %s AND active"
    )
    row = connection.execute(query, [slot]).fetchone()
    return int(row[0]) if row and row[0] is not None else None


def _share(connection: Connection, left: Sequence[str]) -> str:
    """Rows copied so far of the tables under way."""
    rows = connection.execute(
        "SELECT relid::regclass::text, tuples_processed FROM pg_stat_progress_copy WHERE datname = current_database()"
    ).fetchall()
    told = ", ".join(f"{row[0]} {row[1]:,} rows" for row in rows)
    return f" ({told})" if told and left else ""
