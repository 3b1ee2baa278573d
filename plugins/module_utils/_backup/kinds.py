# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes backup vaults, plans and selections."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import belongs
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side
from .._engine.steps import PlanRefused

_GONE = ("ResourceNotFoundException",)


class BackupKind(Kind):
    """What vaults and plans share: tags by ARN."""

    def __init__(self, aws: Aws, tags: Mapping[str, str], name: str) -> None:
        self.aws = aws
        self.tags = tags
        self.name = name

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "backup", operation, **parameters)

    def read_tags(self, arn: str) -> dict[str, str]:
        return dict(self.call(f"read the tags of {arn}", "list_tags", ResourceArn=arn).get("Tags") or {})

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        arn = found.outputs["arn"]
        if put:
            self.call(f"tag {found.name}", "tag_resource", ResourceArn=arn, Tags=dict(put))
        if remove:
            self.call(f"untag {found.name}", "untag_resource", ResourceArn=arn, TagKeyList=list(remove))


class Vault(BackupKind):
    """One vault by its name.

    grace_days: until a compliance lock can no longer be taken off.
    delete_recovery_points: whether removal may delete what is in it; else a filled vault is none of ours.
    """

    kind = "backup_vault"
    traits = Traits("backup vault", immutable=frozenset({"kms_key"}))

    def __init__(
        self,
        aws: Aws,
        tags: Mapping[str, str],
        name: str,
        *,
        grace_days: int = 3,
        delete_recovery_points: bool = False,
    ) -> None:
        super().__init__(aws, tags, name)
        self._grace_days = grace_days
        self._delete_recovery_points = delete_recovery_points

    def observe(self) -> Iterable[Found]:
        # DescribeBackupVault answers AccessDenied for a vault that is not there; the list is plain.
        vaults = self.aws.pages("list backup vaults", "backup", "list_backup_vaults", "BackupVaultList")
        if self.name not in [vault["BackupVaultName"] for vault in vaults]:
            return
        item = self.call(f"look at backup vault {self.name}", "describe_backup_vault", BackupVaultName=self.name)
        tags = self.read_tags(item["BackupVaultArn"])
        if not belongs(tags, self.tags):
            raise PlanRefused(
                [
                    f"Looked for backup vault {self.name} and found one without our tags Project and Environment. "
                    "Choose another name, or tag it to hand it over."
                ]
            )
        fields = {"kms_key": item.get("EncryptionKeyArn"), "lock": _lock(item)}
        outputs = {
            "arn": item["BackupVaultArn"],
            "recovery_points": item.get("NumberOfRecoveryPoints", 0),
            "lock_date": str(item["LockDate"]) if item.get("LockDate") else None,
        }
        yield Found(self.kind, self.name, self.name, fields, tags, outputs)

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create backup vault {wanted.name}",
            "create_backup_vault",
            BackupVaultName=wanted.name,
            EncryptionKeyArn=wanted.fields["kms_key"],
            BackupVaultTags=dict(wanted.tags or {}),
            CreatorRequestId=str(uuid.uuid4()),
        )
        arn = answer["BackupVaultArn"]
        made = Found(self.kind, wanted.name, wanted.name, wanted.fields, wanted.tags, {"arn": arn})
        if wanted.fields["lock"]:
            self.change(made, wanted, ("lock",))
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        lock = wanted.fields["lock"]
        if lock is None:
            attempt = f"unlock backup vault {found.name}"
            self.call(attempt, "delete_backup_vault_lock_configuration", BackupVaultName=found.name)
            return
        grace = {"ChangeableForDays": self._grace_days} if lock["mode"] == "compliance" else {}
        self.call(
            f"lock backup vault {found.name}",
            "put_backup_vault_lock_configuration",
            BackupVaultName=found.name,
            MinRetentionDays=lock["min_retention_days"],
            MaxRetentionDays=lock["max_retention_days"],
            **grace,
        )

    def points(self) -> list[str]:
        """ARNs of the recovery points in the vault."""
        listed = self.aws.pages(
            f"list the recovery points of backup vault {self.name}",
            "backup",
            "list_recovery_points_by_backup_vault",
            "RecoveryPoints",
            missing=_GONE,
            BackupVaultName=self.name,
        )
        return [point["RecoveryPointArn"] for point in listed]

    def delete(self, found: Found) -> None:
        if self._delete_recovery_points:
            self._empty(found)
        self.call(f"delete backup vault {found.name}", "delete_backup_vault", BackupVaultName=found.name)

    def _empty(self, found: Found) -> None:
        for point in self.points():
            attempt = f"delete recovery point {point}"
            where = {"BackupVaultName": found.name, "RecoveryPointArn": point}
            self.aws.call_unless(_GONE, attempt, "backup", "delete_recovery_point", **where)
        what = f"backup vault {found.name} to be empty"
        until(what, lambda: "filled" if self.points() else "empty", good={"empty"}, timeout=1800)


def _lock(item: Mapping[str, Any]) -> dict[str, Any] | None:
    if not item.get("Locked"):
        return None
    return {
        # Only a lock that nobody can take off, or soon, has a date.
        "mode": "compliance" if item.get("LockDate") else "governance",
        "min_retention_days": item.get("MinRetentionDays"),
        "max_retention_days": item.get("MaxRetentionDays"),
    }


class Plan(BackupKind):
    """Plans whose names begin with ours. AWS lets names repeat; two of one name refuse the run."""

    kind = "backup_plan"
    traits = Traits("backup plan")

    def observe(self) -> Iterable[Found]:
        return side_by_side(lambda one: self._found(*one), self.ours())

    def ours(self) -> list[tuple[Mapping[str, Any], dict[str, str]]]:
        """Our plans as AWS lists them, with their tags."""
        listed = self.aws.pages("list backup plans", "backup", "list_backup_plans", "BackupPlansList")
        named = [item for item in listed if item["BackupPlanName"].startswith(f"{self.name}-")]
        tags = side_by_side(lambda item: self.read_tags(item["BackupPlanArn"]), named)
        return [(item, own) for item, own in zip(named, tags, strict=True) if belongs(own, self.tags)]

    def _found(self, item: Mapping[str, Any], tags: Mapping[str, str]) -> Found:
        name, ident = item["BackupPlanName"], item["BackupPlanId"]
        shown = self.call(f"look at backup plan {name}", "get_backup_plan", BackupPlanId=ident)["BackupPlan"]
        rules = {rule["RuleName"]: _rule_shown(rule) for rule in shown["Rules"]}
        return Found(self.kind, name, ident, {"rules": rules}, tags, {"arn": item["BackupPlanArn"]})

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"create backup plan {wanted.name}",
            "create_backup_plan",
            BackupPlan=_document(wanted),
            BackupPlanTags=dict(wanted.tags or {}),
            CreatorRequestId=str(uuid.uuid4()),
        )
        outputs = {"arn": answer["BackupPlanArn"]}
        return Found(self.kind, wanted.name, answer["BackupPlanId"], wanted.fields, wanted.tags, outputs)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        attempt = f"change backup plan {found.name}"
        self.call(attempt, "update_backup_plan", BackupPlanId=found.id, BackupPlan=_document(wanted))

    def delete(self, found: Found) -> None:
        self.call(f"delete backup plan {found.name}", "delete_backup_plan", BackupPlanId=found.id)


def _document(wanted: Resource) -> dict[str, Any]:
    rules = []
    for name, rule in wanted.fields["rules"].items():
        copies = [
            {"DestinationBackupVaultArn": arn, **({"Lifecycle": cycle} if cycle else {})}
            for arn, cycle in rule["copies"].items()
        ]
        rules.append(
            {
                "RuleName": name,
                "TargetBackupVaultName": rule["vault"],
                "ScheduleExpression": rule["schedule"],
                "ScheduleExpressionTimezone": rule["timezone"],
                "StartWindowMinutes": rule["start_window_minutes"],
                "CompletionWindowMinutes": rule["completion_window_minutes"],
                "Lifecycle": rule["lifecycle"],
                "RecoveryPointTags": rule["recovery_point_tags"],
                "CopyActions": copies,
            }
        )
    return {"BackupPlanName": wanted.name, "Rules": rules}


def _rule_shown(rule: Mapping[str, Any]) -> dict[str, Any]:
    copies = rule.get("CopyActions") or []
    return {
        "vault": rule["TargetBackupVaultName"],
        "schedule": rule.get("ScheduleExpression"),
        "timezone": rule.get("ScheduleExpressionTimezone") or "Etc/UTC",
        "start_window_minutes": rule.get("StartWindowMinutes"),
        "completion_window_minutes": rule.get("CompletionWindowMinutes"),
        "lifecycle": _days(rule.get("Lifecycle")),
        "recovery_point_tags": dict(rule.get("RecoveryPointTags") or {}),
        "copies": {copy["DestinationBackupVaultArn"]: _days(copy.get("Lifecycle")) for copy in copies},
    }


def _days(cycle: Mapping[str, Any] | None) -> dict[str, int]:
    names = ("MoveToColdStorageAfterDays", "DeleteAfterDays")
    # AWS shows -1 for what never happens.
    return {name: cycle[name] for name in names if cycle and cycle.get(name, -1) > 0}


class Selection(BackupKind):
    """The selections of our plans. AWS cannot change one; it is replaced, which loses no recovery point."""

    kind = "backup_selection"
    traits = Traits("backup selection")

    def observe(self) -> Iterable[Found]:
        plans = [item for item, _tags in Plan(self.aws, self.tags, self.name).ours()]
        return [found for of_plan in side_by_side(self._of_plan, plans) for found in of_plan]

    def _of_plan(self, plan: Mapping[str, Any]) -> list[Found]:
        name, plan_id = plan["BackupPlanName"], plan["BackupPlanId"]
        listed = self.aws.pages(
            f"list the selections of backup plan {name}",
            "backup",
            "list_backup_selections",
            "BackupSelectionsList",
            missing=_GONE,
            BackupPlanId=plan_id,
        )
        found = []
        for item in listed:
            ident = item["SelectionId"]
            attempt = f"look at selection {item['SelectionName']} of backup plan {name}"
            where = {"BackupPlanId": plan_id, "SelectionId": ident}
            shown = self.call(attempt, "get_backup_selection", **where)["BackupSelection"]
            fields = {"plan": plan_id, **_selection_shown(shown)}
            found.append(Found(self.kind, shown["SelectionName"], ident, fields))
        return found

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        conditions = {
            operator: [{"ConditionKey": f"aws:ResourceTag/{key}", "ConditionValue": value} for key, value in tags]
            for operator, tags in (
                ("StringEquals", sorted(fields["tags_equal"].items())),
                ("StringNotEquals", sorted(fields["tags_differ"].items())),
            )
            if tags
        }
        selection = {
            "SelectionName": wanted.name,
            "IamRoleArn": fields["role"],
            "Resources": fields["resources"],
            "Conditions": conditions,
        }
        answer = self.call(
            f"create selection {wanted.name}",
            "create_backup_selection",
            BackupPlanId=fields["plan"],
            BackupSelection=selection,
            CreatorRequestId=str(uuid.uuid4()),
        )
        return Found(self.kind, wanted.name, answer["SelectionId"], fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self.delete(found)
        self.create(wanted)

    def delete(self, found: Found) -> None:
        where = {"BackupPlanId": found.fields["plan"], "SelectionId": found.id}
        self.call(f"delete selection {found.name}", "delete_backup_selection", **where)


def _selection_shown(shown: Mapping[str, Any]) -> dict[str, Any]:
    conditions = shown.get("Conditions") or {}

    def tags(operator: str) -> dict[str, str]:
        listed = conditions.get(operator) or []
        return {one["ConditionKey"].removeprefix("aws:ResourceTag/"): one["ConditionValue"] for one in listed}

    return {
        "role": shown["IamRoleArn"],
        "resources": sorted(shown.get("Resources") or []),
        "tags_equal": tags("StringEquals"),
        "tags_differ": tags("StringNotEquals"),
        "list_of_tags": shown.get("ListOfTags") or [],
        "not_resources": sorted(shown.get("NotResources") or []),
        "likes": {name: conditions[name] for name in ("StringLike", "StringNotLike") if conditions.get(name)},
    }
