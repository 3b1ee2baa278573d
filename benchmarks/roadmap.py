"""The whole roadmap: our way against Ansible's own, and against the least that its API calls can cost.

Run from the checkout: `./dev bench` or `.venv/bin/python -m benchmarks.roadmap`. On an embedded cloud of its own,
data plane included, `playbooks/site.yml` is run

    first      on an empty account
    again      when nothing is to do
    check      the same with --check

in the warm worker and on Ansible's own path (the same playbooks and modules, PLATFORM_WARM_WORKER=false), with calls
answered at once and 50 ms later. The limit is one process with boto3 loaded that makes the recorded calls of a run
without changes again, one after the other and on 8 threads. All are measured in turn within one run, so that ratios
hold on any machine. Times are wall-clock seconds; beside them stand the processor's seconds of ansible-playbook and
everything that it started, which other work on the machine disturbs less. The result is JSON and a table.
"""

from __future__ import annotations

import argparse
import ctypes
import datetime
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3

from tests.support.ansible import playbook_command, playbook_environment
from tests.support.cloud import REGION, ROOT, SECRET, Cloud, running

SITE = "playbooks/site.yml"
_FORKS = 5  # Ansible's default
_SUBREAPER = 36  # prctl: what a process leaves behind becomes ours, so that its processor time is counted


@dataclass
class Measured:
    """Wall-clock and processor seconds of each repetition, and the worker's largest memory in MiB."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    worker_mib: float = 0.0

    def add(self, wall: float, processor: float, worker_mib: float = 0.0) -> None:
        self.wall.append(round(wall, 3))
        self.processor.append(round(processor, 3))
        self.worker_mib = max(self.worker_mib, round(worker_mib, 1))


Figures = dict[str, Measured]


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of each; the medians are shown")
    parser.add_argument("--latency", type=int, nargs="*", default=[0, 50], help="milliseconds before each answer")
    parser.add_argument("--cases", nargs="*", default=["first", "again", "check", "limit", "environments"])
    parser.add_argument("--environments", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--playbook", default=SITE, help="another playbook, for a short look")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        state = Path(folder)
        if "first" in options.cases:
            for _repetition in range(options.repeat):
                for milliseconds in options.latency:
                    for way in ("warm", "stock"):
                        with running(state / way, data_plane=True) as cloud, latency(cloud, milliseconds):
                            run_playbook(cloud, figures, f"first {milliseconds} ms {way}", way, options.playbook)
                        shutil.rmtree(state / way)
        if {"again", "check", "limit"} & set(options.cases):
            with running(state / "standing", data_plane=True) as cloud:
                run_playbook(cloud, {}, "made", "warm", options.playbook)
                standing(cloud, figures, options)
        if "environments" in options.cases:
            with running(state / "environments") as cloud:
                environments(cloud, figures, options, state)
    report(figures, options.json)


def standing(cloud: Cloud, figures: Figures, options: argparse.Namespace) -> None:
    """Everything that is measured on a platform that stands."""
    calls = recorded_calls(cloud, options.playbook)
    print(f"a run without changes makes {len(calls)} calls", flush=True)
    for milliseconds in options.latency:
        with latency(cloud, milliseconds):
            for _repetition in range(options.repeat):
                for case, arguments in (("again", ()), ("check", ("--check",))):
                    for way in ("warm", "stock") if case in options.cases else ():
                        name = f"{case} {milliseconds} ms {way}"
                        run_playbook(cloud, figures, name, way, options.playbook, *arguments)
                if "limit" in options.cases:
                    for threads in (1, 8):
                        replay(cloud, calls, threads, figures.setdefault(_limit(milliseconds, threads), Measured()))


def _limit(milliseconds: int, threads: int) -> str:
    return f"limit {milliseconds} ms {'serial' if threads == 1 else f'{threads} threads'}"


@contextmanager
def latency(cloud: Cloud, milliseconds: int) -> Iterator[None]:
    """Each call is answered that much later."""
    if not milliseconds:
        yield
        return
    fault = cloud.admin("POST", "/faults", {"kind": "latency", "service": "*", "latency_ms": milliseconds})
    try:
        yield
    finally:
        cloud.admin("DELETE", f"/faults?id={fault['id']}")


def run_playbook(
    cloud: Cloud,
    figures: Figures,
    name: str,
    way: str,
    playbook: str,
    *arguments: str,
    inventory: str = "inventories/local",
) -> None:
    """One ansible-playbook with everything that it starts; its failure ends the benchmark."""
    command = playbook_command(cloud, playbook, *arguments, inventory=inventory)
    environment = {
        **playbook_environment(cloud),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "PLATFORM_WARM_WORKER": str(way == "warm"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # both ways as with Python's own default
    before = _children_seconds()
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        with _memory_watched(process.pid) as memory:
            status = process.wait()
        wall = time.monotonic() - begun
        output.seek(0)
        told = output.read()
    if status or "without the warm worker" in told:
        raise SystemExit(f"{name}: {playbook} ended with {status}:\n{told[-3000:]}")
    _reap()
    figures.setdefault(name, Measured()).add(wall, _children_seconds() - before, max(memory, default=0.0))
    print(f"{name:28} {wall:7.1f} s", flush=True)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap() -> None:
    """Wait a moment for the worker, which ends when it sees that ansible-playbook has."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)
        except ChildProcessError:
            return


@contextmanager
def _memory_watched(playbook: int) -> Iterator[list[float]]:
    """Memory in MiB of the warm worker of this ansible-playbook, shared pages divided among their users."""
    seen: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            seen.extend(_mib(folder) for folder in Path("/proc").glob("[0-9]*") if _is_worker(folder))

    def _is_worker(folder: Path) -> bool:
        try:
            if b"warm_worker.server" not in (folder / "cmdline").read_bytes():
                return False
            # A forked module carries the same command line; its parent is the worker.
            parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
            return int(parent) in (os.getpid(), playbook)
        except OSError:
            return False

    def _mib(folder: Path) -> float:
        try:
            found = re.search(r"^VmHWM:\s+(\d+) kB", (folder / "status").read_text(), re.MULTILINE)
        except OSError:
            return 0.0
        return int(found[1]) / 1024 if found else 0.0

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def recorded_calls(cloud: Cloud, playbook: str) -> list[dict[str, Any]]:
    """The reading calls of a run without changes, secrets left out."""
    scratch: Figures = {}
    with cloud.recorded() as calls:
        run_playbook(cloud, scratch, "recorded", "warm", playbook)
    return [call for call in calls if not call["writes"] and call["error"] is None]


def replay(cloud: Cloud, calls: Sequence[Mapping[str, Any]], threads: int, measured: Measured) -> None:
    """The same calls from one process that has everything loaded."""
    services = sorted({(call["service"], call["region"]) for call in calls})
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": SECRET}
    clients = {
        key: boto3.client(key[0], endpoint_url=cloud.endpoint, region_name=key[1] or REGION, **keys) for key in services
    }
    methods = [_method(clients[call["service"], call["region"]], call) for call in calls]
    begun, used = time.monotonic(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda one: one[0](**one[1]), methods))
    measured.add(time.monotonic() - begun, time.process_time() - used)


def _method(client: Any, call: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    names = {operation: name for name, operation in client.meta.method_to_api_mapping.items()}
    return getattr(client, names[call["action"]]), dict(call["parameters"])


def environments(cloud: Cloud, figures: Figures, options: argparse.Namespace, state: Path) -> None:
    """Phase 1 of several environments in one ansible-playbook: each is a host."""
    most = max(options.environments)
    for number in [most, *sorted(options.environments)]:  # the first run makes them all
        inventory = state / f"environments-{number}"
        inventory.mkdir(exist_ok=True)
        described = (ROOT / "inventories/local/group_vars/all").resolve()
        (inventory / "group_vars").mkdir(exist_ok=True)
        link = inventory / "group_vars" / "all"
        if not link.exists():
            link.symlink_to(described)
        hosts = {f"environment{one}": {"platform_environment": f"env{one}"} for one in range(1, number + 1)}
        connection = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        group = {"platform": {"hosts": hosts, "vars": connection}}
        (inventory / "hosts.yml").write_text(json.dumps(group), encoding="utf-8")
        name = f"environments {number} warm"
        arguments = ("--forks", str(max(number, _FORKS)))
        run_playbook(cloud, {}, name, "warm", "playbooks/phase1.yml", *arguments, inventory=str(inventory))
    for _repetition in range(options.repeat):
        for number in options.environments:
            name, where = f"environments {number} warm", str(state / f"environments-{number}")
            arguments = ("--forks", str(max(number, _FORKS)))
            run_playbook(cloud, figures, name, "warm", "playbooks/phase1.yml", *arguments, inventory=where)


def report(figures: Figures, to: Path | None) -> None:
    """Print the table; keep the figures as JSON."""
    print(f"\n{'case':28} {'wall s':>8} {'processor s':>12} {'worker MiB':>11}")
    for name, one in figures.items():
        print(
            f"{name:28} {statistics.median(one.wall):8.2f} {statistics.median(one.processor):12.2f} "
            f"{one.worker_mib or '':>11}"
        )
    print()
    for line in ratios({name: statistics.median(one.wall) for name, one in figures.items()}):
        print(line)
    if to:
        told = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            "load": os.getloadavg()[1],
            "versions": {name: version(name) for name in ("ansible-core", "boto3", "botocore")},
            "figures": {name: asdict(one) for name, one in figures.items()},
        }
        to.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def ratios(walls: Mapping[str, float]) -> Iterator[str]:
    """What the goals are about: how many times Ansible's own way, how many times the limit."""
    for name, wall in walls.items():
        case, _, rest = name.partition(" ")
        stock, limit = name.replace("warm", "stock"), f"limit {rest.replace('warm', 'serial')}"
        if name.endswith("warm") and stock in walls:
            yield f"{name}: {walls[stock] / wall:.1f} times as fast as Ansible's own path"
        if case == "again" and limit in walls:
            yield f"{name}: {wall / walls[limit]:.2f} times the serial limit"


if __name__ == "__main__":
    main()
