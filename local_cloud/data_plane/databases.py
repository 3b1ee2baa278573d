# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS: one PostgreSQL server for each cluster, and for each instance that is in no cluster.

The server listens on all addresses of its cluster: writer, reader, proxy and instances are the same server, so a reader
is never behind and never refuses a write. It runs as an unprivileged user when this process is root, which PostgreSQL
refuses to be.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from local_cloud import processes
from local_cloud.data_plane.certificates import Authority
from local_cloud.data_plane.control_client import ControlPlane
from local_cloud.data_plane.postgres_binaries import Binaries
from local_cloud.settings import STATE_DIR_VARIABLE

logger = logging.getLogger("data_plane")

Spec = dict[str, Any]

_ADMIN = "rdsadmin"  # the superuser that RDS keeps for itself
_START_TIMEOUT = 30.0  # seconds
_COPY_TIMEOUT = 120.0  # seconds that a restore waits for its snapshot's files
_RECOVERY_TIMEOUT = 300.0  # seconds for the replay of the write-ahead log
# For a server whose machine may not fail but whose memory counts. Parameter groups override all but the last lines.
_BASE = {
    "shared_buffers": "32MB",
    "max_connections": "600",
    "wal_level": "replica",
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "256MB",
    # All of it since the base copy, so that a restore can go back to any moment; see `_take_base`.
    "wal_keep_size": "2GB",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    # pg_stat_statements and auto_explain are preloaded by RDS's default groups.
    "shared_preload_libraries": "pg_stat_statements",
}
_LARGEST_SHARED_BUFFERS = 16384  # blocks of 8 KiB; the class's memory is not this machine's
# RDS's own parameters, as the PostgreSQL parameters that they stand for.
_RDS_PARAMETERS = {("rds.logical_replication", "1"): ("wal_level", "logical")}


@dataclass
class Server:
    """A running server. `static`: the parameters that were in force when it started."""

    spec: Spec
    folder: Path
    process: asyncio.subprocess.Process | None = None
    static: dict[str, str] = field(default_factory=dict)
    contexts: dict[str, str] = field(default_factory=dict)  # parameter → pg_settings.context
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


class Databases:
    """Makes the servers of this machine equal to the clusters of the control plane."""

    def __init__(self, control_plane: ControlPlane, state_dir: Path, authority: Authority) -> None:
        self._control_plane = control_plane
        self._state_dir = state_dir
        self._authority = authority
        self._folder = state_dir / "databases"
        self._binaries: Binaries | None = None
        self._background: set[asyncio.Task[None]] = set()
        self.servers: dict[str, Server] = {}
        self._snapshots = {path.name for path in self._folder.glob("snapshot-*") if path.suffix != ".part"}

    def follow(self, specs: list[Spec], snapshots: dict[str, str]) -> None:
        """Start, change and remove servers; take and remove snapshots. Returns at once.

        `snapshots`: key of each snapshot → key of the server that it is taken from.
        """
        wanted = {spec["key"]: spec for spec in specs}
        for key in self.servers.keys() - wanted.keys():
            self._spawn(self._remove(self.servers.pop(key)))
        for key, spec in wanted.items():
            server = self.servers.get(key)
            if server is None:
                server = self.servers[key] = Server(spec, self._folder / key)
                self._spawn(self._start(server))
            elif server.spec != spec:
                before, server.spec = server.spec, spec
                self._spawn(self._change(server, before))
        for key in snapshots.keys() - self._snapshots:
            self._spawn(self._take_snapshot(key, snapshots[key]))
        for key in self._snapshots - snapshots.keys():
            shutil.rmtree(self._folder / key, ignore_errors=True)
        self._snapshots = set(snapshots)

    async def close(self) -> None:
        """Stop all servers; their data stays."""
        await asyncio.gather(*(_stop(server) for server in self.servers.values()))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _report(self, server: Server, state: str, detail: str = "") -> None:
        body: dict[str, Any] = {"databases": [{"key": server.spec["key"], "state": state, "detail": detail}]}
        if self._binaries:
            body["status"] = {"postgresql": self._binaries.origin}
        await self._control_plane.tell_surely("/data-plane/report", body)

    async def _start(self, server: Server) -> None:
        async with server.busy:
            try:
                self._binaries = self._binaries or await Binaries.find()
                if not (server.folder / "PG_VERSION").exists():
                    await self._create(server)
                await self._run(server)
                await self._prepare(server)
            except (OSError, RuntimeError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                logger.exception("database %s", server.spec["identifier"])
                await self._report(server, "failed", f"{type(error).__name__}: {error}")
            else:
                await self._report(server, "available")
                await self._take_base(server)

    async def _take_base(self, server: Server) -> None:
        """Keep the files as they are now: what a restore to a later moment replays the write-ahead log upon."""
        base = self._base(server)
        if not base.exists():
            try:
                await self._copy(server, base)
            except (OSError, RuntimeError, asyncpg.PostgresError) as error:
                logger.error("base copy of %s: %s", server.spec["identifier"], error)

    def _base(self, server: Server) -> Path:
        return self._folder / f"base-{server.spec['key']}"

    # The server.

    def _command(self, *words: str) -> list[str]:
        """A PostgreSQL program, run as the unprivileged user when this process is root."""
        assert self._binaries is not None
        command = [str(self._binaries.folder / words[0]), *words[1:]]
        if os.geteuid() != 0:
            return command
        user = _unprivileged_user()
        drop = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=INT"]
        if not _reachable(self._folder):
            # A state directory below one of root's: the user may pass, and read what is its own.
            drop += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        return [*drop, "--", *command]

    async def _create(self, server: Server) -> None:
        """Make the data folder: that of a snapshot or of another server if the cluster is restored, else a new one."""
        shutil.rmtree(server.folder, ignore_errors=True)
        source = server.spec["copy_of"]
        if source in self.servers:
            if server.spec["moment"]:
                await self._go_back(self.servers[source], server)
            else:
                await self._copy(self.servers[source], server.folder)
            return
        if source:
            async with asyncio.timeout(_COPY_TIMEOUT):
                while not (self._folder / source).exists():
                    await asyncio.sleep(0.2)
            await _run_quietly("cp", "-a", str(self._folder / source), str(server.folder))
            return
        server.folder.mkdir(parents=True, mode=0o700)
        _own(server.folder)
        process = await asyncio.create_subprocess_exec(
            *self._command("initdb", "-D", str(server.folder), "-U", _ADMIN, "-E", "UTF8", "--no-locale", "--no-sync"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd="/",
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"initdb failed: {output.decode(errors='replace')[-500:]}")

    async def _go_back(self, source: Server, server: Server) -> None:
        """Lay out the files of another server so that it starts as that was at the wished moment.

        PostgreSQL's own point-in-time recovery: the base copy, the write-ahead log since then, a target.
        """
        base, part = self._base(source), server.folder.with_suffix(".part")
        async with asyncio.timeout(_COPY_TIMEOUT):
            while not base.exists():
                await asyncio.sleep(0.1)
        connection = await self._connect(source, "postgres")
        try:
            # Replay ends at the first transaction after the target; this one is there if no other is.
            await connection.fetchval("SELECT txid_current()")
            await connection.fetchval("SELECT pg_switch_wal()")
        finally:
            await connection.close()
        shutil.rmtree(part, ignore_errors=True)
        await _run_quietly("cp", "-a", str(base), str(part))
        shutil.rmtree(part / "pg_wal")
        await _run_quietly("cp", "-a", str(source.folder / "pg_wal"), str(part / "pg_wal"))
        # restore_command is demanded; the log lies in pg_wal, where PostgreSQL looks when the command finds nothing.
        recovery = {
            "restore_command": "false",
            "recovery_target_time": server.spec["moment"],
            "recovery_target_timeline": "current",
            "recovery_target_action": "promote",
            "hot_standby": "off",
        }
        await _write(
            part / "postgresql.auto.conf", "".join(f"{name} = '{value}'\n" for name, value in recovery.items())
        )
        await _write(part / "recovery.signal", "")
        part.rename(server.folder)

    async def _take_snapshot(self, key: str, source: str) -> None:
        if source in self.servers and not (self._folder / key).exists():
            try:
                await self._copy(self.servers[source], self._folder / key)
            except (OSError, RuntimeError, asyncpg.PostgresError) as error:
                logger.error("snapshot %s of %s: %s", key, source, error)

    async def _copy(self, server: Server, folder: Path) -> None:
        """A copy of a running server's files from which another can start: PostgreSQL's low-level base backup."""
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        connection = await self._connect(server, "postgres")
        try:
            await connection.execute("SELECT pg_backup_start('local cloud', true)")
            await _run_quietly("cp", "-a", str(server.folder), str(part))
            label = await connection.fetchval("SELECT labelfile FROM pg_backup_stop(false)")
        finally:
            await connection.close()
        shutil.rmtree(part / "pg_wal")
        await _run_quietly("cp", "-a", str(server.folder / "pg_wal"), str(part / "pg_wal"))
        for name in ("postmaster.pid", "postmaster.opts"):
            (part / name).unlink(missing_ok=True)
        await _write(part / "backup_label", label)
        part.rename(folder)

    async def _run(self, server: Server) -> None:
        """Configure and start; return when it accepts connections."""
        wanted = _postgresql_parameters(server.spec["parameters"])
        server.static = {**_BASE, **wanted}
        await self._configure(server, server.static)
        for left in server.folder.glob(".s.PGSQL.*"):  # of a server that was killed, or that this is a copy of
            left.unlink()
        log = open(self._state_dir / "logs" / f"postgresql-{server.spec['identifier']}.log", "ab")  # noqa: SIM115 - the server keeps it
        with log:
            server.process = await asyncio.create_subprocess_exec(
                *self._command("postgres", "-D", str(server.folder)),
                cwd="/",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ.get("PATH", ""), STATE_DIR_VARIABLE: str(self._state_dir), "LC_ALL": "C"},
                # setpriv sets the signal anew, since it is lost with the change of user.
                preexec_fn=lambda: processes.die_with_parent(signal.SIGINT),
            )
        recovers = (server.folder / "recovery.signal").exists()
        async with asyncio.timeout(_RECOVERY_TIMEOUT if recovers else _START_TIMEOUT):
            while True:
                if server.process.returncode is not None:
                    raise RuntimeError(f"PostgreSQL ended with status {server.process.returncode}; see its log")
                try:
                    connection = await self._connect(server, "postgres")
                except (OSError, asyncpg.PostgresError):
                    await asyncio.sleep(0.1)
                else:
                    break
        rows = await connection.fetch("SELECT name, context FROM pg_settings")
        server.contexts = {row["name"]: row["context"] for row in rows}
        await connection.close()

    async def _configure(self, server: Server, parameters: dict[str, str]) -> None:
        """Write postgresql.conf, pg_hba.conf and the certificate. Unknown parameters are left out."""
        spec = server.spec
        name = f"rds-{spec['key']}"
        certificate = await self._authority.certificate(name, spec["addresses"])
        inside = server.folder / "server.pem"
        inside.write_bytes(certificate.read_bytes())
        inside.chmod(0o600)
        _own(inside)
        forced = {
            "listen_addresses": ",".join(spec["addresses"]),
            "port": str(spec["port"]),
            "unix_socket_directories": ".",
            "unix_socket_permissions": "0700",
            "ssl": "on",
            "ssl_cert_file": "server.pem",
            "ssl_key_file": "server.pem",
            "hba_file": str(server.folder / "pg_hba.conf"),
        }
        known = {name: value for name, value in parameters.items() if not server.contexts or name in server.contexts}
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in {**known, **forced}.items()]
        await _write(server.folder / "postgresql.conf", "\n".join(lines) + "\n")
        client = "hostssl" if spec["parameters"].get("rds.force_ssl") == "1" else "host"
        await _write(
            server.folder / "pg_hba.conf",
            f"local all {_ADMIN} trust\nhost all {_ADMIN} all reject\n{client} all all 127.0.0.0/8 scram-sha-256\n",
        )

    async def _connect(self, server: Server, database: str) -> asyncpg.Connection:
        """A connection as the superuser, through a socket in the data folder, which others cannot enter."""
        # The folder's path may be too long for a socket's address; its descriptor shortens it.
        folder = os.open(server.folder, os.O_PATH)
        try:
            return await asyncpg.connect(
                host=f"/proc/self/fd/{folder}",
                port=server.spec["port"],
                user=_ADMIN,
                database=database,
                timeout=5,
                server_settings={"log_statement": "none", "log_min_duration_statement": "-1"},  # passwords pass here
            )
        finally:
            os.close(folder)

    async def _prepare(self, server: Server) -> None:
        """Roles and the database, as RDS gives them to its customer."""
        spec = server.spec
        connection = await self._connect(server, "postgres")
        try:
            await connection.execute(_RDS_ROLES)
            await self._set_master(connection, spec)
            if spec["database"] and not await connection.fetchval(
                "SELECT 1 FROM pg_database WHERE datname = $1", spec["database"]
            ):
                database, owner = await _quoted(connection, spec["database"], spec["user"])
                await connection.execute(f"CREATE DATABASE {database} OWNER {owner}")
        finally:
            await connection.close()
        for database in {"postgres", spec["database"]} - {""}:
            connection = await self._connect(server, database)
            # Not a trusted extension: in RDS rds_superuser may create it, here only a superuser could.
            await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            await connection.close()

    async def _set_master(self, connection: asyncpg.Connection, spec: Spec) -> None:
        exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", spec["user"])
        (user,) = await _quoted(connection, spec["user"])
        if not exists:
            await connection.execute(f"CREATE ROLE {user} LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser")
        # PostgreSQL 15 lets only superusers subscribe; in RDS rds_superuser may.
        replicates = spec["parameters"].get("rds.logical_replication") == "1"
        await connection.execute(f"ALTER ROLE {user} {'SUPERUSER' if replicates else 'NOSUPERUSER'}")
        if spec["password"]:
            literal = await connection.fetchval("SELECT quote_literal($1)", spec["password"])
            await connection.execute(f"ALTER ROLE {user} PASSWORD {literal}")

    # Changes.

    async def _change(self, server: Server, before: Spec) -> None:
        async with server.busy:
            spec = server.spec
            try:
                if server.process is None or server.process.returncode is not None:
                    return
                if any(spec[name] != before[name] for name in ("reboots", "port", "addresses")):
                    await self._report(server, "rebooting")
                    await _stop(server)
                    await self._run(server)
                elif spec["parameters"] != before["parameters"]:
                    await self._reload(server)
                await self._prepare(server)
            except (OSError, RuntimeError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                logger.exception("database %s", spec["identifier"])
                await self._report(server, "failed", f"{type(error).__name__}: {error}")
            else:
                await self._report(server, "available")

    async def _reload(self, server: Server) -> None:
        """Dynamic parameters take effect now; static ones keep the value that the server started with."""
        wanted = {**_BASE, **_postgresql_parameters(server.spec["parameters"])}
        static = {name for name in {*wanted, *server.static} if server.contexts.get(name) == "postmaster"}
        dynamic = {name: value for name, value in wanted.items() if name not in static}
        kept = {name: value for name, value in server.static.items() if name in static}
        await self._configure(server, {**kept, **dynamic})
        if server.process:
            os.kill(server.process.pid, signal.SIGHUP)

    async def _remove(self, server: Server) -> None:
        async with server.busy:
            await _stop(server)
            shutil.rmtree(server.folder, ignore_errors=True)
            shutil.rmtree(self._base(server), ignore_errors=True)


_RDS_ROLES = """
DO $$ BEGIN
    IF to_regrole('rds_superuser') IS NULL THEN
        CREATE ROLE rds_superuser NOLOGIN;
        CREATE ROLE rds_replication NOLOGIN REPLICATION;
        CREATE ROLE rds_iam NOLOGIN;
        CREATE ROLE rds_password NOLOGIN;
        GRANT pg_monitor, pg_signal_backend, pg_checkpoint, rds_replication, rds_password TO rds_superuser
            WITH ADMIN OPTION;
        GRANT SET ON PARAMETER session_replication_role, log_min_duration_statement, track_io_timing,
            track_functions TO rds_superuser;
        GRANT EXECUTE ON FUNCTION pg_stat_reset() TO rds_superuser;
    END IF;
END $$"""


async def _quoted(connection: asyncpg.Connection, *names: str) -> list[str]:
    return [str(await connection.fetchval("SELECT quote_ident($1)", name)) for name in names]


def _postgresql_parameters(parameters: dict[str, str]) -> dict[str, str]:
    """A parameter group's parameters as PostgreSQL's. Formulas over the instance class's memory are left out."""
    found = {}
    for name, value in parameters.items():
        if (name, value) in _RDS_PARAMETERS:
            name, value = _RDS_PARAMETERS[(name, value)]
        if name.startswith(("rds.", "apg_", "aurora", "babelfish")) or "{" in value:
            continue
        if name == "shared_buffers" and value.isdigit():
            value = str(min(int(value), _LARGEST_SHARED_BUFFERS))
        found[name] = value
    return found


async def _run_quietly(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, output = await process.communicate()
    # A running server removes files of its own while they are being copied; its log replay does without them.
    problems = [line for line in output.decode(errors="replace").splitlines() if "No such file" not in line]
    if process.returncode != 0 and problems:
        raise RuntimeError(f"{' '.join(command)} failed: {problems[0]}")


async def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
    _own(path)


async def _stop(server: Server) -> None:
    """A fast shutdown: open transactions are rolled back."""
    process = server.process
    if process is None or process.returncode is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(8):
            await process.wait()
    except TimeoutError:
        process.send_signal(signal.SIGQUIT)
        await process.wait()


def _unprivileged_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("starting PostgreSQL: it refuses to run as root, and there is no user postgres or nobody")


def _own(path: Path) -> None:
    if os.geteuid() == 0:
        user = _unprivileged_user()
        os.chown(path, user.pw_uid, user.pw_gid)


def _reachable(folder: Path) -> bool:
    """True if any user may enter the folder."""
    return all(part.stat().st_mode & 0o001 for part in [folder, *folder.parents] if part.exists())
