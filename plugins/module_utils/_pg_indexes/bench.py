# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The connection of one lane, and the few ways in which it touches the database: each fails in a known way.

`Again` is an attempt that ended in something that passes (a deadlock, a cancellation, a restart); `StepFailed`
is final.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from .._engine.steps import StepFailed
from .._postgres.connection import Connections
from .._postgres.driver import Connection, psycopg
from .._postgres.errors import message, sentence, sqlstate
from .._postgres.server import examine, problems
from . import catalogue, ddl
from .fence import Fence
from .model import Index, Name
from .sessions import blockers
from .watch import Limits, Watch, Work

T = TypeVar("T")

# Nothing may end a build but the watchdog; a role's or database's timeouts are switched off for us.
_SETTINGS = (
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
    "SET idle_session_timeout = 0; "
    "SET default_transaction_isolation = 'read committed'"
)
_ALL_WORKERS = "RESET max_parallel_maintenance_workers"
_NO_WORKERS = "SET max_parallel_maintenance_workers = 0"
_PROBE_TIMEOUT = "2s"  # longer than deadlock_timeout, at which an autovacuum in the way ends itself
_BRIEF_TIMEOUT = "300ms"  # for locks that writers wait behind
_RECONNECT = 60.0  # seconds to wait for a server that restarts
_CLEAN_UP = "60s"  # for dropping an invalid index after a failure
# Deadlock, cancellation, shutdown, crash, start-up; and class 08, or no code at all: the connection broke.
_TRANSIENT = ("40P01", "40001", "57014", "57P01", "57P02", "57P03", "57P05", "25P03")


class Again(Exception):
    """The attempt ended in something that passes; another one may succeed."""


class Bench:
    """One lane's connection. Not shared between threads."""

    def __init__(
        self,
        connections: Connections,
        watch: Watch,
        fence: Fence,
        limits: Limits,
        settings: dict[str, str],
    ) -> None:
        self._connections, self._watch, self._fence = connections, watch, fence
        self._limits, self._settings = limits, settings
        self._open: Connection | None = None

    def close(self) -> None:
        if self._open is not None:
            self._open.close()

    def steadily(self, do: Callable[[Connection], T]) -> T:
        """Something short, a second time when the connection turns out to be broken."""
        try:
            return do(self.connection())
        except psycopg.OperationalError:
            return do(self.connection())

    def concurrently(
        self, statement: str, attempt: str, name: Name, explain: Callable[[str], str] = lambda _: ""
    ) -> float:
        """Run a concurrent build under the watchdog; returns the seconds it waited.

        explain: from an SQLSTATE to what else to tell. Raises Again when another attempt may succeed,
        StepFailed when none would; then the invalid index is gone, or the error says that it is not.
        """
        connection = self.connection()
        work: Work | None = None
        try:
            with self._watch.over(str(name), connection.info.backend_pid, build=True) as work:
                self._share_processors(connection)
                connection.execute(statement, binary=True)
        except psycopg.Error as error:
            if work and work.cancelled:
                raise self._gave_up(attempt, work, name) from None
            if passes(error):
                raise Again(f"it ended with {sqlstate(error) or 'a broken connection'}: {message(error)}") from None
            left = self.drop_invalid(name)
            raise StepFailed(f"{sentence(attempt, error)}{explain(sqlstate(error))}{left}") from None
        return work.waited

    def _share_processors(self, connection: Connection) -> None:
        """One process for a build that has others of ours beside it: two of them get more done than one with helpers.

        One too for a build that will wait for transactions anyway: its helpers would only hold up the writers.
        """
        ours = self._watch.pids()
        alone = not self._watch.shared and all(one.pid in ours for one in blockers(connection, []))
        connection.execute(_ALL_WORKERS if alone else _NO_WORKERS)

    def _gave_up(self, attempt: str, work: Work, name: Name) -> Exception:
        if work.cancelled.startswith("it gave way"):
            return Again(work.cancelled)
        left = self.drop_invalid(name)
        return StepFailed(
            f"Tried to {attempt}; {work.cancelled}, longer than max_wait allows. "
            f"End that session, or raise max_wait, then run the play again.{left}"
        )

    def briefly(self, statement: str, what: str) -> None:
        """A statement whose lock stops writers while it waits: many short tries instead of one long wait."""
        deadline = time.monotonic() + self._limits.patience
        while True:
            connection = self.connection()
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
                if passes(error):
                    raise Again(f"it ended with {sqlstate(error) or 'a broken connection'}") from None
                raise

    def drop(self, index: Index) -> float:
        """Always concurrently: a plain DROP INDEX stops the table's readers while it waits."""
        connection = self.connection()
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
            if passes(error):
                raise Again(f"its drop ended with {sqlstate(error) or 'a broken connection'}") from None
            raise StepFailed(sentence(f"drop index {index.name}", error)) from None
        return work.waited

    def drop_invalid(self, name: Name) -> str:
        """Remove what a failed build left; returns what to add to the error when that does not succeed."""
        try:
            for index in self.look(name):
                if not index.valid:
                    self.connection().execute(f"SET statement_timeout = '{_CLEAN_UP}'")
                    self.connection().execute(ddl.drop_index(name))
        except (psycopg.Error, StepFailed):
            return f" The invalid index {name} could not be dropped yet; the next run does it."
        finally:
            if self._open is not None and not self._open.closed:
                self._open.execute("SET statement_timeout = 0")
        return ""

    def connection(self) -> Connection:
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

    def look(self, name: Name) -> list[Index]:
        """The index of this name, in a list of one, or nothing."""
        try:
            found = catalogue.indexes(self.connection(), (), [name])
        except psycopg.OperationalError as error:
            raise Again(f"the connection broke: {message(error)}") from None
        return list(found.values())

    def clear_way(self, table: Name) -> float:
        """Returns when nobody holds a lock that a build would queue for: DDL, vacuum, another build.

        Probed in short tries, so that nothing queues behind us. Seconds waited are returned.
        """
        self.connection()  # waits for a server that restarts, which the fence does not
        self._fence.ensure()
        begun = time.monotonic()
        holders = "another session"
        work: Work | None = None
        while True:
            connection = self.connection()
            try:
                pid = connection.info.backend_pid
                with self._watch.over(f"lock on {table}", pid, limited=False) as work, connection.transaction():
                    connection.execute(f"SET LOCAL lock_timeout = '{_PROBE_TIMEOUT}'")
                    connection.execute(f"LOCK TABLE ONLY {ddl.qualified(table)} IN SHARE UPDATE EXCLUSIVE MODE")
                return time.monotonic() - begun
            except psycopg.errors.LockNotAvailable:
                holders = "; ".join(map(str, work.blockers if work else ())) or holders
                if time.monotonic() - begun > self._limits.patience:
                    raise StepFailed(
                        f"Tried for {self._limits.patience:.0f} s to begin on {table}; it is being built upon, "
                        f"vacuumed or altered by {holders}. Run the play again when that is done."
                    ) from None
            except psycopg.errors.WrongObjectType:
                return 0.0  # materialized views cannot be locked; their builds queue by themselves
            except psycopg.errors.QueryCanceled as error:
                raise Again(f"it was cancelled: {message(error)}") from None
            except psycopg.OperationalError as error:
                raise Again(f"the connection broke: {message(error)}") from None


def passes(error: Exception) -> bool:
    state = sqlstate(error)
    broken = isinstance(error, psycopg.OperationalError) and not state
    return broken or state in _TRANSIENT or state.startswith("08")
