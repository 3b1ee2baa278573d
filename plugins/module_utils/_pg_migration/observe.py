# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads how one database of the pair stands: what it holds, and which parts of a migration are in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._pg_indexes import ddl
from .._pg_indexes.model import Name
from .._postgres.driver import Connection, first_row
from .._postgres.server import examine
from .model import OWN_SCHEMAS, SOURCE, Side, Subscription, Table

_DATABASE = """
SELECT current_database() AS database, pg_encoding_to_char(d.encoding) AS encoding,
       current_setting('wal_level') AS wal_level, pg_database_size(d.oid) AS size,
       current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots) AS free_slots,
       current_setting('max_logical_replication_workers')::int AS workers,
       EXISTS (SELECT FROM pg_largeobject_metadata) AS large_objects,
       (SELECT count(*) FROM pg_prepared_xacts WHERE database = d.datname) AS prepared,
       EXISTS (SELECT FROM pg_db_role_setting s
                WHERE s.setdatabase = d.oid AND s.setrole = 0
                  AND 'default_transaction_read_only=on' = ANY(s.setconfig)) AS read_only,
       EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %(slot)s) AS slot
  FROM pg_database d WHERE d.datname = current_database()
"""
# Of RDS, or of PostgreSQL 16 and later: roles whose members may do what else needs a superuser.
_RIGHTS = """
SELECT r.rolsuper,
       r.rolreplication AS replication,
       EXISTS (SELECT FROM pg_roles o WHERE o.rolname IN ('rds_superuser', 'rds_replication')
                  AND pg_has_role(r.oid, o.oid, 'MEMBER')) AS managed,
       EXISTS (SELECT FROM pg_roles o WHERE o.rolname IN ('rds_superuser', 'pg_create_subscription')
                  AND pg_has_role(r.oid, o.oid, 'MEMBER')) AS subscriber
  FROM pg_roles r WHERE r.rolname = current_user
"""
# Ours are the application's schemas: not the server's, not an extension's tables, not the accounts of what was done.
_OURS = """
       n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_' AND n.nspname <> ALL(%(own)s)
   AND NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
"""
_TABLES = f"""
SELECT c.oid, n.nspname, c.relname, greatest(c.reltuples, 0)::bigint AS rows, c.relpersistence = 'u' AS unlogged,
       pg_has_role(c.relowner, 'USAGE') AS owned,
       CASE c.relreplident WHEN 'f' THEN true WHEN 'n' THEN false
            WHEN 'i' THEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident)
            ELSE EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) END AS identity,
       coalesce((SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                  WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
                    AND i.indpred IS NULL AND i.indexprs IS NULL
                    AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attnotnull
                                       AND a.attnum = ANY(i.indkey::int2[]))
                  ORDER BY x.relname LIMIT 1), '') AS candidate,
       (SELECT coalesce(array_agg(a.attname::text || ' ' || format_type(a.atttypid, a.atttypmod)
                                  ORDER BY a.attname::text COLLATE "C"), '{{}}')
          FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       (SELECT coalesce(array_agg(a.attname::text ORDER BY a.attname::text COLLATE "C"), '{{}}')
          FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS names
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND {_OURS}
"""  # noqa: S608 - a part of this file
_OTHERS = f"""
SELECT n.nspname, c.relname, c.relkind = 'S' AS sequence
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('S', 'm') AND c.relpersistence <> 't' AND {_OURS}
 ORDER BY c.oid
"""  # noqa: S608 - a part of this file
_PUBLISHED = "SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = %(name)s"
_SUBSCRIPTION = """
SELECT s.oid, s.subenabled FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
 WHERE s.subname = %(name)s AND d.datname = current_database()
"""
_STATES = """
SELECT n.nspname, c.relname, r.srsubstate::text
  FROM pg_subscription_rel r JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE r.srsubid = %(oid)s
"""


@dataclass(frozen=True)
class Names:
    """What the parts of one migration are called. The publication and the slot of a side share a name."""

    base: str

    @property
    def forward(self) -> str:
        return f"{self.base}_forward"

    @property
    def back(self) -> str:
        return f"{self.base}_back"

    def published_by(self, which: str) -> str:
        return self.forward if which == SOURCE else self.back

    def followed_by(self, which: str) -> str:
        return self.back if which == SOURCE else self.forward


def observe(connection: Connection, which: str, names: Names) -> Side:
    """One side. Reads only; the sizes are estimates, ``filled`` is looked up where nothing follows yet."""
    own = {"own": list(OWN_SCHEMAS)}
    server = examine(connection)
    about = first_row(connection, _DATABASE, {"slot": names.published_by(which)})._asdict()
    rights = first_row(connection, _RIGHTS)
    extensions = connection.execute("SELECT name, installed_version IS NOT NULL FROM pg_available_extensions")
    offered = dict(extensions.fetchall())
    tables = {}
    for row in connection.execute(_TABLES, own).fetchall():
        name = Name(row.nspname, row.relname)
        tables[name] = Table(
            name,
            tuple((column, text) for column, text in zip(row.names, row.columns, strict=True)),
            row.rows,
            row.identity,
            row.candidate,
            row.unlogged,
            owned=row.owned,
            filled=which != SOURCE and _filled(connection, name),
        )
    others = connection.execute(_OTHERS, own).fetchall()
    return Side(
        server,
        **about,
        publishes=rights.rolsuper or rights.replication or rights.managed,
        subscribes=rights.rolsuper or rights.subscriber,
        installed=frozenset(name for name, there in offered.items() if there),
        available=frozenset(offered),
        tables=tables,
        sequences=frozenset(Name(row.nspname, row.relname) for row in others if row.sequence),
        views=tuple(Name(row.nspname, row.relname) for row in others if not row.sequence),
        published=_published(connection, names.published_by(which)),
        subscription=subscription(connection, names.followed_by(which)),
        dumped=_dumped(connection, names.base),
    )


def _filled(connection: Connection, name: Name) -> bool:
    return bool(first_row(connection, f"SELECT EXISTS (SELECT FROM {ddl.qualified(name)})")[0])  # noqa: S608 - quoted


def _published(connection: Connection, name: str) -> frozenset[Name] | None:
    if not connection.execute("SELECT FROM pg_publication WHERE pubname = %(name)s", {"name": name}).fetchall():
        return None
    return frozenset(Name(row[0], row[1]) for row in connection.execute(_PUBLISHED, {"name": name}))


def subscription(connection: Connection, name: str) -> Subscription | None:
    row = connection.execute(_SUBSCRIPTION, {"name": name}).fetchone()
    if row is None:
        return None
    states = {Name(one[0], one[1]): one[2] for one in connection.execute(_STATES, {"oid": row.oid})}
    return Subscription(row.subenabled, states)


def _dumped(connection: Connection, name: str) -> bool | None:
    """Whether the copy by dump that was begun here has been finished and proved; None when none was begun."""
    if first_row(connection, "SELECT to_regclass('data_migration.dumps')")[0] is None:
        return None
    query = "SELECT finished_at IS NOT NULL FROM data_migration.dumps WHERE name = %(name)s"
    row = connection.execute(query, {"name": name}).fetchone()
    return bool(row[0]) if row else None


def column_list(table: Table) -> Sequence[str]:
    return [column for column, _type in table.columns]
