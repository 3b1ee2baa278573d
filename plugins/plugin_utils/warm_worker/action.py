# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lets an action plugin run its module in the warm worker.

Ansible's own `_execute_module` stays in charge of arguments, environment and results. Only three of its helpers are
replaced while a module goes to the worker: what is "built" is a request instead of a zip, it is "pipelined", so that
no shell makes folders for it, and "executing" it means handing it to the worker.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import ansible
from ansible import constants as C
from ansible._internal._ansiballz._builder import ExtensionManager
from ansible.executor.interpreter_discovery import InterpreterDiscoveryRequiredError
from ansible.executor.module_common import _BuiltModule, _get_shebang
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import module_loader, module_utils_loader
from ansible.release import __version__ as core_version
from ansible.utils.display import Display

from . import client, eligible
from .wire import Request

_PROFILE = "legacy"  # how results are serialized; others exist only with Ansible's experimental module metadata
_CORE = Path(ansible.__file__).parent


@dataclass
class _Module:
    """A module on its way to the worker. path: its file. name: as Python imports it. interpreter: that runs it."""

    path: str
    name: str
    interpreter: str
    request: Request | None = None


class WarmAction(ActionBase):
    """The base class of an action plugin; put it before another base class that it may have."""

    _warm: _Module | None = None

    def _execute_module(
        self,
        module_name: str | None = None,
        module_args: dict[str, Any] | None = None,
        tmp: str | None = None,
        task_vars: dict[str, Any] | None = None,
        persist_files: bool = False,
        delete_remote_tmp: bool | None = None,
        wrap_async: bool = False,
        ignore_unknown_opts: bool = False,
    ) -> dict[str, Any]:
        given: dict[str, Any] = {
            "module_name": module_name,
            "module_args": module_args,
            "tmp": tmp,
            "task_vars": task_vars,
            "persist_files": persist_files,
            "delete_remote_tmp": delete_remote_tmp,
            "wrap_async": wrap_async,
            "ignore_unknown_opts": ignore_unknown_opts,
        }
        if not wrap_async and self._may_go(task_vars or {}):
            self._warm = self._found(module_name or self._task.action, task_vars or {})
        if self._warm:
            try:
                with self._own_folder():
                    result: dict[str, Any] = super()._execute_module(**given)
                    return result
            except client.WorkerGone as gone:
                words = client.last_words(_folder())
                _give_up(f"{gone}; its last words: {words}" if words else f"{gone}")
            finally:
                self._warm = None
        result = super()._execute_module(**given)
        return result

    def start_warm_worker(self, variables: Mapping[str, Any]) -> None:
        """Begin loading what modules need while something else is done."""
        interpreter = self._interpreter(variables) if self._may_go(variables) else None
        if interpreter:
            client.start_early(_target(interpreter))

    def _may_go(self, variables: Mapping[str, Any]) -> bool:
        """Whether this task, whatever its module, runs the same in the worker."""
        if not eligible.switched_on(variables, os.environ) or client.given_up(_folder()):
            return False
        if reason := eligible.unsupported(core_version):
            _give_up(reason)
            return False
        task = self._task
        return (
            self._connection.transport == "local"
            and not self._connection.become
            and not task.become
            and not task.async_val
            and not task.delegate_to
            and self._play_context.executable == "/bin/sh"
            and not C.DEFAULT_KEEP_REMOTE_FILES
            and not C.config.get_config_value("_MODULE_METADATA")
            and not C.config.get_config_value("PYTHON_MODULE_RLIMIT_NOFILE", variables=variables)
            and not ExtensionManager.create(task_vars=dict(variables)).extension_names
            and not _replaced_module_utils()
        )

    def _found(self, module_name: str, variables: Mapping[str, Any]) -> _Module | None:
        """The module, if it is one of those that the worker runs."""
        context = module_loader.find_plugin_with_context(module_name, collection_list=self._task.collections)
        path = context.plugin_resolved_path
        if not context.resolved or not path or not eligible.ordinary(Path(path).read_bytes()):
            return None
        collection = eligible.collection_of(context.resolved_fqcn)
        folder = _collections().get(collection or "")
        name = context.resolved_fqcn.rpartition(".")[2]
        if not folder or not os.path.samefile(path, f"{folder}/plugins/modules/{name}.py"):
            return None
        interpreter = self._interpreter(variables)
        if not interpreter:
            return None
        return _Module(path, f"ansible_collections.{collection}.plugins.modules.{name}", interpreter)

    def _interpreter(self, variables: Mapping[str, Any]) -> str | None:
        """The modules' Python; None if Ansible must find it on its own path, which it remembers for later tasks."""
        try:
            _line, interpreter = _get_shebang("/usr/bin/python", dict(variables), self._templar, remote_is_local=False)
        except InterpreterDiscoveryRequiredError:
            return None
        return str(interpreter)

    @contextmanager
    def _own_folder(self) -> Iterator[None]:
        """A temporary folder for the module, as Ansible gives it one."""
        shell = self._connection._shell
        if shell.tmpdir is not None:
            yield
            return
        shell.tmpdir = tempfile.mkdtemp(prefix="warm-module-", dir=_folder())
        try:
            yield
        finally:
            shutil.rmtree(shell.tmpdir, ignore_errors=True)
            shell.tmpdir = None

    def _is_pipelining_enabled(self, module_style: str, wrap_async: bool = False) -> bool:
        return self._warm is not None or super()._is_pipelining_enabled(module_style, wrap_async)

    def _configure_module(
        self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]
    ) -> tuple[_BuiltModule, str]:
        if not self._warm:
            built: tuple[_BuiltModule, str] = super()._configure_module(module_name, module_args, task_vars)
            return built
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        if eligible.needs_a_fresh_process(environment):
            self._warm = None
            return self._configure_module(module_name, module_args, task_vars)
        encoder = get_module_encoder(_PROFILE, Direction.CONTROLLER_TO_MODULE)
        directory = self._loader.get_basedir()
        self._warm.request = Request(
            module=self._warm.name,
            arguments=json.dumps({"ANSIBLE_MODULE_ARGS": module_args}, cls=encoder),
            profile=_PROFILE,
            environment={
                **os.environ,
                **{name: str(value) for name, value in environment.items()},
                "PWD": directory,
            },
            directory=directory,
            umask=_umask(),
        )
        return _BuiltModule(
            b_module_data=b"",
            module_style="new",
            shebang=f"#!{self._warm.interpreter}",
            serialization_profile=_PROFILE,
        ), self._warm.path

    def _low_level_execute_command(self, cmd: str, *args: Any, **options: Any) -> dict[str, Any]:
        if not self._warm or not self._warm.request:
            result: dict[str, Any] = super()._low_level_execute_command(cmd, *args, **options)
            return result
        output = client.run(_target(self._warm.interpreter), self._warm.request)
        stdout = to_text(output.stdout, errors="surrogate_then_replace")
        stderr = to_text(output.stderr, errors="surrogate_then_replace")
        return {
            "rc": output.status,
            "stdout": stdout,
            "stdout_lines": stdout.splitlines(),
            "stderr": stderr,
            "stderr_lines": stderr.splitlines(),
        }


def _folder() -> Path:
    """Ansible's temporary folder of this ansible-playbook."""
    return Path(C.DEFAULT_LOCAL_TMP)


def _target(interpreter: str) -> client.Target:
    return client.Target(_folder(), _playbook(), interpreter, str(_CORE), core_version, _collections())


def _playbook() -> int:
    """The pid of ansible-playbook: a task runs in a process that it forked, or in itself."""
    return os.getppid() if multiprocessing.parent_process() else os.getpid()


@cache
def _collections() -> Mapping[str, str]:
    """The folder of each supported collection that is installed."""
    found: dict[str, str] = {}
    for name in eligible.COLLECTIONS:
        try:
            package = import_module(f"ansible_collections.{name}")
        except ImportError:
            continue
        found[name] = next(iter(package.__path__))
    return found


def _replaced_module_utils() -> bool:
    """Whether a folder of the user's may take the place of parts of `ansible.module_utils`."""
    own = str(_CORE / "module_utils")
    return any(path != own and os.path.isdir(path) for path in module_utils_loader._get_paths(subdirs=False))


def _give_up(reason: str) -> None:
    if client.give_up(_folder()):
        Display().warning(
            f"Modules run without the warm worker from here on, only slower: {reason}. "
            "Set platform_warm_worker to false to leave it out."
        )


def _umask() -> int:
    present = os.umask(0)
    os.umask(present)
    return present
