# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How Route 53 lists, makes, changes and removes health checks.

A check has no name but its CallerReference, which is given in the creating call: ours is the name and a random end,
since Route 53 refuses the reference of a check that was deleted.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.prefixed import Prefixed
from .._aws.tags import from_boto3, to_boto3
from .._engine.resources import Found, Resource, Traits
from .model import FIXED, config, fields

# Route 53 answers for the whole world from one region.
_HOME = "us-east-1"
_TYPE = "healthcheck"
_AT_ONCE = 10  # ids that ListTagsForResources takes


class HealthCheck(Prefixed):
    """Health checks whose reference begins with a name under our prefix, and that carry our tags.

    One without any tags is ours too: a run was killed between its creation and its tags.
    """

    service = "route53"
    kind = "health_check"
    traits = Traits("health check")

    def __init__(self, aws: Aws, tags: Mapping[str, str], prefix: str, named: Collection[str] = ()) -> None:
        super().__init__(aws, tags, prefix, named)
        self._remade: dict[str, str] = {}  # name -> id of a check that this run made anew

    def _call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return super()._call(attempt, operation, region=_HOME, **parameters)

    def observe(self) -> Iterable[Found]:
        checks = self._aws.pages(
            "list the health checks", "route53", "list_health_checks", "HealthChecks", region=_HOME
        )
        ours = [one for one in checks if one["CallerReference"].startswith(self._prefix)]
        tags = self._tags([one["Id"] for one in ours])
        for one in ours:
            name = one["CallerReference"].partition("/")[0]
            ident = one["Id"]
            its = tags.get(ident, {})
            if not its or self._is_ours(name, its):
                yield Found(self.kind, name, ident, fields(one["HealthCheckConfig"]), its)

    def _tags(self, idents: Sequence[str]) -> dict[str, dict[str, str]]:
        told = {}
        for first in range(0, len(idents), _AT_ONCE):
            some = list(idents[first : first + _AT_ONCE])
            answer = self._call(
                "read the tags of health checks", "list_tags_for_resources", ResourceType=_TYPE, ResourceIds=some
            )
            told.update({one["ResourceId"]: dict(from_boto3(one["Tags"])) for one in answer["ResourceTagSets"]})
        return told

    def create(self, wanted: Resource) -> Found:
        reference = f"{wanted.name}/{uuid.uuid4().hex[:12]}"
        attempt = f"create health check {wanted.name}"
        made = self._call(
            attempt, "create_health_check", CallerReference=reference, HealthCheckConfig=config(wanted.fields)
        )
        found = Found(self.kind, wanted.name, made["HealthCheck"]["Id"], wanted.fields, wanted.tags)
        self.retag(found, wanted.tags or {}, ())
        return found

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if FIXED.intersection(fields):
            # Nothing but an alarm knows a check, and the alarm is told the new one in the same run.
            self.delete(found)
            self._remade[found.name] = self.create(wanted).id
            return
        update = {key: value for key, value in config(wanted.fields).items() if key not in ("Type", "RequestInterval")}
        update.pop("MeasureLatency", None)
        self._call(
            f"change {', '.join(fields)} of health check {found.name}",
            "update_health_check",
            HealthCheckId=found.id,
            **update,
        )

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        parameters: dict[str, Any] = {"AddTags": to_boto3(dict(put))} if put else {}
        if remove:
            parameters["RemoveTagKeys"] = list(remove)
        if parameters:
            attempt = f"tag health check {found.name}"
            ident = self._remade.get(found.name, found.id)
            self._call(attempt, "change_tags_for_resource", ResourceType=_TYPE, ResourceId=ident, **parameters)

    def delete(self, found: Found) -> None:
        self._call(f"delete health check {found.name}", "delete_health_check", HealthCheckId=found.id)
