"""Modules and playbooks as a test runs them: the real ones, in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import forked
from tests.support.cloud import ROOT, Cloud

_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class PlayResult:
    """What ansible-playbook did.

    stats: ok, changed, failures of the one host. tasks: (name, result) in order. output: everything printed.
    """

    returncode: int
    stats: Mapping[str, int]
    tasks: Sequence[tuple[str, dict[str, Any]]]
    output: str

    @property
    def changed(self) -> int:
        return self.stats.get("changed", 0)

    @property
    def steps(self) -> list[str]:
        """The ids of all steps of all tasks, in order: what the plan lists or the run did."""
        return [step["id"] for _name, result in self.tasks for step in result.get("steps") or ()]

    @property
    def errors(self) -> list[str]:
        return [result["msg"] for _name, result in self.tasks if result.get("failed")]

    def diff(self) -> str:
        """All ``before``/``after`` texts, for a search by field name."""
        diffs = [result.get("diff") or [] for _name, result in self.tasks]
        return json.dumps(diffs)


def run_module(cloud: Cloud, name: str, parameters: Mapping[str, Any], **flags: bool) -> dict[str, Any]:
    """Run one module of the collection as Ansible would and return its result. flags: check, diff."""
    arguments = {
        **parameters,
        "_ansible_check_mode": flags.get("check", False),
        "_ansible_diff": flags.get("diff", True),
        "_ansible_remote_tmp": "~/.ansible/tmp",
        "_ansible_keep_remote_files": False,
    }
    module = f"ansible_collections.stories1001.platform.plugins.modules.{name}"
    stdout, stderr = forked.run(module, arguments, {**os.environ, **cloud.environment})
    lines = [line for line in stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise AssertionError(f"{name} printed no result:\n{stdout}\n{stderr}")
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def run_playbook(
    cloud: Cloud,
    playbook: str,
    *options: str,
    variables: Mapping[str, Any] | None = None,
    inventory: str = "inventories/local",
    cwd: Path = ROOT,
    timeout: float = 900,
    keys: bool = True,
) -> PlayResult:
    """Run ansible-playbook against the cloud and read its JSON output.

    playbook: a path from the checkout's root, or a full name. keys: whether the environment holds credentials.
    """
    command = playbook_command(cloud, playbook, *options, variables=variables, inventory=inventory)
    environment = playbook_environment(cloud, keys=keys)
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )
    return _parsed(done)


def playbook_command(
    cloud: Cloud,
    playbook: str,
    *options: str,
    variables: Mapping[str, Any] | None = None,
    inventory: str = "inventories/local",
) -> list[str]:
    """The command line of `run_playbook`, for a test that starts and ends the process itself."""
    return [
        str(_BIN / "ansible-playbook"),
        "-i",
        str(ROOT / inventory),
        str(ROOT / playbook) if playbook.endswith(".yml") else playbook,
        "-e",
        json.dumps({**cloud.variables, **(variables or {})}),
        *options,
    ]


def playbook_environment(cloud: Cloud, *, keys: bool = True) -> dict[str, str]:
    """The environment of `run_playbook`: nothing of the caller's own AWS settings."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **(cloud.environment if keys else {}),
        "AWS_EC2_METADATA_DISABLED": "true",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "PATH": f"{_BIN}:{os.environ['PATH']}",
    }


def callback_environment() -> dict[str, str]:
    """The environment of a play of the test's own that knows nothing of our playbooks but the callback `warm_tasks`."""
    return {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_CALLBACKS_ENABLED": "stories1001.platform.warm_tasks",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    }


def _parsed(done: subprocess.CompletedProcess[str]) -> PlayResult:
    start = done.stdout.find("{\n")
    if start < 0:
        raise AssertionError(f"ansible-playbook printed no JSON:\n{done.stdout}\n{done.stderr}")
    told, _end = json.JSONDecoder().raw_decode(done.stdout[start:])
    tasks = [
        (task["task"]["name"], result)
        for play in told["plays"]
        for task in play["tasks"]
        for result in task["hosts"].values()
    ]
    stats: dict[str, int] = next(iter(told["stats"].values()), {})
    return PlayResult(done.returncode, stats, tasks, done.stdout + done.stderr)
