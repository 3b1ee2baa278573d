"""The two virtual environments of a checkout, made when missing and renewed when their pins change."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
TOOLS = ROOT / ".venv"  # Ansible and the tests
CLOUD = ROOT / ".venv-cloud"  # the embedded cloud: its emulator pins a botocore of its own


def ensure(folder: Path, requirements: Path) -> Path:
    """The environment with these requirements installed; returns its python. Does nothing when up to date."""
    python = folder / "bin" / "python"
    stamp = folder / ".requirements"
    wanted = _fingerprint(requirements)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"Installing {requirements.relative_to(ROOT)} into {folder.name} (a few minutes the first time)", flush=True)
    if not python.exists():
        venv.create(folder, with_pip=True)
    pip: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        requirements,
    ]
    done = subprocess.run(pip, check=False)
    if done.returncode:
        sys.exit(f"Installing {requirements.name} into {folder} failed; see pip's message above, then run again.")
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _fingerprint(requirements: Path) -> str:
    """Changes with the interpreter, the file, and the files it includes."""
    text = requirements.read_text(encoding="utf-8")
    included = [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith("-r ")]
    parts = [sys.version, text, *((requirements.parent / name).read_text(encoding="utf-8") for name in included)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


# Programs that no Python package brings and that only the tests need, with their Debian packages.
_PROGRAMS = {"pgbouncer": "pgbouncer", "openssl": "openssl"}
_SERVER = Path("/usr/lib/postgresql/15/bin/postgres")


def _programs() -> None:
    """Install what is missing when that is allowed (root on Debian); else say it in one line."""
    missing = [package for program, package in _PROGRAMS.items() if not _found(program)]
    if not _SERVER.exists() and not shutil.which("postgres"):
        missing.append("postgresql-15")
    if not missing:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {', '.join(missing)} with apt-get", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "-y", *missing]):
            subprocess.run(command, env=quiet, check=True, stdout=subprocess.DEVNULL)
        return
    sys.exit(f"The tests need {', '.join(missing)}: sudo apt-get install {' '.join(missing)}, then run again.")


def _found(program: str) -> bool:
    return bool(shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"))


def for_running() -> None:
    """What the demo needs. An environment that was made for testing serves as it is."""
    if not (TOOLS / ".requirements").exists():
        ensure(TOOLS, ROOT / "requirements.txt")
    ensure(CLOUD, ROOT / "local_cloud" / "requirements.txt")


def for_testing() -> None:
    """What the quality gates need; a superset of `for_running`."""
    _programs()
    ensure(TOOLS, ROOT / "requirements-dev.txt")
    ensure(CLOUD, ROOT / "local_cloud" / "requirements.txt")
