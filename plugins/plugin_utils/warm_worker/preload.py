# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the warm worker loads once so that no module has to: libraries, and botocore's parsed service models.

Which models are needed is learned: a module's process names each file of botocore that it had to parse, and the
worker, which has nothing to do meanwhile, parses it too and keeps it for all later modules.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

# Nearly every module of the supported collections imports these. What a machine lacks is left out: the module says so.
_LIBRARIES = (
    "ansible.module_utils.basic",
    "ansible.module_utils.testing",
    "ansible.module_utils.urls",
    "ansible.module_utils._internal._ansiballz._loader",
    "boto3",
    "boto3.session",
    "botocore.client",
    "botocore.config",
    "botocore.credentials",
    "botocore.endpoint",
    "botocore.httpsession",
    "botocore.paginate",
    "botocore.signers",
    "botocore.waiter",
    "psycopg",
    "psycopg.rows",
    "psycopg.sql",
    "concurrent.futures.thread",
    "ansible_collections.amazon.aws.plugins.module_utils.modules",
    "ansible_collections.amazon.aws.plugins.module_utils.retries",
    "ansible_collections.stories1001.platform.plugins.module_utils._aws.api",
    "ansible_collections.stories1001.platform.plugins.module_utils._engine.kinds",
    "ansible_collections.stories1001.platform.plugins.module_utils._platform.sections",
)

_parsed: dict[str, dict[str, Any]] = {}  # by path without ending, as botocore asks for them


def load_libraries() -> None:
    """Import everything that can be imported; a missing library is the business of the module that needs it."""
    for name in _LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue


def share_models(learned: int) -> None:
    """Make botocore take parsed files from here. Modules' processes name new ones on the pipe ``learned``."""
    try:
        from botocore.loaders import JSONFileLoader
    except ImportError:
        return
    worker = os.getpid()
    parse = JSONFileLoader.load_file

    def load_file(self: Any, file_path: str) -> dict[str, Any] | None:
        if file_path in _parsed:
            return _parsed[file_path]
        content: dict[str, Any] | None = parse(self, file_path)
        if content is not None:
            if os.getpid() == worker:
                content = _lean(content)  # kept as long as the run lasts
            else:
                os.write(learned, f"{file_path}\n".encode())
            _parsed[file_path] = content
        return content

    JSONFileLoader.load_file = load_file


def _lean(content: Any) -> Any:
    """The same in ordinary dicts, which keep their order, too, in two thirds of the memory of ordered ones."""
    if isinstance(content, dict):
        return {name: _lean(part) for name, part in content.items()}
    return [_lean(part) for part in content] if isinstance(content, list) else content


def share_listings() -> None:
    """Remember which services botocore has data for; it looks through hundreds of folders for each new session."""
    try:
        from botocore.loaders import Loader, create_loader
    except ImportError:
        return
    listings: dict[tuple[str, ...], list[str]] = {}
    look = Loader.list_available_services

    def list_available_services(self: Any, type_name: str) -> list[str]:
        key = (*self.search_paths, type_name)
        if key not in listings:
            listings[key] = look(self, type_name)
        return listings[key]

    Loader.list_available_services = list_available_services
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1", "waiters-2"):
        create_loader().list_available_services(kind)


def learn(path: str) -> None:
    """Parse one of botocore's files, so that later modules find it ready."""
    from botocore.loaders import JSONFileLoader

    JSONFileLoader().load_file(path)
