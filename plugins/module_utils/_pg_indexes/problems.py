# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sentences for what is wrong with a wanted index. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from .._postgres.errors import next_step
from .model import Checked, Index, Name, Observed, Table, Wanted

_KINDS = {"v": "a view", "f": "a foreign table"}


def nearest(name: str, known: Iterable[str], count: int = 1) -> list[str]:
    """The known names most like this one; ``reviewer_id`` is nearest to ``reviewerId``."""
    plain: dict[str, list[str]] = {}
    for one in known:
        plain.setdefault(_plain(one), []).append(one)
    near = difflib.get_close_matches(_plain(name), plain, n=count, cutoff=0.5)
    return [one for key in near for one in plain[key]][:count]


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _hint(name: str, known: Iterable[str], count: int = 1) -> str:
    near = nearest(name, known, count)
    return f"Did you mean {' or '.join(near)}? " if near else ""


def table_problem(observed: Observed, wanted: Wanted) -> str:
    """Why the table of this index cannot be used; empty when it can."""
    index = f"index {wanted.name} of migration {wanted.migration}"
    schemas = observed.candidates[Name(wanted.schema, wanted.table)]
    if len(schemas) > 1:
        return (
            f"Read {index} on table {wanted.table}; the schemas {', '.join(schemas)} have one of that name and none is "
            "on the search path. Give the index a schema."
        )
    table = observed.table(wanted)
    if table is None:
        place = f"{wanted.schema}.{wanted.table}" if wanted.schema else wanted.table
        known = [name.name for name in observed.names if wanted.schema in ("", name.schema)]
        return (
            f"Read {index} on table {place}; PostgreSQL has no such table (42P01). "
            f"{_hint(wanted.table, known, 2)}{next_step('42P01')}"
        )
    if table.kind not in ("r", "p", "m"):
        return f"Read {index} on {table.name}; it is {_KINDS.get(table.kind, 'no table')} and takes no index. Mend it."
    if not table.owned:
        role = observed.server.role
        return (
            f"Tried to use {table.name} for {index} as {role}; its owner is {table.owner} and only the owner may build "
            f"indexes (42501). Connect as {table.owner}, or run: GRANT {table.owner} TO {role}."
        )
    if wanted.present and not table.can_create:
        return (
            f"Tried to use {table.name} for {index}; role {observed.server.role} may not create in schema "
            f"{table.name.schema} (42501). Run: GRANT CREATE ON SCHEMA {table.name.schema} TO {observed.server.role}."
        )
    return ""


def definition_problems(wanted: Wanted, table: Table, checked: Checked) -> Iterator[str]:
    """What PostgreSQL refused on the empty copy, with the nearest name where a name is wrong."""
    where = f"index {wanted.name} of migration {wanted.migration} on {table.name}"
    unknown = [
        column
        for column in (*(key.column for key in wanted.keys), *wanted.include)
        if column and column not in table.columns
    ]
    for column in unknown:
        yield (
            f"Checked {where}; the table has no column {column} (42703). "
            f"{_hint(column, table.columns)}{next_step('42703')}"
        )
    if unknown:
        return
    said = re.search(r'column "([^"]+)"', checked.message) if checked.sqlstate == "42703" else None
    hint = _hint(said[1], table.columns) if said else ""
    yield (
        f"Checked {where}; PostgreSQL refuses it with {checked.sqlstate}: {checked.message}. "
        f"{hint}{next_step(checked.sqlstate)}"
    )


def taken_problem(wanted: Wanted, table: Table, existing: Index) -> str:
    return (
        f"Read index {wanted.name} of migration {wanted.migration} on {table.name}; an index of that name exists on "
        f"{existing.table}. Choose another name, or remove that index first."
    )


def drift_problem(wanted: Wanted, existing: Index, checked: Checked) -> str:
    if existing.constraint or existing.parent or existing.partitioned or existing.replica_identity:
        bound = f"constraint {existing.constraint}" if existing.constraint else "a partition or the replica identity"
        remedy = f"It belongs to {bound} and cannot be replaced here; give the wanted index another name."
    else:
        remedy = "Mend the migration, or set drift: replace to build the wanted one and swap it in."
    return (
        f"Compared index {existing.name} of migration {wanted.migration}; it exists as {existing.shape} and is wanted "
        f"as {checked.shape}. {remedy}"
    )


def drop_problem(wanted: Wanted, existing: Index) -> str:
    """Why an index cannot be dropped on its own; empty when it can."""
    if existing.constraint:
        return (
            f"Tried to plan the removal of {existing.name} (migration {wanted.migration}); it belongs to constraint "
            f"{existing.constraint} of {existing.table}. Drop the constraint in a schema migration instead."
        )
    if existing.replica_identity:
        return (
            f"Tried to plan the removal of {existing.name} (migration {wanted.migration}); it is the replica identity "
            f"of {existing.table}. Choose another replica identity first."
        )
    if existing.parent:
        return (
            f"Tried to plan the removal of {existing.name} (migration {wanted.migration}); it is a partition of index "
            f"{existing.parent}. Remove that one."
        )
    return ""


def disk_problem(needed: int, free: int) -> str:
    return (
        f"Estimated {needed:,} bytes for the indexes to build and their sort files; the server has {free:,} free. "
        "Make room, or leave some indexes for later."
    )
