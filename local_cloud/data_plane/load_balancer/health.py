# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Health checks, by each node for itself."""

from __future__ import annotations

import asyncio
import random
import ssl
from typing import Any

from local_cloud.data_plane.load_balancer.rules import code_matches
from local_cloud.data_plane.load_balancer.targets import HEALTHY, Target

_FIRST_WITHIN = 0.3  # seconds; a new target is checked soon


async def check_forever(target: Target, config: dict[str, Any], time_scale: float) -> None:
    """Check at the group's interval. Sets `target.health`; ends by cancellation."""
    if not config["enabled"]:
        target.health = HEALTHY
        return
    interval = config["interval"] * time_scale
    # Scaled time must leave room for the answer.
    timeout = min(config["timeout"], max(1.0, interval * 0.9))
    await asyncio.sleep(random.uniform(0, _FIRST_WITHIN))
    while True:
        began = asyncio.get_running_loop().time()
        judge(target, config, await _failure(target, config, timeout))
        await asyncio.sleep(max(0.0, interval - (asyncio.get_running_loop().time() - began)))


def judge(target: Target, config: dict[str, Any], failure: tuple[str, str] | None) -> None:
    """Count a check's result: `failure` is (reason code, description), None for a pass."""
    if failure is None:
        target.passed, target.failed = target.passed + 1, 0
        # "The first health check that a new target passes makes it healthy."
        if target.health["State"] == "initial" or target.passed >= config["healthy"]:
            target.health = HEALTHY
        return
    target.passed, target.failed = 0, target.failed + 1
    if target.failed >= config["unhealthy"]:
        target.health = {"State": "unhealthy", "Reason": failure[0], "Description": failure[1]}


async def _failure(target: Target, config: dict[str, Any], timeout: float) -> tuple[str, str] | None:
    host, port = target.address
    if config["port"] != "traffic-port":
        port = int(config["port"])
    try:
        async with asyncio.timeout(timeout):
            code = await _get(host, port, config["path"], config["protocol"] == "HTTPS")
    except TimeoutError:
        return "Target.Timeout", "Request timed out"
    except (OSError, ValueError, asyncio.IncompleteReadError):
        return "Target.FailedHealthChecks", "Health checks failed"
    if code_matches(config["matcher"], code):
        return None
    return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{code}]"


async def _get(host: str, port: int, path: str, tls: bool) -> int:
    context = None
    if tls:  # a load balancer does not verify its targets' certificates
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n"
            "User-Agent: ELB-HealthChecker/2.0\r\nAccept-Encoding: gzip, compressed\r\n\r\n".encode()
        )
        line = await reader.readline()
        await reader.read(65536)
        return int(line.split()[1])
    except IndexError as error:
        raise ValueError("the answer is not HTTP") from error
    finally:
        writer.close()
