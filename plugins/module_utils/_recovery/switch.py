# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts a restored cluster into the place of the one that serves: by new names, which the endpoints follow.

    serving   stories-production            stories-production-before       kept as it is, for a way back
    restored  stories-production-restored   stories-production              serves from then on

The order keeps the time without a database short: the two clusters first, their instances after. Each step is one
call, found done by looking at names, so that a run that was killed is continued by the next. A cluster that still
bears the tags of its restore has not arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from .restored import FROM, TO


@dataclass(frozen=True)
class Member:
    """An instance, by its name and its number: the order in which its cluster lists it, 1 first."""

    name: str
    number: int


@dataclass(frozen=True)
class Cluster:
    """What RDS says of a cluster."""

    name: str
    tags: Mapping[str, str]
    members: tuple[Member, ...]
    protected: bool


@dataclass(frozen=True)
class Place:
    """The three names and the clusters that bear them now; proxy: the RDS Proxy before the serving cluster, if any."""

    serving: Cluster | None
    restored: Cluster | None
    kept: Cluster | None
    names: tuple[str, str, str]  # serving, restored, kept
    proxy: str | None


@dataclass(frozen=True)
class RenameCluster:
    """Give a cluster a new name and wait until it answers to it."""

    old: str
    new: str

    @property
    def id(self) -> str:
        return f"db_cluster/{self.old}:rename"

    @property
    def sentence(self) -> str:
        return f"Rename Aurora cluster {self.old} to {self.new}"

    def after(self, observed: Place) -> Place:
        serving, _restored, kept = observed.names
        if self.new == kept and observed.serving:
            return replace(observed, serving=None, kept=replace(observed.serving, name=kept))
        if observed.restored:
            return replace(observed, restored=None, serving=replace(observed.restored, name=serving))
        return observed


@dataclass(frozen=True)
class RenameInstance:
    """Give an instance a new name and wait until it answers to it."""

    old: str
    new: str

    @property
    def id(self) -> str:
        return f"db_instance/{self.old}:rename"

    @property
    def sentence(self) -> str:
        return f"Rename DB instance {self.old} to {self.new}"

    def after(self, observed: Place) -> Place:
        def renamed(cluster: Cluster | None) -> Cluster | None:
            if cluster is None:
                return None
            members = tuple(replace(one, name=self.new) if one.name == self.old else one for one in cluster.members)
            return replace(cluster, members=members)

        return replace(observed, serving=renamed(observed.serving), kept=renamed(observed.kept))


@dataclass(frozen=True)
class PointProxy:
    """Register the serving cluster with the proxy anew: it follows the cluster that it was given, not the name."""

    proxy: str
    cluster: str

    @property
    def id(self) -> str:
        return f"db_proxy/{self.proxy}:register"

    @property
    def sentence(self) -> str:
        return f"Register Aurora cluster {self.cluster} with RDS Proxy {self.proxy}"

    def after(self, observed: Place) -> Place:
        return observed


@dataclass(frozen=True)
class Settle:
    """Take the tags of the restore away and protect the cluster as its predecessor was: it serves now."""

    cluster: str
    protect: bool

    @property
    def id(self) -> str:
        return f"db_cluster/{self.cluster}:settle"

    @property
    def sentence(self) -> str:
        return f"Mark Aurora cluster {self.cluster} as the one that serves"

    def after(self, observed: Place) -> Place:
        if observed.serving is None:
            return observed
        tags = {name: value for name, value in observed.serving.tags.items() if name not in (FROM, TO)}
        serving = replace(observed.serving, tags={**tags, "Name": self.cluster}, protected=self.protect)
        return replace(observed, serving=serving)


Step: TypeAlias = "RenameCluster | RenameInstance | PointProxy | Settle"


def problems(place: Place) -> list[str]:
    """A sentence for each reason not to begin, or to go on."""
    serving, restored, kept = place.names
    if place.restored and FROM not in place.restored.tags:
        return [
            f"Tried to switch {restored} into service and found a cluster that no restore made. "
            "Name the one that playbooks/restore.yml made."
        ]
    if place.restored and place.serving and place.kept:
        return [
            f"Tried to keep {serving} as {kept} and found that name taken by what an earlier switch kept. "
            f"Remove {kept} when it is needed no more, or set restore_kept_name to another name."
        ]
    if not place.restored and not (place.serving and FROM in place.serving.tags) and not place.kept:
        return [f"Looked for the restored cluster {restored} and found none. Restore first: playbooks/restore.yml."]
    return []


def plan(place: Place) -> tuple[Step, ...]:
    """What is left to do; nothing once the serving cluster bears no tag of a restore."""
    serving, restored, kept = place.names
    arrived = place.serving is not None and FROM not in place.serving.tags
    if arrived and not place.restored:
        return _instances(place)
    steps: list[Step] = []
    after = place
    protect = any(one.protected for one in (place.serving, place.kept) if one)
    if place.restored:
        if place.serving:
            steps.append(RenameCluster(serving, kept))
            after = steps[-1].after(after)
        steps.append(RenameCluster(restored, serving))
        after = steps[-1].after(after)
    if place.proxy:
        steps.append(PointProxy(place.proxy, serving))
    return (*steps, *_instances(after), Settle(serving, protect))


def _instances(place: Place) -> tuple[Step, ...]:
    """Instances bear the name of their cluster and a number. What leaves a name goes before what takes it."""
    steps: list[Step] = []
    for cluster in (place.kept, place.serving):
        for member in cluster.members if cluster else ():
            name = f"{cluster.name}-{member.number}" if cluster else ""
            # One that autoscaling named, or a person, keeps its name.
            if member.name != name and _ours(member.name, place.names):
                steps.append(RenameInstance(member.name, name))
    return tuple(steps)


def _ours(name: str, names: tuple[str, str, str]) -> bool:
    stem, _dash, number = name.rpartition("-")
    return stem in names and number.isdigit()
