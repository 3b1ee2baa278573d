# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compares every row of two databases: counts and order-independent checksums, tables side by side."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .._engine.steps import StepFailed
from .._pg_indexes import ddl
from .._pg_indexes.model import Name
from .._postgres.connection import Connections, Session
from .._postgres.driver import first_row
from .model import Table

# Text forms that do not depend on either server's configuration.
_FORMS = (
    "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; "
    "SET extra_float_digits = 1; SET xmloption = 'content'; SET statement_timeout = 0"
)
# md5 and not hashtext: the latter may differ between major versions. Sixty-four bits of it, summed, so that the
# order of the rows does not matter.
_SUM = "coalesce(sum(('x' || left(md5(row({columns})::text), 16))::bit(64)::bigint::numeric), 0)::text"


@dataclass(frozen=True)
class Compared:
    """One table on both sides. checksum: empty where only rows were counted."""

    table: Name
    rows: tuple[int, int]
    checksums: tuple[str, str]

    @property
    def equal(self) -> bool:
        return self.rows[0] == self.rows[1] and self.checksums[0] == self.checksums[1]


def compare(
    source: Connections, target: Connections, tables: Mapping[Name, Table], checksums: bool, lanes: int
) -> list[Compared]:
    """All tables, the largest first. Raises StepFailed that names every table that differs."""

    def one(table: Table) -> Compared:
        with ThreadPoolExecutor(2) as pool:
            left, right = pool.map(lambda side: _measure(side, table, checksums), (source, target))
        return Compared(table.name, (left[0], right[0]), (left[1], right[1]))

    with ThreadPoolExecutor(lanes) as pool:
        found = list(pool.map(one, sorted(tables.values(), key=lambda table: -table.rows)))
    if wrong := [one for one in found if not one.equal]:
        told = "; ".join(
            f"{one.table} ({one.rows[0]} rows on the source, {one.rows[1]} on the target"
            f"{', other contents' if one.rows[0] == one.rows[1] else ''})"
            for one in wrong
        )
        raise StepFailed(
            f"Compared {len(found)} tables of source and target; these differ: {told}. Something wrote to one side "
            "alone. Find it, mend the rows or begin anew with state absent; state rolled_back lets the source be "
            "written again."
        )
    return sorted(found, key=lambda one: one.table)


def _measure(side: Connections, table: Table, checksums: bool) -> tuple[int, str]:
    columns = ", ".join(ddl.quoted(column) for column, _type in table.columns)
    summed = _SUM.format(columns=columns) if checksums and columns else "''"
    with Session(side, "verify", lambda connection: connection.execute(_FORMS)) as connection:
        row = first_row(connection, f"SELECT count(*), {summed} FROM {ddl.qualified(table.name)}")  # noqa: S608 - quoted
    return int(row[0]), str(row[1])
