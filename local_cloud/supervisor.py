# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The background process of a cloud: starts the control plane and the data plane, restarts neither, ends both.

If one part ends, the cloud ends: a cloud without its half would only confuse. Killed with -9, the kernel sends
SIGTERM to both parts (PR_SET_PDEATHSIG); what they leave is swept by the next `up` or `down`.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from types import FrameType

from local_cloud import processes
from local_cloud.settings import CHECKOUT, STATE_DIR_VARIABLE, Cloud, has_part

_TICK = 0.2  # seconds between looks at the children and the watched parent


class Supervisor:
    """Runs one cloud until it is told to end, a part ends, or the process it was told to watch ends."""

    def __init__(self, cloud: Cloud, watched_pid: int | None, latency: bool, data_plane: bool) -> None:
        self.cloud = cloud
        self.latency = latency
        self.data_plane = data_plane and has_part("data_plane", "__main__")
        self.ending = False
        self.children: dict[str, subprocess.Popen[bytes]] = {}  # by the name of the part
        self.watched = processes.watch(watched_pid) if watched_pid else None

    def run(self) -> int:
        """Hold the state directory's lock, start the parts, wait, end them. Returns the exit status."""
        with open(self.cloud.lock, "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"another supervisor runs on {self.cloud.state_dir}; end it with `down`", file=sys.stderr)
                return 1
            signal.signal(signal.SIGTERM, self._end)
            signal.signal(signal.SIGINT, self._end)
            processes.adopt_orphans()
            try:
                self._start_parts()
                return self._wait()
            finally:
                self._stop_parts()
                self.cloud.record.unlink(missing_ok=True)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self.ending = True

    def _start_parts(self) -> None:
        where = ["--state-dir", str(self.cloud.state_dir)]
        control = ["local_cloud.control_plane", "--port", str(self.cloud.port), *where]
        if self.cloud.iam:
            control.append("--iam")
        if self.latency:
            control.append("--latency")
        if self.data_plane:
            control.append("--data-plane")
        self._start("control_plane", control)
        if self.data_plane:
            self._start("data_plane", ["local_cloud.data_plane", "--control-plane", self.cloud.endpoint, *where])
        self.cloud.record.write_text(
            json.dumps(
                {
                    "pid": os.getpid(),
                    "port": self.cloud.port,
                    "endpoint": self.cloud.endpoint,
                    "iam": self.cloud.iam,
                    "started": time.time(),
                    "parts": {f"local_cloud.{name}": child.pid for name, child in self.children.items()},
                }
            )
        )

    def _start(self, name: str, module: list[str]) -> None:
        with open(self.cloud.logs / f"{name}.log", "ab") as log:
            self.children[name] = subprocess.Popen(
                [sys.executable, "-m", *module],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                preexec_fn=processes.die_with_parent,  # the supervisor has one thread
                process_group=0,
            )

    def _wait(self) -> int:
        while not self.ending:
            self._reap_adopted()
            for name, child in self.children.items():
                if child.poll() is not None:
                    print(f"the {name} ended with status {child.returncode}; the cloud ends", file=sys.stderr)
                    return 1
            if self.watched is not None and processes.has_ended(self.watched):
                print("the watched process ended; the cloud ends", file=sys.stderr)
                return 0
            time.sleep(_TICK)
        return 0

    def _reap_adopted(self) -> None:
        ours = {child.pid for child in self.children.values()}
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid not in ours:
            os.waitpid(ended.si_pid, 0)

    def _stop_parts(self) -> None:
        # The data plane first: it still calls the control plane while it ends.
        for child in reversed(self.children.values()):
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(15)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        processes.end(processes.belonging_to(self.cloud.state_dir), timeout=5)


def main() -> int:
    """`python -m local_cloud.supervisor`, started by `up`."""
    parser = argparse.ArgumentParser(prog="local_cloud.supervisor")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-dir", required=True)
    parser.add_argument("--iam", action="store_true")
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--no-data-plane", action="store_true")
    parser.add_argument("--watch-pid", type=int)
    options = parser.parse_args()
    cloud = Cloud.at(options.port, options.state_dir, options.iam)
    os.environ[STATE_DIR_VARIABLE] = str(cloud.state_dir)
    return Supervisor(cloud, options.watch_pid, options.latency, not options.no_data_plane).run()


if __name__ == "__main__":
    sys.exit(main())
