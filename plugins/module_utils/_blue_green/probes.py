# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests through the test listener, in a thread of their own: a hanging answer must not stop the watch."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import open_url

from .judge import Sample
from .model import Check

_BODY_LIMIT = 1_000_000  # bytes of an answer that are searched


class Prober(Protocol):
    def once(self) -> list[Sample]:
        """One answer to each check, now."""

    def start(self) -> None:
        """Begin to ask in the background."""

    def take(self) -> list[Sample]:
        """The answers since the last `take`."""

    def stop(self) -> None: ...


class HttpProber:
    """Asks the checks in turn.

    base_url: asked for once, when it is needed; such as ``https://stories-1.us-east-1.elb.amazonaws.com:8443``.
    interval: seconds between requests. host: Host header that the application expects; empty for the URL's own.
    """

    def __init__(
        self,
        base_url: Callable[[], str],
        checks: Sequence[Check],
        *,
        interval: float = 1.0,
        timeout: float = 10.0,
        validate_certs: bool = True,
        ca_path: str | None = None,
        host: str = "",
    ) -> None:
        self._find_base_url, self._checks = base_url, tuple(checks)
        self._interval, self._timeout = interval, timeout
        self._tls = {"validate_certs": validate_certs, "ca_path": ca_path}
        self._headers = {"Host": host} if host else {}
        self._samples: list[Sample] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @cached_property
    def _base_url(self) -> str:
        return self._find_base_url().rstrip("/")

    def once(self) -> list[Sample]:
        return [self._ask(check) for check in self._checks]

    def start(self) -> None:
        if self._thread is None and self._checks:
            self._ended.clear()
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def take(self) -> list[Sample]:
        with self._lock:
            taken, self._samples = self._samples, []
        return taken

    def stop(self) -> None:
        self._ended.set()
        self._thread = None
        self.take()

    def _run(self) -> None:
        for check in itertools.cycle(self._checks):
            if self._ended.wait(self._interval):
                return
            sample = self._ask(check)
            with self._lock:
                self._samples.append(sample)

    def _ask(self, check: Check) -> Sample:
        begun = time.monotonic()

        def sample(status: int, body: bytes = b"", headers: object = None, error: str = "") -> Sample:
            spent = 1000 * (time.monotonic() - begun)
            told = dict(headers.items()) if headers is not None else {}  # type: ignore[attr-defined]  # any mapping
            return Sample(check, status, spent, body.decode("utf-8", "replace"), told, error)

        try:
            answer = open_url(
                self._base_url + check.path,
                headers=self._headers,
                timeout=self._timeout,
                follow_redirects="none",
                use_proxy=False,
                **self._tls,
            )
            return sample(answer.status, answer.read(_BODY_LIMIT), answer.headers)
        except HTTPError as error:
            return sample(error.code, error.read(_BODY_LIMIT), error.headers)
        except (URLError, OSError, ValueError) as error:
            return sample(0, error=f"no answer ({getattr(error, 'reason', error)})")
