# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What kind of server answers: a writer or a reader, directly or through a pooler, which version."""

from __future__ import annotations

from dataclasses import dataclass

from .connection import Target
from .driver import Connection, first_row

OLDEST = 140000  # before 14, concurrent index builds wait for each other
NEWEST_TRIED = 18

_EXAMINE = """
SELECT pg_backend_pid() AS backend_pid,
       current_user AS role,
       current_setting('server_version_num')::int AS version,
       current_setting('server_version') AS version_text,
       pg_is_in_recovery() AS in_recovery,
       current_setting('default_transaction_read_only') = 'on' AS read_only,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_superuser') AS managed,
       EXISTS (SELECT FROM pg_proc WHERE proname = 'aurora_replica_status') AS aurora
"""


@dataclass(frozen=True)
class Server:
    """The server behind a connection.

    version: server_version_num, such as 150018. managed: Amazon RDS or Aurora.
    pooled: something between us and the server hands out server sessions. writer: its name where known.
    """

    role: str
    version: int
    version_text: str
    in_recovery: bool
    read_only: bool
    superuser: bool
    managed: bool
    aurora: bool
    pooled: bool
    writer: str = ""

    @property
    def major(self) -> int:
        return self.version // 10000


def examine(connection: Connection) -> Server:
    """One query, and a second on a reader to learn the writer's name."""
    row = first_row(connection, _EXAMINE)._asdict()
    # A pooler invents the process id that it tells its clients; a server tells its own.
    pooled = row.pop("backend_pid") != connection.info.backend_pid
    writer = _writer(connection, row["aurora"]) if row["in_recovery"] else ""
    return Server(**row, pooled=pooled, writer=writer)


def _writer(connection: Connection, aurora: bool) -> str:
    if aurora:
        query = "SELECT server_id FROM aurora_replica_status() WHERE session_id = 'MASTER_SESSION_ID'"
    else:
        # Shown to superusers and members of pg_read_all_stats; others see no name.
        query = "SELECT sender_host || ':' || sender_port FROM pg_stat_wal_receiver WHERE sender_host IS NOT NULL"
    row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""


def problems(server: Server, target: Target, needs: str) -> list[str]:
    """Why this server cannot be used for work that needs a session of its own on the writer.

    needs: what the work is, such as ``building indexes``.
    """
    found = []
    if server.pooled or ".proxy-" in target.host:
        found.append(
            f"Connected to {target.text} and found a pooler (PgBouncer, RDS Proxy): sessions are shared there, so "
            f"settings and locks leak between clients. Give {needs} the endpoint of the cluster's writer itself."
        )
    if server.in_recovery or ".cluster-ro-" in target.host:
        where = f"the writer {server.writer}" if server.writer else "the writer (the cluster endpoint without -ro-)"
        found.append(
            f"Connected to {target.text} and found a read-only replica; {needs} needs a writer. Connect to {where}."
        )
    elif server.read_only:
        found.append(
            f"Connected to {target.text} as {server.role} and found default_transaction_read_only on; {needs} needs "
            "to write. Turn it off for this role or database."
        )
    if server.version < OLDEST:
        found.append(
            f"Connected to {target.text} and found PostgreSQL {server.version_text}; {needs} is supported from "
            f"{OLDEST // 10000} to {NEWEST_TRIED}. Upgrade the server first."
        )
    return found
