# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The fence: one runner a database at a time.

A session advisory lock on a connection of its own, and only ever tried: a session that *waits* for a lock
holds a snapshot, for which the other runner's concurrent build would wait in turn, and both would stand
in a deadlock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .._engine.steps import StepFailed
from .._postgres.connection import Connections
from .._postgres.driver import Connection, first_row, psycopg

_KEY = {"class": 1001, "object": 15}  # any pair will do as long as every runner takes the same
_TRY = "SELECT pg_try_advisory_lock(%(class)s, %(object)s)"
_HOLDER = """
SELECT a.pid, coalesce(a.usename, '') AS user, coalesce(host(a.client_addr), 'a local socket') AS address,
       extract(epoch FROM clock_timestamp() - a.backend_start)::float8 AS age
  FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
   AND l.classid = %(class)s AND l.objid = %(object)s
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_PAUSE = 0.5


class Fence:
    """Held from `acquire` until the process ends; the server lets go of it when the connection breaks."""

    def __init__(self, connections: Connections, patience: float, report: Callable[[str], None]) -> None:
        self._connections, self._patience, self._report = connections, patience, report
        self._connection: Connection | None = None
        self._lock = threading.Lock()  # of several lanes that find it broken, one takes it again

    def acquire(self) -> None:
        """Take the fence, waiting up to ``patience`` seconds. Raises StepFailed that names the holder."""
        connection = self._connections.open("fence")
        connection.execute("SET idle_session_timeout = 0")
        deadline = time.monotonic() + self._patience
        told = False
        while not first_row(connection, _TRY, _KEY)[0]:
            holder = self._holder(connection)
            if time.monotonic() > deadline:
                connection.close()
                raise StepFailed(
                    f"Waited {self._patience:.0f} s for another run of index migrations on "
                    f"{self._connections.target.text}; it is held by {holder}. Run the play again when that is done."
                )
            if not told:
                self._report(f"another run of index migrations is under way ({holder}); waiting for it")
                told = True
            time.sleep(_PAUSE)
        self._connection = connection

    def ensure(self) -> None:
        """Take it again when its connection has broken, as it does when the server restarts."""
        with self._lock:
            try:
                if self._connection is not None:
                    self._connection.execute("SELECT")
                    return
            except psycopg.Error:
                self._report("the connection that holds the fence broke; taking it again")
            self.acquire()

    def _holder(self, connection: Connection) -> str:
        row = connection.execute(_HOLDER, _KEY).fetchone()
        return f"pid {row.pid} ({row.user} from {row.address}, since {row.age:.0f} s)" if row else "a session just gone"
