# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many connections at once: open them, use each, and count the server's sessions behind them."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .._engine.steps import PlanRefused, StepFailed
from .connection import Connections
from .driver import Connection, first_row, psycopg
from .errors import message

_OPENERS = 32  # threads; more would measure this machine's processors and not the server
_SPARE_FILES = 64  # that this process itself needs
# RDS keeps some connections for itself; the proxy may not take all that are left.
_RESERVED = 15


@dataclass(frozen=True)
class Report:
    """What was found. Times in milliseconds, for one query on each of the open connections.

    server_sessions: different server processes that answered; fewer than opened behind a pooler.
    """

    wanted: int
    opened: int
    answered: int
    server_sessions: int
    max_connections: int
    open_seconds: float
    p50_ms: float
    p99_ms: float
    errors: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return self.opened == self.answered == self.wanted


def measure(connections: Connections, wanted: int) -> Report:
    """Open ``wanted`` connections, keep all of them open, and query each. Nothing is written.

    Raises PlanRefused when this machine may not open so many files.
    """
    limit, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit < wanted + _SPARE_FILES:
        raise PlanRefused(
            [
                f"Asked for {wanted} connections; this process may open {limit} files. "
                f"Raise the limit first: ulimit -n {wanted + _SPARE_FILES}."
            ]
        )
    lock = threading.Lock()
    opened: list[Connection] = []
    errors: dict[str, int] = {}

    def fail(error: Exception) -> None:
        told = str(error) if isinstance(error, StepFailed) else message(error)
        with lock:
            errors[told] = errors.get(told, 0) + 1

    def connect(_number: int) -> None:
        try:
            connection = connections.open("connection check")
        except StepFailed as error:
            fail(error)
            return
        with lock:
            opened.append(connection)

    def query(connection: Connection) -> tuple[float, int] | None:
        begun = time.monotonic()
        try:
            pid = first_row(connection, "SELECT pg_backend_pid()")[0]
        except psycopg.Error as error:
            fail(error)
            return None
        return (time.monotonic() - begun) * 1000, int(pid)

    begun = time.monotonic()
    with ThreadPoolExecutor(_OPENERS) as pool:
        try:
            list(pool.map(connect, range(wanted)))
            seconds = time.monotonic() - begun
            answers = [answer for answer in pool.map(query, opened) if answer]
            most = int(first_row(opened[0], "SELECT current_setting('max_connections')::int")[0]) if answers else 0
        finally:
            for connection in opened:
                connection.close()
    times = sorted(answer[0] for answer in answers)
    return Report(
        wanted=wanted,
        opened=len(opened),
        answered=len(answers),
        server_sessions=len({answer[1] for answer in answers}),
        max_connections=most,
        open_seconds=seconds,
        p50_ms=_percentile(times, 0.50),
        p99_ms=_percentile(times, 0.99),
        errors=tuple(f"{told} ({count} times)" for told, count in errors.items()),
    )


def proxy(max_connections: int, clients: int, direct: int, busy_share: float) -> dict[str, Any]:
    """How to size RDS Proxy for this many clients; pure.

    direct: connections that go past the proxy (migrations, monitoring). busy_share: of the clients, how many
    are inside a transaction at the same time, from 0 to 1; only those need a session of the server.
    Returns the proxy's settings in RDS's names, and ``enough``.
    """
    room = max_connections - _RESERVED - direct
    needed = max(1, round(clients * busy_share))
    percent = max(1, min(100, 100 * room // max_connections))
    return {
        "max_connections_percent": percent,
        # Half of what it may use; RDS's own default, so that a lull does not close what the next peak needs.
        "max_idle_connections_percent": max(0, min(percent, percent // 2)),
        "connection_borrow_timeout": 30,
        "server_sessions_needed": needed,
        "enough": needed <= max_connections * percent // 100 and room > 0,
    }


def _percentile(times: Sequence[float], share: float) -> float:
    return round(times[min(len(times) - 1, int(len(times) * share))], 3) if times else 0.0
