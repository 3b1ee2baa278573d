"""`./dev demo`: the roadmap on the embedded cloud, a look at the site through CloudFront, and the report."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from pathlib import Path

from devtools.environments import CLOUD, ROOT, TOOLS

_CLOUD: list[str | Path] = [CLOUD / "bin" / "python", "-m", "local_cloud"]
# Health checks, drains and grace periods pass five times as fast: the demo shows what they do, not how long.
_TIME_SCALE = 0.2
_REPORT = ROOT / "reports" / "stories-local" / "report.html"


def run(keep: bool) -> int:
    """Start the cloud, plan, run the roadmap, show the site, run it again, drill, judge. Returns the exit status."""
    begun = time.monotonic()
    _say("Starting the embedded cloud")
    _run([*_CLOUD, "up"])
    _hurry()
    try:
        code = _steps()
        _say(f"Done in {time.monotonic() - begun:.0f} s." if code == 0 else "Stopped at the error above.")
        _say_report()
        return code
    finally:
        if keep:
            _say("The embedded cloud stays up; `./dev cloud status` shows its addresses, `./dev cloud down` ends it.")
        else:
            _run([*_CLOUD, "down"])


# What is shown, in this order.
_SHOW = (
    ("What it would make, and what that costs", "plan"),
    ("Bringing the platform up", "site"),
    ("Looking at the site through CloudFront", "visit"),
    ("Once more, which changes nothing", "site"),
    ("Restoring the database beside itself, for practice", "dr_drill"),
    ("Twelve months ahead", "capacity"),
    ("Visiting the site as many users, and judging it against its promises", "phase8"),
)


def _steps() -> int:
    for text, name in _SHOW:
        playbook = f"playbooks/{name}.yml"
        _say(f"{text}: {playbook}")
        if code := _play(playbook):
            return code
    return 0


def _say_report() -> None:
    """Where the page is that every run above has added to."""
    if _REPORT.exists():
        _say(f"Look at it: {_REPORT.relative_to(ROOT)}")


def _play(playbook: str) -> int:
    path = f"{TOOLS / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "PATH": path}
    offset = f"platform_port_offset={_port_offset()}"
    command: list[str | Path] = [TOOLS / "bin" / "ansible-playbook", "-i", "inventories/local", "-e", offset, playbook]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _port_offset() -> int:
    """What the cloud adds to ports below 1024 when this user may not bind them."""
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="utf-8"))
    except OSError:
        first = 1024
    return 0 if os.geteuid() == 0 or first <= 80 else 20000


def _hurry() -> None:
    cloud = http.client.HTTPConnection("127.0.0.1", 4566, timeout=10)
    cloud.request("POST", "/_cloud/data-plane/settings", json.dumps({"time_scale": _TIME_SCALE}))
    cloud.getresponse().read()
    cloud.close()


def _run(command: list[str | Path]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


def _say(text: str) -> None:
    print(f"\n── {text}", flush=True)
