# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One control plane for all tests of this folder, on a port of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

CHECKOUT = Path(__file__).resolve().parents[3]


class RunningCloud:
    """A cloud that a test talks to."""

    def __init__(self, port: int, state_dir: Path) -> None:
        self.port = port
        self.state_dir = state_dir
        self.endpoint = f"http://127.0.0.1:{port}"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m local_cloud <arguments>` for this cloud's port and state directory."""
        where = ["--port", str(self.port), "--state-dir", str(self.state_dir)]
        command = [sys.executable, "-m", "local_cloud", *arguments, *where]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=90, check=False)

    def client(
        self, service: str, region: str = "us-east-1", retries: bool = False, keys: dict[str, str] | None = None
    ) -> Any:
        """A boto3 client with the root's keys or others; one attempt only unless `retries`."""
        config = Config(retries={"total_max_attempts": 4 if retries else 1}, inject_host_prefix=False)
        keys = keys or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self.endpoint, region_name=region, config=config, **keys)

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer of /_cloud<path>."""
        content = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.endpoint}/_cloud{path}", method=method, data=content)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def start_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningCloud]]:
    """Starts clouds, control plane only, that end with the tests."""
    started: list[RunningCloud] = []

    def start(*options: str) -> RunningCloud:
        cloud = RunningCloud(free_port(), tmp_path_factory.mktemp("cloud"))
        started.append(cloud)
        answer = cloud.command("up", "--no-data-plane", "--watch-pid", str(os.getpid()), *options)
        assert answer.returncode == 0, answer.stderr
        return cloud

    yield start
    for cloud in started:
        cloud.command("down")


@pytest.fixture(scope="session")
def shared_cloud(start_cloud: Callable[..., RunningCloud]) -> RunningCloud:
    return start_cloud()


@pytest.fixture
def cloud(shared_cloud: RunningCloud) -> RunningCloud:
    """An empty cloud."""
    shared_cloud.admin("POST", "/reset")
    return shared_cloud
