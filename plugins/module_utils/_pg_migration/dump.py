# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""pg_dump and pg_restore as child processes. The password goes through their environment, never their arguments."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .._engine.steps import StepFailed
from .._postgres.connection import Connections
from .model import OWN_SCHEMAS

# Made beforehand where they are missing, or there by themselves; a managed server lets nobody else make them.
_LEFT_OUT = re.compile(r"^\d+; \d+ \d+ (?:EXTENSION|COMMENT - EXTENSION|SCHEMA - public|COMMENT - SCHEMA public)\b")


@dataclass(frozen=True)
class Programs:
    """folder: where pg_dump and pg_restore are; empty takes them from PATH."""

    folder: str = ""

    def path(self, name: str) -> str:
        """Raises StepFailed that says what to install."""
        place = self.folder or os.environ.get("PATH", "")
        found = shutil.which(name, path=place)
        if not found:
            raise StepFailed(
                f"Looked for the program {name} in {place} and found none. Install PostgreSQL's client programs, of "
                "the source's major version or newer, or name their folder in client_path."
            )
        return found

    def major(self) -> int:
        told = subprocess.run([self.path("pg_dump"), "--version"], capture_output=True, text=True, check=True).stdout
        match = re.search(r"(\d+)(?:\.\d+|devel|beta|rc)", told)
        return int(match[1]) if match else 0


def copy_schema(programs: Programs, source: Connections, target: Connections) -> None:
    """Everything but rows, in one transaction: after a kill the target is as before."""
    with tempfile.TemporaryDirectory(prefix="data-migration-") as folder:
        archive = Path(folder) / "schema"
        _run(programs, "pg_dump", source, "--schema-only", "--format=custom", f"--file={archive}", *_without())
        _restore(programs, target, archive, Path(folder), "--single-transaction")


def copy_all(programs: Programs, source: Connections, target: Connections, jobs: int, folder: str | None) -> None:
    """Schema and rows, with so many processes at once. What a broken run left on the target is dropped first.

    folder: where the archive may lie; the system's temporary folder when None.
    """
    with tempfile.TemporaryDirectory(prefix="data-migration-", dir=folder) as place:
        archive = Path(place) / "archive"
        parallel = f"--jobs={jobs}"
        _run(programs, "pg_dump", source, "--format=directory", parallel, f"--file={archive}", *_without())
        _restore(programs, target, archive, Path(place), parallel, "--clean", "--if-exists")


def _without() -> list[str]:
    """Owners and rights are the target's own; publications and subscriptions are the source's."""
    return [
        "--no-owner",
        "--no-privileges",
        "--no-publications",
        "--no-subscriptions",
        "--no-sync",
        *(f"--exclude-schema={schema}" for schema in OWN_SCHEMAS),
    ]


def _restore(programs: Programs, target: Connections, archive: Path, folder: Path, *options: str) -> None:
    listed = subprocess.run(
        [programs.path("pg_restore"), "--list", str(archive)], capture_output=True, text=True, check=True
    )
    contents = folder / "contents"
    kept = [line for line in listed.stdout.splitlines() if not _LEFT_OUT.match(line)]
    contents.write_text("\n".join(kept) + "\n", encoding="utf-8")
    given = ["--no-owner", "--no-privileges", "--exit-on-error", f"--use-list={contents}", *options]
    _run(programs, "pg_restore", target, *given, str(archive))


def _run(programs: Programs, name: str, server: Connections, *options: str) -> None:
    where = server.target
    command: Sequence[str] = [
        programs.path(name),
        "--no-password",
        f"--host={where.host}",
        f"--port={where.port}",
        f"--username={server.username}",
        f"--dbname={where.database}",
        *options,
    ]
    done = subprocess.run(command, env=_environment(server), capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-600:]
        raise StepFailed(
            f"Tried {name} on {where.text}; it ended with {done.returncode}: {said} "
            "Mend the cause and run the play again; it begins this step anew."
        )


def _environment(server: Connections) -> dict[str, str]:
    password, where = server.password(), server.target
    given = {"PGSSLMODE": where.sslmode, "PGSSLROOTCERT": where.sslrootcert, "PGPASSWORD": password}
    # Our own sessions write on a database whose default is not to.
    given["PGOPTIONS"] = "-c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0"
    return {**os.environ, **{name: value for name, value in given.items() if value}}
