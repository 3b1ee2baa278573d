# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The application's PostgreSQL: a small pool, its schema and its queries."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import ClassVar

import asyncpg

from local_cloud.app.settings import DatabaseSettings

_LOCK = 1001  # advisory lock: of several tasks that start together, one migrates
_HISTORY = "CREATE TABLE schema_migrations (version int PRIMARY KEY, at timestamptz DEFAULT now())"
_MIGRATIONS = {
    1: """
        CREATE TABLE books (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            title text NOT NULL,
            author text NOT NULL,
            language text NOT NULL DEFAULT 'en',
            published_at timestamptz NOT NULL DEFAULT now()
        )""",
    2: """
        INSERT INTO books (title, author, language) VALUES
            ('The Fisherman and the Jinni', 'Anonymous', 'en'),
            ('The Three Apples', 'Anonymous', 'en'),
            ('The Ebony Horse', 'Anonymous', 'en'),
            ('The City of Brass', 'Anonymous', 'en'),
            ('Sindbad the Sailor', 'Anonymous', 'en'),
            ('The Hunchback''s Tale', 'Anonymous', 'en'),
            ('La lámpara de Aladino', 'Anonymous', 'es'),
            ('Der Kalif Storch', 'Wilhelm Hauff', 'de'),
            ('Le Pêcheur et le Génie', 'Antoine Galland', 'fr'),
            ('Sultan al-Hind', 'Anonymous', 'ar')""",
    3: """
        CREATE TABLE submissions (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            title text NOT NULL,
            author text NOT NULL,
            status text NOT NULL DEFAULT 'received',
            at timestamptz NOT NULL DEFAULT now()
        )""",
}


@dataclass(frozen=True)
class Book:
    id: int
    title: str
    author: str
    language: str


class Database:
    """A pool that connects when first used. Methods raise one of `ERRORS` when the server cannot be used."""

    ERRORS: ClassVar = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

    def __init__(self, settings: DatabaseSettings, size: int = 8) -> None:
        self._settings = settings
        self._size = size
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def _ready(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                where = self._settings
                self._pool = await asyncpg.create_pool(
                    host=where.host,
                    port=where.port,
                    database=where.name,
                    user=where.user,
                    password=where.password,
                    ssl=_tls(where),
                    min_size=1,
                    max_size=self._size,
                    timeout=3,
                    command_timeout=10,
                    server_settings={"application_name": "reference-app"},
                    # Behind RDS Proxy a session may change its server: prepared statements would be lost.
                    statement_cache_size=0,
                )
        return self._pool

    async def check(self) -> None:
        await (await self._ready()).fetchval("SELECT 1", timeout=2)

    async def books(self) -> list[Book]:
        rows = await (await self._ready()).fetch("SELECT id, title, author, language FROM books ORDER BY id LIMIT 100")
        return [Book(**row) for row in rows]

    async def book(self, number: int) -> Book | None:
        pool = await self._ready()
        row = await pool.fetchrow("SELECT id, title, author, language FROM books WHERE id = $1", number)
        return Book(**row) if row else None

    async def submit(self, title: str, author: str) -> int:
        """Take a story that somebody handed in; its number."""
        statement = "INSERT INTO submissions (title, author) VALUES ($1, $2) RETURNING id"
        return int(await (await self._ready()).fetchval(statement, title, author))

    async def submissions(self) -> int:
        """How many stories wait for a reader."""
        return int(await (await self._ready()).fetchval("SELECT count(*) FROM submissions WHERE status = 'received'"))

    async def close(self) -> None:
        if self._pool:
            self._pool.terminate()

    async def connection(self) -> asyncpg.pool.PoolConnectionProxy:
        return await (await self._ready()).acquire()


def _tls(settings: DatabaseSettings) -> ssl.SSLContext | str:
    if settings.tls not in ("verify-ca", "verify-full"):
        return settings.tls
    context = ssl.create_default_context(cafile=settings.ca_file)
    context.check_hostname = settings.tls == "verify-full"
    return context


async def migrate(database: Database) -> str:
    """Apply the migrations that the database has not had. Returns a sentence. Raises one of `Database.ERRORS`."""
    connection = await database.connection()
    applied = []
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
            await connection.execute(_HISTORY)
        done = {row["version"] for row in await connection.fetch("SELECT version FROM schema_migrations")}
        for version, statement in _MIGRATIONS.items():
            if version not in done:
                await connection.execute(statement)
                await connection.execute("INSERT INTO schema_migrations (version) VALUES ($1)", version)
                applied.append(version)
    await connection.close()
    return f"applied migrations {applied}" if applied else "the schema is up to date"
