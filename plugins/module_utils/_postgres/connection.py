# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connections to one PostgreSQL database, each opened with credentials of its own moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from .._engine.steps import StepFailed
from .credentials import Credentials
from .driver import Connection, namedtuple_row, psycopg
from .errors import connecting_sentence

# Found after 30 + 3 * 10 s when the other side vanishes without a word.
_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


@dataclass(frozen=True)
class Target:
    """Where the database is. sslmode and sslrootcert are libpq's; connect_timeout in seconds."""

    host: str
    port: int
    database: str
    sslmode: str = "verify-full"
    sslrootcert: str | None = None
    connect_timeout: int = 10

    @property
    def text(self) -> str:
        return f"{self.host}:{self.port}/{self.database}"

    @property
    def local(self) -> bool:
        """True when the server's disks are this machine's."""
        return self.host in ("localhost", "127.0.0.1", "::1") or self.host.startswith("/")


class Connections:
    """Opens autocommit connections; rows come as named tuples."""

    def __init__(self, target: Target, credentials: Credentials, application_name: str) -> None:
        self.target = target
        self._credentials = credentials
        self._application_name = application_name

    @property
    def username(self) -> str:
        return self._credentials.username()

    def password(self) -> str | None:
        """For the one use outside of `open`: what a child process or another server is given to connect with."""
        return self._credentials.password()

    def open(self, purpose: str = "") -> Connection:
        """A new connection; ``purpose`` is shown in pg_stat_activity.application_name.

        Raises StepFailed when the server cannot be reached or refuses.
        """
        try:
            return self._connect(purpose)
        except psycopg.OperationalError as error:
            if not self._credentials.renew():
                raise self._failure(error) from None  # the chained traceback would show the connection's arguments
        try:
            return self._connect(purpose)
        except psycopg.OperationalError as error:
            raise self._failure(error) from None

    def _connect(self, purpose: str) -> Connection:
        name = f"{self._application_name}{': ' if purpose else ''}{purpose}"
        target = self.target
        connection: Connection = psycopg.connect(
            host=target.host,
            port=target.port,
            dbname=target.database,
            user=self._credentials.username(),
            password=self._credentials.password(),
            sslmode=target.sslmode,
            sslrootcert=target.sslrootcert or None,
            connect_timeout=target.connect_timeout,
            application_name=name[:63],
            autocommit=True,
            prepare_threshold=None,
            row_factory=namedtuple_row,
            **_KEEPALIVE,  # type: ignore[arg-type]  # mypy reads the numbers as any of the other arguments
        )
        return connection

    def _failure(self, error: Exception) -> StepFailed:
        return StepFailed(connecting_sentence(f"{self.target.text} as {self._credentials.username()}", error))


class Session(AbstractContextManager["Connection"]):
    """A connection for the length of a block, prepared by ``ready`` (settings, checks)."""

    def __init__(
        self, connections: Connections, purpose: str, ready: Callable[[Connection], object] | None = None
    ) -> None:
        self._connection = connections.open(purpose)
        try:
            if ready:
                ready(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Connection:
        return self._connection

    def __exit__(self, *error: object) -> None:
        self._connection.close()
