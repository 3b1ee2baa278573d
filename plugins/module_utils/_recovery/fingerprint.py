# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a database holds, in numbers that two databases can be compared by.

Every row is hashed as text and counted into one of 64 buckets by its hash; a bucket's checksum is the sum of its
hashes, so the order of rows means nothing. Hash: hashtextextended, PostgreSQL 11 and later.

While others write, a table is read before and after the moment that is restored. A restore is a physical copy, so a row
keeps its xmin, the transaction that wrote it, and a row that was written before the first reading can only go, never
come: what of these both readings have, the restored table must have. Only such rows are counted in the buckets; a
bucket that lost one between the readings has moved, and nothing is proved by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BUCKETS = 64
# One spelling of every value on every server.
SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    "SET extra_float_digits = 3",
    "SET bytea_output = 'hex'",
    "SET lock_timeout = '10s'",
)
# Tables that hold rows, partitions one by one; extensions bring their own.
TABLES = """
    SELECT c.oid::regclass::text AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence = 'p'
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1"""


# Transaction ids go round in 32 bits; those below 3 mark rows that are older than all others.
_ROWS = """
    SELECT (h & {mask})::int AS bucket, count(*) AS rows,
           count(*) FILTER (WHERE old) AS old_rows, (sum(h::numeric) FILTER (WHERE old))::text AS checksum
    FROM (
        SELECT hashtextextended(t::text, 0) AS h,
               x < 3 OR ((x - {xid}) & 4294967295) >= 2147483648 AS old
        FROM {table} t, LATERAL (SELECT t.xmin::text::bigint AS x) writer
    ) hashed GROUP BY 1"""
# All transactions before this one are over for the snapshot that reads.
OLDEST = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid"


def rows_query(table: str, xid: int) -> str:
    """The query for one table, whose name comes from regclass, which quotes it. xid: rows written before it count."""
    return _ROWS.format(mask=BUCKETS - 1, table=table, xid=xid % 2**32)


def table(rows: Sequence[Any]) -> dict[str, Any]:
    """A table's fingerprint: number of rows, one checksum for people, its buckets."""
    counted = [row for row in sorted(rows, key=lambda row: row.bucket) if row.old_rows]
    buckets = {str(row.bucket): f"{row.old_rows}:{row.checksum}" for row in counted}
    whole = hashlib.sha256(repr(sorted(buckets.items())).encode()).hexdigest()[:16]
    return {"rows": sum(row.rows for row in rows), "checksum": whole, "buckets": buckets}


@dataclass(frozen=True)
class Verdict:
    """What became of one table.

    verified, moved, wrong: buckets of 64 that are as they were, that changed while they were read, that differ.
    """

    table: str
    rows: int | None
    restored_rows: int | None
    checksum: str | None
    restored_checksum: str | None
    verified: int
    moved: int
    wrong: int
    result: str


def compare(
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    restored: Mapping[str, Mapping[str, Any]],
) -> list[Verdict]:
    """Table by table: the original read before and after the moment, and the restored database at that moment.

    result: ``same``; ``same where it stood still``; ``moved`` (nothing stood still, so nothing is proved);
    ``differs``; ``missing``; ``made later`` or ``dropped later`` for what came or went between the two readings.
    """
    return [
        _compare(name, before.get(name), after.get(name), restored.get(name))
        for name in sorted(before.keys() | after.keys() | restored.keys())
    ]


def _compare(
    name: str, first: Mapping[str, Any] | None, second: Mapping[str, Any] | None, third: Mapping[str, Any] | None
) -> Verdict:
    def verdict(result: str, verified: int = 0, moved: int = 0, wrong: int = 0) -> Verdict:
        shown = first or second or {}
        told = third or {}
        return Verdict(
            table=name,
            rows=shown.get("rows"),
            restored_rows=told.get("rows"),
            checksum=shown.get("checksum"),
            restored_checksum=told.get("checksum"),
            verified=verified,
            moved=moved,
            wrong=wrong,
            result=result,
        )

    if first is None or second is None:
        if first is None and second is None:
            return verdict("differs", wrong=BUCKETS)  # a table that the original does not have
        return verdict("made later" if first is None else "dropped later", moved=BUCKETS)
    if third is None:
        return verdict("missing", wrong=BUCKETS)
    counts = {"verified": 0, "moved": 0, "wrong": 0}
    for number in map(str, range(BUCKETS)):
        one, two, three = (side["buckets"].get(number) for side in (first, second, third))
        counts["moved" if one != two else "verified" if one == three else "wrong"] += 1
    if counts["wrong"]:
        return verdict("differs", **counts)
    if not counts["verified"]:
        return verdict("moved", **counts)
    return verdict("same where it stood still" if counts["moved"] else "same", **counts)
