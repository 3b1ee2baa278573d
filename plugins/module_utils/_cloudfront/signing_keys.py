# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The private key that signs URLs: one secret of Secrets Manager, made here and never shown.

Its value is a JSON object ``{"generation": 1, "private_key": "-----BEGIN …"}``. A rotation makes the next
generation; the previous one stays trusted, so that URLs that are under way go on working.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import belongs, from_boto3, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.steps import PlanRefused, StepFailed
from . import signing

_GONE = ("ResourceNotFoundException",)
DEFAULT_KEY = "alias/aws/secretsmanager"


def read_key(aws: Aws, secret_id: str, stage: str = "AWSCURRENT") -> tuple[int, str] | None:
    """Generation and private key of that version; None without one. Raises StepFailed; never names the value."""
    answer = aws.call_unless(
        _GONE,
        f"read the {stage} version of secret {secret_id}",
        "secretsmanager",
        "get_secret_value",
        SecretId=secret_id,
        VersionStage=stage,
    )
    if answer is None:
        return None
    try:
        value = json.loads(answer["SecretString"])
        return int(value["generation"]), str(value["private_key"])
    except (ValueError, KeyError, TypeError):
        # `from None`: the cause would carry the value.
        raise StepFailed(
            f"Read secret {secret_id} and found no signing key in it. Name the secret that cloudfront_signing_key "
            "makes, or remove this one and run again."
        ) from None


class SigningKey(Kind):
    """rotate: make the next generation in this run.

    restore: whether a key that waits for its deletion counts as found, to be brought back.
    """

    kind = "signing_key"
    traits = Traits("signing key")

    def __init__(
        self,
        aws: Aws,
        tags: Mapping[str, str],
        name: str,
        *,
        rotate: bool = False,
        restore: bool = False,
        window: int = 30,
    ) -> None:
        self.aws = aws
        self.tags = tags
        self.name = name
        self.rotate = rotate
        self.restore = restore
        self.window = window  # days in which a removed key can be restored

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "secretsmanager", operation, **parameters)

    def observe(self) -> Iterable[Found]:
        attempt = f"look for secret {self.name}"
        item = self.aws.call_unless(_GONE, attempt, "secretsmanager", "describe_secret", SecretId=self.name)
        if item is None or (item.get("DeletedDate") and not self.restore):
            return
        tags = from_boto3(item.get("Tags", []))
        if not belongs(tags, self.tags):
            raise PlanRefused(
                [
                    f"Looked for secret {self.name} and found one without our tags Project and Environment "
                    f"({item['ARN']}). Choose another name, or tag it to hand it over."
                ]
            )
        # The generation is a field, so that a rotation is a step; of a secret that waits for its deletion nothing
        # can be read.
        deleted = bool(item.get("DeletedDate"))
        keys = [] if deleted else self._keys(item["ARN"])
        fields = {
            "description": item.get("Description", ""),
            "kms_key": item.get("KmsKeyId") or DEFAULT_KEY,
            "scheduled_for_deletion": deleted,
            "has_key": bool(keys) or deleted,
            "rotated": not self.rotate,
        }
        yield Found(self.kind, self.name, item["ARN"], fields, tags, {"public_keys": keys})

    def _keys(self, arn: str) -> list[dict[str, Any]]:
        """The public halves of the current and the previous generation, the current one first."""
        found = [key for stage in ("AWSCURRENT", "AWSPREVIOUS") if (key := read_key(self.aws, arn, stage))]
        return [{"generation": generation, "public_key": self._public(private)} for generation, private in found]

    def _public(self, private: str) -> str:
        try:
            return signing.public_key(private)
        except ValueError:
            # `from None`: the cause might quote the key.
            raise StepFailed(
                f"Read secret {self.name} and found no RSA key of {signing.KEY_BITS} bits in it. Rotate it, then run "
                "again."
            ) from None

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create secret {wanted.name}",
            "create_secret",
            Name=wanted.name,
            Description=wanted.fields["description"],
            KmsKeyId=wanted.fields["kms_key"],
            SecretString=self._value(1),
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        self.rotate = False  # a first generation is as new as can be
        return Found(self.kind, wanted.name, answer["ARN"], wanted.fields, wanted.tags)

    @staticmethod
    def _value(generation: int) -> str:
        return json.dumps({"generation": generation, "private_key": signing.new_private_key()})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        # A secret that waits for its deletion takes no other call, so it comes back first.
        if "scheduled_for_deletion" in fields:
            self.call(f"restore secret {found.name}", "restore_secret", SecretId=found.id)
        if {"description", "kms_key"}.intersection(fields):
            self.call(
                f"change secret {found.name}",
                "update_secret",
                SecretId=found.id,
                Description=wanted.fields["description"],
                KmsKeyId=wanted.fields["kms_key"],
            )
        if {"has_key", "rotated"}.intersection(fields):
            standing = read_key(self.aws, found.id)
            value = self._value(standing[0] + 1 if standing else 1)
            self.call(f"rotate signing key {found.name}", "put_secret_value", SecretId=found.id, SecretString=value)
            self.rotate = False

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self.call(f"tag secret {found.name}", "tag_resource", SecretId=found.id, Tags=to_boto3(dict(put)))
        if remove:
            self.call(f"untag secret {found.name}", "untag_resource", SecretId=found.id, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        if not found.fields["scheduled_for_deletion"]:
            attempt = f"delete secret {found.name}"
            self.call(attempt, "delete_secret", SecretId=found.id, RecoveryWindowInDays=self.window)
