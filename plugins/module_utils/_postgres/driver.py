# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""psycopg, in one place: a module must be importable, and say what is missing, where it is not installed."""

from __future__ import annotations

import traceback
from typing import Any, TypeAlias

try:
    import psycopg
    from psycopg.rows import namedtuple_row

    MISSING = ""
except ImportError:
    psycopg = None  # type: ignore[assignment]  # `arguments.connections` reports it before any use
    namedtuple_row = None  # type: ignore[assignment]
    MISSING = traceback.format_exc()

__all__ = ["MISSING", "Connection", "first_row", "namedtuple_row", "psycopg"]

Connection: TypeAlias = "psycopg.Connection[Any]"


def first_row(connection: Connection, query: str, parameters: Any = None, *, binary: bool = False) -> Any:
    """The first row of a query that always has one, as a named tuple.

    binary: speak the extended protocol, which takes one statement and never two.
    """
    row = connection.execute(query, parameters, binary=binary).fetchone()
    if row is None:
        raise AssertionError(f"a query that has a row answered none: {query}")
    return row
