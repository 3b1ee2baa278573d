# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How Secrets Manager lists, makes, changes and removes secrets; values stay inside these functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import belongs, from_boto3, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits, is_planned, planned
from .._engine.side_by_side import side_by_side
from .._engine.steps import PlanRefused, StepFailed
from .model import DIFFERS, ROTATED, SET, Spec, canonical_key, canonical_policy, compose, sources

_GONE = ("ResourceNotFoundException",)


def read_value(aws: Aws, secret_id: str, key: str = "") -> str:
    """The current value of a secret, or one key of its JSON object. Raises StepFailed; never names the value."""
    answer = aws.call(f"read secret {secret_id}", "secretsmanager", "get_secret_value", SecretId=secret_id)
    text = str(answer.get("SecretString", ""))
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError):
        # `from None`: the cause would carry the value.
        raise StepFailed(
            f"Tried to read key {key} of secret {secret_id} and found no such key in it. "
            "Store a JSON object with this key, then run again."
        ) from None


def current_version(aws: Aws, secret_id: str) -> str | None:
    """The id of the version that is current; None when the secret has no value. A placeholder for a planned secret."""
    if is_planned(secret_id):
        return planned("secret_version", secret_id)
    attempt = f"look for the current version of secret {secret_id}"
    answer = aws.call(attempt, "secretsmanager", "describe_secret", SecretId=secret_id)
    versions = answer.get("VersionIdsToStages") or {}
    return next((version for version, stages in versions.items() if "AWSCURRENT" in stages), None)


class Secret(Kind):
    """Secrets by name.

    specs: the wishes by name. With none of them, all secrets are listed whose names begin with the prefix; the
    list lags up to five minutes behind (API reference, ListSecrets), so wished secrets are described one by one.
    also: names below the prefix that are described when the list does not hold them yet.
    restore: whether a secret that waits for its deletion counts as found, to be brought back.
    """

    kind = "secret"
    traits = Traits("secret")

    def __init__(
        self,
        aws: Aws,
        tags: Mapping[str, str],
        name_prefix: str,
        specs: Mapping[str, Spec] | None = None,
        recovery_window_in_days: int = 30,
        restore: bool = False,
        also: Sequence[str] = (),
    ) -> None:
        self.aws = aws
        self.tags = tags
        self.name_prefix = name_prefix
        self.specs = specs
        self.recovery_window = recovery_window_in_days
        self.restore = restore
        self.also = [f"{name_prefix}-{name}" for name in also]
        self._rotated: set[str] = set()

    def _call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "secretsmanager", operation, **parameters)

    def observe(self) -> Iterable[Found]:
        if self.specs is None:
            yield from self._listed()
            return
        yield from (found for found in side_by_side(lambda one: self._named(*one), self.specs.items()) if found)

    def _named(self, name: str, spec: Spec | None) -> Found | None:
        item = self._described(name)
        if not item or (item.get("DeletedDate") and not self.restore):
            return None
        if not belongs(from_boto3(item.get("Tags", [])), self.tags):
            raise PlanRefused(
                [
                    f"Looked for secret {name} and found one without our tags Project and Environment "
                    f"({item['ARN']}). Choose another name, or tag it to hand it over."
                ]
            )
        return self._found(item, spec)

    def _listed(self) -> Iterable[Found]:
        filters = [{"Key": "name", "Values": [self.name_prefix]}]
        items = self.aws.pages("list the secrets", "secretsmanager", "list_secrets", "SecretList", Filters=filters)
        listed = {item["Name"] for item in items}
        items += [item for name in self.also if name not in listed and (item := self._described(name))]
        for item in items:
            if belongs(from_boto3(item.get("Tags", [])), self.tags) and not item.get("DeletedDate"):
                yield self._found(item, None)

    def _described(self, name: str) -> dict[str, Any] | None:
        attempt = f"look for secret {name}"
        item: dict[str, Any] | None = self.aws.call_unless(
            _GONE, attempt, "secretsmanager", "describe_secret", SecretId=name
        )
        return item

    def _found(self, item: Mapping[str, Any], spec: Spec | None) -> Found:
        name = item["Name"]
        fields: dict[str, Any] = {
            "description": item.get("Description", ""),
            "kms_key": canonical_key(item.get("KmsKeyId")),
            "scheduled_for_deletion": bool(item.get("DeletedDate")),
            "value": self._value_state(item, spec),
        }
        if spec and spec.get("policy") is not None:
            answer = self._call(f"read the policy of secret {name}", "get_resource_policy", SecretId=name)
            fields["policy"] = canonical_policy(answer.get("ResourcePolicy"))
        return Found(self.kind, name, item["ARN"], fields, from_boto3(item.get("Tags", [])), {"arn": item["ARN"]})

    def _value_state(self, item: Mapping[str, Any], spec: Spec | None) -> str | None:
        """What a plan may know of a value: that there is one, and whether it must be written again."""
        stages = item.get("VersionIdsToStages") or item.get("SecretVersionsToStages") or {}
        if not any("AWSCURRENT" in names for names in stages.values()):
            return None
        if item["Name"] in self._rotated:
            return ROTATED
        if spec is None or not spec.get("follow") or item.get("DeletedDate"):
            return SET
        if any(is_planned(source) for source in sources(spec)):
            return DIFFERS
        return SET if read_value(self.aws, item["ARN"]) == self._compose(spec) else DIFFERS

    def _compose(self, spec: Spec) -> str:
        return compose(spec, lambda secret_id, key: read_value(self.aws, secret_id, key))

    def create(self, wanted: Resource) -> Found:
        spec = self._spec(wanted)
        answer = self._call(
            f"create secret {wanted.name}",
            "create_secret",
            Name=wanted.name,
            Description=wanted.fields["description"],
            KmsKeyId=wanted.fields["kms_key"],
            SecretString=self._compose(spec),
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        if wanted.fields["value"] == ROTATED:
            self._rotated.add(wanted.name)
        made = Found(self.kind, wanted.name, answer["ARN"], wanted.fields, wanted.tags, {"arn": answer["ARN"]})
        if "policy" in wanted.fields:
            self._put_policy(made, wanted)
        return made

    def _spec(self, wanted: Resource) -> Spec:
        return (self.specs or {})[wanted.name]

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        # A secret that waits for its deletion takes no other call, so it comes back first.
        if "scheduled_for_deletion" in fields:
            self._call(f"restore secret {found.name}", "restore_secret", SecretId=found.id)
        if {"description", "kms_key"}.intersection(fields):
            self._call(
                f"change secret {found.name}",
                "update_secret",
                SecretId=found.id,
                Description=wanted.fields["description"],
                KmsKeyId=wanted.fields["kms_key"],
            )
        if "value" in fields:
            value = self._compose(self._spec(wanted))
            attempt = f"write a new value of secret {found.name}"
            self._call(attempt, "put_secret_value", SecretId=found.id, SecretString=value)
            if wanted.fields["value"] == ROTATED:
                self._rotated.add(found.name)
        if "policy" in fields:
            self._put_policy(found, wanted)

    def _put_policy(self, found: Found, wanted: Resource) -> None:
        self._call(
            f"put the policy of secret {found.name}",
            "put_resource_policy",
            SecretId=found.id,
            ResourcePolicy=json.dumps(wanted.fields["policy"]),
            BlockPublicPolicy=True,
        )

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self._call(f"tag secret {found.name}", "tag_resource", SecretId=found.id, Tags=to_boto3(dict(put)))
        if remove:
            self._call(f"untag secret {found.name}", "untag_resource", SecretId=found.id, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        self._call(
            f"delete secret {found.name}",
            "delete_secret",
            SecretId=found.id,
            RecoveryWindowInDays=self.recovery_window,
        )
