# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tasks that run beside those after them.

Ansible's strategy `linear` waits for each task before it goes on to the next. A play may name tasks that it need not
wait for, by lane, in its variable `platform_lanes`:

    platform_lanes:
      roles: {tasks: [security.iam_roles]}
      logs: {tasks: [log_storage.s3_buckets], before: [networking.vpc_network]}

A task is named by its role and its module, or by its module alone where it belongs to no role. It is begun in its turn,
in a process of its own like every task, and its result is taken in when it comes. Waited for are

    a lane                    by the next task of this lane, and by each task named in its `before`
    all lanes of the host     by the end of the play's tasks, by handlers, `meta` and blocks with rescue or always

so a lane's tasks keep their order, a failure ends the play as it always does, and nothing outlives its play.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.playbook.block import Block
from ansible.plugins.loader import strategy_loader

_NEEDS_NOTHING = frozenset({"noop", "role_complete"})  # meta tasks that Ansible adds and that look at no result


def key(role: str, action: str) -> str:
    """How a task is named in `platform_lanes`; both may carry the name of their collection."""
    return ".".join(part.rpartition(".")[2] for part in (role, action) if part)


@dataclass(frozen=True)
class Lanes:
    """of: the lane of each task that has one. before: the lanes that are awaited by a task. Tasks by `key`."""

    of: Mapping[str, str]
    before: Mapping[str, frozenset[str]]

    @classmethod
    def described(cls, by: Mapping[str, Mapping[str, Sequence[str]]]) -> Lanes:
        """by: the play's variable `platform_lanes`."""
        of = {task: lane for lane, what in by.items() for task in what["tasks"]}
        waiting = {task for what in by.values() for task in what.get("before", ())}
        before = {
            task: frozenset(lane for lane, what in by.items() if task in what.get("before", ())) for task in waiting
        }
        return cls(of, before)

    def awaited(self, task: str) -> frozenset[str]:
        """The lanes that must be empty before this task is begun."""
        return self.before.get(task, frozenset()) | {self.of.get(task, "")} - {""}


NO_LANES = Lanes({}, {})


class Beside:
    """Lets `linear` go on while tasks of lanes are under way. lanes: of the play that is running."""

    def __init__(self) -> None:
        self.lanes = NO_LANES
        self._late: list[Any] = []  # results that came in while nobody collected results
        self._strategy: Any = None  # of the play that is running, if it is `linear`

    def new_play(self) -> None:
        """A play begins; nothing of the one before it is left."""
        self.lanes, self._late, self._strategy = NO_LANES, [], None

    def install(self) -> None:
        """Take part in what every play with the strategy `linear` does from now on."""
        linear: Any = strategy_loader.get("linear", class_only=True)
        next_tasks, wait = linear._get_next_task_lockstep, linear._wait_on_pending_results

        def wait_for_lanes_first(strategy: Any, hosts: Sequence[Any], iterator: Any) -> Any:
            self._strategy = strategy
            if strategy._pending_results:
                self._late += self._wait_for_what_is_needed(strategy, hosts, iterator)
            return next_tasks(strategy, hosts, iterator)

        def wait_for_others_only(strategy: Any, iterator: Any) -> list[Any]:
            if not self.lanes.of:
                return list(wait(strategy, iterator))
            _make_room(strategy)
            came = self._wait(strategy, iterator, lambda: all(lane for _host, lane in self._under_way(strategy)))
            late, self._late = self._late, []
            return late + came

        linear._get_next_task_lockstep = wait_for_lanes_first
        linear._wait_on_pending_results = wait_for_others_only

    def is_alone(self, task: Any) -> bool:
        """Whether nothing else will happen before this task ends: one host, no lane's task under way, itself none."""
        strategy = self._strategy
        return (
            strategy is not None
            and len(strategy._hosts_cache) == 1
            and len(strategy._queued_task_cache) <= 1
            and _key_of(task) not in self.lanes.of
        )

    def _wait_for_what_is_needed(self, strategy: Any, hosts: Iterable[Any], iterator: Any) -> list[Any]:
        """Wait until the next task of each host may be begun."""

        def all_may_begin() -> bool:
            # A host that takes no further part (it could not be reached) has no next task either.
            return not any(
                host not in hosts or self._needs(iterator, host, lane) for host, lane in self._under_way(strategy)
            )

        return self._wait(strategy, iterator, all_may_begin)

    def _needs(self, iterator: Any, host: Any, lane: str) -> bool:
        """Whether the host's next task waits for this lane."""
        _state, task = iterator.get_next_task_for_host(host, peek=True)
        if task is None or task.run_once or _in_a_block_with_consequences(task):
            return True
        if task.action in C._ACTION_META:
            return task._get_meta() not in _NEEDS_NOTHING
        return lane in self.lanes.awaited(_key_of(task))

    def _under_way(self, strategy: Any) -> list[tuple[Any, str]]:
        """Host and lane of each task whose result has not come; the lane is empty for a task beside none."""
        return [
            (queued["host"], self.lanes.of.get(_key_of(queued["task"]), ""))
            for queued in list(strategy._queued_task_cache.values())
        ]

    def _wait(self, strategy: Any, iterator: Any, enough: Callable[[], bool]) -> list[Any]:
        """Take in results until it is enough; Ansible's own way of waiting, with another end."""
        results: list[Any] = []
        _name_results_by_their_tasks(strategy._tqm)
        done = enough()
        while strategy._pending_results > 0 and not strategy._tqm._terminated and not done:
            if strategy._tqm.has_dead_workers():
                raise AnsibleError("A worker was found in a dead state")
            came = strategy._process_pending_results(iterator)
            results.extend(came)
            if came:
                done = enough()  # nothing else changes what is under way or next
            else:
                time.sleep(C.DEFAULT_INTERNAL_POLL_INTERVAL)
        return results


def _make_room(strategy: Any) -> None:
    """As many processes at once as `forks` allows; Ansible makes ready for no more than there are hosts."""
    workers, forks = strategy._workers, strategy._tqm._forks
    workers.extend([None] * (forks - len(workers)))


def _name_results_by_their_tasks(manager: Any) -> None:
    """Ansible's own output would print the name of the task that was begun last above every result."""
    for callback in manager._callback_plugins:
        if hasattr(callback, "_last_task_name"):
            callback._last_task_name = None


def _key_of(task: Any) -> str:
    return key(task._role.get_name() if task._role else "", task.action)


def _in_a_block_with_consequences(task: Any) -> bool:
    """Whether a failure at this place leads into a rescue or an always that has nothing to do with a lane's task."""
    parent = task._parent
    while parent is not None:
        if isinstance(parent, Block) and (parent.rescue or parent.always):
            return True
        parent = parent._parent
    return False
