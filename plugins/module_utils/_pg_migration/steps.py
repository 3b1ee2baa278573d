# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps of a data migration. Each says what it does and how both databases look afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from .._pg_indexes.model import Name
from .model import SOURCE, TARGET, Pair, Subscription, other


def _ready(tables: Iterable[Name]) -> Subscription:
    return Subscription(True, dict.fromkeys(tables, "r"))


@dataclass(frozen=True)
class SetIdentity:
    """Lets updates and deletes of a table without primary key be replicated."""

    table: Name
    index: str

    @property
    def id(self) -> str:
        return f"replica_identity/{self.table}:set"

    @property
    def sentence(self) -> str:
        how = f"its unique index {self.index}" if self.index else "the whole row"
        return f"Let {self.table} on the source be identified by {how} in replication"

    def after(self, observed: Pair) -> Pair:
        tables = observed.source.tables
        return observed.with_side(SOURCE, tables={**tables, self.table: replace(tables[self.table], identity=True)})


@dataclass(frozen=True)
class CreateExtensions:
    names: tuple[str, ...]

    @property
    def id(self) -> str:
        return "target/extensions:create"

    @property
    def sentence(self) -> str:
        return f"Create on the target the extensions {', '.join(self.names)}"

    def after(self, observed: Pair) -> Pair:
        return observed.with_side(TARGET, installed=observed.target.installed | set(self.names))


@dataclass(frozen=True)
class CopySchema:
    """Everything but the rows, in one transaction."""

    @property
    def id(self) -> str:
        return "target/schema:copy"

    @property
    def sentence(self) -> str:
        return "Copy the schema from the source to the target, in one transaction"

    def after(self, observed: Pair) -> Pair:
        source = observed.source
        empty = {name: replace(table, filled=False) for name, table in source.tables.items()}
        return observed.with_side(TARGET, tables=empty, sequences=source.sequences, views=source.views)


@dataclass(frozen=True)
class Publish:
    """A publication with exactly these tables. which: the side that publishes."""

    which: str
    tables: frozenset[Name]
    exists: bool

    @property
    def id(self) -> str:
        return f"{self.which}/publication:{'change' if self.exists else 'create'}"

    @property
    def sentence(self) -> str:
        return f"Publish {len(self.tables)} tables of the {self.which}"

    def after(self, observed: Pair) -> Pair:
        return observed.with_side(self.which, published=self.tables)


@dataclass(frozen=True)
class Subscribe:
    """Follow the other side. which: the side that follows. copy: with the rows that are there."""

    which: str
    copy: bool
    stale_slot: bool = False

    @property
    def id(self) -> str:
        return f"{self.which}/subscription:create"

    @property
    def sentence(self) -> str:
        how = "copying its rows first" if self.copy else "from the moment of the cut-over on"
        return f"Let the {self.which} follow the {other(self.which)}, {how}"

    def after(self, observed: Pair) -> Pair:
        published = observed.side(other(self.which)).published or frozenset()
        follows = observed.with_side(self.which, subscription=Subscription(True, dict.fromkeys(published, "i")))
        return follows.with_side(other(self.which), slot=True)


@dataclass(frozen=True)
class Refresh:
    """Take in tables that were published later."""

    tables: frozenset[Name]

    @property
    def id(self) -> str:
        return "target/subscription:refresh"

    @property
    def sentence(self) -> str:
        return f"Let the target follow {', '.join(map(str, sorted(self.tables)))} as well"

    def after(self, observed: Pair) -> Pair:
        return observed.with_side(TARGET, subscription=_ready(observed.source.published or ()))


@dataclass(frozen=True)
class AwaitCopy:
    """Until every table's rows are there and the rest comes as it is written."""

    which: str

    @property
    def id(self) -> str:
        return f"{self.which}/copy:await"

    @property
    def sentence(self) -> str:
        return f"Await the copy of all tables to the {self.which}, and that it keeps up"

    def after(self, observed: Pair) -> Pair:
        return observed.with_side(self.which, subscription=_ready(observed.side(other(self.which)).published or ()))


@dataclass(frozen=True)
class ProbeWayBack:
    """The last thing that may fail while the source still serves: an answer from the target to the source."""

    @property
    def id(self) -> str:
        return "source/way_back:probe"

    @property
    def sentence(self) -> str:
        return "Check that the source reaches the target, as the way back will"

    def after(self, observed: Pair) -> Pair:
        return observed


@dataclass(frozen=True)
class StopWrites:
    """which: the side that takes no more writes."""

    which: str

    @property
    def id(self) -> str:
        return f"{self.which}/writes:stop"

    @property
    def sentence(self) -> str:
        return f"Stop the writes on the {self.which} (default_transaction_read_only, sessions ended)"

    def after(self, observed: Pair) -> Pair:
        return observed.with_side(self.which, read_only=True)


@dataclass(frozen=True)
class AllowWrites:
    which: str

    @property
    def id(self) -> str:
        return f"{self.which}/writes:allow"

    @property
    def sentence(self) -> str:
        return f"Allow writes on the {self.which} again"

    def after(self, observed: Pair) -> Pair:
        return observed.with_side(self.which, read_only=False)


@dataclass(frozen=True)
class Settle:
    """Everything that must be true before the application changes sides: nothing on its way, sequences, views, proof.

    which: the side that follows and is about to take over.
    """

    which: str
    drain: bool
    verify: str

    @property
    def id(self) -> str:
        return f"{self.which}/takeover:settle"

    @property
    def sentence(self) -> str:
        parts = ["drain the replication", "set the sequences"] if self.drain else []
        proof = {"checksums": ["compare checksums of all rows"], "counts": ["compare row counts"], "none": []}
        return f"On the {self.which}: {', '.join([*parts, 'refresh materialized views', *proof[self.verify]])}"

    def after(self, observed: Pair) -> Pair:
        return observed if self.drain else observed.with_side(TARGET, dumped=True)


@dataclass(frozen=True)
class MakeSlot:
    """From here on nothing that the target is given can be missed by the source."""

    @property
    def id(self) -> str:
        return "target/slot:create"

    @property
    def sentence(self) -> str:
        return "Keep every later write of the target for the way back"

    def after(self, observed: Pair) -> Pair:
        return observed.with_side(TARGET, slot=True)


@dataclass(frozen=True)
class Unsubscribe:
    """which: the side that stops following."""

    which: str

    @property
    def id(self) -> str:
        return f"{self.which}/subscription:drop"

    @property
    def sentence(self) -> str:
        return f"Let the {self.which} follow the {other(self.which)} no more"

    def after(self, observed: Pair) -> Pair:
        left = observed.with_side(self.which, subscription=None)
        return left.with_side(other(self.which), slot=False)


@dataclass(frozen=True)
class Unpublish:
    """which: the side that published."""

    which: str

    @property
    def id(self) -> str:
        return f"{self.which}/publication:drop"

    @property
    def sentence(self) -> str:
        return f"Drop the publication of the {self.which}, and its slot"

    def after(self, observed: Pair) -> Pair:
        return observed.with_side(self.which, published=None, slot=False)


@dataclass(frozen=True)
class CopyByDump:
    """Schema and rows through pg_dump and pg_restore, in parallel."""

    again: bool

    @property
    def id(self) -> str:
        return "target/rows:copy"

    @property
    def sentence(self) -> str:
        again = ", beginning anew after a run that was broken off" if self.again else ""
        return f"Copy schema and rows to the target with pg_dump and pg_restore{again}"

    def after(self, observed: Pair) -> Pair:
        source = observed.source
        changes = {"tables": source.tables, "sequences": source.sequences, "views": source.views}
        return observed.with_side(TARGET, dumped=False, **changes)


MigrationStep: TypeAlias = (
    "SetIdentity | CreateExtensions | CopySchema | Publish | Subscribe | Refresh | AwaitCopy | ProbeWayBack | "
    "StopWrites | AllowWrites | Settle | MakeSlot | Unsubscribe | Unpublish | CopyByDump"
)
