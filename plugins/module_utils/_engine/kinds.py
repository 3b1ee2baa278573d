# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kinds of resources, and the small loop that carries a plan of resource steps out.

A kind knows how AWS lists, makes, changes and removes one sort of thing. A module is a list of kinds in
the order of their creation and a function that turns its parameters into resources.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol

from .resources import (
    Change,
    Create,
    Delete,
    Found,
    Key,
    Ref,
    Resource,
    ResourceStep,
    Retag,
    State,
    Traits,
    Unordered,
    index,
    outputs,
    plan_absent,
    plan_present,
    render,
    resolve,
)
from .runner import Module, converge
from .side_by_side import side_by_side, strands_side_by_side
from .steps import StepFailed


class Kind(ABC):
    """One sort of AWS resource.

    A subclass sets ``kind`` and ``traits`` and holds what it needs to make calls. Crash safety is its
    duty: ``create`` gives the identity (tags, or the name) in the very first call, with AWS's idempotency
    token where there is one, so that a run after a kill finds the resource instead of making a second.
    It is called on several threads at once, for different resources, unless `one_at_a_time` says otherwise.
    """

    kind: ClassVar[str]
    traits: ClassVar[Traits]

    @abstractmethod
    def observe(self) -> Iterable[Found]:
        """Everything of this kind that carries our identity, in as few calls as AWS allows."""

    @abstractmethod
    def create(self, wanted: Resource) -> Found:
        """Make it; Refs in the fields are resolved. May return before AWS is done: see `wait`."""

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        """Mend the named fields. Kinds whose fields are all immutable need none."""
        raise StepFailed(f"{self.traits.title} {found.name} cannot be changed ({', '.join(fields)}).")

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        """Put and remove tags. Kinds that take no tags need none."""
        raise StepFailed(f"{self.traits.title} {found.name} takes no tags.")

    @abstractmethod
    def delete(self, found: Found) -> None:
        """Remove it and wait until it is gone where something later in the order depends on that."""

    def one_at_a_time(self, wanted: Resource) -> Hashable:
        """What AWS lets only one create in at a time: resources of this kind that answer the same are made one after
        another, in the order of the plan, all others side by side."""
        return wanted.name

    def can_begin(self, wanted: Resource) -> bool:
        """Whether AWS takes its creation as things stand. Asked by those only who do not wait; `create` waits."""
        return True

    @property
    def slow(self) -> bool:
        """Whether AWS goes on working at one after the call that makes it: whether there is a `wait`."""
        return type(self).wait is not Kind.wait

    def wait(self, found: Found) -> None:  # noqa: B027 - most kinds are ready at once
        """Wait until a created or changed resource can be used. Called late: before the first step that
        refers to it, and at the end."""


def converge_resources(
    module: Module,
    kinds: Sequence[Kind],
    desired: Sequence[Resource] | None,
    extra_outputs: Callable[[State], Mapping[str, Any]] = lambda state: {},
    purge: Collection[str] = (),
    wait: bool = True,
) -> Any:
    """Make AWS hold the desired resources (None: none of these kinds at all) and end the module.

    kinds: in the order of creation; removal goes the other way.
    purge: kinds of which everything of ours goes that is not desired, once all else stands.
    wait: False begins what takes AWS minutes and leaves what depends on that to a later run.
    Returns ``resources`` ({kind: {name: {id, …}}}) beside what `converge` returns.
    """
    by_kind = {kind.kind: kind for kind in kinds}
    traits = {name: kind.traits for name, kind in by_kind.items()}

    def observe() -> State:
        state = observed(kinds)
        unsettled = [found for found in state.values() if not found.settled]
        if not unsettled or module.check_mode or not wait:
            return state
        # An earlier run was killed while AWS worked; what it began is awaited, not begun again.
        for found in unsettled:
            by_kind[found.kind].wait(found)
        return observed(kinds)

    def plan(state: State) -> tuple[ResourceStep, ...]:
        if desired is None:
            return plan_absent(state, [kind.kind for kind in kinds], traits)
        wanted = {resource.key for resource in desired}
        surplus = {key: found for key, found in state.items() if key not in wanted and found.kind in purge}
        return plan_present(state, desired, traits) + plan_absent(surplus, [kind.kind for kind in kinds], traits)

    def apply(steps: Sequence[ResourceStep], state: State) -> Sequence[ResourceStep]:
        return carry_out(steps, state, by_kind, wait=wait)

    def unfinished(state: State) -> list[str]:
        return [f"{traits[one.kind].title} {one.name}" for one in state.values() if not one.settled]

    return converge(
        module,
        observe=observe,
        plan=plan,
        apply=apply,
        render=lambda state, steps: render(state, steps, traits),
        outputs=lambda state: {"resources": outputs(state), **extra_outputs(state)},
        unfinished=unfinished,
    )


class Observer(Protocol):
    """The part of a kind that reads."""

    def observe(self) -> Iterable[Found]: ...


def observed(kinds: Iterable[Observer]) -> State:
    """Everything that these kinds find. They are asked side by side, so none may need another's answer."""
    return index(found for its in side_by_side(lambda kind: list(kind.observe()), kinds) for found in its)


def carry_out(
    steps: Sequence[ResourceStep], state: State, kinds: Mapping[str, Kind], *, wait: bool = True
) -> list[ResourceStep]:
    """Apply the steps; a slow creation is awaited only when a later step needs it.

    Neighbours in the plan that create resources of one kind are taken side by side. All else goes one by one: a Ref
    does not say all that one kind needs of another (a NAT gateway needs the internet gateway of its VPC), and who
    changes or deletes what serves does not want two of them away at once.
    Without ``wait``, a step that needs one is left, and so is what depends on that step. Then nothing is deleted
    either: a gateway that shall go serves until the route to another one is made. Returns the steps left.
    """
    known: dict[Key, Found] = dict(state)
    # What AWS still works at. Without waiting, also what an earlier run began.
    pending: dict[Key, Found] = {} if wait else {key: found for key, found in state.items() if not found.settled}
    left: dict[int, ResourceStep] = {}  # by place in the plan
    missing: set[Key] = set()  # what the steps left would have made or changed

    def await_all(keys: Iterable[Key]) -> None:
        for key in keys:
            if found := pending.pop(key, None):
                kinds[found.kind].wait(found)

    def take(place: int) -> None:
        step = steps[place]
        needed = _needed(step)
        later = any(key in missing or key in pending for key in needed)
        match step:
            case Delete():
                too_early = bool(left)
            case Create():
                too_early = later or not kinds[step.resource.kind].can_begin(step.resource)
            case _:
                too_early = later
        if not wait and too_early:
            left[place] = step
            missing.add(_touched(step))
            return
        await_all(needed)
        match step:
            case Delete():
                kinds[step.kind].delete(known.pop((step.kind, step.name)))
            case Create():
                made = kinds[step.resource.kind].create(_resolved(step.resource, known))
                known[made.key] = made
                if kinds[made.kind].slow:
                    pending[made.key] = made
            case Change():
                found = known[step.resource.key]
                kinds[found.kind].change(found, _resolved(step.resource, known), step.fields)
                if kinds[found.kind].slow:
                    pending[found.key] = found
            case Retag():
                found = known[step.resource.key]
                kinds[found.kind].retag(found, step.put, step.remove)

    for wave in _waves(steps):
        if wait:  # here, so that no two of them wait for the same
            await_all(key for place in wave for key in _needed(steps[place]))
        strands_side_by_side(take, _strands(wave, steps, kinds))
    if wait:
        await_all(list(pending))
    return [left[place] for place in sorted(left)]


def _waves(steps: Sequence[ResourceStep]) -> list[list[int]]:
    """The places of the steps, in order, in groups that may be taken side by side."""
    waves: list[list[int]] = []
    made: set[Key] = set()  # by the last group, while that can grow
    for place, step in enumerate(steps):
        grows = isinstance(step, Create) and any(kind == step.resource.kind for kind, _name in made)
        if not grows or made.intersection(_needed(step)):
            waves.append([])
            made = set()
        waves[-1].append(place)
        if isinstance(step, Create):
            made.add(step.resource.key)
    return waves


def _strands(wave: Sequence[int], steps: Sequence[ResourceStep], kinds: Mapping[str, Kind]) -> list[list[int]]:
    """A group in parts: the steps of each must be taken one after another."""
    strands: dict[Hashable, list[int]] = {}
    for place in wave:
        step = steps[place]
        alone = kinds[step.resource.kind].one_at_a_time(step.resource) if isinstance(step, Create) else None
        strands.setdefault(alone, []).append(place)
    return list(strands.values())


def _needed(step: ResourceStep) -> list[Key]:
    """What must be ready before the step is taken."""
    match step:
        case Create():
            return [*refs(step.resource.fields), *refs(step.resource.initial), *step.resource.on]
        case Change():
            return [*refs(step.resource.fields), step.resource.key]
        case Retag():
            return [step.resource.key]
    return []


def _touched(step: ResourceStep) -> Key:
    """What the step makes, changes or removes."""
    return (step.kind, step.name) if isinstance(step, Delete) else step.resource.key


def refs(value: Any) -> Iterable[Key]:
    """The keys of all resources that a value refers to."""
    if isinstance(value, Ref):
        yield (value.kind, value.name)
    elif isinstance(value, Unordered):
        yield from refs(value.parts)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from refs(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from refs(part)


def _resolved(resource: Resource, state: State) -> Resource:
    return replace(resource, fields=resolve(resource.fields, state), initial=resolve(resource.initial, state))
