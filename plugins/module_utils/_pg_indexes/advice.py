# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is not wrong but should be known: arrays under B-trees, redundant and unused indexes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .model import Index, Migration, Observed, Shape, Table, Wanted

_DAY = 86400


@dataclass(frozen=True)
class Advice:
    """kind: array, redundant, overlap or unused. index: qualified name."""

    kind: str
    index: str
    sentence: str


def covers(existing: Index, wanted: Shape) -> bool:
    """True when every query that the wanted index serves is served as well by the existing one.

    That is the same index under another name, or a B-tree that begins with the same keys. A wanted unique
    index also guards; only a unique one with exactly its keys covers it.
    """
    have = existing.shape
    if not existing.valid or have.method != wanted.method or have.predicate != wanted.predicate:
        return False
    if have.keys == wanted.keys:
        guarded = have.unique and have.nulls_not_distinct == wanted.nulls_not_distinct
        return set(wanted.include) <= set(have.include) and (guarded or not wanted.unique)
    if wanted.method != "btree" or wanted.unique:
        return False
    columns = {key.text for key in have.keys} | set(have.include)
    return have.keys[: len(wanted.keys)] == wanted.keys and set(wanted.include) <= columns


def advise(observed: Observed, wish: Sequence[Migration]) -> tuple[Advice, ...]:
    """All advice on the tables that the wish names."""
    tables = [table for table in observed.tables.values() if table]
    wanted = [(index, observed.table(index)) for one in wish for index in one.indexes if one.present and index.present]
    given = [(one, table) for one, table in wanted if table]
    mine = {(table.name.schema, one.name) for one, table in given}
    found = [*_arrays(given), *_overlaps(observed, given)]
    for table in tables:
        found += _existing(observed, table, mine)
    return tuple(found)


def _arrays(given: Sequence[tuple[Wanted, Table]]) -> Iterator[Advice]:
    for one, table in given:
        for key in one.keys:
            if one.method == "btree" and key.column in table.arrays:
                yield _array(f"{table.name.schema}.{one.name}", table, key.column)


def _array(index: str, table: Table, column: str) -> Advice:
    return Advice(
        "array",
        index,
        f"Index {index} is a B-tree over the array {table.name}.{column}: it never serves @> or &&, and rows whose "
        "array is longer than 2704 bytes can no longer be written. Use method gin.",
    )


def _overlaps(observed: Observed, given: Sequence[tuple[Wanted, Table]]) -> Iterator[Advice]:
    """A wanted index that another wanted one covers; both are made, since both were asked for."""
    shaped = []
    for one, table in given:
        checked = observed.checked.get((one.migration, one.name))
        if checked and checked.shape:
            shaped.append((one, table, checked.shape))
    for one, table, shape in shaped:
        for other, its_table, its_shape in shaped:
            if one is other or table is not its_table or shape == its_shape or one.keep_redundant:
                continue
            if covers(Index(table.name, table.name, its_shape), shape):
                yield Advice(
                    "overlap",
                    f"{table.name.schema}.{one.name}",
                    f"Index {one.name} of migration {one.migration} begins like {other.name} of {other.migration}, "
                    "which serves the same queries. Leave one out, or set keep_redundant.",
                )
                break


def _existing(observed: Observed, table: Table, mine: set[tuple[str, str]]) -> Iterator[Advice]:
    there = [index for index in observed.on(table.name) if index.valid]
    for index in sorted(there, key=lambda index: index.name):
        bound = index.constraint or index.replica_identity or index.shape.unique or index.parent
        ours = index.name in mine
        if not ours and index.shape.method == "btree":
            for key in index.shape.keys:
                if key.text.strip('"') in table.arrays:
                    yield _array(str(index.name), table, key.text.strip('"'))
        if bound or ours:
            continue
        cover = next((other for other in there if other is not index and _drops_for(index, other)), None)
        if cover:
            yield Advice(
                "redundant",
                str(index.name),
                f"Index {index.name} ({index.size} bytes) is covered by {cover.name}. Remove it with state: absent.",
            )
        elif index.scans == 0 and (observed.statistics_age or 0) > _DAY:
            days = (observed.statistics_age or 0) / _DAY
            yield Advice(
                "unused",
                str(index.name),
                f"Index {index.name} ({index.size} bytes) was not used in the {days:.0f} days of statistics here. "
                "Look at the replicas' statistics too before you remove it.",
            )


def _drops_for(index: Index, other: Index) -> bool:
    """True when index is the one to go of the two: of exact twins the later name goes."""
    if not covers(other, index.shape):
        return False
    return not covers(index, other.shape) or bool(other.constraint) or other.shape.unique or other.name < index.name
