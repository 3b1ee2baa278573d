# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan of a release, from what AWS and the record of a swap under way show; pure.

A swap is a straight list of steps. The record holds which of them are done, so a run that was killed is
continued by planning again. Steps that prove health are done again by whoever takes over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce

from .._engine.steps import PlanRefused
from . import refusals, revision
from .model import Desired, Intent, Observed, Swap
from .steps import Step

# A run that takes over proves these again, unless the swap is past them (the shift has begun).
_PROVEN_AGAIN = ("healthy", "test")


def plan(observed: Observed, desired: Desired) -> tuple[Step, ...]:
    """The steps that are missing. Raises PlanRefused with every reason why it is not safe to begin."""
    steps: list[Step] = []
    state = observed
    if observed.intent is not None:
        steps = list(_finish(observed, observed.intent, desired))
        state = reduce(lambda so_far, step: step.after(so_far), steps, observed)
        if state.intent is not None or not _goes_on(observed.intent, steps, observed, desired):
            return tuple(steps)
    if resolving := _resolve(state, desired):
        steps += resolving
        state = reduce(lambda so_far, step: step.after(so_far), resolving, state)
    swap = wanted_swap(state, desired)
    if swap is None:
        return tuple(steps)
    # A rollback begins whatever state the live slot is in: that state may be the reason for it.
    if swap.kind == "deploy":
        problems = [*refusals.unsafe_to_begin(state, desired), *refusals.unpinned(state)]
        if problems:
            raise PlanRefused(problems)
    return (*steps, *until(forward(swap, desired, state), desired))


def wanted_swap(observed: Observed, desired: Desired) -> Swap | None:
    """The swap that fulfils the wish; None when the live slot is what is wanted already."""
    live = observed.live
    if desired.state == "rolled_back":
        return _rollback(observed, desired)
    if live is None:
        raise PlanRefused([refusals.split_brain(observed, desired)])
    target = desired.other(live)
    template = observed.templates[live].fields
    wanted = revision.released(template, desired.container, observed.image, observed.version, live)
    if observed.slots[live].fields == wanted:
        return None
    return Swap("deploy", live, target, observed.image, observed.version, steps=desired.steps)


def _rollback(observed: Observed, desired: Desired) -> Swap | None:
    live, last = observed.live, observed.last
    if live is None:
        raise PlanRefused([refusals.split_brain(observed, desired)])
    if desired.keep_slot:
        back = desired.keep_slot
    elif last is None:
        raise PlanRefused(
            [
                f"Looked for an earlier release of {desired.application} in {desired.table} and found none, so "
                "there is nothing to go back to. Name the slot to go back to as keep_slot."
            ]
        )
    elif last.outcome == "deployed" and last.target == live:
        back = last.source
    else:
        return None
    if back == live:
        return None
    slot = observed.slots[back]
    return Swap("rollback", live, back, slot.image, slot.version, slot.task_definition)


def _resolve(observed: Observed, desired: Desired) -> list[Step]:
    """Steps that end a split brain in favour of the slot that the caller names."""
    if observed.live is not None or not desired.keep_slot:
        return []
    if problems := list(refusals.unsafe_to_keep(observed, desired)):
        raise PlanRefused(problems)
    keep = desired.keep_slot
    slot = observed.slots[keep]
    swap = Swap("resolve", desired.other(keep), keep, slot.image, slot.version, slot.task_definition)
    return list(forward(swap, desired, observed))


def undo_wanted(intent: Intent, observed: Observed, desired: Desired) -> str:
    """Why the swap under way shall be undone; empty when it shall go on."""
    if intent.committed or intent.swap.kind == "resolve":
        return ""
    if intent.undoing or intent.abort:
        return intent.undoing or intent.abort
    if desired.state == "rolled_back":
        return "" if intent.swap.kind == "rollback" else "a rollback was asked for"
    if intent.swap.kind == "deploy" and (intent.swap.image, intent.swap.version) != (observed.image, observed.version):
        return f"another version was asked for ({observed.version})"
    return ""


def may_continue(intent: Intent, desired: Desired) -> bool:
    """Whether a run need not wait for the lease: the swap is paused, and this is the caller who paused it.

    Whoever wants the same version goes on, and whoever wants to go back need not wait for the caller's own work.
    """
    same = intent.swap.kind == "deploy" and desired.version in ("", intent.swap.version)
    return intent.paused and (desired.state == "rolled_back" or same)


def _finish(observed: Observed, intent: Intent, desired: Desired) -> Iterator[Step]:
    """The rest of the swap that an earlier run left, forwards or back."""
    swap = intent.swap
    why = undo_wanted(intent, observed, desired)
    if not why and (problems := list(refusals.foreign_weights(observed))):
        raise PlanRefused(problems)
    rest = [*_undo(intent, desired, why)] if why else [*_left(intent, forward(swap, desired, observed), desired)]
    if rest:
        yield Step("take-over", f"Take over swap {intent.swap_id} of an earlier run", swap, desired)
        yield from rest


def _left(intent: Intent, steps: Iterator[Step], desired: Desired) -> Iterator[Step]:
    truncated = [step for step in until(steps, desired) if step.kind != "lock"]
    if all(step.id in intent.done for step in truncated):
        return
    for step in truncated:
        again = step.kind in _PROVEN_AGAIN and not intent.shifted
        if again or step.id not in intent.done:
            yield step


def _goes_on(intent: Intent, steps: list[Step], observed: Observed, desired: Desired) -> bool:
    """Whether the wish is still open once the earlier swap is finished."""
    undone = any(step.kind == "undo-close" for step in steps)
    if not undone:
        return True
    if desired.state == "rolled_back":
        return False
    # The same version failed a moment ago; whoever wants it again says so by running again.
    return (intent.swap.image, intent.swap.version) != (observed.image, observed.version)


def until(steps: Iterator[Step], desired: Desired) -> Iterator[Step]:
    """The steps up to the phase at which the caller wants to look for himself."""
    last = {
        "tested": lambda step: step.id == "hook/before_shift" or step.kind == "shift",
        "shifted": lambda step: step.id == "hook/after_shift" or step.kind == "warm" or step.kind == "retire",
        "warm": lambda step: step.id == "hook/before_retire" or step.kind == "retire",
    }.get(desired.until)
    for step in steps:
        if last is not None and last(step):
            return
        yield step


def forward(swap: Swap, desired: Desired, observed: Observed) -> Iterator[Step]:
    """All steps of a swap, in order."""
    old, new = swap.source, swap.target

    def step(kind: str, sentence: str, subject: str = "", weight: int = 0) -> Step:
        return Step(kind, sentence, swap, desired, subject, weight)

    def hook(name: str) -> Iterator[Step]:
        if name in desired.hooks and swap.kind == "deploy":
            yield step("hook", f"Run the hook {name}: {desired.hooks[name][0]}", name)

    deploys = swap.kind == "deploy"
    yield step("lock", f"Take the lock of {desired.application} and record what must be restored")
    if swap.kind == "resolve":
        yield step("healthy", f"See {desired.minimum_healthy} healthy targets or more in {new}", new)
        yield step("shift", f"Give {new} all traffic and settle {desired.settle:g} s", "100", 100)
        yield step("close", "Record the outcome and give the lock back")
        return
    if deploys:
        yield step("register", f"Register a task definition with image {swap.image}")
    yield step("hold", f"Suspend scale-in and schedules of {old} and pin its minimum", old)
    yield step("test-route", f"Lead the test listener to {new}")
    yield from hook("before_start")
    yield step("start", f"Start {new} with version {swap.version} and as many tasks as {old} has", new)
    yield step("hold", f"Suspend scale-in and schedules of {new} and pin its minimum", new)
    yield step("healthy", f"Wait until {new} is deployed and healthy, {desired.stable_polls} polls in a row", new)
    if desired.checks:
        paths = ", ".join(check.path for check in desired.checks)
        yield step("test", f"Check {new} through the test listener: {paths}", new)
    if deploys and desired.canary:
        yield step("canary", f"Lead requests with header {desired.canary.name} to {new}", "open")
    yield from hook("before_shift")
    for weight in swap.steps:
        yield step(
            "shift", f"Give {new} {weight} % of the traffic and settle {desired.settle:g} s", str(weight), weight
        )
        if deploys:
            yield step("bake", f"Watch {new} at {weight} % for {desired.bake:g} s", str(weight), weight)
    yield from hook("after_shift")
    if deploys and desired.canary:
        yield step("canary", f"Remove the rule for header {desired.canary.name}", "close")
    if deploys and desired.rollback_window:
        yield step("warm", f"Keep {old} warm for {desired.rollback_window:g} s while watching {new}")
    yield from hook("before_retire")
    yield step("retire", f"Stop the tasks of {old} once nothing is led to it", old)
    yield step("scaling", f"Hand the scaling of {old} over to {new}")
    yield step("close", f"Tag {new} as the active slot, record the outcome and give the lock back")


def _undo(intent: Intent, desired: Desired, why: str) -> Iterator[Step]:
    """All steps back to the state before the swap; those that are done already are left out."""
    swap = intent.swap
    old, new = swap.source, swap.target

    def step(kind: str, sentence: str, subject: str = "") -> Step:
        return Step(kind, sentence, swap, desired, subject)

    steps = [step("undo", f"Undo swap {intent.swap_id}: {why}")]
    if intent.shifted:
        steps += [
            step("undo-weights", f"Give {old} all traffic back at once and settle {desired.settle:g} s", old),
            step("undo-canary", "Remove what led testers to the new slot"),
        ]
    steps += [
        step("undo-stop", f"Stop the tasks of {new}", new),
        step("undo-scaling", "Restore the scaling of both slots"),
        step("undo-close", "Record the outcome and give the lock back"),
    ]
    yield from (one for one in steps if one.id not in intent.done)


def undoing(intent: Intent, desired: Desired, why: str) -> tuple[Step, ...]:
    """The steps back, for a swap that failed while it was watched."""
    return tuple(_undo(replace(intent, undoing=why), desired, why))
