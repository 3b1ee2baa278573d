"""`./dev demo`: the roadmap on the embedded cloud, and a look at the site through its load balancer."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from devtools.environments import CLOUD, ROOT, TOOLS

_CLOUD: list[str | Path] = [CLOUD / "bin" / "python", "-m", "local_cloud"]


def run(keep: bool) -> int:
    """Start the cloud, run the roadmap twice, show the site. Returns the exit status."""
    begun = time.monotonic()
    _say("Starting the embedded cloud")
    _run([*_CLOUD, "up"])
    try:
        _say("Bringing the platform up: playbooks/site.yml")
        code = _play("playbooks/site.yml")
        if code == 0:
            _say("Looking at the site through the load balancer: playbooks/visit.yml")
            code = _play("playbooks/visit.yml")
        _say(f"Done in {time.monotonic() - begun:.0f} s." if code == 0 else "Stopped at the error above.")
        return code
    finally:
        if keep:
            _say("The embedded cloud stays up; `./dev cloud down` ends it.")
        else:
            _run([*_CLOUD, "down"])


def _play(playbook: str) -> int:
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "PATH": f"{TOOLS / 'bin'}:{os.environ['PATH']}",
    }
    command: list[str | Path] = [TOOLS / "bin" / "ansible-playbook", "-i", "inventories/local", playbook]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _run(command: list[str | Path]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


def _say(text: str) -> None:
    print(f"\n── {text}", flush=True)
