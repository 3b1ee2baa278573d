# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes encryption keys.

A key is found by its alias; one whose creation was stopped before it got an alias, by its tags. KMS tells the
rest (description, policy, rotation, tags) one key and one question at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.policies import canonical, text
from .._aws.tag_index import indexed
from .._aws.tags import identity
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side, together
from .._engine.steps import PlanRefused, StepFailed
from .model import alias

_DOOMED = ("PendingDeletion", "PendingReplicaDeletion")


class KmsKey(Kind):
    """Keys with their alias, policy and rotation."""

    kind = "kms_key"
    traits = Traits("KMS key", immutable=frozenset({"multi_region"}))

    def __init__(
        self,
        aws: Aws,
        tags: Mapping[str, str],
        prefix: str,
        *,
        brief: bool = False,
        revive: bool = False,
        pending_window_in_days: int = 30,
        keep: Collection[str] = (),
    ) -> None:
        """brief: read what aliases lead to and no policy or rotation; for those who compare nothing.

        revive: a key that waits for its deletion under our alias counts as found, and a change saves it.

        keep: names of keys that are left out of what is found.
        """
        self._brief = brief
        self._keep = frozenset(keep)
        self._aws = aws
        self._identity = identity(tags)
        self._prefix = prefix
        self._revive = revive
        self._window = pending_window_in_days
        self._foreign: set[str] = set()

    def _call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self._aws.call(attempt, "kms", operation, **parameters)

    def observe(self) -> Iterable[Found]:
        ours = f"{alias(self._prefix)}-"
        aliases, tagged = together(self._aliases, lambda: [] if self._brief else self._tagged())
        named = {
            one["TargetKeyId"]: one["AliasName"]
            for one in aliases
            if one["AliasName"].startswith(ours) and "TargetKeyId" in one
        }
        told = set()
        for found in side_by_side(lambda one: self._read(*one), named.items()):
            if found:
                told.add(found.name)
                if found.name not in self._keep:
                    yield found
        for ident in tagged:
            found = None if ident in named else self._read(ident, None)
            if found and found.name.startswith(f"{self._prefix}-") and found.name not in told | self._keep:
                yield found

    def _aliases(self) -> list[dict[str, Any]]:
        return self._aws.pages("list KMS aliases", "kms", "list_aliases", "Aliases")

    def _tagged(self) -> list[str]:
        return sorted(arn.rpartition("/")[2] for arn in indexed(self._aws, self._identity, "kms:key"))

    def _read(self, ident: str, its_alias: str | None) -> Found | None:
        key = self._call(f"look at KMS key {ident}", "describe_key", KeyId=ident)["KeyMetadata"]
        doomed = key["KeyState"] in _DOOMED
        if doomed and not (self._revive and its_alias):
            return None
        tags = self._tags(ident)
        if its_alias is None and any(tags.get(name) != value for name, value in self._identity.items()):
            return None  # the tagging service still tells of tags that are gone
        if its_alias and self._is_foreign(ident, its_alias, tags):
            self._foreign.add(its_alias)
            return None
        fields = {
            "alias": its_alias,
            "description": key.get("Description", ""),
            "enabled": key["KeyState"] == "Enabled",
            "multi_region": key.get("MultiRegion", False),
            **({} if self._brief else self._asked_one_by_one(ident)),
        }
        name = its_alias.removeprefix(alias("")) if its_alias else tags.get("Name", "")
        return Found(self.kind, name, ident, fields, tags, {"arn": key["Arn"], "state": key["KeyState"]})

    def _asked_one_by_one(self, ident: str) -> dict[str, Any]:
        attempt = f"read the policy of KMS key {ident}"
        policy, rotation = together(
            lambda: self._call(attempt, "get_key_policy", KeyId=ident, PolicyName="default"),
            lambda: self._call(f"read the rotation of KMS key {ident}", "get_key_rotation_status", KeyId=ident),
        )
        period = rotation.get("RotationPeriodInDays", 365) if rotation["KeyRotationEnabled"] else None
        return {"policy": canonical(policy["Policy"]), "rotation_period_in_days": period}

    def _is_foreign(self, ident: str, its_alias: str, tags: Mapping[str, str]) -> bool:
        """Whether the key is another platform's. Raises PlanRefused for one that is nobody's of ours.

        A key that lost one of our tags is still ours; one with none of them is what somebody led our alias to.
        """
        if any(tags.get(name) == value for name, value in self._identity.items()):
            # The environment "test" has the aliases of the environment "test-2" under its own prefix.
            return all(name in tags for name in self._identity) and tags != {**tags, **self._identity}
        if all(name in tags for name in self._identity):
            return True
        raise PlanRefused(
            [
                f"Looked for the KMS key of {its_alias} and found {ident} without our tags Project and Environment. "
                "Lead the alias back to our key, or tag this one to hand it over."
            ]
        )

    def _tags(self, ident: str) -> dict[str, str]:
        listed = self._aws.pages(f"read the tags of KMS key {ident}", "kms", "list_resource_tags", "Tags", KeyId=ident)
        return {tag["TagKey"]: tag["TagValue"] for tag in listed}

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        if fields["alias"] in self._foreign:
            raise StepFailed(
                f"Tried to create KMS key {wanted.name} and found {fields['alias']} at a key of another environment. "
                "Set that key's tags Project and Environment back, or choose another platform_name."
            )
        answer = self._call(
            f"create KMS key {wanted.name}",
            "create_key",
            Description=fields["description"],
            MultiRegion=fields["multi_region"],
            Policy=text(fields["policy"]),
            Tags=_pairs(wanted.tags or {}),
        )
        key = answer["KeyMetadata"]
        made = Found(self.kind, wanted.name, key["KeyId"], {"alias": None}, wanted.tags, {"arn": key["Arn"]})
        self.change(made, wanted, ("alias", "rotation_period_in_days"))
        return Found(self.kind, wanted.name, key["KeyId"], fields, wanted.tags, {"arn": key["Arn"]})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        ident, value = found.id, wanted.fields
        if "enabled" in fields:
            if found.outputs.get("state") in _DOOMED:
                self._call(f"cancel the deletion of KMS key {found.name}", "cancel_key_deletion", KeyId=ident)
            self._call(f"enable KMS key {found.name}", "enable_key", KeyId=ident)
        if "alias" in fields:
            attempt = f"give KMS key {found.name} its alias"
            self._call(attempt, "create_alias", AliasName=value["alias"], TargetKeyId=ident)
        if "description" in fields:
            attempt = f"describe KMS key {found.name}"
            self._call(attempt, "update_key_description", KeyId=ident, Description=value["description"])
        if "policy" in fields:
            attempt = f"set the policy of KMS key {found.name}"
            self._call(attempt, "put_key_policy", KeyId=ident, PolicyName="default", Policy=text(value["policy"]))
        if "rotation_period_in_days" in fields:
            self._rotate(found, value["rotation_period_in_days"])

    def _rotate(self, found: Found, days: int | None) -> None:
        attempt = f"set the rotation of KMS key {found.name}"
        if days is None:
            self._call(attempt, "disable_key_rotation", KeyId=found.id)
        else:
            self._call(attempt, "enable_key_rotation", KeyId=found.id, RotationPeriodInDays=days)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self._call(f"tag KMS key {found.name}", "tag_resource", KeyId=found.id, Tags=_pairs(put))
        if remove:
            attempt = f"remove tags from KMS key {found.name}"
            self._call(attempt, "untag_resource", KeyId=found.id, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        # The alias stays with the key until KMS removes both, so that a change of mind finds it.
        attempt = f"schedule the deletion of KMS key {found.name}"
        self._call(attempt, "schedule_key_deletion", KeyId=found.id, PendingWindowInDays=self._window)


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": name, "TagValue": value} for name, value in sorted(tags.items())]
