# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a data migration is about: two databases, and how far one follows the other. Frozen data, no clients.

``source`` is the old server, ``target`` the new one. ``forward`` replication runs from source to target,
``back`` replication the other way after the cut-over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .._pg_indexes.model import Name
from .._postgres.server import Server

SOURCE, TARGET = "source", "target"
OWN_SCHEMAS = ("data_migration", "index_migrations")  # accounts of what was done here; not the application's data


@dataclass(frozen=True)
class Table:
    """columns: (name, type) in order of name. rows: the planner's estimate. filled: holds a row at least.

    identity: updates and deletes can be replicated. unlogged: its rows are in no replication stream.
    candidate: a unique index without nullable columns that could serve as replica identity; empty without.
    """

    name: Name
    columns: tuple[tuple[str, str], ...]
    rows: int = 0
    identity: bool = True
    candidate: str = ""
    unlogged: bool = False
    filled: bool = False
    owned: bool = True


@dataclass(frozen=True)
class Subscription:
    """states: of its tables, in the letters of pg_subscription_rel.srsubstate (r is ready)."""

    enabled: bool
    states: Mapping[Name, str]

    @property
    def ready(self) -> bool:
        return all(state == "r" for state in self.states.values())


@dataclass(frozen=True)
class Side:
    """One of the two databases. size in bytes. publishes, subscribes: what this role may do.

    read_only: ours, by ALTER DATABASE. published: tables of our publication, None without one.
    slot: our replication slot exists. dumped: a copy by dump was begun (False) or finished (True).
    """

    server: Server
    database: str
    encoding: str = "UTF8"
    wal_level: str = "logical"
    size: int = 0
    free_slots: int = 10
    workers: int = 4
    publishes: bool = True
    subscribes: bool = True
    installed: frozenset[str] = frozenset()
    available: frozenset[str] = frozenset()
    tables: Mapping[Name, Table] = field(default_factory=dict)
    sequences: frozenset[Name] = frozenset()
    views: tuple[Name, ...] = ()
    large_objects: bool = False
    prepared: int = 0
    read_only: bool = False
    published: frozenset[Name] | None = None
    slot: bool = False
    subscription: Subscription | None = None
    dumped: bool | None = None


@dataclass(frozen=True)
class Pair:
    """Both databases at one moment."""

    source: Side
    target: Side

    def side(self, which: str) -> Side:
        return self.source if which == SOURCE else self.target

    def with_side(self, which: str, **changes: object) -> Pair:
        made = replace(self.side(which), **changes)  # type: ignore[arg-type]  # the callers name fields of Side
        return replace(self, source=made) if which == SOURCE else replace(self, target=made)

    @property
    def cut_over(self) -> bool:
        """The source is closed and the target follows it no more."""
        return self.source.read_only and self.target.subscription is None


@dataclass(frozen=True)
class Wish:
    """state: replicated, cut_over, rolled_back, finished or absent. method: replication or dump.

    free: bytes that the target has, None where that is not known. own_identity: set a missing replica identity.
    way_back: replicate from the target to the source after the cut-over. verify: checksums, counts or none.
    """

    state: str
    method: str = "replication"
    way_back: bool = True
    verify: str = "checksums"
    own_identity: bool = False
    free: int | None = None


def other(which: str) -> str:
    return TARGET if which == SOURCE else SOURCE
