# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the warm worker loads once so that no module has to: libraries, and what botocore works out for each client.

Which of botocore's service models and which module_utils are needed is learned: a module's process names each file of
botocore that it had to parse and each of the collections' files that it imported, and the worker, which has nothing to
do meanwhile, takes it in too and keeps it for all later modules.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import inspect
import itertools
import locale
import os
import sys
from collections.abc import Callable, Iterable, KeysView, Mapping, MutableSequence, Sequence, Set
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from .eligible import COLLECTIONS

# Nearly every module of the supported collections imports these. What a machine lacks is left out: the module says so.
_LIBRARIES = (
    "ansible.module_utils.basic",
    "ansible.module_utils.testing",
    "ansible.module_utils.urls",
    "ansible.module_utils._internal._ansiballz._loader",
    "ansible.module_utils._internal._json._profiles._module_legacy_c2m",
    "ansible.module_utils._internal._json._profiles._module_legacy_m2c",
    "boto3",
    "boto3.session",
    "boto3.s3.inject",
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

_LOG_OF_KEYS = "SSLKEYLOGFILE"  # each context would write to the file that this names

_parsed: dict[str, dict[str, Any]] = {}  # by path without ending, as botocore asks for them
_teach = -1  # the pipe on which modules' processes name what the worker might learn


def load_libraries() -> None:
    """Import everything that can be imported; a missing library is the business of the module that needs it."""
    for name in _LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue


def load_locale() -> None:
    """Each module takes its locale from the environment; the C library keeps the data for those that come later."""
    own = locale.setlocale(locale.LC_ALL)
    with contextlib.suppress(locale.Error):  # there is none: Ansible looks for another one
        locale.setlocale(locale.LC_ALL, "")
    locale.setlocale(locale.LC_ALL, own)


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
        from botocore import loaders

        loaders.OrderedDict = dict  # it keeps its order, too, and takes half the time and two thirds of the memory
        parse = loaders.JSONFileLoader.load_file
    except (ImportError, AttributeError):
        return
    worker = os.getpid()

    def load_file(self: Any, file_path: str) -> dict[str, Any] | None:
        if file_path in _parsed:
            return _parsed[file_path]
        if in_worker := os.getpid() == worker:
            loaders.OrderedDict = _without_texts
        content: dict[str, Any] | None = parse(self, file_path)
        loaders.OrderedDict = dict
        if content is not None:
            _parsed[file_path] = content  # kept as long as the run lasts
            if not in_worker:
                teach(file_path)
            elif os.path.basename(file_path) == "service-2":
                _make_operations(file_path, content)
        return content

    loaders.JSONFileLoader.load_file = load_file


def _without_texts(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a model with its documentation left empty, which botocore reads for `help()` only."""
    # A member of a shape may be called so, too; it is an object.
    return {key: "" if key == "documentation" and isinstance(value, str) else value for key, value in pairs}


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
        from botocore.handlers import ClientMethodAlias

        ask, work_out = hooks.accepts_kwargs, hooks.EventAliaser._alias_event_name
    except (ImportError, AttributeError):  # not there, or of a kind that works it out elsewhere
        return
    remembered = functools.lru_cache(maxsize=None)(ask)

    def accepts_kwargs(handler: Any) -> Any:
        # A method takes what its function does, whoever's it is.
        function = handler.__func__ if isinstance(handler, MethodType) else handler
        if isinstance(function, FunctionType) and not vars(function):  # of a session's own, perhaps, like boto3's
            return bool(function.__code__.co_flags & inspect.CO_VARKEYWORDS)
        return remembered(function) if isinstance(function, (FunctionType, ClientMethodAlias)) else ask(handler)

    parts = {old for old in hooks.EVENT_ALIASES if "." not in old}
    sections = [old for old in hooks.EVENT_ALIASES if "." in old]
    aliases: dict[str, str] = {}

    def _alias_event_name(self: Any, event_name: str) -> str:
        if self._event_aliases != hooks.EVENT_ALIASES:
            return str(work_out(self, event_name))
        if event_name not in aliases:
            # Most names have none; botocore would find that out for each alias by itself.
            none = parts.isdisjoint(event_name.split(".")) and not any(old in event_name for old in sections)
            aliases[event_name] = event_name if none else work_out(self, event_name)
        return aliases[event_name]

    hooks.accepts_kwargs = accepts_kwargs
    hooks.EventAliaser._alias_event_name = _alias_event_name
    boto3.session.Session()  # asks them all


class _Operations(NamedTuple):
    """What botocore makes for the operations of a service."""

    model: dict[str, Any]  # kept, so that its identity stays its own
    size: int
    methods: dict[str, Callable[..., Any]]
    names: dict[str, str]


_operations: dict[int, _Operations] = {}  # by the identity of the parsed model


def share_methods() -> None:
    """Take a client's methods and their names from here; botocore makes up to seven hundred for each client.

    They follow from the operations in the service's model alone. What events add to a client, or take from it, they do
    to a dict of its own.
    """
    try:
        from botocore.client import ClientCreator

        make, name = ClientCreator._create_methods, ClientCreator._create_name_mapping
    except (ImportError, AttributeError):
        return

    def known(service_model: Any) -> _Operations | None:
        model = service_model._service_description
        found = _operations.get(id(model))
        return found if found and found.size == len(model["operations"]) else None

    def _create_methods(self: Any, service_model: Any) -> dict[str, Callable[..., Any]]:
        found = known(service_model)
        return dict(found.methods if found else make(self, service_model))

    def _create_name_mapping(self: Any, service_model: Any) -> dict[str, str]:
        found = known(service_model)
        return dict(found.names if found else name(self, service_model))

    ClientCreator._create_methods = _create_methods
    ClientCreator._create_name_mapping = _create_name_mapping


def _make_operations(path: str, model: dict[str, Any]) -> None:
    """Done in the worker when it takes in the model of a service, such as ``…/sns/2010-03-31/service-2``."""
    import botocore.session
    from botocore.client import ClientCreator
    from botocore.model import ServiceModel

    events = botocore.session.Session().get_component("event_emitter")  # asked for a method's help text only
    creator = ClientCreator(None, None, None, events, None, None)
    service = ServiceModel(model, os.path.basename(os.path.dirname(os.path.dirname(path))))
    methods, names = creator._create_methods(service), creator._create_name_mapping(service)
    _operations[id(model)] = _Operations(model, len(model["operations"]), methods, names)


def share_trust() -> None:
    """Load the authorities' certificates once. It takes 30 ms, for each connection anew.

    The context that holds them is lent to clients that trust the same file, show no certificate and use no proxy. All
    of these would set theirs up alike, so that none changes it for another.
    """
    if _LOG_OF_KEYS in os.environ:
        return
    try:
        from botocore import httpsession
        from urllib3.util.ssl_ import ALPN_PROTOCOLS

        own = httpsession.URLLib3Session._get_ssl_context
        trusted = os.environ.get("AWS_CA_BUNDLE") or httpsession.get_cert_path(True)
        state = _state(trusted)
        context = httpsession.create_urllib3_context()
        context.load_verify_locations = _once(context.load_verify_locations, trusted, None, None)
        context.set_alpn_protocols = _once(context.set_alpn_protocols, ALPN_PROTOCOLS)
    except (ImportError, AttributeError, OSError):  # no such file: the business of the module that needs it
        return

    def _get_ssl_context(self: Any) -> Any:
        alone = self._cert_file is None and not self._proxy_config._proxies and _LOG_OF_KEYS not in os.environ
        same = httpsession.get_cert_path(self._verify) == trusted and _state(trusted) == state
        return context if alone and same else own(self)

    httpsession.URLLib3Session._get_ssl_context = _get_ssl_context


def _state(path: str) -> tuple[int, int, int] | None:
    """What changes with a file's content; None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _once(act: Callable[..., None], *given: Any) -> Callable[..., None]:
    """Act now; the function that is returned acts on anything but the same again."""
    act(*given)
    return lambda *others: None if others == given else act(*others)


def rehearse() -> None:
    """Do once what Python and botocore remember by pattern, name or type: each module would be the first to do it.

    The client is never used. It sees neither this environment nor anybody's files, which may hold credentials.
    """
    for kind in (Iterable, KeysView, Mapping, MutableSequence, Sequence, Set):
        for plain in (list, dict, str, int, float, bool, type(None)):
            issubclass(plain, kind)
    environment = dict(os.environ)
    os.environ.clear()
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
    try:
        import boto3

        boto3.session.Session("-", "-", region_name="us-east-1").client("sts")
    except Exception:  # whatever it is, the module that needs a client will say so
        return
    finally:
        os.environ.clear()
        os.environ.update(environment)


def last_import() -> str:
    """The mark for `teach_imports`. To look at all names would copy the pages that they lie in."""
    return next(reversed(sys.modules))


def teach_imports(before: str) -> None:
    """Name what a module has imported of the collections' module_utils since that import."""
    for name in list(itertools.takewhile(lambda name: name != before, reversed(sys.modules))):
        if name.startswith(_LEARNED):
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


def give_back() -> None:
    """Give the system what parsing has used and left; the C library would keep it, and each fork look after it."""
    with contextlib.suppress(AttributeError):  # not every C library can
        ctypes.CDLL(None).malloc_trim(0)
