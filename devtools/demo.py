"""`./dev demo`: the roadmap on the embedded cloud, a look at the site through CloudFront, and the report."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from pathlib import Path

from devtools.environments import CLOUD, ROOT, TOOLS
from devtools.readers import readers

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
    ("Releasing a new version while readers come", "deploy"),
    ("Restoring the database beside itself, for practice", "dr_drill"),
    ("Twelve months ahead", "capacity"),
    ("Visiting the site as many users, and judging it against its promises", "phase8"),
)


def _steps() -> int:
    for text, name in _SHOW:
        playbook = f"playbooks/{name}.yml"
        _say(f"{text}: {playbook}")
        if code := _release(playbook) if name == "deploy" else _play(playbook):
            return code
    return 0


# What a release waits for, shortened to what the embedded load balancer needs to learn of a change.
_QUICK_RELEASE = {"release_steps": [10, 100], "release_settle": 4, "release_bake": 6, "release_rollback_window": 0}


def _release(playbook: str) -> int:
    """A new version of the reference application, released while people read; 1 if one of them noticed."""
    version = time.strftime("%H%M%S")
    pushed = _ask("POST", "/data-plane/images", {"repository": "stories-local-app", "tag": version, "environment": {}})
    with readers(*_front()) as seen:
        wish = {"release_image": pushed["image"], "release_version": version, "release_reason": "demo"}
        code = _play(playbook, **wish, **_QUICK_RELEASE)
    _say(f"Readers meanwhile: {seen}")
    return code or bool(seen.failed)


def _front() -> tuple[str, int, Path]:
    """Address and port of CloudFront on this machine, and the authority that signs its certificate."""
    command = [*_CLOUD, "status"]
    told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    # A distribution is among what forwards, without nodes of its own.
    fronts = told["data_plane"]["load_balancers"].values()
    front = next(one for one in fronts if not one["nodes"])
    return front["address"], front["ports"]["443"], Path(told["state_dir"]) / "tls" / "ca.pem"


def _say_report() -> None:
    """Where the page is that every run above has added to."""
    if _REPORT.exists():
        _say(f"Look at it: {_REPORT.relative_to(ROOT)}")


def _play(playbook: str, **variables: object) -> int:
    path = f"{TOOLS / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "PATH": path}
    told = json.dumps({"platform_port_offset": _port_offset(), **variables})
    command: list[str | Path] = [TOOLS / "bin" / "ansible-playbook", "-i", "inventories/local", "-e", told, playbook]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _port_offset() -> int:
    """What the cloud adds to ports below 1024 when this user may not bind them."""
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="utf-8"))
    except OSError:
        first = 1024
    return 0 if os.geteuid() == 0 or first <= 80 else 20000


def _hurry() -> None:
    _ask("POST", "/data-plane/settings", {"time_scale": _TIME_SCALE})


def _ask(method: str, path: str, body: object) -> dict[str, str]:
    """A call of the embedded cloud's own interface."""
    cloud = http.client.HTTPConnection("127.0.0.1", 4566, timeout=10)
    cloud.request(method, f"/_cloud{path}", json.dumps(body))
    answer: dict[str, str] = json.load(cloud.getresponse())
    cloud.close()
    return answer


def _run(command: list[str | Path]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


def _say(text: str) -> None:
    print(f"\n── {text}", flush=True)
