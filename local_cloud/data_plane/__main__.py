# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m local_cloud.data_plane --control-plane URL --state-dir DIR`: the agent of the data plane."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from local_cloud import processes
from local_cloud.data_plane.caches import Caches
from local_cloud.data_plane.certificates import Authority
from local_cloud.data_plane.control_client import ControlPlane
from local_cloud.data_plane.databases import Databases
from local_cloud.data_plane.tasks import Tasks
from local_cloud.data_plane.usage import Usage

logger = logging.getLogger("data_plane")


class Agent:
    """Follows what the control plane wants of tasks, databases and caches; keeps the load balancer running."""

    def __init__(self, control_plane: ControlPlane, state_dir: Path) -> None:
        self.control_plane = control_plane
        self.state_dir = state_dir
        self.authority = Authority(state_dir / "tls")
        self.tasks = Tasks(control_plane, state_dir, self.authority.ca_file)
        self.databases = Databases(control_plane, state_dir, self.authority)
        self.caches = Caches(control_plane, state_dir, self.authority)

    async def run(self) -> int:
        """Until SIGTERM, or the end of the load balancer. Returns the exit status."""
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        balancer = await self._start_load_balancer()
        following = asyncio.create_task(self._follow())
        measuring = asyncio.create_task(Usage(self.control_plane, self.tasks).run())
        watching = [asyncio.create_task(ended.wait()), asyncio.create_task(balancer.wait()), following]
        done, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
        following.cancel()
        measuring.cancel()
        await self.tasks.close()
        await asyncio.gather(self.databases.close(), self.caches.close())
        if balancer.returncode is None:
            balancer.terminate()
            await balancer.wait()
        if following in done:
            following.result()
        return 0 if ended.is_set() else 1

    async def _start_load_balancer(self) -> asyncio.subprocess.Process:
        await self.authority.create()
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "local_cloud.data_plane.load_balancer",
            "--control-plane",
            self.control_plane.url,
            "--state-dir",
            str(self.state_dir),
            preexec_fn=processes.die_with_parent,
        )

    async def _follow(self) -> None:
        ready = False
        async for wanted in self.control_plane.news("/data-plane/agent"):
            self.apply(wanted)
            if not ready:
                await self.control_plane.tell_surely("/parts", {"name": "data_plane", "ready": True})
                ready = True

    def apply(self, wanted: dict[str, Any]) -> None:
        self.databases.follow(wanted["databases"], wanted["snapshots"])
        self.caches.follow(wanted["caches"])
        self.tasks.follow(wanted["tasks"], wanted["images"], wanted["settings"]["network"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="local_cloud.data_plane")
    parser.add_argument("--control-plane", required=True, help="URL of the control plane")
    parser.add_argument("--state-dir", required=True, type=Path)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    return asyncio.run(Agent(ControlPlane(options.control_plane), options.state_dir).run())


if __name__ == "__main__":
    sys.exit(main())
