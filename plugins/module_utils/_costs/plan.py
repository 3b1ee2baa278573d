# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A recorded run in check mode, joined with prices: what would be made, changed, ended, and what each costs.

A record is what the callback ``plan_record`` writes of one task: play, task, changed, steps (ids), resources
({kind: [names]}). Steps say what would happen; resources say what stands afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .bill import USAGE_KIND, Description, Line, Rule, line
from .prices import Prices
from .rules import BY_KIND, FREE, RULES

_PHASE = re.compile(r"Phase (\d+)")
_ACTIONS = {"create": "create", "delete": "destroy"}
TASK_KIND = "task"  # a task that changes something and tells no steps
_WEIGHT = {"keep": 0, "change": 1, "destroy": 2, "create": 3}
Record = Mapping[str, Any]


def planned_lines(records: Iterable[Record], description: Description, prices: Prices) -> list[Line]:
    """One line for each resource that the run found or would make, and one for each usage of the phases it ran."""
    actions: dict[tuple[str, str], tuple[int, str]] = {}
    ran: set[int] = set()
    for record in records:
        phase = phase_of(record)
        ran.add(phase)
        for kind, name, action in _told(record):
            before = actions.get((kind, name))
            if before is None or _WEIGHT[action] > _WEIGHT[before[1]]:
                # The phase that is first to know a resource is the one that makes it.
                actions[(kind, name)] = (before[0] if before else phase, action)
    lines = [_line(key, phase, action, description, prices) for key, (phase, action) in actions.items()]
    lines += [
        line(rule, name, description, prices)
        for rule in RULES
        if rule.kind == USAGE_KIND and rule.phase in ran
        for name in rule.names(description)
    ]
    return sorted(lines, key=lambda one: (one.phase, -one.monthly_usd, one.kind, one.name))


def unpriced(records: Iterable[Record]) -> list[str]:
    """Kinds that the run told of and the price table does not know at all."""
    kinds = {kind for record in records for kind, _name, _action in _told(record)}
    return sorted(kinds - set(BY_KIND) - FREE - {TASK_KIND})


def counts(lines: Sequence[Line]) -> dict[str, int]:
    """How many resources would be created, changed, destroyed and kept."""
    return {action: sum(one.action == action for one in lines) for action in ("create", "change", "destroy", "keep")}


def phase_of(record: Record) -> int:
    """The phase of a record by the name of its play; 0 outside the phases."""
    found = _PHASE.match(str(record.get("play", "")))
    return int(found.group(1)) if found else 0


def _told(record: Record) -> list[tuple[str, str, str]]:
    """(kind, name, action) of every resource that a task has told of."""
    steps = [_step(step) for step in record.get("steps") or ()]
    touched = {(kind, name) for kind, name, _action in steps}
    standing = [
        (kind, name, "keep")
        for kind, names in (record.get("resources") or {}).items()
        for name in names
        if (kind, name) not in touched
    ]
    if not steps and record.get("changed"):
        # A module that tells no steps; its task is all that is known.
        name = str(record.get("task", ""))
        return [*standing, (TASK_KIND, name.partition(" : ")[2] or name, "change")]  # without its role
    return [*steps, *standing]


def _step(step: str) -> tuple[str, str, str]:
    """``nat_gateway/stories-local-nat-1:create`` as kind, name and action."""
    kind, _slash, rest = step.partition("/")
    name, _colon, verb = rest.rpartition(":")
    return kind, name, _ACTIONS.get(verb, "change")


def _line(key: tuple[str, str], phase: int, action: str, description: Description, prices: Prices) -> Line:
    kind, name = key
    rule: Rule | None = BY_KIND.get(kind)
    if action == "destroy":
        return Line(phase, kind, name, 0.0, _end_of(rule, name, description, prices), action)
    if rule is None:
        return Line(phase, kind, name, 0.0, "", action)
    priced = line(rule, name, description, prices, action)
    return Line(phase, kind, name, priced.monthly_usd, priced.how, action)


def _end_of(rule: Rule | None, name: str, description: Description, prices: Prices) -> str:
    """That a resource ends, and what it cost if it was of the size that the description has now."""
    parts = rule.parts(description, name) if rule else ()
    if rule is None or not parts or not all(prices.has(part.price) for part in parts):
        return "ends"
    saved = line(rule, name, description, prices).monthly_usd
    return f"ends; one like it costs ${saved:,.2f}" if saved else "ends"
