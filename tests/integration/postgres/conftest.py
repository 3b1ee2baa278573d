"""One PostgreSQL 15 for a test session, an empty database for each test, and our modules in this process."""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ansible.module_utils.testing import patch_module_args

from tests.support.postgres import Server, running
from tests.support.threads import Threads

MODULES = "ansible_collections.stories1001.platform.plugins.modules"
UTILS = "ansible_collections.stories1001.platform.plugins.module_utils"


def run(name: str, *, check: bool = False, **parameters: Any) -> dict[str, Any]:
    """One module in this process, as Ansible would run it; its result."""
    return run_with(name, parameters, check=check)


def run_with(name: str, parameters: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    """As `run`, for a module with a parameter called name."""
    given = {**parameters, "_ansible_check_mode": check, "_ansible_diff": True}
    given |= {"_ansible_remote_tmp": "~/.ansible/tmp", "_ansible_keep_remote_files": False}
    printed = io.StringIO()
    with patch_module_args(given), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        runpy.run_module(f"{MODULES}.{name}", run_name="__main__")
    lines = [line for line in printed.getvalue().splitlines() if line.startswith("{")]
    assert lines, f"{name} printed no result: {printed.getvalue()}"
    result: dict[str, Any] = json.loads(lines[-1])
    return result


@dataclass
class Database:
    """An empty database of the shared server."""

    server: Server
    name: str
    sessions: list[Any] = field(default_factory=list)

    def connect(self, **options: Any) -> Any:
        """A connection that ends with the test."""
        connection = self.server.connect(self.name, **options)
        self.sessions.append(connection)
        return connection

    def execute(self, *statements: str) -> list[Any]:
        return self.server.execute(*statements, database=self.name)

    def value(self, query: str) -> Any:
        return self.execute(query)[0][0]

    def connection(self, **changes: Any) -> dict[str, Any]:
        return self.server.connection(self.name, **changes)

    def migrate(self, *indexes: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
        """postgres_index_migration with one migration of these indexes."""
        connection = options.pop("connection", None) or self.connection()
        migrations = options.pop("migrations", None) or [{"name": "m1", "indexes": list(indexes)}]
        return run("postgres_index_migration", check=check, connection=connection, migrations=migrations, **options)

    def indexes(self) -> dict[str, bool]:
        """By name: whether it is valid. Primary keys and the history's are left out."""
        rows = self.execute(
            "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', "
            "'index_migrations') AND NOT i.indisprimary"
        )
        return {row[0]: row[1] for row in rows}

    def slow_table(self, rows: int = 200, seconds: float = 1.0, name: str = "slow") -> dict[str, Any]:
        """A table, and an index on it whose build takes so long; statements can hit it in its first scan."""
        pause = seconds / rows
        self.execute(
            f"CREATE TABLE {name} (id int PRIMARY KEY, note text)",
            f"INSERT INTO {name} SELECT g, 'n' FROM generate_series(1, {rows}) g",
            # Declared immutable, so that an index may call it; each row then costs a nap.
            f"CREATE OR REPLACE FUNCTION nap_{name}(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS "
            f"$$BEGIN PERFORM pg_sleep({pause}); RETURN $1; END$$",
            f"ANALYZE {name}",
        )
        return {"name": f"idx_{name}", "table": name, "columns": [{"expression": f"nap_{name}(id)"}]}

    def building(self, timeout: float = 10) -> int:
        """Waits for a build to scan its table; the process id."""
        query = "SELECT pid FROM pg_stat_progress_create_index WHERE phase LIKE 'building index%'"
        return int(self.await_row(query, timeout)[0])

    def await_row(self, query: str, timeout: float = 10) -> Any:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if rows := self.execute(query):
                return rows[0]
            time.sleep(0.02)
        raise AssertionError(f"no row within {timeout} s: {query}")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running(15, {"autovacuum": "off", "wal_level": "logical"}) as one:
        yield one


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    one = Database(server, f"t{uuid.uuid4().hex[:10]}")
    server.execute(f"CREATE DATABASE {one.name}")
    yield one
    for session in one.sessions:
        with contextlib.suppress(psycopg.Error):
            session.close()
    server.execute(f"DROP DATABASE IF EXISTS {one.name} WITH (FORCE)")


@pytest.fixture
def progress(tmp_path: Path) -> Path:
    """A file for progress lines."""
    return tmp_path / "progress"


class Background:
    """A function in a thread; its result, or its error, when it is asked for."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._result: Any = None
        self._error: BaseException | None = None
        self._function = function
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:
            self._error = error

    def result(self, timeout: float = 60) -> Any:
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "still running"
        if self._error:
            raise self._error
        return self._result


class Writers(Threads):
    """Sessions that insert, update and read all the time; every error of theirs is kept."""

    def __init__(self, database: Database, table: str, count: int = 2) -> None:
        super().__init__(lambda _number: self._write(database, table), count)
        self.errors: list[str] = []
        self.writes = 0

    def _write(self, database: Database, table: str) -> None:
        with database.server.connect(database.name) as connection:
            while not self.ended.is_set():
                try:
                    connection.execute(f"UPDATE {table} SET note = note || 'x' WHERE id % 97 = {self.writes % 97}")
                    connection.execute(f"SELECT count(*) FROM {table} WHERE note = 'n'")
                    self.writes += 1
                except psycopg.Error as error:
                    self.errors.append(repr(error))
                self.ended.wait(0.01)
