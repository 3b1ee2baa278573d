# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Closing the production listener of a standing load balancer to all that do not carry the origin header.

`load_balancer` declares the whole listener. A later phase knows only this much of it: what is refused and
what a request must carry. Everything else of the listener stays as it is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .._aws.api import Aws
from .._engine.resources import Found, Resource, is_planned
from .._engine.steps import StepFailed
from .listeners import Listener
from .model import FORBIDDEN, listener_name


class ProductionListener(Listener):
    """The one listener, by its ARN. A placeholder stands for a listener that an earlier phase will have made."""

    def __init__(self, aws: Aws, name: str, listener_arn: str) -> None:
        super().__init__(aws, name)
        self._arn = listener_arn

    def observe(self) -> Iterable[Found]:
        if is_planned(self._arn):
            return [Found(self.kind, listener_name(self.name, 443), self._arn, {})]
        found = [one for one in super().observe() if one.id == self._arn]
        if not found:
            raise StepFailed(
                f"Looked for listener {self._arn} of load balancer {self.name} and found none. Run the phase that "
                "makes the load balancer, then run again."
            )
        return found

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        """Carries over what this call does not declare: the target groups, the stickiness, the tags."""
        whole = replace(wanted, fields={**found.fields, **wanted.fields}, tags=found.tags)
        super().change(found, whole, fields)


def closed(balancer: str, header: str, values: Sequence[str]) -> Resource:
    """The listener with its default action refusing and one rule for what carries the header with one of the values."""
    demanded = {"name": header, "values": sorted(set(values))}
    return Resource("listener", listener_name(balancer, 443), {"action": FORBIDDEN, "origin_header": demanded})
