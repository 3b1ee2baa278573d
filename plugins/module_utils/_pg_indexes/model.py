# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What index migrations are about: wanted indexes, and what a database holds. Frozen data, no clients."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .._postgres.server import Server


class Name(NamedTuple):
    """A relation's schema and name, exactly as the catalogue spells them."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class WantedKey:
    """One key of a wanted index: a column's name, or an expression as SQL.

    order: ``asc`` or ``desc``; nulls: ``first`` or ``last``; empty takes PostgreSQL's default.
    """

    column: str = ""
    expression: str = ""
    collation: str = ""
    opclass: str = ""
    order: str = ""
    nulls: str = ""


@dataclass(frozen=True)
class Wanted:
    """An index as a migration describes it.

    schema: empty when the table's schema is to be found on the search path.
    present: False when the migration removes it; then only the table and the name matter.
    keep_redundant: make it although another index already serves its queries.
    """

    migration: str
    name: str
    table: str
    schema: str = ""
    present: bool = True
    keys: tuple[WantedKey, ...] = ()
    include: tuple[str, ...] = ()
    method: str = "btree"
    unique: bool = False
    nulls_not_distinct: bool = False
    where: str = ""
    storage: tuple[tuple[str, str], ...] = ()
    tablespace: str = ""
    keep_redundant: bool = False


@dataclass(frozen=True)
class Migration:
    """A named, ordered set. present: False rolls it back."""

    name: str
    indexes: tuple[Wanted, ...]
    present: bool = True


@dataclass(frozen=True)
class Key:
    """One key of an index as the catalogue holds it; text is PostgreSQL's own spelling.

    options: bit 0 descending, bit 1 nulls first (pg_index.indoption).
    """

    text: str
    opclass: str
    collation: str
    options: int
    parameters: tuple[str, ...] = ()

    def __str__(self) -> str:
        order = (" DESC" if self.options & 1 else "") + (" NULLS FIRST" if self.options & 2 else "")
        parameters = f"({', '.join(self.parameters)})" if self.parameters else ""
        collation = f' COLLATE "{self.collation}"' if self.collation not in ("", "default") else ""
        return f"{self.text}{collation} {self.opclass}{parameters}{order}"


@dataclass(frozen=True)
class Shape:
    """The definition of an index, apart from its name and table, in a form that compares with ``==``."""

    method: str
    keys: tuple[Key, ...]
    include: tuple[str, ...] = ()
    predicate: str = ""
    unique: bool = False
    nulls_not_distinct: bool = False
    storage: tuple[str, ...] = ()
    tablespace: str = ""

    def __str__(self) -> str:
        parts = [f"{'unique ' if self.unique else ''}{self.method} ({', '.join(map(str, self.keys))})"]
        if self.include:
            parts.append(f"INCLUDE ({', '.join(self.include)})")
        if self.nulls_not_distinct:
            parts.append("NULLS NOT DISTINCT")
        if self.storage:
            parts.append(f"WITH ({', '.join(self.storage)})")
        if self.tablespace:
            parts.append(f"TABLESPACE {self.tablespace}")
        if self.predicate:
            parts.append(f"WHERE {self.predicate}")
        return " ".join(parts)

    def checksum(self, table: Name) -> str:
        """Names the definition over this table in the history; changes with any part of it."""
        return hashlib.sha256(f"{table} {self}".encode()).hexdigest()


@dataclass(frozen=True)
class Index:
    """An index that exists. definition: pg_get_indexdef. size in bytes; scans since the statistics' reset."""

    name: Name
    table: Name
    shape: Shape
    valid: bool = True
    partitioned: bool = False
    parent: Name | None = None
    constraint: str = ""
    replica_identity: bool = False
    size: int = 0
    scans: int = 0
    definition: str = ""


@dataclass(frozen=True)
class Table:
    """A table with what a plan needs of it.

    owned: the connected role may act as its owner. kind: pg_class.relkind.
    columns: name to type; arrays: those of an array type; partition_key: such as ``RANGE (id)``; partitions:
    all leaves, by name.
    """

    name: Name
    kind: str = "r"
    owner: str = ""
    owned: bool = True
    can_create: bool = True
    columns: Mapping[str, str] = field(default_factory=dict)
    arrays: frozenset[str] = frozenset()
    partition_key: str = ""
    partitions: tuple[Name, ...] = ()

    @property
    def partitioned(self) -> bool:
        return self.kind == "p"


@dataclass(frozen=True)
class Checked:
    """What PostgreSQL made of a wanted index on an empty copy of its table.

    Either shape and size (an estimate in bytes), or the SQLSTATE and message of its refusal.
    """

    shape: Shape | None = None
    size: int = 0
    sqlstate: str = ""
    message: str = ""


@dataclass(frozen=True)
class Blocker:
    """A session, prepared transaction or replication slot that a concurrent build waits for.

    age: seconds since its transaction began. pid 0: a prepared transaction.
    table: empty when it blocks builds on every table (an old snapshot).
    """

    pid: int
    user: str
    what: str
    age: float
    query: str = ""
    table: Name | None = None

    def __str__(self) -> str:
        who = f"pid {self.pid} ({self.user})" if self.pid else f"prepared transaction of {self.user}"
        query = f", {self.query}" if self.query else ""
        return f"{who}, {self.what} for {self.age:.0f} s{query}"


@dataclass(frozen=True)
class Record:
    """The last entry of the history for one index. action: create, drop, replace or repair."""

    action: str
    checksum: str
    definition: str


@dataclass(frozen=True)
class Observed:
    """A database as one look at it shows.

    tables: those that the wish names, under (schema as given, table as given).
    names: every table of the database, for the nearest name of a wrong one.
    checked: by the wish's index (migration, name).
    building: indexes that a session is building right now, with its pid.
    """

    server: Server
    tables: Mapping[Name, Table | None]
    candidates: Mapping[Name, tuple[str, ...]]
    names: tuple[Name, ...]
    indexes: Mapping[Name, Index]
    checked: Mapping[tuple[str, str], Checked] = field(default_factory=dict)
    building: Mapping[Name, int] = field(default_factory=dict)
    blockers: tuple[Blocker, ...] = ()
    records: Mapping[Name, Record] = field(default_factory=dict)
    history: bool = False
    free: int | None = None
    statistics_age: float | None = None

    def table(self, wanted: Wanted) -> Table | None:
        return self.tables.get(Name(wanted.schema, wanted.table))

    def on(self, table: Name) -> list[Index]:
        return [index for index in self.indexes.values() if index.table == table]

    def with_index(self, index: Index) -> Observed:
        return replace(self, indexes={**self.indexes, index.name: index})

    def without_index(self, name: Name) -> Observed:
        return replace(self, indexes={key: index for key, index in self.indexes.items() if key != name})
