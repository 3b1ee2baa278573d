# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m local_cloud.control_plane --port N --state-dir D`: serve the AWS APIs on 127.0.0.1."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import os
import pkgutil
import signal

from local_cloud.settings import ACCESS_KEY_ID, ACCOUNT_ID, DEFAULT_REGION, SECRET_ACCESS_KEY, Cloud, has_part


def configure_ministack(cloud: Cloud) -> None:
    """ministack reads its settings from the environment when it is imported."""
    os.environ.update(
        {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(cloud.port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_REGION": DEFAULT_REGION,
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(cloud.api_state),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(cloud.s3_objects),
            "LOG_LEVEL": "WARNING",
            "AUTH": "true" if cloud.iam else "false",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        }
    )


def import_overlay(data_plane: bool) -> None:
    """Import every module that registers handlers: `services/*`, and the data plane's if it takes part."""
    from local_cloud.control_plane import admin, services  # noqa: F401  (imported for what it registers)

    for module in pkgutil.iter_modules(services.__path__):
        importlib.import_module(f"{services.__name__}.{module.name}")
    importlib.import_module("local_cloud.control_plane.idempotency")
    if data_plane and has_part("data_plane", "overlay"):
        importlib.import_module("local_cloud.data_plane.overlay")
    importlib.import_module("local_cloud.control_plane.creation_times")  # in front of all others


async def _told_to_end() -> None:
    """Returns at SIGTERM or SIGINT."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
    # hypercorn cancels connections that clients keep open, and asyncio logs each with a traceback
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


async def serve(cloud: Cloud, latency: bool, data_plane: bool) -> None:
    """Serve until SIGTERM or SIGINT."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    from local_cloud.control_plane.call_log import CallLog
    from local_cloud.control_plane.faults import Faults
    from local_cloud.control_plane.gateway import Gateway
    from local_cloud.control_plane.overlay import registry
    from local_cloud.control_plane.persistence import Saver
    from local_cloud.settings import CHECKOUT

    import_overlay(data_plane)
    table = CHECKOUT / "local_cloud" / "control_plane" / "latency.json"
    gateway = Gateway(registry, CallLog(cloud.call_log), Faults(table, latency), Saver())
    if data_plane:
        gateway.parts_ready["data_plane"] = False
    config = Config()
    config.bind = [f"127.0.0.1:{cloud.port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    config.loglevel = "WARNING"
    await hypercorn_serve(gateway, config, shutdown_trigger=_told_to_end)


def main() -> None:
    parser = argparse.ArgumentParser(prog="local_cloud.control_plane")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-dir", required=True)
    parser.add_argument("--iam", action="store_true")
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--data-plane", action="store_true", help="with the data plane; not ready before it says so")
    options = parser.parse_args()
    cloud = Cloud.at(options.port, options.state_dir, options.iam)
    cloud.state_dir.mkdir(parents=True, exist_ok=True)
    configure_ministack(cloud)
    asyncio.run(serve(cloud, options.latency, options.data_plane))


if __name__ == "__main__":
    main()
