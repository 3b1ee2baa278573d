# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import argparse
import asyncio
import os
import sys

from local_cloud.app.application import Application
from local_cloud.app.database import Database, migrate
from local_cloud.app.settings import Settings, SettingsError


def main() -> int:
    """`serve` (default) answers HTTP until SIGTERM; `init` brings the schema up to date. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="local_cloud.app")
    parser.add_argument("command", nargs="?", default="serve", choices=["serve", "init"])
    command = parser.parse_args().command
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if command == "serve":
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(Application(settings).run())
    if settings.database is None:
        print("init: no database is configured; set DATABASE_URL or DATABASE_HOST.", file=sys.stderr)
        return 2
    try:
        print(asyncio.run(migrate(Database(settings.database))))
    except Database.ERRORS as error:
        print(f"init: migrating {settings.database.name} on {settings.database.host} failed: {error}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
