# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps of an index migration: what they are called and what they lead to. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from .model import Index, Name, Observed, Shape, Wanted


@dataclass(frozen=True)
class CreateHistory:
    """Make the table that says what we did, in a schema of its own."""

    schema: str

    @property
    def id(self) -> str:
        return f"history/{self.schema}:create"

    @property
    def sentence(self) -> str:
        return f"Create the history table {self.schema}.history"

    def after(self, observed: Observed) -> Observed:
        return replace(observed, history=True)


@dataclass(frozen=True)
class Build:
    """Bring a wanted index into being.

    status: create, rebuild_invalid, adopt (another session, such as one that a killed run left behind, is
    building it) or replace. root: the table whose lane the work belongs to.
    """

    wanted: Wanted
    table: Name
    name: Name
    shape: Shape
    status: str
    size: int
    partitioned: bool = False
    pid: int = 0

    @property
    def id(self) -> str:
        return f"index/{self.name}:{self.status}"

    @property
    def sentence(self) -> str:
        verb = {
            "create": "Create",
            "rebuild_invalid": "Drop and build again the invalid",
            "adopt": f"Await process {self.pid}, which is building",
            "replace": "Replace the differing",
        }[self.status]
        return f"{verb} index {self.name} on {self.table}: {self.shape}"

    def after(self, observed: Observed) -> Observed:
        return observed.with_index(
            Index(self.name, self.table, self.shape, partitioned=self.partitioned, size=self.size)
        )


@dataclass(frozen=True)
class Drop:
    """Remove an index. why: rollback, absent or leftover (of a REINDEX that was killed)."""

    migration: str
    index: Index
    why: str
    table: Name

    @property
    def id(self) -> str:
        return f"index/{self.index.name}:drop"

    @property
    def sentence(self) -> str:
        left = " that a killed REINDEX left behind" if self.why == "leftover" else ""
        return f"Drop index {self.index.name} on {self.index.table}{left}: {self.index.shape}"

    def after(self, observed: Observed) -> Observed:
        return observed.without_index(self.index.name)


@dataclass(frozen=True)
class Restore:
    """Build again, from the history, an index that this migration had removed."""

    migration: str
    name: Name
    table: Name
    definition: str

    @property
    def id(self) -> str:
        return f"index/{self.name}:restore"

    @property
    def sentence(self) -> str:
        return f"Restore index {self.name} on {self.table}: {self.definition}"

    def after(self, observed: Observed) -> Observed:
        return observed.with_index(Index(self.name, self.table, Shape("restored", ())))


IndexStep: TypeAlias = "CreateHistory | Build | Drop | Restore"


@dataclass(frozen=True)
class Settings:
    """What the plan must know beside the wish.

    drift: refuse or replace. missing_tables: refuse or skip. history_schema: empty keeps no history.
    """

    drift: str = "refuse"
    history_schema: str = "index_migrations"
    missing_tables: str = "refuse"
