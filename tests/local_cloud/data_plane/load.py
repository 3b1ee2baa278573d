# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP load at a steady rate over kept-alive connections, as plain asyncio."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Result:
    """Latencies in seconds, in the order of the answers."""

    codes: Counter[str] = field(default_factory=Counter)  # status, or the name of the client's error
    versions: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> int:
        return sum(count for code, count in self.codes.items() if code != "200")

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    def __str__(self) -> str:
        rate = sum(self.codes.values()) / self.seconds
        p50, p99 = self.percentile(0.5) * 1000, self.percentile(0.99) * 1000
        return f"{dict(self.codes)} {dict(self.versions)} {rate:.0f}/s p50 {p50:.1f} ms p99 {p99:.1f} ms"


async def load(host: str, port: int, path: str, rate: float | None, seconds: float, connections: int = 16) -> Result:
    """Ask for `path` at `rate` requests a second (as fast as possible without one) for `seconds`."""
    result = Result()
    began = time.monotonic()
    tickets = iter(range(10**9))

    async def worker() -> None:
        streams = None
        while True:
            due = began + next(tickets) / rate if rate else time.monotonic()
            if due > began + seconds:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            try:
                streams = streams or await asyncio.open_connection(host, port)
                sent = time.monotonic()
                code, version, keep = await _get(*streams, host, path)
                result.latencies.append(time.monotonic() - sent)
                result.codes[code] += 1
                result.versions[version] += 1
            except (OSError, asyncio.IncompleteReadError) as error:
                result.codes[type(error).__name__] += 1
                keep = False
            if not keep and streams:
                streams[1].close()
                streams = None
        if streams:
            streams[1].close()

    await asyncio.gather(*(worker() for _ in range(connections)))
    result.seconds = time.monotonic() - began
    return result


async def _get(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, path: str
) -> tuple[str, str, bool]:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n"))}
    await reader.readexactly(int(fields.get("content-length", 0)))
    return head.split(" ", 2)[1], fields.get("x-app-version", ""), fields.get("connection") != "close"


if __name__ == "__main__":
    host_, port_, path_, rate_, seconds_ = sys.argv[1:6]
    print(asyncio.run(load(host_, int(port_), path_, float(rate_) or None, float(seconds_))))
