# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what exists and what is wanted to the steps between them. Pure: no client, clock or Ansible.

Every index of every migration becomes an Item with a status; the items that need work become steps. When
anything is wrong, all of it is told and nothing is planned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .advice import Advice, advise, covers
from .ddl import REPLACED, REPLACEMENT, create_index, drop_index, fitting
from .model import Blocker, Checked, Index, Migration, Name, Observed, Shape, Table, Wanted
from .problems import definition_problems, disk_problem, drift_problem, drop_problem, table_problem, taken_problem
from .steps import Build, CreateHistory, Drop, IndexStep, Restore, Settings

_LEFTOVER = re.compile(r"_cc(new|old)\d*$")
_OURS = ("create", "replace", "repair", "restore")


@dataclass(frozen=True)
class Item:
    """One index of one migration, and what the plan makes of it.

    status: create, ok, rebuild_invalid, adopt, drift, replace, redundant, refused, drop, absent, foreign
    (not made by us and therefore kept by a rollback), restore, no_table (skipped since it has none yet).
    size: bytes, estimated for one to build, measured for one that exists.
    """

    migration: str
    name: str
    table: str
    status: str
    ddl: str = ""
    size: int = 0
    covered_by: str = ""
    problems: tuple[str, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    step: IndexStep | None = None

    def told(self) -> dict[str, Any]:
        """As the module returns it."""
        return {
            "migration": self.migration,
            "index": self.name,
            "table": self.table,
            "status": self.status,
            "ddl": self.ddl,
            "size_bytes": self.size,
            "covered_by": self.covered_by,
            "problems": list(self.problems),
            "waits_for": [str(blocker) for blocker in self.blockers],
        }


@dataclass(frozen=True)
class Plan:
    items: tuple[Item, ...]
    steps: tuple[IndexStep, ...]
    problems: tuple[str, ...]
    advice: tuple[Advice, ...]


def plan(observed: Observed, wish: Sequence[Migration], settings: Settings) -> Plan:
    """All items in the order of the wish, the steps for those that need work, and everything that is wrong."""
    items: list[Item] = []
    for migration in wish:
        indexes = migration.indexes if migration.present else tuple(reversed(migration.indexes))
        for wanted in indexes:
            items.append(_item(observed, wish, migration, wanted, settings))
    steps = [item.step for item in items if item.step]
    problems = [problem for item in items for problem in item.problems]
    needed = sum(step.size for step in steps if isinstance(step, Build))
    largest = max([step.size for step in steps if isinstance(step, Build)], default=0)
    if observed.free is not None and needed + largest > observed.free:
        problems.append(disk_problem(needed + largest, observed.free))
    steps = [*_leftovers(observed, items), *steps]
    if steps and settings.history_schema and not observed.history:
        steps.insert(0, CreateHistory(settings.history_schema))
    return Plan(tuple(items), tuple(steps), tuple(problems), advise(observed, wish))


def _item(
    observed: Observed, wish: Sequence[Migration], migration: Migration, wanted: Wanted, settings: Settings
) -> Item:
    table = observed.table(wanted)
    problem = table_problem(observed, wanted)
    if problem or table is None:
        # A rollback of an index whose table is gone has nothing left to do.
        if table is None and not (migration.present and wanted.present):
            return Item(wanted.migration, wanted.name, wanted.table, "absent")
        if table is None and settings.missing_tables == "skip" and not observed.candidates[_given(wanted)]:
            return Item(wanted.migration, wanted.name, wanted.table, "no_table")
        return Item(wanted.migration, wanted.name, wanted.table, "refused", problems=(problem,))
    name = Name(table.name.schema, wanted.name)
    existing = observed.indexes.get(name)
    item = partial(Item, wanted.migration, str(name), str(table.name))
    if existing and existing.table != table.name:
        return item(status="refused", problems=(taken_problem(wanted, table, existing),))
    blockers = _blockers(observed, table)
    if not migration.present:
        return _rolled_back(observed, wanted, table, name, existing, item, blockers)
    if not wanted.present:
        return _removed(wanted, table, existing, item, blockers, "absent")
    return _wanted(observed, wish, wanted, table, name, existing, item, blockers, settings)


def _wanted(
    observed: Observed,
    wish: Sequence[Migration],
    wanted: Wanted,
    table: Table,
    name: Name,
    existing: Index | None,
    item: Callable[..., Item],
    blockers: tuple[Blocker, ...],
    settings: Settings,
) -> Item:
    checked = observed.checked.get((wanted.migration, wanted.name), Checked(message="it was not checked"))
    ddl = create_index(wanted, table.name, wanted.name, concurrently=not table.partitioned, only=table.partitioned)
    shape = checked.shape
    if shape is None:
        return item(status="refused", ddl=ddl, problems=tuple(definition_problems(wanted, table, checked)))

    def build(status: str, pid: int = 0) -> Item:
        step = Build(wanted, table.name, name, shape, status, checked.size, table.partitioned, pid)
        return item(status=status, ddl=ddl, size=checked.size, blockers=blockers, step=step)

    if existing is None:
        cover = None if wanted.keep_redundant else _cover(observed, wish, wanted, table, shape)
        if cover:
            return item(status="redundant", ddl=ddl, size=0, covered_by=str(cover))
        return build("create")
    if name in observed.building and not existing.valid:
        return build("adopt", observed.building[name])
    if existing.shape != shape:
        replaceable = not (existing.constraint or existing.parent or existing.partitioned or existing.replica_identity)
        if not existing.valid and replaceable:
            return build("rebuild_invalid")  # of no use as it is, whatever it was to become
        if settings.drift == "replace" and replaceable:
            return build("replace")
        return item(status="drift", ddl=ddl, problems=(drift_problem(wanted, existing, checked),))
    if not existing.valid:
        return build("rebuild_invalid")
    return item(status="ok", ddl=ddl, size=existing.size)


def _cover(observed: Observed, wish: Sequence[Migration], wanted: Wanted, table: Table, shape: Shape) -> Name | None:
    """Another index that serves the same queries.

    Indexes of the wish count only when they are the same and come first: what is made must not depend on
    how far an earlier run came.
    """
    in_wish = [one for migration in wish for one in migration.indexes if observed.table(one) is table]
    for one in in_wish:
        if one is wanted:
            break
        other = observed.checked.get((one.migration, one.name))
        if one.present and other and other.shape == shape:
            return Name(table.name.schema, one.name)
    names = {one.name for one in in_wish}
    # Of several, the one that is there to stay: a constraint's.
    for index in sorted(observed.on(table.name), key=lambda index: (not index.constraint, index.name)):
        if index.name.name not in names and covers(index, shape):
            return index.name
    return None


def _removed(
    wanted: Wanted,
    table: Table,
    existing: Index | None,
    item: Callable[..., Item],
    blockers: tuple[Blocker, ...],
    why: str,
) -> Item:
    if existing is None:
        return item(status="absent")
    if problem := drop_problem(wanted, existing):
        return item(status="refused", problems=(problem,))
    return item(
        status="drop",
        ddl=drop_index(existing.name, concurrently=not existing.partitioned),
        size=existing.size,
        blockers=tuple(blocker for blocker in blockers if blocker.table),
        step=Drop(wanted.migration, existing, why, table.name),
    )


def _rolled_back(
    observed: Observed,
    wanted: Wanted,
    table: Table,
    name: Name,
    existing: Index | None,
    item: Callable[..., Item],
    blockers: tuple[Blocker, ...],
) -> Item:
    record = observed.records.get(name)
    if wanted.present:
        ours = record and record.action in _OURS and existing
        if existing and not (ours and record and record.checksum == existing.shape.checksum(table.name)):
            return item(status="foreign", size=existing.size)
        return _removed(wanted, table, existing, item, blockers, "rollback")
    if existing or not record or record.action != "drop":
        return item(status="ok" if existing else "absent")
    step = Restore(wanted.migration, name, table.name, record.definition)
    return item(status="restore", ddl=record.definition, blockers=blockers, step=step)


def _given(wanted: Wanted) -> Name:
    return Name(wanted.schema, wanted.table)


def _blockers(observed: Observed, table: Table) -> tuple[Blocker, ...]:
    places = {None, table.name, *table.partitions}
    return tuple(blocker for blocker in observed.blockers if blocker.table in places)


def _leftovers(observed: Observed, items: Sequence[Item]) -> Iterator[Drop]:
    """What killed runs leave beside the index they worked on; it costs every write and serves nothing.

    Invalid twins of a REINDEX CONCURRENTLY, and the old or new half of a replacement of ours.
    """
    halves = {
        fitting(item.name.partition(".")[2], suffix)
        for item in items
        if item.status == "ok"
        for suffix in (REPLACED, REPLACEMENT)
    }
    for table in filter(None, observed.tables.values()):
        if not table.owned:
            continue
        for index in observed.on(table.name):
            twin = not index.valid and _LEFTOVER.search(index.name.name)
            if (twin or index.name.name in halves) and index.name not in observed.building:
                yield Drop("leftover", index, "leftover", table.name)
