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
from functools import partial
from typing import Any

from .._engine.steps import StepFailed
from .._postgres.driver import psycopg
from .._postgres.errors import message, sentence
from . import catalogue, ddl
from .bench import Again, Bench, passes
from .history import History
from .model import Name
from .steps import Build, CreateHistory, Drop, IndexStep, Restore

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


class Lane:
    """Carries out the steps of one table. `timings` and `failures` are read when its thread has ended."""

    def __init__(
        self, bench: Bench, steps: list[IndexStep], history: History, retries: int, report: Callable[[str], None]
    ) -> None:
        self._bench, self._steps, self._history = bench, steps, history
        self._retries, self._report = retries, report
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
            self._bench.close()

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
                self._history.create(self._bench.connection())

    def _timed(
        self, migration: str, name: Name, table: Name, action: str, step: Any, do: Callable[[Any], float]
    ) -> None:
        """Attempts until one succeeds, with the history written before and after."""
        begun, waited, attempts = time.monotonic(), 0.0, 0
        shape, definition = _described(step)
        checksum = shape.checksum(table) if shape else ""
        begin = partial(self._history.begin, migration=migration, index=name, table=table, action=action)
        entry = self._bench.steadily(partial(begin, definition=definition, checksum=checksum))
        self._report(f"{name}: {action} begins")
        while True:
            attempts += 1
            try:
                waited += do(step)
                break
            except (Again, psycopg.Error) as error:
                if not isinstance(error, Again) and not passes(error):
                    raise
                why = str(error) if isinstance(error, Again) else f"it ended with: {message(error)}"
                self._pause(step, attempts, f"{action} index {name} on {table}", why)
        seconds = time.monotonic() - begun
        finish = partial(self._history.finish, entry=entry, index=name, waited=waited, attempts=attempts)
        self._bench.steadily(finish)
        size = next(iter(self._bench.look(name)), None)
        self.timings.append(Timing(name, action, seconds, waited, attempts, size.size if size else 0))
        self._report(f"{name}: {action} done in {seconds:.1f} s, of which {waited:.1f} s waiting")

    def _pause(self, step: IndexStep, attempts: int, attempt: str, why: str) -> None:
        """Before another attempt, longer each time; StepFailed when there were enough of them."""
        if attempts > self._retries:
            if isinstance(step, Build | Restore):
                self._report(self._bench.drop_invalid(step.name).strip() or "nothing invalid is left")
            raise StepFailed(
                f"Tried {attempts} times to {attempt}; the last time {why}. Run the play again when that is over."
            )
        pause = min(10.0, 0.5 * 2 ** (attempts - 1))
        self._report(f"{attempt}: {why}; trying again in {pause:.1f} s")
        time.sleep(pause)

    # --- building -------------------------------------------------------------------------------

    def _build(self, step: Build) -> float:
        if step.partitioned:
            return self._build_partitioned(step, step.table, step.name)
        return self._make(step, step.table, step.name)

    def _make(self, step: Build, table: Name, name: Name) -> float:
        """A valid index of this name on one table; returns the seconds spent waiting."""
        waited = self._bench.clear_way(table)
        for existing in self._bench.look(name):
            if existing.valid and existing.shape == step.shape:
                return waited
            if existing.valid:
                raise StepFailed(
                    f"Tried to build index {name}; someone has made one of that name in the meantime: "
                    f"{existing.shape}. Run the play again to see what is left to do."
                )
            waited += self._bench.drop(existing)
        statement = ddl.create_index(step.wanted, table, name.name)
        return waited + self._bench.concurrently(
            statement, f"build index {name}", name, lambda state: self._duplicates(step) if state == "23505" else ""
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
            rows = self._bench.connection().execute(query, binary=False).fetchall()
        except psycopg.Error:
            return ""  # the violation itself has been told; the list is a courtesy
        shown = "; ".join(f"{', '.join(map(str, row[1:]))} ({row[0]} times)" for row in rows)
        return f" Duplicates: {shown}." if shown else ""

    # --- partitioned tables ---------------------------------------------------------------------

    def _build_partitioned(self, step: Build, table: Name, name: Name) -> float:
        """An index on the parent alone, concurrent builds on the partitions, each attached when it is valid."""
        waited = 0.0
        if not self._bench.look(name):
            statement = ddl.create_index(step.wanted, table, name.name, concurrently=False, only=True)
            self._bench.briefly(statement, str(name))
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
            self._bench.briefly(ddl.attach(name, child), str(child))
        return waited

    def _partitions(self, table: Name) -> list[tuple[Name, str]]:
        rows = self._bench.connection().execute(
            "SELECT n.nspname, c.relname, c.relkind::text FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE h.inhparent = to_regclass(%s) ORDER BY c.oid",
            [ddl.qualified(table)],
        )
        return [(Name(row[0], row[1]), row[2]) for row in rows]

    def _child(self, step: Build, partition: Name, parent: Name) -> Name | None:
        """A valid index on the partition that can be attached; the parent's name when one is attached."""
        there = catalogue.indexes(self._bench.connection(), [partition]).values()
        for index in there:
            if index.parent == parent:
                return parent
        usable = [index for index in there if index.valid and not index.parent and index.shape == step.shape]
        return usable[0].name if usable else None

    # --- replacing, dropping, restoring ---------------------------------------------------------

    def _replace(self, step: Build) -> float:
        """Build the wanted index under another name, swap the names, drop the old one: queries never lack one."""
        new = Name(step.name.schema, ddl.fitting(step.name.name, ddl.REPLACEMENT))
        old = Name(step.name.schema, ddl.fitting(step.name.name, ddl.REPLACED))
        waited = 0.0
        if any(index.shape != step.shape for index in self._bench.look(step.name)):
            waited += self._make(step, step.table, new)
            for index in self._bench.look(old):
                waited += self._bench.drop(index)
            with self._bench.connection().transaction():
                self._bench.briefly(ddl.rename_index(step.name, old.name), str(step.name))
                self._bench.briefly(ddl.rename_index(new, step.name.name), str(new))
        for index in self._bench.look(old):
            waited += self._bench.drop(index)
        return waited

    def _drop(self, step: Drop) -> float:
        waited = 0.0
        for index in self._bench.look(step.index.name):
            if index.partitioned:
                self._bench.briefly(ddl.drop_index(index.name, concurrently=False), str(index.name))
            else:
                waited = self._bench.clear_way(step.table) + self._bench.drop(index)
        return waited

    def _restore(self, step: Restore) -> float:
        waited = self._bench.clear_way(step.table)
        for index in self._bench.look(step.name):
            if index.valid:
                return waited
            waited += self._bench.drop(index)
        statement = re.sub(r"^CREATE (UNIQUE )?INDEX ", r"CREATE \1INDEX CONCURRENTLY ", step.definition)
        return waited + self._bench.concurrently(statement, f"restore index {step.name}", step.name)


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
