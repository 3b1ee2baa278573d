# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tasks that need no process of their own.

Ansible forks one for each task. Asserting, telling and including only work templates out: ansible-playbook does that
itself here, by Ansible's own executor and on a copy of the task, in about half of the time.
"""

from __future__ import annotations

import copy
from typing import Any

from ansible._internal._task import TaskContext
from ansible.executor.process.worker import WorkerProcess
from ansible.executor.task_executor import TaskExecutor
from ansible.executor.task_result import _RawTaskResult
from ansible.utils.fqcn import add_internal_fqcns

_ACTIONS = frozenset(add_internal_fqcns(("assert", "debug", "include_role", "include_tasks")))


def install() -> None:
    """Leave such tasks to this process from now on."""
    fork: Any = WorkerProcess.start

    def start(process: Any) -> None:
        if _needs_no_process(process._task, process._task_vars):
            _run_here(process)
        else:
            fork(process)

    WorkerProcess.start = start


def _needs_no_process(task: Any, variables: dict[str, Any]) -> bool:
    """Nothing that a process is there for: a time limit, a connection to another machine, a loop of many."""
    return (
        task.action in _ACTIONS
        and not (task.loop or task.timeout or task.async_val or task.delegate_to)
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
