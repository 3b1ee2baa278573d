# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One lane: the work on one table, on one connection, one statement after the other.

The server does not put concurrent builds on one table in a row, it lets them deadlock; a lane does. Every
build follows the same path, so that a first run, a run after a kill and a retry are the same code:

1. Probe the lock that the build needs. An orphaned build of a killed run holds it, so this adopts it.
2. Look at the index again: valid and as wanted is done; invalid is dropped, concurrently.
3. Build without timeouts, under the watchdog. After an error, begin again at 1 or give up.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._engine.steps import StepFailed
from .._postgres.connection import Connections
from .._postgres.driver import Connection, psycopg
from .._postgres.errors import message, sentence, sqlstate
from .._postgres.server import examine, problems
from . import catalogue, ddl
from .fence import Fence
from .history import History
from .model import Index, Name
from .steps import Build, CreateHistory, Drop, IndexStep, Restore
from .watch import Limits, Watch, Work

# Nothing may end a build but the watchdog; a role's or database's timeouts are switched off for us.
_SETTINGS = (
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
    "SET default_transaction_isolation = 'read committed'"
)
_PROBE_TIMEOUT = "2s"  # longer than deadlock_timeout, at which an autovacuum in the way ends itself
_BRIEF_TIMEOUT = "300ms"  # for locks that writers wait behind
_RECONNECT = 60.0  # seconds to wait for a server that restarts
_CLEAN_UP = "60s"  # for dropping an invalid index after a failure
# Deadlock, cancellation, shutdown, crash, start-up; and class 08, or no code at all: the connection broke.
_TRANSIENT = ("40P01", "40001", "57014", "57P01", "57P02", "57P03", "57P05", "25P03")
_DUPLICATES_SHOWN = 5


@dataclass(frozen=True)
class Timing:
    """How one index fared. seconds and waited (for other transactions) in s, size in bytes."""

    index: Name
    action: str
    seconds: float
    waited: float
    attempts: int
    size: int


class _Again(Exception):
    """The attempt ended in something that passes; another one may succeed."""


class Lane:
    """Carries out the steps of one table. `timings` and `failures` are read when its thread has ended."""

    def __init__(
        self,
        connections: Connections,
        steps: list[IndexStep],
        watch: Watch,
        fence: Fence,
        history: History,
        limits: Limits,
        settings: dict[str, str],
        report: Callable[[str], None],
    ) -> None:
        self._connections, self._steps = connections, steps
        self._watch, self._fence, self._history = watch, fence, history
        self._limits, self._settings, self._report = limits, settings, report
        self._open: Connection | None = None
        self.timings: list[Timing] = []
        self.failures: list[str] = []

    def run(self) -> None:
        """All steps; one that fails does not keep the others, which are independent of it."""
        try:
            for step in self._steps:
                try:
                    self._carry_out(step)
                except StepFailed as failure:
                    self.failures.append(str(failure))
                    self._report(str(failure))
                except psycopg.Error as error:
                    self.failures.append(sentence(step.sentence[0].lower() + step.sentence[1:], error))
        finally:
            if self._open is not None:
                self._open.close()

    def _carry_out(self, step: IndexStep) -> None:
        match step:
            case Build(status="replace"):
                self._timed(step.wanted.migration, step.name, step.table, "replace", step, self._replace)
            case Build():
                action = "create" if step.status == "create" else "repair"
                self._timed(step.wanted.migration, step.name, step.table, action, step, self._build)
            case Drop():
                self._timed(step.migration, step.index.name, step.table, "drop", step, self._drop)
            case Restore():
                self._timed(step.migration, step.name, step.table, "restore", step, self._restore)
            case CreateHistory():
                self._history.create(self._connection())

    def _timed(
        self, migration: str, name: Name, table: Name, action: str, step: Any, do: Callable[[Any], float]
    ) -> None:
        """Attempts until one succeeds, with the history written before and after."""
        begun, waited, attempts = time.monotonic(), 0.0, 0
        shape, definition = _described(step)
        entry = self._history.begin(
            self._connection(), migration, name, table, action, definition, shape.checksum(table) if shape else ""
        )
        self._report(f"{name}: {action} begins")
        while True:
            attempts += 1
            try:
                waited += do(step)
                break
            except _Again as again:
                if attempts > self._limits.retries:
                    self._clean_up(step)
                    raise StepFailed(
                        f"Tried {attempts} times to {action} index {name} on {table}; the last time {again}. "
                        "Run the play again when that is over."
                    ) from None
                pause = min(10.0, 0.5 * 2 ** (attempts - 1))
                self._report(f"{name}: {again}; trying again in {pause:.1f} s")
                time.sleep(pause)
        seconds = time.monotonic() - begun
        self._history.finish(self._connection(), entry, name, waited, attempts)
        size = next(iter(self._look(name)), None)
        self.timings.append(Timing(name, action, seconds, waited, attempts, size.size if size else 0))
        self._report(f"{name}: {action} done in {seconds:.1f} s, of which {waited:.1f} s waiting")

    # --- building -------------------------------------------------------------------------------

    def _build(self, step: Build) -> float:
        if step.partitioned:
            return self._build_partitioned(step, step.table, step.name)
        return self._make(step, step.table, step.name)

    def _make(self, step: Build, table: Name, name: Name) -> float:
        """A valid index of this name on one table; returns the seconds spent waiting."""
        waited = self._clear_way(table)
        for existing in self._look(name):
            if existing.valid and existing.shape == step.shape:
                return waited
            if existing.valid:
                raise StepFailed(
                    f"Tried to build index {name}; someone has made one of that name in the meantime: "
                    f"{existing.shape}. Run the play again to see what is left to do."
                )
            waited += self._drop_concurrently(existing)
        statement = ddl.create_index(step.wanted, table, name.name)
        return waited + self._concurrently(statement, f"build index {name}", step, name)

    def _concurrently(self, statement: str, attempt: str, step: Build | Restore, name: Name) -> float:
        connection = self._connection()
        work: Work | None = None
        try:
            with self._watch.over(str(name), connection.info.backend_pid, build=True) as work:
                connection.execute(statement, binary=True)
        except psycopg.Error as error:
            if work and work.cancelled:
                raise self._gave_up(attempt, work, name) from None
            if _passes(error):
                raise _Again(f"it ended with {sqlstate(error) or 'a broken connection'}: {message(error)}") from None
            left = self._drop_invalid(name)
            duplicates = self._duplicates(step) if sqlstate(error) == "23505" and isinstance(step, Build) else ""
            raise StepFailed(f"{sentence(attempt, error)}{duplicates}{left}") from None
        return work.waited

    def _gave_up(self, attempt: str, work: Work, name: Name) -> Exception:
        if work.cancelled.startswith("it gave way"):
            return _Again(work.cancelled)
        left = self._drop_invalid(name)
        return StepFailed(
            f"Tried to {attempt}; {work.cancelled}, longer than max_wait allows. "
            f"End that session, or raise max_wait, then run the play again.{left}"
        )

    def _duplicates(self, step: Build) -> str:
        """The first values that stand in the way of a unique index."""
        keys = ", ".join(ddl.key_text(key) for key in step.wanted.keys)
        numbers = ", ".join(str(n + 2) for n in range(len(step.wanted.keys)))
        where = f" WHERE {step.wanted.where}" if step.wanted.where else ""
        query = (
            f"SELECT count(*), {keys} FROM {ddl.qualified(step.table)}{where} "  # noqa: S608 - quoted, or the author's
            f"GROUP BY {numbers} HAVING count(*) > 1 ORDER BY 1 DESC LIMIT {_DUPLICATES_SHOWN}"
        )
        try:
            rows = self._connection().execute(query, binary=False).fetchall()
        except psycopg.Error:
            return ""  # the violation itself has been told; the list is a courtesy
        shown = "; ".join(f"{', '.join(map(str, row[1:]))} ({row[0]} times)" for row in rows)
        return f" Duplicates: {shown}." if shown else ""

    # --- partitioned tables ---------------------------------------------------------------------

    def _build_partitioned(self, step: Build, table: Name, name: Name) -> float:
        """An index on the parent alone, concurrent builds on the partitions, each attached when it is valid."""
        waited = 0.0
        if not self._look(name):
            self._briefly(ddl.create_index(step.wanted, table, name.name, concurrently=False, only=True), f"{name}")
        for partition, kind in self._partitions(table):
            child = self._child(step, partition, name)
            if child is None:
                child = Name(partition.schema, ddl.fitting(name.name, partition.name))
                if kind == "p":
                    waited += self._build_partitioned(step, partition, child)
                else:
                    waited += self._make(step, partition, child)
            elif child == name:
                continue  # attached already
            self._briefly(ddl.attach(name, child), f"{child}")
        return waited

    def _partitions(self, table: Name) -> list[tuple[Name, str]]:
        rows = self._connection().execute(
            "SELECT n.nspname, c.relname, c.relkind::text FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE h.inhparent = to_regclass(%s) ORDER BY c.oid",
            [ddl.qualified(table)],
        )
        return [(Name(row[0], row[1]), row[2]) for row in rows]

    def _child(self, step: Build, partition: Name, parent: Name) -> Name | None:
        """A valid index on the partition that can be attached; the parent's name when one is attached."""
        there = catalogue.indexes(self._connection(), [partition]).values()
        for index in there:
            if index.parent == parent:
                return parent
        usable = [index for index in there if index.valid and not index.parent and index.shape == step.shape]
        return usable[0].name if usable else None

    def _briefly(self, statement: str, what: str) -> None:
        """A statement whose lock stops writers while it waits: many short tries instead of one long wait."""
        deadline = time.monotonic() + self._limits.patience
        while True:
            connection = self._connection()
            try:
                with connection.transaction():
                    connection.execute(f"SET LOCAL lock_timeout = '{_BRIEF_TIMEOUT}'")
                    connection.execute(statement, binary=True)
                return
            except psycopg.errors.LockNotAvailable:
                if time.monotonic() > deadline:
                    raise StepFailed(
                        f"Tried for {self._limits.patience:.0f} s to lock {what} for a moment; other sessions held it "
                        "all the time. Run the play again when the database is less busy."
                    ) from None
                time.sleep(0.5)
            except psycopg.Error as error:
                if _passes(error):
                    raise _Again(f"it ended with {sqlstate(error) or 'a broken connection'}") from None
                raise

    # --- replacing, dropping, restoring ---------------------------------------------------------

    def _replace(self, step: Build) -> float:
        """Build the wanted index under another name, swap the names, drop the old one: queries never lack one."""
        new = Name(step.name.schema, ddl.fitting(step.name.name, ddl.REPLACEMENT))
        old = Name(step.name.schema, ddl.fitting(step.name.name, ddl.REPLACED))
        waited = 0.0
        if any(index.shape != step.shape for index in self._look(step.name)):
            waited += self._make(step, step.table, new)
            for index in self._look(old):
                waited += self._drop_concurrently(index)
            with self._connection().transaction():
                self._briefly(ddl.rename_index(step.name, old.name), str(step.name))
                self._briefly(ddl.rename_index(new, step.name.name), str(new))
        for index in self._look(old):
            waited += self._drop_concurrently(index)
        return waited

    def _drop(self, step: Drop) -> float:
        waited = 0.0
        for index in self._look(step.index.name):
            if index.partitioned:
                self._briefly(ddl.drop_index(index.name, concurrently=False), str(index.name))
            else:
                waited = self._clear_way(step.table) + self._drop_concurrently(index)
        return waited

    def _restore(self, step: Restore) -> float:
        waited = self._clear_way(step.table)
        for index in self._look(step.name):
            if index.valid:
                return waited
            waited += self._drop_concurrently(index)
        statement = re.sub(r"^CREATE (UNIQUE )?INDEX ", r"CREATE \1INDEX CONCURRENTLY ", step.definition)
        return waited + self._concurrently(statement, f"restore index {step.name}", step, step.name)

    def _drop_concurrently(self, index: Index) -> float:
        """Always concurrently: a plain DROP INDEX stops the table's readers while it waits."""
        connection = self._connection()
        work: Work | None = None
        try:
            with self._watch.over(f"drop of {index.name}", connection.info.backend_pid) as work:
                connection.execute(ddl.drop_index(index.name))
        except psycopg.Error as error:
            if work and work.cancelled:
                raise StepFailed(
                    f"Tried to drop index {index.name}; {work.cancelled}. End that session, or raise max_wait, then "
                    "run the play again."
                ) from None
            if _passes(error):
                raise _Again(f"its drop ended with {sqlstate(error) or 'a broken connection'}") from None
            raise StepFailed(sentence(f"drop index {index.name}", error)) from None
        return work.waited

    def _drop_invalid(self, name: Name) -> str:
        """Remove what a failed build left; returns what to add to the error when that does not succeed."""
        try:
            for index in self._look(name):
                if not index.valid:
                    self._connection().execute(f"SET statement_timeout = '{_CLEAN_UP}'")
                    self._connection().execute(ddl.drop_index(name))
        except (psycopg.Error, StepFailed):
            return f" The invalid index {name} could not be dropped yet; the next run does it."
        finally:
            if self._open is not None and not self._open.closed:
                self._open.execute("SET statement_timeout = 0")
        return ""

    def _clean_up(self, step: IndexStep) -> None:
        if isinstance(step, Build | Restore):
            left = self._drop_invalid(step.name)
            if left:
                self._report(left.strip())

    # --- the connection and the table's lock ----------------------------------------------------

    def _connection(self) -> Connection:
        """The lane's connection, opened again when it broke, within a minute."""
        if self._open is not None and not self._open.closed:
            return self._open
        deadline = time.monotonic() + _RECONNECT
        first = self._open is None
        while True:
            try:
                connection = self._connections.open("lane")
                break
            except StepFailed:
                if first or time.monotonic() > deadline:
                    raise
                time.sleep(1)
        if wrong := problems(examine(connection), self._connections.target, "building indexes"):
            connection.close()
            raise StepFailed(" ".join(wrong))
        connection.execute(_SETTINGS)
        for name, value in self._settings.items():
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        self._open = connection
        return connection

    def _look(self, name: Name) -> list[Index]:
        """The index of this name, in a list of one, or nothing."""
        try:
            found = catalogue.indexes(self._connection(), (), [name])
        except psycopg.OperationalError as error:
            raise _Again(f"the connection broke: {message(error)}") from None
        return list(found.values())

    def _clear_way(self, table: Name) -> float:
        """Returns when nobody holds a lock that a build would queue for: DDL, vacuum, another build.

        Probed in short tries, so that nothing queues behind us. Seconds waited are returned.
        """
        self._fence.ensure()
        begun = time.monotonic()
        holders = "another session"
        while True:
            connection = self._connection()
            try:
                pid = connection.info.backend_pid
                with self._watch.over(f"lock on {table}", pid, limited=False) as work, connection.transaction():
                    connection.execute(f"SET LOCAL lock_timeout = '{_PROBE_TIMEOUT}'")
                    connection.execute(f"LOCK TABLE ONLY {ddl.qualified(table)} IN SHARE UPDATE EXCLUSIVE MODE")
                return time.monotonic() - begun
            except psycopg.errors.LockNotAvailable:
                holders = "; ".join(map(str, work.blockers)) or holders
                if time.monotonic() - begun > self._limits.patience:
                    raise StepFailed(
                        f"Tried for {self._limits.patience:.0f} s to begin on {table}; it is being built upon, "
                        f"vacuumed or altered by {holders}. Run the play again when that is done."
                    ) from None
            except psycopg.errors.WrongObjectType:
                return 0.0  # materialized views cannot be locked; their builds queue by themselves
            except psycopg.errors.QueryCanceled as error:
                raise _Again(f"it was cancelled: {message(error)}") from None
            except psycopg.OperationalError as error:
                raise _Again(f"the connection broke: {message(error)}") from None


def _passes(error: Exception) -> bool:
    state = sqlstate(error)
    broken = isinstance(error, psycopg.OperationalError) and not state
    return broken or state in _TRANSIENT or state.startswith("08")


def _described(step: Any) -> tuple[Any, str]:
    """The shape and definition that the history keeps of a step."""
    match step:
        case Build():
            return step.shape, ddl.create_index(step.wanted, step.table, step.name.name)
        case Drop():
            return step.index.shape, step.index.definition
        case Restore():
            return None, step.definition
    raise AssertionError(step)
