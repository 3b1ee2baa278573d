"""Two real PostgreSQL servers, an old one and a new one, and the module between them in this process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from tests.integration.postgres.conftest import run_with as run_module_here
from tests.support.postgres import PASSWORD, Server, running
from tests.support.threads import Threads

LOGICAL = {"wal_level": "logical", "wal_receiver_status_interval": "1s", "wal_retrieve_retry_interval": "200ms"}
# A password over TCP, so that tests can see that it shows nowhere; the socket is the tests' own way in.
HBA = ["local all all trust", "host all all 127.0.0.1/32 scram-sha-256"]

SCHEMA = [
    "CREATE TYPE mood AS ENUM ('happy', 'sad')",
    "CREATE EXTENSION pg_trgm",
    "CREATE TABLE books (id serial PRIMARY KEY, title text, mood mood, tags text[], price numeric, at timestamptz)",
    "CREATE INDEX books_title ON books USING gin (title gin_trgm_ops)",
    'CREATE TABLE "readingProgress" ("userId" int, "bookId" int REFERENCES books, share float8, blob bytea, '
    'PRIMARY KEY ("userId", "bookId"))',
    "CREATE TABLE events (id bigint, kind text, PRIMARY KEY (id)) PARTITION BY RANGE (id)",
    "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (5000)",
    "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (5000) TO (1000000)",
    "CREATE TABLE tokens (identifier text NOT NULL, token text NOT NULL UNIQUE)",
    "CREATE MATERIALIZED VIEW moods AS SELECT mood, count(*) AS books FROM books GROUP BY mood",
    "CREATE SEQUENCE tickets START 1000",
]


def rows(count: int) -> list[str]:
    return [
        "INSERT INTO books (title, mood, tags, price, at) "
        f"SELECT md5(g::text), 'happy', ARRAY[g::text], g / 3.0, now() FROM generate_series(1, {count}) g",
        f"INSERT INTO \"readingProgress\" SELECT g, g, random(), decode(md5(g::text), 'hex') "
        f"FROM generate_series(1, {count}) g",
        f"INSERT INTO events SELECT g, 'seen' FROM generate_series(1, {count}) g",
        f"INSERT INTO tokens SELECT g::text, md5(g::text) FROM generate_series(1, {count}) g",
        "REFRESH MATERIALIZED VIEW moods",
        "SELECT nextval('tickets')",
        "ANALYZE",
    ]


@dataclass
class Pair:
    """A database with the schema above on the old server, an empty one on the new server."""

    old: Server
    new: Server
    name: str
    sessions: list[Any] = field(default_factory=list)

    def connection(self, server: Server) -> dict[str, Any]:
        return server.connection(self.name, password=PASSWORD)

    def migrate(self, state: str = "replicated", *, check: bool = False, **options: Any) -> dict[str, Any]:
        return run_module_here("postgres_data_migration", self.parameters(state, **options), check=check)

    def parameters(self, state: str, **options: Any) -> dict[str, Any]:
        sides = {"source": self.connection(self.old), "target": self.connection(self.new)}
        given = {"name": f"m_{self.name}", "state": state, "replica_identity": "set", "drain_timeout": 30}
        return {**sides, **given, "copy_timeout": 60, **options}

    def on(self, server: Server, *statements: str, write: bool = False) -> list[Any]:
        options = {"options": "-c default_transaction_read_only=off"} if write else {}
        return server.execute(*statements, database=self.name, host=str(server.folder), **options)

    def value(self, server: Server, query: str) -> Any:
        return self.on(server, query)[0][0]

    def leftovers(self) -> list[str]:
        """Everything of a migration that is still on either server."""
        queries = (
            f"SELECT 'slot ' || slot_name FROM pg_replication_slots WHERE database = '{self.name}'",
            "SELECT 'publication ' || pubname FROM pg_publication",
            "SELECT 'subscription ' || subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid "
            "WHERE datname = current_database()",
        )
        return [row[0] for server in (self.old, self.new) for query in queries for row in self.on(server, query)]


def _server(settings: dict[str, str]) -> Any:
    return running(15, {**LOGICAL, **settings}, hba=HBA)


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[Server, Server]]:
    with _server({}) as old, _server({}) as new:
        for server in (old, new):
            server.execute(f"ALTER ROLE postgres PASSWORD '{PASSWORD}'", host=str(server.folder))
        yield old, new


@pytest.fixture
def pair(servers: tuple[Server, Server]) -> Iterator[Pair]:
    one = Pair(*servers, f"d{uuid.uuid4().hex[:10]}")
    for server in servers:
        server.execute(f"CREATE DATABASE {one.name}", host=str(server.folder))
    one.on(one.old, *SCHEMA, *rows(2000))
    yield one
    for server in servers:  # a subscription keeps its database from being dropped
        for row in one.on(
            server,
            "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid "
            "WHERE d.datname = current_database()",
        ):
            name = f'"{row[0]}"'
            one.on(server, f"ALTER SUBSCRIPTION {name} DISABLE", f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)",
                   f"DROP SUBSCRIPTION {name}", write=True)  # fmt: skip
    for server in servers:
        for row in one.on(server, f"SELECT slot_name FROM pg_replication_slots WHERE database = '{one.name}'"):
            server.execute(
                f"SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = '{row[0]}'",
                f"SELECT pg_drop_replication_slot('{row[0]}')",
                host=str(server.folder),
            )
        server.execute(f"DROP DATABASE {one.name} WITH (FORCE)", host=str(server.folder))


class Readers(Threads):
    """The application: sessions that insert, update and delete, and remember every write that was acknowledged.

    They begin on the old server; `move` sends them to the new one, or back.
    """

    def __init__(self, pair: Pair, count: int = 2) -> None:
        super().__init__(lambda number: self._write(1_000_000 * (number + 1)), count)
        self._pair = pair
        self.server = pair.old
        self.acknowledged: set[int] = set()
        self.refused = 0
        self.errors: list[str] = []

    def _write(self, key: int) -> None:
        connection = None
        while not self.ended.is_set():
            key += 1
            try:
                if connection is None or connection.closed or connection.info.port != self.server.port:
                    connection = self.server.connect(self._pair.name, host=str(self.server.folder))
                connection.execute("INSERT INTO books (id, title) VALUES (%s, 'new')", [key])
                self.acknowledged.add(key)
                connection.execute(
                    "UPDATE tokens SET identifier = identifier || 'x' WHERE token = md5(%s)", [str(key % 99)]
                )
                connection.execute("DELETE FROM events WHERE id = %s", [key % 2000])
            except (psycopg.errors.ReadOnlySqlTransaction, psycopg.OperationalError):
                self.refused += 1  # the stop of writes: what an application sees and repeats
                connection = None
            except psycopg.Error as error:
                self.errors.append(repr(error))
            self.ended.wait(0.01)

    def move(self, server: Server) -> None:
        self.server = server
