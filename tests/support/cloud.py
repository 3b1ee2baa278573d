"""The embedded cloud as a test sees it: start, ask, count calls, break things on purpose."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
# The embedded cloud takes any secret. A rare word, since Ansible masks it wherever it occurs in a result.
SECRET = "opens-nothing-but-loopback"
# local_cloud/data_plane/addresses.py maps ports to addresses, modulo this. The lower residues, that of the default
# port among them, are left to clouds that somebody starts by hand.
_MODULUS = 128
_RESIDUES = range(88, _MODULUS)
_PYTHON = ROOT / ".venv-cloud" / "bin" / "python"


@dataclass(frozen=True)
class Cloud:
    """A running embedded cloud. start: how its `up` is called, beside port and folder."""

    endpoint: str
    state_dir: Path
    data_plane: bool = False
    start: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which boto3 and our modules reach this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
        }

    @property
    def variables(self) -> dict[str, Any]:
        """The variables with which a playbook reaches this cloud and what runs in it."""
        return {
            "platform_aws_endpoint_url": self.endpoint,
            "platform_ca_path": str(self.state_dir / "tls" / "ca.pem"),
            "platform_port_offset": port_offset(),
            "platform_reports_folder": str(self.state_dir / "reports"),
        }

    def client(self, service: str, region: str = REGION) -> Any:
        """A boto3 client for this cloud."""
        return _client(self.endpoint, service, region)

    def calls(self, *, writes: bool | None = None, since: int = 0) -> list[dict[str, Any]]:
        """The call log: service, action, parameters (secrets masked), status, error, writes."""
        calls: list[dict[str, Any]] = self.admin("GET", f"/calls?since={since}")
        return [call for call in calls if writes is None or call["writes"] is writes]

    @contextmanager
    def recorded(self) -> Iterator[list[dict[str, Any]]]:
        """The calls made inside the block, in a list that is filled when the block ends."""
        last = self.newest_call()
        calls: list[dict[str, Any]] = []
        yield calls
        calls.extend(self.calls(since=last))

    def settle(self) -> None:
        """Wait until what killed clients have left behind is done: no call under way and none new for half a second."""
        quiet_since, last = time.monotonic(), -1
        while time.monotonic() < quiet_since + 0.5:
            newest = self.newest_call()
            if newest != last or self.admin("GET", "/calls/under-way")["calls"]:
                quiet_since, last = time.monotonic(), newest
            time.sleep(0.05)

    def newest_call(self) -> int:
        """The number of the call that began last; they are listed as they end, side by side in any order."""
        return max((call["seq"] for call in self.admin("GET", "/calls?since=0")), default=0)

    def memory_mib(self) -> float:
        """Memory of all processes of the cloud, shared pages divided among their users."""
        command = [str(_PYTHON), "-m", "local_cloud", "status", "--state-dir", str(self.state_dir)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        return float(json.loads(done.stdout)["memory_mib"])

    def reset(self) -> None:
        """Empty the account in every region."""
        self.admin("POST", "/reset")

    def up(self) -> None:
        """Start it, with the state that its folder holds. It ends with these tests, however they end."""
        environment = {**os.environ, "LOCAL_CLOUD_WITHOUT": "" if self.data_plane else "data_plane"}
        self._command("up", "--watch-pid", str(os.getpid()), *self.start, environment=environment)
        if self.data_plane:
            # Health checks, drains and grace periods pass five times as fast.
            self.admin("POST", "/data-plane/settings", {"time_scale": 0.2})

    def down(self) -> None:
        """End it; its state stays in its folder."""
        self._command("down")

    def keep(self, folder: Path) -> None:
        """Copy the state into a folder that is not there yet: accounts, files, databases."""
        self.down()
        subprocess.run(["cp", "-a", str(self.state_dir), str(folder)], check=True)  # owners too, unlike copytree
        self.up()

    def go_back(self, folder: Path) -> None:
        """Be again as when that copy was kept."""
        self.down()
        shutil.rmtree(self.state_dir)
        subprocess.run(["cp", "-a", str(folder), str(self.state_dir)], check=True)
        self.up()

    def _command(self, name: str, *options: str, environment: Mapping[str, str] | None = None) -> None:
        where = ["--port", self.endpoint.rpartition(":")[2], "--state-dir", str(self.state_dir)]
        command = [str(_PYTHON), "-m", "local_cloud", name, *where, *options]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the cloud's own interface below ``/_cloud``."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.endpoint}/_cloud{path}", data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@cache
def _client(endpoint: str, service: str, region: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": SECRET}
    return boto3.client(service, endpoint_url=endpoint, region_name=region, **keys)


def port_offset() -> int:
    """What the cloud adds to ports below 1024, which this user may not bind."""
    try:
        first_free = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="utf-8"))
    except OSError:
        first_free = 1024
    return 0 if os.geteuid() == 0 or first_free <= 80 else 20000


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def cloud_port() -> Iterator[int]:
    """A port for a cloud, whose addresses no other cloud of a test on this machine takes.

    A cloud's addresses follow from its port modulo 128. Asking the kernel for ports until one has a wanted residue
    may never end, since it prefers ports of one parity; a lock for each residue does.
    """
    residues = random.sample(_RESIDUES, len(_RESIDUES))
    for residue in residues:
        with Path(tempfile.gettempdir(), f"stories1001-cloud-{os.getuid()}-{residue}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            for port in range(20096 - 20096 % _MODULUS + residue, 30000, _MODULUS):
                if _is_free(port):
                    try:
                        yield port
                    finally:
                        fcntl.flock(lock, fcntl.LOCK_UN)
                    return
    raise RuntimeError("Looked for a port between 20000 and 30000 for an embedded cloud and found none that is free.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@contextmanager
def running(state_dir: Path, *, data_plane: bool = False, options: tuple[str, ...] = ()) -> Iterator[Cloud]:
    """A cloud of one's own, ended with the block and, should the tests be killed, with them."""
    with cloud_port() as port:
        cloud = Cloud(f"http://127.0.0.1:{port}", state_dir, data_plane, options)
        cloud.up()
        try:
            yield cloud
        finally:
            cloud.down()
