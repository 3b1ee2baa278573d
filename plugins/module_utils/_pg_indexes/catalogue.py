# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads tables and indexes from the catalogue. Index truth is pg_index; nothing is remembered elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from .._postgres.driver import Connection
from .model import Index, Key, Name, Shape, Table

_NAMES = """
SELECT n.nspname, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v')
   AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
 ORDER BY 1, 2
"""

_SEARCH_PATH = "SELECT current_schemas(false) AS path"

_TABLES = """
SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
       pg_get_userbyid(c.relowner) AS owner,
       pg_has_role(c.relowner, 'USAGE') AS owned,
       has_schema_privilege(n.oid, 'CREATE') AS can_create,
       coalesce(pg_get_partkeydef(c.oid), '') AS partition_key,
       coalesce((SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
                   FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '{}') AS columns,
       ARRAY(SELECT a.attname::text
               FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND t.typcategory = 'A') AS arrays,
       ARRAY(SELECT ARRAY[pn.nspname::text, pc.relname::text]
               FROM pg_partition_tree(c.oid) p
               JOIN pg_class pc ON pc.oid = p.relid
               JOIN pg_namespace pn ON pn.oid = pc.relnamespace
              WHERE p.isleaf AND p.relid <> c.oid
              ORDER BY pc.oid) AS partitions
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
"""

# {where} is one of the two constants below, never anything given by a user.
_INDEXES = """
SELECT n.nspname AS schema, c.relname AS name, tn.nspname AS table_schema, t.relname AS table_name,
       am.amname AS method, i.indisvalid AND i.indisready AND i.indislive AS valid, i.indisunique AS unique,
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false) AS nulls_not_distinct,
       c.relkind = 'I' AS partitioned, i.indisreplident AS replica_identity,
       (SELECT jsonb_agg(jsonb_build_object(
                   'text', pg_get_indexdef(i.indexrelid, k, true),
                   'opclass', o.opcname,
                   'collation', coalesce(co.collname, ''),
                   'options', i.indoption[k - 1],
                   'parameters', coalesce(to_jsonb(a.attoptions), '[]')) ORDER BY k)
          FROM generate_series(1, i.indnkeyatts) k
          JOIN pg_opclass o ON o.oid = i.indclass[k - 1]
          JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = k
          LEFT JOIN pg_collation co ON co.oid = i.indcollation[k - 1]) AS keys,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
               FROM generate_series(i.indnkeyatts + 1, i.indnatts) k) AS include,
       coalesce(pg_get_expr(i.indpred, i.indrelid, true), '') AS predicate,
       coalesce(c.reloptions, '{{}}') AS storage,
       coalesce((SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace), '') AS tablespace,
       (SELECT conname FROM pg_constraint k
         WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') LIMIT 1) AS constraint,
       (SELECT ARRAY[pn.nspname::text, pc.relname::text]
          FROM pg_inherits h JOIN pg_class pc ON pc.oid = h.inhparent
          JOIN pg_namespace pn ON pn.oid = pc.relnamespace
         WHERE h.inhrelid = i.indexrelid) AS parent,
       pg_relation_size(c.oid) AS size,
       coalesce(pg_stat_get_numscans(c.oid), 0) AS scans,
       pg_get_indexdef(i.indexrelid) AS definition
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
  JOIN pg_am am ON am.oid = c.relam
 WHERE {where}
"""
_BY_TABLE_OR_NAME = """
(tn.nspname, t.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(tables)s::text[]))
 OR (n.nspname, c.relname) IN (SELECT * FROM unnest(%(name_schemas)s::text[], %(names)s::text[]))
"""
_BY_OID = "i.indexrelid = %(oid)s"


def table_names(connection: Connection) -> tuple[Name, ...]:
    """Every table of the database that is not the server's own."""
    return tuple(Name(*row) for row in connection.execute(_NAMES))


def search_path(connection: Connection) -> list[str]:
    row = connection.execute(_SEARCH_PATH).fetchone()
    return list(row.path) if row else []


def tables(connection: Connection, names: Collection[Name]) -> dict[Name, Table]:
    parameters = {"schemas": [name.schema for name in names], "names": [name.name for name in names]}
    found = {}
    for row in connection.execute(_TABLES, parameters):
        name = Name(row.schema, row.name)
        found[name] = Table(
            name=name,
            kind=row.kind,
            owner=row.owner,
            owned=row.owned,
            can_create=row.can_create,
            partition_key=row.partition_key,
            columns=row.columns,
            arrays=frozenset(row.arrays),
            partitions=tuple(Name(*one) for one in row.partitions),
        )
    return found


def indexes(connection: Connection, on: Iterable[Name], named: Iterable[Name] = ()) -> dict[Name, Index]:
    """The indexes on these tables, and those of these names wherever they are."""
    by_table, by_name = list(on), list(named)
    parameters = {
        "schemas": [name.schema for name in by_table],
        "tables": [name.name for name in by_table],
        "name_schemas": [name.schema for name in by_name],
        "names": [name.name for name in by_name],
    }
    rows = connection.execute(_INDEXES.format(where=_BY_TABLE_OR_NAME), parameters)
    return {index.name: index for index in map(_index, rows)}


def shape_of(connection: Connection, oid: int) -> Shape:
    """The shape of the index with this oid."""
    return _index(connection.execute(_INDEXES.format(where=_BY_OID), {"oid": oid}).fetchone()).shape


def _index(row: Any) -> Index:
    shape = Shape(
        method=row.method,
        keys=tuple(Key(**{**key, "parameters": tuple(key["parameters"])}) for key in row.keys),
        include=tuple(row.include),
        predicate=row.predicate,
        unique=row.unique,
        nulls_not_distinct=row.nulls_not_distinct,
        storage=tuple(sorted(row.storage)),
        tablespace=row.tablespace,
    )
    return Index(
        name=Name(row.schema, row.name),
        table=Name(row.table_schema, row.table_name),
        shape=shape,
        valid=row.valid,
        partitioned=row.partitioned,
        parent=Name(*row.parent) if row.parent else None,
        constraint=row.constraint or "",
        replica_identity=row.replica_identity,
        size=row.size,
        scans=row.scans,
        definition=row.definition,
    )
