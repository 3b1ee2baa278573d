"""Readers of the site for the length of a block, so that a release has somebody to disturb. Standard library only."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_READERS = 6
_PAUSE = 0.1  # seconds between a reader's requests
_PATHS = ("/", "/library", "/books/1", "/api/version")


@dataclass
class Seen:
    """What all readers together saw. failed: status or error of each request that was not answered well."""

    requests: int = 0
    failed: list[str] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        shares = ", ".join(f"version {name} {count}" for name, count in self.versions.items())
        failed = f"{len(self.failed)} failed" + (f", such as {self.failed[0]}" if self.failed else "")
        return f"{self.requests} requests, {failed}; answered by {shares}"


@contextmanager
def readers(address: str, port: int, authority: Path) -> Iterator[Seen]:
    """Six people who read page after page of the site at this address. authority: who signs its certificate."""
    seen, lock, ended = Seen(), threading.Lock(), threading.Event()
    context = ssl.create_default_context(cafile=str(authority))

    def read(first: int) -> None:
        site = http.client.HTTPSConnection(address, port, timeout=10, context=context)
        page = first
        while not ended.is_set():
            version, problem = _opened(site, _PATHS[page % len(_PATHS)])
            with lock:
                seen.requests += 1
                seen.versions.update([version] if version else [])
                seen.failed.extend([problem] if problem else [])
            page += 1
            time.sleep(_PAUSE)
        site.close()

    threads = [threading.Thread(target=read, args=(number,), daemon=True) for number in range(_READERS)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join(15)


def _opened(site: http.client.HTTPSConnection, path: str) -> tuple[str, str]:
    """Which version answered, and what was wrong, if anything."""
    try:
        site.request("GET", path)
        answer = site.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        site.close()
        return "", f"{path}: {error!r}"
    return answer.headers.get("X-App-Version", ""), "" if answer.status == 200 else f"{path}: {answer.status}"
