# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Invalidations: orders to forget, each known by what its caller calls it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits, is_planned
from .._engine.steps import PlanRefused
from .api import call
from .policies import items

# One page of the list: an order that is older than this many is done and forgotten.
_RECENT = "100"


def desired(reference: str, paths: Sequence[str]) -> list[Resource]:
    """The order. Raises PlanRefused for paths that CloudFront does not take."""
    wrong = [
        f"Read path {path!r}; CloudFront forgets paths that begin with a slash and have a * at most at the end. "
        "Write it like /static/*."
        for path in paths
        if not path.startswith("/") or "*" in path[:-1]
    ]
    if not paths:
        wrong.append(f"Read no paths for invalidation {reference}; there is nothing to forget. Name a path.")
    if wrong:
        raise PlanRefused(wrong)
    return [Resource("invalidation", reference, {"paths": sorted(set(paths))})]


class Invalidation(Kind):
    """Only recent orders are looked through, newest first."""

    kind = "invalidation"
    traits = Traits("invalidation", immutable=frozenset({"paths"}))

    def __init__(self, aws: Aws, distribution_id: str, reference: str, wait_seconds: int) -> None:
        self.aws = aws
        self.distribution_id = distribution_id
        self.reference = reference
        self.wait_seconds = wait_seconds

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return call(self.aws, attempt, operation, DistributionId=self.distribution_id, **parameters)

    def observe(self) -> Iterable[Found]:
        if is_planned(self.distribution_id):
            return
        attempt = f"list the invalidations of distribution {self.distribution_id}"
        page = self.call(attempt, "list_invalidations", MaxItems=_RECENT)["InvalidationList"]
        for item in page.get("Items") or []:
            shown = self._read(item["Id"])
            batch = shown["InvalidationBatch"]
            if batch["CallerReference"] == self.reference:
                fields = {"paths": sorted(batch["Paths"]["Items"])}
                settled = shown["Status"] == "Completed" or not self.wait_seconds
                yield Found(self.kind, self.reference, item["Id"], fields, settled=settled)
                return

    def _read(self, ident: str) -> Any:
        return self.call(f"read invalidation {ident}", "get_invalidation", Id=ident)["Invalidation"]

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"start invalidation {wanted.name}",
            "create_invalidation",
            InvalidationBatch={"Paths": items(wanted.fields["paths"]), "CallerReference": wanted.name},
        )
        return Found(self.kind, wanted.name, answer["Invalidation"]["Id"], wanted.fields)

    def delete(self, found: Found) -> None:
        raise NotImplementedError("an invalidation cannot be taken back; the module has no state absent")

    def wait(self, found: Found) -> None:
        if self.wait_seconds:
            what = f"invalidation {found.name} to reach every edge location"
            until(what, lambda: str(self._read(found.id)["Status"]), good={"Completed"}, timeout=self.wait_seconds)
