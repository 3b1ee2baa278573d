# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Desired and observed resources, and the pure plan that leads from one to the other.

A resource is a kind, a name and fields. A field holds what AWS shows when the wish is fulfilled, in the
shape in which the kind's ``observe`` reports it, so that a comparison is ``==`` and drift has a name.
Nothing here knows boto3 or Ansible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from .steps import PlanRefused

Key = tuple[str, str]  # (kind, name)
State = Mapping[Key, "Found"]

_PLANNED = "planned:"


def planned(kind: str, name: str) -> str:
    """The placeholder for an id that AWS has not given out yet, such as ``planned:subnet/stories-a``."""
    return f"{_PLANNED}{kind}/{name}"


def is_planned(value: object) -> bool:
    """True for a placeholder made by `planned`: there is nothing in AWS to ask for by this id."""
    return isinstance(value, str) and value.startswith(_PLANNED)


@dataclass(frozen=True)
class Ref:
    """Stands in a desired field for an attribute of another resource of the same module call."""

    kind: str
    name: str
    attribute: str = "id"


@dataclass(frozen=True)
class Unordered:
    """A list of a desired field in which order means nothing; it resolves to a sorted list."""

    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Resource:
    """What shall exist.

    fields: compared with what AWS shows; a difference is drift and is mended.
    initial: given to AWS at creation only and never compared (a floor that autoscaling owns later).
    tags: compared; None for a kind that takes no tags.
    on: names of resources (kind, name) that must exist first though no field refers to them.
    """

    kind: str
    name: str
    fields: Mapping[str, Any]
    initial: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    on: tuple[Key, ...] = ()

    @property
    def key(self) -> Key:
        return (self.kind, self.name)


@dataclass(frozen=True)
class Found:
    """What AWS shows.

    id: what AWS calls it (an id, an ARN or a name).
    fields: in the same shape as `Resource.fields`.
    outputs: further attributes that callers need (arn, endpoint, …); never compared.
    settled: False while AWS is still creating or changing it.
    """

    kind: str
    name: str
    id: str
    fields: Mapping[str, Any]
    tags: Mapping[str, str] | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    settled: bool = True

    @property
    def key(self) -> Key:
        return (self.kind, self.name)

    def attribute(self, name: str) -> Any:
        if name == "id":
            return self.id
        return self.outputs[name] if name in self.outputs else self.fields.get(name)


@dataclass(frozen=True)
class Traits:
    """What the plan must know of a kind.

    title: how a sentence names it.
    immutable: fields that AWS cannot change on a standing resource; a difference refuses the plan.
    hidden: fields whose values are secrets; shown only as changed.
    """

    title: str
    immutable: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Create:
    """Make a resource that does not exist."""

    resource: Resource
    title: str

    @property
    def id(self) -> str:
        return f"{self.resource.kind}/{self.resource.name}:create"

    @property
    def sentence(self) -> str:
        return f"Create {self.title} {self.resource.name}"

    def after(self, observed: State) -> State:
        made = Found(
            kind=self.resource.kind,
            name=self.resource.name,
            id=planned(*self.resource.key),
            fields={**resolve(self.resource.initial, observed), **resolve(self.resource.fields, observed)},
            tags=self.resource.tags,
        )
        return {**observed, made.key: made}


@dataclass(frozen=True)
class Change:
    """Mend the fields of a standing resource that differ from what is desired."""

    resource: Resource
    title: str
    fields: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.resource.kind}/{self.resource.name}:change"

    @property
    def sentence(self) -> str:
        return f"Change {', '.join(self.fields)} of {self.title} {self.resource.name}"

    def after(self, observed: State) -> State:
        found = observed[self.resource.key]
        wanted = resolve(self.resource.fields, observed)
        fields = {**found.fields, **{name: wanted[name] for name in self.fields}}
        return {**observed, found.key: replace(found, fields=fields)}


@dataclass(frozen=True)
class Retag:
    """Set and remove tags; tags of the reserved ``aws:`` prefix are AWS's own and stay."""

    resource: Resource
    title: str
    put: Mapping[str, str]
    remove: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.resource.kind}/{self.resource.name}:tag"

    @property
    def sentence(self) -> str:
        names = ", ".join([*sorted(self.put), *(f"-{name}" for name in self.remove)])
        return f"Change tags {names} of {self.title} {self.resource.name}"

    def after(self, observed: State) -> State:
        found = observed[self.resource.key]
        kept = {name: value for name, value in (found.tags or {}).items() if name not in self.remove}
        return {**observed, found.key: replace(found, tags={**kept, **self.put})}


@dataclass(frozen=True)
class Delete:
    """Remove a resource that shall not exist."""

    kind: str
    name: str
    title: str

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.name}:delete"

    @property
    def sentence(self) -> str:
        return f"Delete {self.title} {self.name}"

    def after(self, observed: State) -> State:
        return {key: found for key, found in observed.items() if key != (self.kind, self.name)}


def after_named(resources: Iterable[Resource], field: str, named: str = "{}") -> list[Resource]:
    """These resources of one kind, each `on` those of the others whose names stand somewhere in this field of it.

    named: how a name stands there.
    """
    made = list(resources)

    def named_by(one: Resource) -> list[Key]:
        text = str(one.fields[field])
        return [other.key for other in made if other is not one and named.format(other.name) in text]

    return [replace(one, on=(*one.on, *named_by(one))) for one in made]


ResourceStep: TypeAlias = "Create | Change | Retag | Delete"


def index(found: Iterable[Found]) -> State:
    """By kind and name; two of one name refuse the plan, since tags then no longer identify anything."""
    state: dict[Key, Found] = {}
    twice: list[str] = []
    for one in found:
        if one.key in state:
            twice.append(
                f"Looked for {one.kind} {one.name} by its tags and found two: "
                f"{state[one.key].id} and {one.id}. Delete or retag one of them."
            )
        state[one.key] = one
    if twice:
        raise PlanRefused(twice)
    return state


def resolve(value: Any, state: State) -> Any:
    """Replace every Ref by the attribute it stands for; by a placeholder where that does not exist yet."""
    if isinstance(value, Ref):
        found = state.get((value.kind, value.name))
        known = found.attribute(value.attribute) if found else None
        return planned(value.kind, value.name) if known is None else known
    if isinstance(value, Unordered):
        return sorted(resolve(part, state) for part in value.parts)
    if isinstance(value, Mapping):
        return {name: resolve(part, state) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(part, state) for part in value]
    return value


def plan_present(
    observed: State, desired: Sequence[Resource], traits: Mapping[str, Traits]
) -> tuple[ResourceStep, ...]:
    """The steps that make every desired resource exist as described, in the order given.

    Order is the caller's: a resource comes after those it refers to. Raises PlanRefused with every
    difference in a field that AWS cannot change.
    """
    steps: list[ResourceStep] = []
    refused: list[str] = []
    for resource in desired:
        trait = traits[resource.kind]
        found = observed.get(resource.key)
        if found is None:
            steps.append(Create(resource, trait.title))
            continue
        wanted = resolve(resource.fields, observed)
        changed = tuple(sorted(name for name, value in wanted.items() if found.fields.get(name) != value))
        for name in sorted(trait.immutable.intersection(changed)):
            refused.append(
                f"Wanted {name} {_show(trait, name, wanted[name])} for {trait.title} {resource.name}, "
                f"found {_show(trait, name, found.fields.get(name))} ({found.id}). AWS cannot change it on a "
                f"standing {trait.title}: set {name} back in the inventory, or replace it by hand."
            )
        if mutable := tuple(name for name in changed if name not in trait.immutable):
            steps.append(Change(resource, trait.title, mutable))
        if resource.tags is not None:
            put, remove = compare_tags(found.tags or {}, resource.tags)
            if put or remove:
                steps.append(Retag(resource, trait.title, put, remove))
    if refused:
        raise PlanRefused(refused)
    return tuple(steps)


def plan_absent(observed: State, kinds: Sequence[str], traits: Mapping[str, Traits]) -> tuple[Delete, ...]:
    """The steps that remove everything observed, kinds in reverse order of creation."""
    order = {kind: place for place, kind in enumerate(kinds)}
    doomed = sorted(observed.values(), key=lambda found: (-order[found.kind], found.name))
    return tuple(Delete(found.kind, found.name, traits[found.kind].title) for found in doomed)


def compare_tags(found: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Tags to put and names to remove. Tags that AWS or a person's tool made (``aws:…``) are left alone."""
    put = {name: value for name, value in wanted.items() if found.get(name) != value}
    remove = tuple(sorted(name for name in found if name not in wanted and not name.startswith("aws:")))
    return put, remove


def render(state: State, steps: Sequence[ResourceStep], traits: Mapping[str, Traits]) -> dict[str, Any]:
    """What ``--diff`` shows: the touched resources only, fields and tags, secrets masked."""
    shown: dict[str, Any] = {}
    for step in steps:
        key = (step.kind, step.name) if isinstance(step, Delete) else step.resource.key
        found = state.get(key)
        if found is None:
            continue
        trait = traits[found.kind]
        entry = shown.setdefault(f"{trait.title} {found.name}", {})
        match step:
            case Change():
                names: Iterable[str] = step.fields
            case Retag():
                names = ()
            case _:
                names = found.fields
        entry.update({name: _show(trait, name, found.fields.get(name)) for name in names})
        if found.tags is not None and not isinstance(step, Change):
            entry["tags"] = dict(found.tags)
    return shown


def _show(trait: Traits, name: str, value: Any) -> Any:
    if name in trait.hidden and value is not None:
        return "(hidden)"
    return [*value] if isinstance(value, tuple) else value


def outputs(state: State) -> dict[str, dict[str, dict[str, Any]]]:
    """``{kind: {name: {id: …, further attributes}}}`` of everything observed."""
    shown: dict[str, dict[str, dict[str, Any]]] = {}
    for found in state.values():
        shown.setdefault(found.kind, {})[found.name] = {"id": found.id, **found.outputs}
    return shown
