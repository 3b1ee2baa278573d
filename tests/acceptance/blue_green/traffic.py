"""Readers of the site: HTTP at a steady rate over kept-alive connections, spread over the load balancer's nodes.

A process of its own, so that neither the test nor the sampler slows it down. It runs until its input ends and then
prints one line of JSON: requests, and for each that failed its moment and what was found. A request that was not sent
in its second counts as dropped.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Traffic:
    """What the readers saw. failed: (seconds since 1970, what). versions: answers by version."""

    requests: int = 0
    dropped: int = 0
    failed: list[tuple[float, str]] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    p95_ms: float = 0.0

    @property
    def share(self) -> float:
        return (len(self.failed) + self.dropped) / max(1, self.requests)


class Readers:
    def __init__(self, nodes: Sequence[str], port: int, path: str, rate: float, sticky: bool) -> None:
        self.nodes, self.port, self.path, self.rate, self.sticky = nodes, port, path, rate, sticky
        self.seen = Traffic()
        self.times: list[float] = []
        self.ended = asyncio.Event()
        self.tickets = iter(range(10**9))

    async def run(self, readers: int) -> Traffic:
        begun = time.monotonic()
        await asyncio.gather(*(self._read(self.nodes[one % len(self.nodes)], begun) for one in range(readers)))
        self.seen.seconds = time.monotonic() - begun
        ordered = sorted(self.times)
        self.seen.p95_ms = 1000 * ordered[int(0.95 * (len(ordered) - 1))] if ordered else 0.0
        return self.seen

    async def _read(self, node: str, begun: float) -> None:
        streams = None
        cookies: dict[str, str] = {}
        while not self.ended.is_set():
            due = begun + next(self.tickets) / self.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if time.monotonic() - due > 1:
                self.seen.dropped += 1
                continue
            self.seen.requests += 1
            sent = time.monotonic()
            try:
                streams = streams or await asyncio.open_connection(node, self.port)
                keep = await asyncio.wait_for(self._ask(*streams, node, cookies), 60)
                self.times.append(time.monotonic() - sent)
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.seen.failed.append((time.time(), type(error).__name__))
                keep = False
            if not keep and streams:
                streams[1].close()
                streams = None

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, node: str, cookies: dict[str, str]
    ) -> bool:
        kept = "; ".join(f"{name}={value}" for name, value in cookies.items())
        cookie = f"Cookie: {kept}\r\n" if kept else ""
        writer.write(f"GET {self.path} HTTP/1.1\r\nHost: {node}\r\n{cookie}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = [line.split(": ", 1) for line in head[1:] if ": " in line]
        told = {name.lower(): value for name, value in fields}
        await reader.readexactly(int(told.get("content-length", 0)))
        if self.sticky:
            for name, value in fields:
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    cookies[key] = rest.split(";", 1)[0]
        status = head[0].split(" ")[1]
        if status != "200":
            self.seen.failed.append((time.time(), status))
        version = told.get("x-app-version", "")
        self.seen.versions[version] = self.seen.versions.get(version, 0) + 1
        return told.get("connection", "").lower() != "close"


async def _main(told: dict[str, Any]) -> None:
    readers = Readers(told["nodes"], told["port"], told["path"], told["rate"], told["sticky"])
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), readers.ended.set)
    print(json.dumps(vars(await readers.run(told["readers"]))))


@contextmanager
def readers(
    nodes: Sequence[str],
    port: int,
    *,
    path: str = "/api/version",
    rate: float = 150,
    sticky: bool = False,
    count: int = 24,
) -> Iterator[Traffic]:
    """Traffic for the length of the block; what it saw is there when the block has ended."""
    told = {"nodes": list(nodes), "port": port, "path": path, "rate": rate, "sticky": sticky, "readers": count}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.acceptance.blue_green.traffic", json.dumps(told)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    seen = Traffic()
    try:
        yield seen
    finally:
        output, _nothing = process.communicate("\n", timeout=120)
        for name, value in json.loads(output).items():
            setattr(seen, name, value)


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])))
