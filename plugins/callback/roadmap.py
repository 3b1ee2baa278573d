# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows a run in few lines: one for each phase and role, one for each change, every failure in full."""

from __future__ import annotations

DOCUMENTATION = r"""
name: roadmap
type: stdout
short_description: Progress by phase and role, changes in words, a summary of few lines
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - A line when a phase begins, a line for each change (C(+) made, C(~) changed, C(-) removed), a line for each role
    that ended. Failures, warnings, differences and messages of the playbook are shown in full, and failures once more
    at the end.
  - With C(-v) or more it is Ansible's own output. So it is with C(ANSIBLE_STDOUT_CALLBACK=default).
  - The last lines hold the counts of Ansible's own recap, in its format.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - set as stdout in configuration
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible import constants as C
from ansible.plugins.callback.default import CallbackModule as Default

from ..module_utils._report.html import counted, lasting, quantity, readable
from ..module_utils._report.run import FACTS, Run
from ..module_utils._report.words import lines_of, sign

_MESSAGES = ("ansible.builtin.debug", "debug")
# Of a failure these stand in the report and in lines of their own; beside them its message would not be found.
_IN_THE_REPORT = {key for keys in FACTS.values() for key in keys} | {"changed", "platform", "counts", "phases", "table"}
_MOST_STEPS = 8  # of one task that are told; all are in the report
_OF_ANSIBLE = ("changed", "failed", "skipped", "warnings", "deprecations", "exception", "invocation")
_WIDEST = 78  # characters of a name in the summary


class CallbackModule(Default):
    """Ansible's own output, less of it. What goes wrong is left to it."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "stories1001.platform.roadmap"

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._run = Run("", time.time())
        self._begun: dict[str, float] = {}
        self._role = ""  # of the task that was begun last
        self._left: list[str] = []  # roles that the play has gone past and whose line is still to come
        self._under_way: Counter[str] = Counter()  # tasks whose result has not come, by role
        self._of_role: dict[str, list[dict[str, Any]]] = {}  # what a role's tasks did since its last line

    @property
    def _plain(self) -> bool:
        return bool(self._display.verbosity > 0)

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._run = Run(str(playbook._file_name), time.time())
        if self._plain:
            super().v2_playbook_on_start(playbook)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._leave_role()
        self._run.play(play.get_name().strip(), time.time())
        if self._plain:
            super().v2_playbook_on_play_start(play)
            return
        self._play = play
        check = " (check)" if play.check_mode else ""
        self._display.display(f"\n── {play.get_name().strip()}{check}", color=C.COLOR_HIGHLIGHT)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        role = _role_of(task)
        if role != self._role:
            self._leave_role()
            self._role = role
        if self._plain:
            super().v2_playbook_on_task_start(task, is_conditional)
        else:
            # The banner is printed only by what has to tell something.
            self._last_task_name = None

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        if self._plain:
            super().v2_playbook_on_handler_task_start(task)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        if self._plain:
            super().v2_playbook_on_include(included_file)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._begun[task._uuid] = time.time()
        self._under_way[_role_of(task)] += 1
        if self._plain:
            super().v2_runner_on_start(host, task)

    def v2_runner_on_ok(self, result: Any) -> None:
        entry = self._count(result)
        if self._plain:
            super().v2_runner_on_ok(result)
            return
        self._handle_warnings_and_exception(result)
        if result.task.action in _MESSAGES and not result.task.loop:
            self._tell_message(result.result)
        elif entry["changed"]:
            self._tell_change(entry)
        self._tell_roles()

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._under_way[_role_of(result.task)] -= 1
        if self._plain:
            super().v2_runner_on_skipped(result)
        self._tell_roles()

    def v2_runner_item_on_ok(self, result: Any) -> None:
        if self._plain:
            super().v2_runner_item_on_ok(result)
        elif result.task.action in _MESSAGES:
            self._tell_message(result.result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        if self._plain:
            super().v2_runner_item_on_skipped(result)

    def v2_runner_retry(self, result: Any) -> None:
        if self._plain:
            super().v2_runner_retry(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._count(result, failed=True, ignored=ignore_errors)
        super().v2_runner_on_failed(result, ignore_errors)
        self._tell_roles()

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._count(result, failed=True)
        super().v2_runner_on_unreachable(result)
        self._tell_roles()

    def _count(self, result: Any, **how: bool) -> dict[str, Any]:
        task, ended = result.task, time.time()
        if not self._plain and task.action.endswith("kpi_verdicts"):
            self._tell_verdicts(result.result.get("kpis", ()))
        role = _role_of(task)
        self._under_way[role] -= 1
        begun = self._begun.get(task._uuid, ended)
        entry = self._run.task(task.get_name(), role, task.action, begun, ended, result.result, **how)
        self._of_role.setdefault(role, []).append(entry)
        return entry

    def _tell_verdicts(self, rows: Iterable[Mapping[str, Any]]) -> None:
        colours = {"met": C.COLOR_OK, "missed": C.COLOR_ERROR}
        for row in rows:
            side = "at least" if row["at_least"] else "below"
            promised = f"promised {side} {quantity(row['limit'], row['unit'])}"
            known = row["value"] is not None
            told = f"{quantity(row['value'], row['unit'])}, {promised}" if known else readable(row["note"])
            line = f"   {row['verdict']:13} {row['title']:46} {told}"
            self._display.display(line, color=colours.get(row["verdict"], C.COLOR_SKIP))

    def _tell_message(self, told: Mapping[str, Any]) -> None:
        """A message of the playbook, or the one variable that it shows."""
        shown = told["msg"] if "msg" in told else {key: value for key, value in told.items() if key not in _OF_ANSIBLE}
        for line in lines_of(shown):
            self._display.display(f"   {line}".rstrip(), color=C.COLOR_VERBOSE)

    def _dump_results(self, result: Mapping[str, Any], *arguments: Any, **named: Any) -> str:
        """A failure in full, without the facts that stand in the report and in lines of their own."""
        if not self._plain and "msg" in result:
            result = {key: value for key, value in result.items() if key not in _IN_THE_REPORT}
            if all(key in ("msg", *_OF_ANSIBLE) or key.startswith("_") for key in result):
                return "as told above"  # Ansible has printed the message with the place of its task
        return str(super()._dump_results(result, *arguments, **named))

    def _tell_change(self, entry: Mapping[str, Any]) -> None:
        steps = _changes_of(entry)
        for sentence in steps[:_MOST_STEPS]:
            self._display.display(f"   {sign(sentence)} {sentence}", color=C.COLOR_CHANGED)
        if len(steps) > _MOST_STEPS:
            self._display.display(f"     and {len(steps) - _MOST_STEPS} more", color=C.COLOR_CHANGED)

    def _leave_role(self) -> None:
        """The play goes on to another role, or ends. Tasks beside others may still be under way."""
        role, self._role = self._role, ""
        if role and role not in self._left:
            self._left.append(role)
        self._tell_roles()

    def _tell_roles(self) -> None:
        """A line for each role that the play has gone past and of which nothing is under way any more."""
        for role in [one for one in self._left if not self._under_way[one]]:
            self._left.remove(role)
            tasks = self._of_role.pop(role, [])
            if tasks and not self._plain:
                self._tell_role(role, tasks)

    def _tell_role(self, role: str, tasks: Sequence[Mapping[str, Any]]) -> None:
        changed, failed = sum(len(_changes_of(task)) for task in tasks), sum(task["failed"] for task in tasks)
        seconds = max(task["started"] + task["seconds"] for task in tasks) - min(task["started"] for task in tasks)
        state = f"{failed} failed" if failed else counted(changed, "change") if changed else "as wanted"
        colour = C.COLOR_ERROR if failed else C.COLOR_CHANGED if changed else C.COLOR_OK
        self._display.display(f"   {role:24} {state:12} {lasting(seconds):>10}", color=colour)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._leave_role()
        if self._plain:
            super().v2_playbook_on_stats(stats)
            return
        ended = time.time()
        self._display.display("")
        plays = [play for play in self._run.plays if play["count"]]
        wide = min(_WIDEST, max((len(play["name"]) for play in plays), default=0))
        for play in plays:
            changed = sum(len(_changes_of(task)) for task in play["tasks"])
            state = f"{play['failed']} failed" if play["failed"] else counted(changed, "change")
            colour = C.COLOR_ERROR if play["failed"] else C.COLOR_CHANGED if changed else C.COLOR_OK
            told = f"{play['name'][:wide]:{wide}} {state:>12} {lasting(play['ended'] - play['started']):>13}"
            self._display.display(told, color=colour)
        for task in self._run.failures:
            self._display.display(f"FAILED: {task['name']}\n{_indented(task['error'])}", color=C.COLOR_ERROR)
        for host in sorted(stats.processed):
            counts = stats.summarize(host)
            order = ("ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored")
            words = " ".join(f"{'failed' if key == 'failures' else key}={counts[key]}" for key in order)
            self._display.display(f"{host} : {words}   in {lasting(ended - self._run.started)}")


def _role_of(task: Any) -> str:
    return task._role.get_name().rpartition(".")[2] if task._role else ""


def _changes_of(task: Mapping[str, Any]) -> list[str]:
    """What a task changed, in words; its name where it told no steps."""
    if not task["changed"]:
        return []
    return list(task["steps"]) or [task["name"].partition(" : ")[2] or task["name"]]


def _indented(words: str) -> str:
    return "\n".join(f"  {line}" for line in words.splitlines())
