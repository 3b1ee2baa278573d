# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How CloudWatch lists, makes, changes and removes dashboards. They are found by their names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from .._aws.api import Aws
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.steps import StepFailed
from .model import body, fields

_MISSING = ("ResourceNotFound", "DashboardNotFoundError", "ResourceNotFoundException")


class Dashboard(Kind):
    """The dashboards of these names."""

    kind = "dashboard"
    traits = Traits("dashboard")

    def __init__(self, aws: Aws, names: Collection[str]) -> None:
        self._aws = aws
        self._names = names

    def observe(self) -> Iterable[Found]:
        for name in self._names:
            found = self._aws.call_unless(
                _MISSING, f"read dashboard {name}", "cloudwatch", "get_dashboard", DashboardName=name
            )
            if found:
                yield Found(self.kind, name, name, fields(found["DashboardBody"]), None, {"arn": found["DashboardArn"]})

    def create(self, wanted: Resource) -> Found:
        self._put(f"create dashboard {wanted.name}", wanted)
        return Found(self.kind, wanted.name, wanted.name, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._put(f"change dashboard {found.name}", wanted)

    def _put(self, attempt: str, wanted: Resource) -> None:
        content = body(wanted.fields)
        answer: dict[str, Any] = self._aws.call(
            attempt, "cloudwatch", "put_dashboard", DashboardName=wanted.name, DashboardBody=content
        )
        # CloudWatch saves a dashboard with faults and only then tells them.
        if faults := answer.get("DashboardValidationMessages"):
            told = "; ".join(f"{fault.get('DataPath', '')} {fault.get('Message', '')}".strip() for fault in faults)
            raise StepFailed(f"Tried to {attempt}; CloudWatch found {told}. Mend these widgets and run again.")

    def delete(self, found: Found) -> None:
        self._aws.call(f"delete dashboard {found.name}", "cloudwatch", "delete_dashboards", DashboardNames=[found.name])
