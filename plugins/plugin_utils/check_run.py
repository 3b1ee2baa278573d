# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A playbook in check mode, in a process of its own, and what it told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import context

from ..module_utils._engine.steps import PlanRefused

_RECORD = "STORIES1001_PLAN_RECORD"


def check_run(playbook: Path) -> list[dict[str, Any]]:
    """The records of every task of a playbook run with ``--check``; see the callback plan_record.

    Inventory, limit, extra variables and vault settings are those of the present run. Raises PlanRefused with the
    error of the task that failed.
    """
    if not playbook.exists():
        raise PlanRefused([f"Looked for the playbook {playbook} to plan and found none. Name one of playbooks/."])
    with tempfile.TemporaryDirectory(prefix="platform-plan-") as folder:
        record, output = Path(folder) / "record.jsonl", Path(folder) / "output"
        with output.open("w", encoding="utf-8") as printed:
            done = subprocess.run(
                [sys.executable, "-m", "ansible", "playbook", *_options(context.CLIARGS), str(playbook)],
                env=_environment(record),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                check=False,
            )
        lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
        records: list[dict[str, Any]] = [json.loads(line) for line in lines]
        if done.returncode:
            raise PlanRefused([_reason(playbook, records, output.read_text(encoding="utf-8"))])
    return records


def _options(given: Mapping[str, Any]) -> list[str]:
    """The command line's options that decide what a playbook sees, and check mode."""
    options = ["--check"]
    for source in given.get("inventory") or ():
        options += ["-i", source]
    for variable in given.get("extra_vars") or ():
        options += ["-e", variable]
    if given.get("subset"):
        options += ["--limit", given["subset"]]
    for identity in given.get("vault_ids") or ():
        options += ["--vault-id", identity]
    for file in given.get("vault_password_files") or ():
        options += ["--vault-password-file", file]
    return options


def _environment(record: Path) -> dict[str, str]:
    enabled = [os.environ.get("ANSIBLE_CALLBACKS_ENABLED", ""), "stories1001.platform.plan_record"]
    return {
        **os.environ,
        _RECORD: str(record),
        "ANSIBLE_CALLBACKS_ENABLED": ",".join(filter(None, enabled)),
        # A plan is no run of the platform: it leaves no report of one.
        "STORIES1001_REPORT": "false",
        # Plain, whatever the outer run uses: AWX's own callback would mix both runs in one job.
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_LOG_PATH": "",
    }


def _reason(playbook: Path, records: list[dict[str, Any]], output: str) -> str:
    failed = [record for record in records if "failed" in record]
    if failed:
        task = failed[0]
        return f"Planned {playbook.name} and task {task['task']!r} of {task['play']!r} failed: {task['failed']}"
    last = "\n".join(output.strip().splitlines()[-10:])
    return f"Planned {playbook.name} and it ended before its first task:\n{last}"
