# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the warm worker loads once so that no module has to: libraries, and what botocore works out for each client.

Which of botocore's service models and which module_utils are needed is learned: a module's process names each file of
botocore that it had to parse and each of the collections' files that it imported, and the worker, which has nothing to
do meanwhile, takes it in too and keeps it for all later modules.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from types import FunctionType
from typing import Any

from .eligible import COLLECTIONS

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

# Collections whose module_utils are taken in when a module has used them.
_LEARNED = tuple(f"ansible_collections.{collection}.plugins.module_utils." for collection in COLLECTIONS)

_parsed: dict[str, dict[str, Any]] = {}  # by path without ending, as botocore asks for them
_teach = -1  # the pipe on which modules' processes name what the worker might learn


def load_libraries() -> None:
    """Import everything that can be imported; a missing library is the business of the module that needs it."""
    for name in _LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue


def learn_by(pipe: int) -> None:
    """Modules' processes name what is new on this pipe, a line each."""
    global _teach
    _teach = pipe


def teach(name: str) -> None:
    """Called in a module's process; short enough a line to arrive in one piece."""
    os.write(_teach, f"{name}\n".encode())


def share_models() -> None:
    """Make botocore take parsed files from here."""
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
                teach(file_path)
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
        import boto3
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
    # boto3 looks in a folder of its own as well.
    for loader in (create_loader(), boto3.session.Session()._session.get_component("data_loader")):
        for kind in ("service-2", "endpoint-rule-set-1", "paginators-1", "waiters-2"):
            loader.list_available_services(kind)


def share_handlers() -> None:
    """Remember what each new session asks about some two hundred handlers: which arguments they take, for which event.

    Both depend on nothing but the function and the name.
    """
    try:
        import boto3
        from botocore import hooks

        ask, work_out = hooks.accepts_kwargs, hooks.EventAliaser._alias_event_name
    except (ImportError, AttributeError):  # not there, or of a kind that works it out elsewhere
        return
    remembered = functools.lru_cache(maxsize=None)(ask)
    hooks.accepts_kwargs = lambda function: (remembered if isinstance(function, FunctionType) else ask)(function)

    aliases: dict[str, str] = {}

    def _alias_event_name(self: Any, event_name: str) -> str:
        if self._event_aliases != hooks.EVENT_ALIASES:
            return str(work_out(self, event_name))
        if event_name not in aliases:
            aliases[event_name] = work_out(self, event_name)
        return aliases[event_name]

    hooks.EventAliaser._alias_event_name = _alias_event_name
    boto3.session.Session()  # asks them all


def teach_imports(before: frozenset[str]) -> None:
    """Name what a module has imported of the collections' module_utils beside what was imported before."""
    for name in list(sys.modules):
        if name.startswith(_LEARNED) and name not in before:
            teach(name)


def learn(name: str) -> None:
    """Take in one of botocore's files or one of the collections' modules, so that later modules find it ready."""
    if name.startswith(_LEARNED):
        try:
            importlib.import_module(name)
        except Exception:  # it lacks a library, perhaps: the business of the module that needs it
            return
    else:
        from botocore.loaders import JSONFileLoader

        JSONFileLoader().load_file(name)
