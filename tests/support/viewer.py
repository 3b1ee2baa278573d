"""A reader of the site: asks CloudFront at its address, with TLS, as a browser does."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass

from tests.support.cloud import Cloud, port_offset


@dataclass(frozen=True)
class Answer:
    """Header names are in lower case."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Viewer:
    """address: of the distribution, or of the load balancer behind it."""

    cloud: Cloud
    address: str

    def ask(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request below the address; `path` may be a whole URL of it. An error status is an answer too."""
        host = f"{self.address}:{443 + port_offset()}"
        url = f"https://{host}{path.removeprefix(f'https://{self.address}')}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(url, data=body, method=method, headers={"User-Agent": "reader", **named})
        trusted = ssl.create_default_context(cafile=str(self.cloud.state_dir / "tls" / "ca.pem"))
        try:
            with urllib.request.urlopen(request, timeout=30, context=trusted) as answer:
                return _read(answer.status, answer.read(), answer.headers.items())
        except urllib.error.HTTPError as error:
            return _read(error.code, error.read(), error.headers.items())

    def once_there(self, path: str, *, seconds: float = 60) -> Answer:
        """The answer with status 200, as soon as there is one."""
        deadline = time.monotonic() + seconds
        while (answer := self.ask(path)).status != 200:
            assert time.monotonic() < deadline, f"{path} still answers {answer.status}: {answer.body[:300]!r}"
            time.sleep(0.5)
        return answer


def _read(status: int, body: bytes, headers: Iterable[tuple[str, str]]) -> Answer:
    return Answer(status, body, {name.lower(): value for name, value in headers})
