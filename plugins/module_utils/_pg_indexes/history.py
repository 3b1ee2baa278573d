# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The history: a table in the database that says what we did, so that a rollback touches only our own work.

It is an account, not the truth about indexes; that is pg_index alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._postgres.driver import Connection, first_row
from .ddl import quoted
from .model import Name, Record

_CREATE = """
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    migration text NOT NULL,
    index_schema text NOT NULL,
    index_name text NOT NULL,
    table_name text NOT NULL,
    action text NOT NULL,
    definition text NOT NULL,
    checksum text NOT NULL,
    role text NOT NULL DEFAULT current_user,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    waited_seconds double precision,
    attempts integer,
    size_bytes bigint
);
COMMENT ON TABLE {schema}.history IS
    'What stories1001.platform.postgres_index_migration did; rollbacks remove only what is listed here.';
"""
_BEGIN = """
INSERT INTO {schema}.history (migration, index_schema, index_name, table_name, action, definition, checksum)
VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
_FINISH = """
UPDATE {schema}.history
   SET finished_at = clock_timestamp(), waited_seconds = %s, attempts = %s,
       size_bytes = coalesce(pg_relation_size(to_regclass(%s)), 0)
 WHERE id = %s
"""
_LAST = """
SELECT DISTINCT ON (index_schema, index_name) index_schema, index_name, action, checksum, definition
  FROM {schema}.history
 ORDER BY index_schema, index_name, id DESC
"""


@dataclass(frozen=True)
class History:
    """The history in one schema. An empty schema keeps none; then nothing is known to be ours."""

    schema: str

    def exists(self, connection: Connection) -> bool:
        if not self.schema:
            return False
        return bool(first_row(connection, "SELECT to_regclass(%s) IS NOT NULL", [f"{quoted(self.schema)}.history"])[0])

    def create(self, connection: Connection) -> None:
        connection.execute(self._sql(_CREATE))

    def last(self, connection: Connection) -> dict[Name, Record]:
        """The last entry of each index."""
        rows = connection.execute(self._sql(_LAST))
        return {Name(row[0], row[1]): Record(row[2], row[3], row[4]) for row in rows}

    def begin(
        self,
        connection: Connection,
        migration: str,
        index: Name,
        table: Name,
        action: str,
        definition: str,
        checksum: str,
    ) -> int | None:
        """Written before the work, so that what a killed run left is known to be ours."""
        if not self.schema:
            return None
        values = [migration, index.schema, index.name, str(table), action, definition, checksum]
        return int(first_row(connection, self._sql(_BEGIN), values)[0])

    def finish(self, connection: Connection, entry: int | None, index: Name, waited: float, attempts: int) -> None:
        if entry is not None:
            regclass = f"{quoted(index.schema)}.{quoted(index.name)}"
            connection.execute(self._sql(_FINISH), [waited, attempts, regclass, entry])

    def _sql(self, statement: str) -> str:
        return statement.format(schema=quoted(self.schema))
