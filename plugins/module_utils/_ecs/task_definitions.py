# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS keeps task definitions: immutable revisions of a family, the newest ACTIVE one being what counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import from_lower_case, lower_case
from .._engine.resources import Found, Resource, Traits
from .definition import task_fields, to_definition
from .kinds import EcsKind

# What ECS answers for a family without an ACTIVE revision.
_NONE_ACTIVE = ("ClientException",)
_REVISIONS_PER_CALL = 10  # DeleteTaskDefinitions takes no more at once


class TaskDefinition(EcsKind):
    kind = "task_definition"
    traits = Traits("task definition")

    def __init__(self, aws: Aws, family: str, released: Collection[str] = ()) -> None:
        """released: environment variables that belong to the release, see `definition.task_fields`."""
        super().__init__(aws)
        self.family = family
        self.released = released

    def observe(self) -> Iterable[Found]:
        answer = self.aws.call_unless(
            _NONE_ACTIVE,
            f"look for the newest revision of {self.family}",
            "ecs",
            "describe_task_definition",
            taskDefinition=self.family,
            include=["TAGS"],
        )
        if answer and answer["taskDefinition"]["status"] == "ACTIVE":
            yield self._found(answer)

    def _found(self, answer: Mapping[str, Any]) -> Found:
        definition = answer["taskDefinition"]
        arn = definition["taskDefinitionArn"]
        outputs = {"arn": arn, "revision": definition["revision"]}
        tags = from_lower_case(answer.get("tags"))
        return Found(self.kind, self.family, arn, task_fields(definition, self.released), tags, outputs)

    def create(self, wanted: Resource) -> Found:
        return self._register(wanted, {**wanted.initial, **wanted.fields})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        """A revision never changes; the newest gets a successor that carries over what the release set."""
        kept = {name: found.fields.get(name, first) for name, first in wanted.initial.items()}
        self._register(wanted, {**kept, **wanted.fields})

    def _register(self, wanted: Resource, fields: Mapping[str, Any]) -> Found:
        answer = self.call(
            f"register a revision of task definition {wanted.name}",
            "register_task_definition",
            family=wanted.name,
            tags=lower_case(wanted.tags or {}),
            **to_definition(fields),
        )
        return self._found({**answer, "tags": lower_case(wanted.tags or {})})

    def delete(self, found: Found) -> None:
        for arn in self._revisions("ACTIVE"):
            attempt = f"deregister {arn}"
            self.call(attempt, "deregister_task_definition", taskDefinition=arn)
        inactive = self._revisions("INACTIVE")
        for start in range(0, len(inactive), _REVISIONS_PER_CALL):
            some = inactive[start : start + _REVISIONS_PER_CALL]
            attempt = f"delete revisions of {self.family}"
            self.call(attempt, "delete_task_definitions", taskDefinitions=some)

    def _revisions(self, status: str) -> list[str]:
        attempt = f"list the {status} revisions of {self.family}"
        listed = self.aws.pages(
            attempt, "ecs", "list_task_definitions", "taskDefinitionArns", familyPrefix=self.family, status=status
        )
        # familyPrefix is the whole family's name in AWS's words; a longer name that begins like it is not ours.
        return [arn for arn in listed if arn.rsplit("/", 1)[1].rsplit(":", 1)[0] == self.family]
