"""Threads that work for the length of a block."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self


class Threads:
    """Runs ``work(0)`` … ``work(count - 1)`` side by side; each returns soon after `ended` is set."""

    def __init__(self, work: Callable[[int], None], count: int) -> None:
        self.ended = threading.Event()
        self._threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self._threads:
            thread.join()
