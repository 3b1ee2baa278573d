# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tasks that need no process of their own.

Ansible forks one for each task and waits. Where ansible-playbook has nothing else to do meanwhile, it does here itself
what the process would do, by Ansible's own executor and on a copy of the task:

    asserting, telling, including      they only work templates out
    a module that the warm worker runs in a process of the worker's, when nothing runs beside it

What Ansible looks up for a task (plugins, arguments, encoders) it then remembers for those that follow.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible._internal._task import TaskContext
from ansible.executor.process.worker import WorkerProcess
from ansible.executor.task_executor import TaskExecutor
from ansible.executor.task_result import _RawTaskResult
from ansible.plugins.loader import action_loader
from ansible.utils.fqcn import add_internal_fqcns

from .warm_worker import client, eligible
from .warm_worker.action import WarmAction

_TEMPLATES_ONLY = frozenset(add_internal_fqcns(("assert", "debug", "include_role", "include_tasks")))


def install(is_alone: Callable[[Any], bool]) -> None:
    """Leave such tasks to this process from now on. is_alone: whether nothing else happens until a task ends."""
    fork: Any = WorkerProcess.start

    def start(process: Any) -> None:
        task = process._task
        here = task.action in _TEMPLATES_ONLY or (is_alone(task) and _for_the_worker(task, process._task_vars))
        if here and _needs_no_process(task, process._task_vars):
            _run_here(process)
        else:
            fork(process)

    WorkerProcess.start = start


def _for_the_worker(task: Any, variables: dict[str, Any]) -> bool:
    """Whether all that the task does on the controller is handing a module to the warm worker."""
    return (
        _only_a_module(task.action)
        and eligible.switched_on(variables, os.environ)
        and not client.given_up(Path(C.DEFAULT_LOCAL_TMP))
    )


@cache
def _only_a_module(action: str) -> bool:
    """Whether it is one of the worker's modules and has no action plugin but ours for all modules."""
    if eligible.collection_of(action) is None or action_loader.has_plugin(action):
        return False
    normal = action_loader.get("ansible.legacy.normal", class_only=True)  # as Ansible asks for it
    return issubclass(normal, WarmAction)


def _needs_no_process(task: Any, variables: dict[str, Any]) -> bool:
    """Nothing that a process is there for: a time limit, a connection to another machine, a loop of many."""
    return (
        not (task.loop or task.until or task.timeout or task.async_val or task.delegate_to or task.become)
        and variables.get("ansible_connection") == "local"
    )


def _run_here(process: Any) -> None:
    # What is worked out for this host must not stay in the play's own task.
    task = copy.copy(process._task)
    with TaskContext(task):
        told = TaskExecutor(
            process._host,
            task,
            process._task_vars,
            process._play_context,
            process._loader,
            process._shared_loader_obj,
            process._final_q,
            process._variable_manager,
        ).run()
        result = _RawTaskResult(host=process._host, task=task, return_data=told, task_fields=task.dump_attrs())
        process._final_q.send_task_result(result)
