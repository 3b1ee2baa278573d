# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m local_cloud.data_plane.load_balancer --control-plane URL --state-dir DIR`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from pathlib import Path

import uvloop

from local_cloud.data_plane.control_client import ControlPlane
from local_cloud.data_plane.load_balancer.service import LoadBalancers


async def serve(control_plane: ControlPlane, state_dir: Path) -> None:
    """Until SIGTERM."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    balancers = asyncio.create_task(LoadBalancers(control_plane, state_dir).run())
    waiting = asyncio.create_task(ended.wait())
    done, _ = await asyncio.wait([balancers, waiting], return_when=asyncio.FIRST_COMPLETED)
    if balancers in done:
        balancers.result()
    balancers.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(prog="local_cloud.data_plane.load_balancer")
    parser.add_argument("--control-plane", required=True)
    parser.add_argument("--state-dir", required=True, type=Path)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s load balancer: %(message)s")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(ControlPlane(options.control_plane), options.state_dir))


if __name__ == "__main__":
    main()
