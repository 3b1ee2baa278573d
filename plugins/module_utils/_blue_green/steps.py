# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The steps of a release: what each is called, and the state that it leaves; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import revision
from .model import Desired, Intent, Observed, Record, Swap

PLANNED_REVISION = "planned:task_definition"


@dataclass(frozen=True)
class Step:
    """One step. id: ``kind`` or ``kind/subject``. weight: per cent for the new slot, of shifts and bakes."""

    kind: str
    sentence: str
    swap: Swap
    desired: Desired
    subject: str = ""
    weight: int = 0

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.subject}" if self.subject else self.kind

    def after(self, observed: Observed) -> Observed:
        state = _EFFECTS.get(self.kind, _nothing)(self, observed)
        if state.intent is None:
            return state
        return replace(state, intent=done(state.intent, self.id))


def begun(intent: Intent, step_id: str) -> Intent:
    return intent if step_id in intent.begun else replace(intent, begun=(*intent.begun, step_id))


def done(intent: Intent, step_id: str) -> Intent:
    intent = begun(intent, step_id)
    return intent if step_id in intent.done else replace(intent, done=(*intent.done, step_id))


def first_intent(swap: Swap, observed: Observed, swap_id: str) -> Intent:
    """The record with which a swap begins: everything that must be restored, as it is now."""
    return Intent(
        swap_id=swap_id,
        swap=swap,
        scaling={name: slot.scaling for name, slot in observed.slots.items()},
        desired={name: slot.desired for name, slot in observed.slots.items()},
        task_definitions={name: slot.task_definition for name, slot in observed.slots.items()},
        actions={route.arn: route.actions for route in (*observed.routes, *observed.test_routes)},
        started=observed.at,
    )


def wanted_count(observed: Observed, swap: Swap, minimum: int) -> int:
    """Tasks that the new slot needs: as many as the live one has, and never fewer than the minimum."""
    return max(minimum, observed.slots[swap.source].desired)


def hand_over(intent: Intent, slot: str) -> Any:
    """The scaling of a slot when the swap is done: the new slot takes the old one's, the old one is retired."""
    swap = intent.swap
    own, given = intent.scaling.get(slot), intent.scaling.get(swap.source)
    if own is None:
        return None
    if slot == swap.source:
        return own.retired()
    return given if given is not None else own


def seconds(step: Step) -> float:
    """What a step takes at least."""
    desired = step.desired
    settling = {"shift": desired.settle, "undo-weights": desired.settle}
    return {**settling, "bake": desired.bake, "warm": desired.rollback_window}.get(step.kind, 0.0)


def _intent(observed: Observed) -> Intent:
    """The record of the swap that is under way; every step but the first is planned with one."""
    if observed.intent is None:
        raise LookupError("A step of a swap was folded into a state without a swap; the plan is wrong.")
    return observed.intent


def _nothing(_step: Step, observed: Observed) -> Observed:
    return observed


def _lock(step: Step, observed: Observed) -> Observed:
    return replace(observed, intent=first_intent(step.swap, observed, "planned"))


def _decide(step: Step, observed: Observed) -> Observed:
    intent = _intent(observed)
    return replace(observed, intent=replace(intent, undoing=intent.undoing or "planned"))


def _hold(step: Step, observed: Observed) -> Observed:
    slot = observed.slots[step.subject]
    return observed.with_slot(step.subject, scaling=slot.scaling.held(slot.desired) if slot.scaling else None)


def _start(step: Step, observed: Observed) -> Observed:
    swap = step.swap
    count = wanted_count(observed, swap, step.desired.minimum_healthy)
    fields: Mapping[str, Any] = observed.slots[swap.target].fields
    if swap.kind == "deploy":
        template = observed.templates[swap.target].fields
        fields = revision.released(template, step.desired.container, swap.image, swap.version, swap.target)
    return observed.with_slot(
        swap.target,
        task_definition=swap.task_definition or PLANNED_REVISION,
        image=swap.image,
        version=swap.version,
        fields=fields,
        desired=count,
        running=count,
        healthy=count,
    )


def _route_test(step: Step, observed: Observed) -> Observed:
    weights = {step.swap.source: 0, step.swap.target: 100}
    return replace(observed, test_routes=tuple(replace(route, weights=weights) for route in observed.test_routes))


def _shift(step: Step, observed: Observed) -> Observed:
    return observed.with_weights({step.swap.source: 100 - step.weight, step.swap.target: step.weight})


def _retire(step: Step, observed: Observed) -> Observed:
    return observed.with_slot(step.swap.source, desired=0, running=0, healthy=0)


def _scaling(step: Step, observed: Observed) -> Observed:
    intent = _intent(observed)
    for name, slot in observed.slots.items():
        if slot.scaling is not None:
            observed = observed.with_slot(name, scaling=hand_over(intent, name))
    return observed


def _close(step: Step, observed: Observed) -> Observed:
    swap, intent = step.swap, _intent(observed)
    last = Record(intent.swap_id, OUTCOMES[swap.kind], swap.source, swap.target, swap.image, intent.started)
    tag = swap.target if observed.active_slot_tag else ""
    return replace(observed, intent=None, last=last, active_slot_tag=tag)


def _undo_weights(step: Step, observed: Observed) -> Observed:
    return observed.with_weights({step.swap.source: 100, step.swap.target: 0})


def _undo_stop(step: Step, observed: Observed) -> Observed:
    count = _intent(observed).desired.get(step.swap.target, 0)
    return observed.with_slot(step.swap.target, desired=count, running=count, healthy=count)


def _undo_scaling(step: Step, observed: Observed) -> Observed:
    intent = _intent(observed)
    for name in observed.slots:
        observed = observed.with_slot(name, scaling=intent.scaling.get(name))
    return observed


def _undo_close(step: Step, observed: Observed) -> Observed:
    swap, intent = step.swap, _intent(observed)
    last = Record(intent.swap_id, "undone", swap.source, swap.target, swap.image, intent.started)
    return replace(observed, intent=None, last=last)


OUTCOMES = {"deploy": "deployed", "rollback": "rolled_back", "resolve": "resolved"}

_EFFECTS: Mapping[str, Callable[[Step, Observed], Observed]] = {
    "lock": _lock,
    "hold": _hold,
    "start": _start,
    "test-route": _route_test,
    "shift": _shift,
    "retire": _retire,
    "scaling": _scaling,
    "close": _close,
    "undo": _decide,
    "undo-weights": _undo_weights,
    "undo-stop": _undo_stop,
    "undo-scaling": _undo_scaling,
    "undo-close": _undo_close,
}
