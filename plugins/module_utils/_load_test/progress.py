# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a running load test is doing, from k6's own address, and the file in which a person sees it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Progress:
    """Collects samples and writes one JSON line {at, step, line} each. path: empty for nobody who looks."""

    def __init__(self, path: str = "") -> None:
        self._path = path
        self.samples: list[dict[str, Any]] = []
        self._took = 0.0

    def say(self, step: str, line: str) -> None:
        if self._path:
            with Path(self._path).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"at": time.time(), "step": step, "line": line}) + "\n")

    def sample(self, metrics: Mapping[str, Mapping[str, float]], second: float) -> None:
        """Keep what k6 says of itself after so many seconds; rate and average are of the time since the last sample."""
        users = int(metrics.get("vus", {}).get("value", 0))
        requests = int(metrics.get("http_reqs", {}).get("count", 0))
        took = metrics.get("http_req_duration", {}).get("avg", 0.0) * requests  # ms of all requests together
        p95 = round(metrics.get("http_req_duration", {}).get("p(95)", 0.0), 1)
        errors = round(100 * metrics.get("errors", {}).get("rate", 0.0), 3)
        last = self.samples[-1] if self.samples else {"second": 0.0, "requests": 0}
        passed, more = second - float(last["second"]), requests - int(last["requests"])
        average = round(max(0.0, took - self._took) / more, 1) if more > 0 else 0.0
        self._took = took
        rate = round(more / passed, 1) if passed > 0 else 0.0
        self.samples.append(
            {
                "second": round(second, 1),
                "users": users,
                "requests": requests,
                "requests_per_s": rate,
                "average_ms": average,
                "p95_ms": p95,
                "error_percent": errors,
            }
        )
        line = f"{users} users, {rate:g} requests/s of {average:g} ms, p95 so far {p95:g} ms, {errors:g} % failed"
        self.say(f"{second:.0f} s", line)


def metrics_of(port: int) -> dict[str, dict[str, float]]:
    """Metric name to figures, as k6 on this port says now; empty when it does not answer (yet, or any more)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/v1/metrics")
        told = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return {one["id"]: one["attributes"]["sample"] for one in told.get("data") or []}
