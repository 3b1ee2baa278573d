# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has PostgreSQL itself judge a wanted index, on an empty temporary copy of its table.

The table is only read (ACCESS SHARE, for milliseconds) and everything is rolled back. What comes back is
PostgreSQL's own spelling of the definition, to compare with what exists, or its refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._engine.steps import StepFailed
from .._postgres.driver import Connection, first_row, psycopg
from .._postgres.errors import message, sentence, sqlstate
from .catalogue import shape_of
from .ddl import create_on_copy, qualified
from .model import Checked, Shape, Table, Wanted

_COPY = "index_check"
_NEWEST_INDEX = """
SELECT indexrelid FROM pg_index WHERE indrelid = 'pg_temp.index_check'::regclass ORDER BY indexrelid DESC LIMIT 1
"""
_WIDTHS = """
SELECT attname, avg_width FROM pg_stats WHERE schemaname = %s AND tablename = %s
"""
_TABLESPACE = """
SELECT EXISTS (SELECT FROM pg_database d JOIN pg_tablespace s ON s.oid = d.dattablespace
                WHERE d.datname = current_database() AND s.spcname = %(name)s) AS own,
       has_tablespace_privilege(%(name)s, 'CREATE') AS allowed
"""
_UNKNOWN_WIDTH = 16
# B-tree leaf pages are filled to 90 %; 12 bytes of header and pointer for each tuple.
_TUPLE_OVERHEAD, _FILL = 12, 0.9
_PAGE = 8192


def check(connection: Connection, table: Table, wanted: Sequence[Wanted]) -> dict[tuple[str, str], Checked]:
    """One verdict for each wanted index of this table, by (migration, name)."""
    verdicts: dict[tuple[str, str], Checked] = {}
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL lock_timeout = '3s'")
            # Partitioned like the original: that is what a unique index must agree with.
            partitioned = f" PARTITION BY {table.partition_key}" if table.partition_key else ""
            like = f"(LIKE {qualified(table.name)})"
            connection.execute(f"CREATE TEMPORARY TABLE {_COPY} {like}{partitioned} ON COMMIT DROP")
            for each in wanted:
                verdicts[each.migration, each.name] = _one(connection, each)
    except psycopg.Error as error:
        raise StepFailed(sentence(f"check index definitions on an empty copy of {table.name}", error)) from error
    widths = dict(connection.execute(_WIDTHS, table.name).fetchall())
    return {
        (each.migration, each.name): _estimated(connection, table, each, widths, verdicts[each.migration, each.name])
        for each in wanted
    }


def _one(connection: Connection, wanted: Wanted) -> Checked:
    try:
        with connection.transaction():
            # binary=True speaks the extended protocol, which takes one statement and not two.
            connection.execute(create_on_copy(wanted, _COPY), binary=True)
            shape = shape_of(connection, first_row(connection, _NEWEST_INDEX)[0])
            tablespace = _tablespace(connection, wanted)
    except psycopg.Error as error:
        return Checked(sqlstate=sqlstate(error), message=message(error))
    return Checked(shape=Shape(**{**_fields(shape), "tablespace": tablespace}))


def _fields(shape: Shape) -> dict[str, Any]:
    return {name: getattr(shape, name) for name in shape.__dataclass_fields__}


def _tablespace(connection: Connection, wanted: Wanted) -> str:
    """The tablespace as the catalogue will show it: nothing for the database's own.

    Raises when it does not exist or may not be used: the copy does not lie in it, so nothing else would tell.
    """
    if not wanted.tablespace:
        return ""
    own, allowed = first_row(connection, _TABLESPACE, {"name": wanted.tablespace})
    if not own and not allowed:
        raise psycopg.errors.InsufficientPrivilege(f"permission denied for tablespace {wanted.tablespace}")
    return "" if own else wanted.tablespace


def _estimated(
    connection: Connection, table: Table, wanted: Wanted, widths: Mapping[str, int], checked: Checked
) -> Checked:
    """With the size that the index will have, in bytes, from the planner's rows and the columns' widths."""
    if checked.shape is None:
        return checked
    where = f" WHERE {wanted.where}" if wanted.where else ""
    query = f"EXPLAIN (FORMAT JSON) SELECT FROM {qualified(table.name)}{where}"
    try:
        told = first_row(connection, query, binary=True)[0]
    except psycopg.Error as error:
        return Checked(sqlstate=sqlstate(error), message=message(error))
    rows = float(told[0]["Plan"]["Plan Rows"])
    columns = [key.column for key in wanted.keys] + list(wanted.include)
    width = sum(widths.get(column, _UNKNOWN_WIDTH) for column in columns)
    if wanted.method == "brin":
        return Checked(shape=checked.shape, size=3 * _PAGE)
    pages = rows * (_TUPLE_OVERHEAD + width) / _FILL / _PAGE
    return Checked(shape=checked.shape, size=int(pages + 2) * _PAGE)
