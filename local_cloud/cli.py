# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m local_cloud up|down|status|reset|env`: start, end and look at a local cloud. Standard library only."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from local_cloud import processes
from local_cloud.settings import CHECKOUT, DEFAULT_PORT, DEFAULT_STATE_DIR, STATE_DIR_VARIABLE, Cloud

READY_TIMEOUT = 30.0  # seconds


class CloudError(Exception):
    """A sentence for the person at the terminal."""


def ask(cloud: Cloud, path: str, method: str = "GET", timeout: float = 5.0) -> Any:
    """The JSON answer of the control plane's `/_cloud` route `path`, or None when nothing answers."""
    request = urllib.request.Request(f"{cloud.endpoint}/_cloud{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise CloudError(f"{method} {request.full_url} was answered {error.code}: {error.read().decode()}") from error
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def cloud_python() -> str:
    """The interpreter that has ministack: LOCAL_CLOUD_PYTHON, the checkout's .venv-cloud, or this one."""
    beside = CHECKOUT / ".venv-cloud" / "bin" / "python"
    python = os.environ.get("LOCAL_CLOUD_PYTHON") or (str(beside) if beside.exists() else sys.executable)
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('ministack') is None)"
    try:
        found = subprocess.run([python, "-c", look], check=False).returncode == 0
    except OSError:
        found = False
    if not found:
        raise CloudError(
            f"Starting a cloud: {python} has no ministack. Make the environment: python3 -m venv .venv-cloud && "
            ".venv-cloud/bin/pip install -r local_cloud/requirements.txt; or name one in LOCAL_CLOUD_PYTHON."
        )
    return python


def running(cloud: Cloud) -> dict[str, Any] | None:
    """What the supervisor of this state directory recorded, if it is alive."""
    try:
        record: dict[str, Any] = json.loads(cloud.record.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return record if processes.is_alive(record["pid"]) else None


def up(cloud: Cloud, watch_pid: int | None = None, latency: bool = False, data_plane: bool = True) -> str:
    """Start the cloud unless it runs, wait until it is ready, return its endpoint."""
    record = running(cloud)
    if record:
        if record["port"] != cloud.port:
            raise CloudError(
                f"Starting a cloud on port {cloud.port}: {cloud.state_dir} already serves {record['endpoint']}. "
                "Use that port, another --state-dir, or `down` first."
            )
        _wait_until_ready(cloud, None)
        return cloud.endpoint
    processes.end(processes.belonging_to(cloud.state_dir))  # left by a supervisor that was killed
    _refuse_a_taken_port(cloud)
    cloud.logs.mkdir(parents=True, exist_ok=True)
    command = [cloud_python(), "-m", "local_cloud.supervisor"]
    command += ["--port", str(cloud.port), "--state-dir", str(cloud.state_dir)]
    command += ["--iam"] * cloud.iam + ["--latency"] * latency + ["--no-data-plane"] * (not data_plane)
    if watch_pid:
        command += ["--watch-pid", str(watch_pid)]
    log = cloud.logs / "supervisor.log"
    with open(log, "ab") as output:
        supervisor = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, STATE_DIR_VARIABLE: str(cloud.state_dir)},
            start_new_session=True,
        )
    _wait_until_ready(cloud, supervisor)
    return cloud.endpoint


def _refuse_a_taken_port(cloud: Cloud) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", cloud.port))
        except OSError as error:
            raise CloudError(
                f"Starting a cloud on port {cloud.port}: another program listens there ({error.strerror}). "
                "End it or choose another --port."
            ) from error


def _wait_until_ready(cloud: Cloud, supervisor: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    found = f"not ready after {READY_TIMEOUT:.0f} s"
    while time.monotonic() < deadline:
        answer = ask(cloud, "/ready", timeout=2)
        if answer and answer["ready"]:
            return
        if supervisor and supervisor.poll() is not None:
            found = f"its supervisor ended with status {supervisor.returncode}"
            break
        time.sleep(0.1)
    if supervisor:
        processes.end(processes.belonging_to(cloud.state_dir))
    tail = "".join(
        f"\n--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        for log in sorted(cloud.logs.glob("*.log"))
    )
    raise CloudError(f"Starting a cloud on port {cloud.port}: {found}; see {cloud.logs}.{tail}")


def down(cloud: Cloud) -> bool:
    """End the cloud and whatever it left. Returns False when nothing ran."""
    record = running(cloud)
    if record:
        processes.end([record["pid"]], timeout=30)
    left = processes.belonging_to(cloud.state_dir)
    processes.end(left)
    cloud.record.unlink(missing_ok=True)
    return bool(record or left)


def status(cloud: Cloud) -> dict[str, Any]:
    """State of the cloud: running, its parts and their memory in MiB, the control plane's own figures."""
    record = running(cloud)
    if not record:
        return {"running": False, "state_dir": str(cloud.state_dir)}
    pids = processes.belonging_to(cloud.state_dir)
    ready = ask(Cloud.at(record["port"], cloud.state_dir), "/ready") or {"ready": False}
    if "data_plane" in ready.get("parts", {}):
        ready["data_plane"] = ask(Cloud.at(record["port"], cloud.state_dir), "/data-plane/status")
    return {
        "running": True,
        "endpoint": record["endpoint"],
        "state_dir": str(cloud.state_dir),
        "supervisor": record["pid"],
        "pids": record["parts"],
        "processes": len(pids),
        "memory_mib": round(sum(map(_proportional_memory, pids)) / 1024, 1),
        **ready,
    }


def _proportional_memory(pid: int) -> int:
    """KiB of memory, shared pages divided among their users (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def reset(cloud: Cloud) -> None:
    """Empty the account, in all regions; of a cloud that does not run, delete what it kept."""
    if running(cloud):
        if ask(cloud, "/reset", "POST", timeout=60) is None:
            raise CloudError(f"Emptying the cloud at {cloud.endpoint}: it does not answer. Try `down`, then `reset`.")
        return
    if cloud.state_dir.exists() and not cloud.logs.exists():
        raise CloudError(f"Emptying {cloud.state_dir}: it holds no cloud (no logs folder); nothing was deleted.")
    shutil.rmtree(cloud.state_dir, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, do it, say one line. Returns the exit status."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--port", type=int, default=DEFAULT_PORT, help="on 127.0.0.1 (default: %(default)s)")
    common.add_argument("--state-dir", default=DEFAULT_STATE_DIR, help="what the cloud keeps (default: %(default)s)")
    parser = argparse.ArgumentParser(prog="local_cloud", description="An AWS account on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", parents=[common], help="start it and wait until it is ready")
    start.add_argument("--iam", action="store_true", help="check signatures and enforce IAM policies")
    start.add_argument("--latency", action="store_true", help="answer as slowly as AWS does (latency.json)")
    start.add_argument("--no-data-plane", action="store_true", help="answer APIs only: no tasks, database, traffic")
    start.add_argument("--watch-pid", type=int, help="end when this process ends")
    commands.add_parser("down", parents=[common], help="end it; its state stays")
    commands.add_parser("status", parents=[common], help="what runs, as JSON")
    commands.add_parser("reset", parents=[common], help="empty the account")
    commands.add_parser("env", parents=[common], help="print the lines to export for a client")
    options = parser.parse_args(arguments)
    cloud = Cloud.at(options.port, options.state_dir, getattr(options, "iam", False))
    try:
        if options.command == "up":
            print(up(cloud, options.watch_pid, options.latency, not options.no_data_plane))
        elif options.command == "down":
            print("ended" if down(cloud) else "nothing ran")
        elif options.command == "status":
            answer = status(cloud)
            print(json.dumps(answer, indent=2))
            return 0 if answer["running"] else 3
        elif options.command == "reset":
            reset(cloud)
            print("empty")
        else:
            for name, value in cloud.environment().items():
                print(f"export {name}={value}")
    except CloudError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
