# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Backup vaults, plans and selections that are wanted, as resources; pure.

A vault is locked in one of two modes. *Governance*: who has the right may still delete recovery points and take the
lock off. *Compliance*: once its grace time is over, nobody can, the account's owner and AWS included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._aws.tags import named
from .._engine.resources import Ref, Resource
from .._engine.steps import PlanRefused

# AWS Backup developer guide, CreateBackupVault and BackupRule.
_VAULT_NAME = re.compile(r"[A-Za-z0-9_-]{2,50}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,50}")
_SCHEDULE = re.compile(r"cron\(\S+ \S+ \S+ \S+ \S+ \S+\)|rate\(\d+ (hours?|days?)\)")
COLD_STAY = 90  # days that a recovery point stays in cold storage at least
LEAST_GRACE = 3  # days in which a compliance lock can still be taken off
_LEAST_WINDOW = 60  # minutes
# Resource types with cold storage: AWS Backup developer guide, "Feature availability by resource".
COLD_TYPES = ("dynamodb", "efs")
TYPES: Mapping[str, str] = {
    "aurora": "arn:{partition}:rds:*:*:cluster:*",
    "dynamodb": "arn:{partition}:dynamodb:*:*:table/*",
    "efs": "arn:{partition}:elasticfilesystem:*:*:file-system/*",
}

# Parts of a selection that ours do not use.
UNUSED: Mapping[str, Any] = {"list_of_tags": [], "not_resources": [], "likes": {}}


def vault(params: Mapping[str, Any]) -> list[Resource]:
    """The resource of a `backup_vault` call. Raises PlanRefused."""
    if wrong := [*vault_problems(params)]:
        raise PlanRefused(wrong)
    fields = {"kms_key": params["kms_key_arn"], "lock": lock(params)}
    return [Resource("backup_vault", params["name"], fields, tags=named(params["tags"], params["name"]))]


def lock(params: Mapping[str, Any]) -> dict[str, Any] | None:
    """The lock in the shape in which AWS shows it; None for none."""
    if params["lock"] == "none":
        return None
    return {
        "mode": params["lock"],
        "min_retention_days": params["lock_min_retention_days"],
        "max_retention_days": params["lock_max_retention_days"],
    }


def vault_problems(params: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each thing wrong with a wished vault."""
    name = params["name"]
    if not _VAULT_NAME.fullmatch(name):
        yield (
            f"Read the vault's name {name!r}; AWS Backup takes 2 to 50 letters, digits, hyphens and underscores. "
            "Choose such a name."
        )
    if params["lock"] == "none":
        return
    low, high = params["lock_min_retention_days"], params["lock_max_retention_days"]
    if low < 1 or high > 36500 or low > high:
        yield (
            f"Read a lock of {low} to {high} days for vault {name}; AWS takes 1 to 36500, the lower one first. "
            "Mend the numbers."
        )
    if params["lock"] != "compliance":
        return
    if params["compliance_lock_confirmed"] != name:
        yield (
            f"Read lock compliance for vault {name}; after its grace time nobody can ever shorten or remove it, nor "
            f"delete what lies in the vault. If that is wanted, say compliance_lock_confirmed: {name}."
        )
    if params["lock_grace_days"] < LEAST_GRACE:
        yield (
            f"Read a grace time of {params['lock_grace_days']} days for the lock of vault {name}; AWS takes "
            f"{LEAST_GRACE} at least. Lengthen it."
        )


def plans(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `backup_plans` call: the plans, then their selections. Raises PlanRefused."""
    if wrong := [*plan_problems(params)]:
        raise PlanRefused(wrong)
    made, selections = [], []
    for plan in params["plans"]:
        name = f"{params['name']}-{plan['name']}"
        rules = {rule["name"]: _rule(rule, params["tags"]) for rule in plan["rules"]}
        made.append(Resource("backup_plan", name, {"rules": rules}, tags=named(params["tags"], name)))
        selections.append(Resource("backup_selection", name, _selection(name, plan["selection"])))
    return [*made, *selections]


def _rule(rule: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "vault": rule["vault"],
        "schedule": rule["schedule"],
        "timezone": "Etc/UTC",
        "start_window_minutes": rule["start_window_minutes"],
        "completion_window_minutes": rule["completion_window_minutes"],
        "lifecycle": lifecycle(rule["cold_storage_after_days"], rule["delete_after_days"]),
        "recovery_point_tags": {**tags, "Rule": rule["name"]},
        "copies": {
            copy["vault_arn"]: lifecycle(copy["cold_storage_after_days"], copy["delete_after_days"])
            for copy in rule["copies"]
        },
    }


def lifecycle(cold: int | None, delete: int | None) -> dict[str, int]:
    """Days until cold storage and deletion, as AWS names them; what never happens is left out."""
    told = {"MoveToColdStorageAfterDays": cold, "DeleteAfterDays": delete}
    return {name: days for name, days in told.items() if days}


def _selection(plan: str, selection: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "plan": Ref("backup_plan", plan),
        "role": selection["role_arn"],
        "resources": sorted(selection["resources"]),
        "tags_equal": dict(selection["tags"]),
        "tags_differ": dict(selection["not_tags"]),
        # Never wanted; compared, so that a selection that somebody widened by hand is drift.
        **UNUSED,
    }


def plan_problems(params: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each thing wrong with wished plans."""
    for name in _repeated(params["plans"]):
        yield f"Read backup plan {name} twice. Name each plan once."
    for plan in params["plans"]:
        what = f"plan {params['name']}-{plan['name']}"
        if not _NAME.fullmatch(f"{params['name']}-{plan['name']}"):
            yield f"Read the name of {what}; AWS Backup takes 50 letters, digits, '-', '_' and '.'. Shorten it."
        if not plan["rules"]:
            yield f"Read {what} without rules; it would back nothing up. Give it one."
        if not plan["selection"]["tags"]:
            yield f"Read {what} with a selection without tags; it would take what is not ours. Give tags."
        for name in _repeated(plan["rules"]):
            yield f"Read rule {name} of {what} twice. Name each rule once."
        for rule in plan["rules"]:
            yield from _rule_problems(f"rule {rule['name']} of {what}", rule)


def _repeated(items: Sequence[Mapping[str, Any]]) -> list[str]:
    names = [item["name"] for item in items]
    return sorted({name for name in names if names.count(name) > 1})


def _rule_problems(what: str, rule: Mapping[str, Any]) -> Iterator[str]:
    if not _SCHEDULE.fullmatch(rule["schedule"]):
        yield f"Read the schedule {rule['schedule']!r} of {what}. Write it like cron(0 4 ? * * *), in UTC."
    start, end = rule["start_window_minutes"], rule["completion_window_minutes"]
    if start < _LEAST_WINDOW or end < start + _LEAST_WINDOW:
        yield (
            f"Read windows of {start} and {end} minutes for {what}; AWS wants {_LEAST_WINDOW} to start and as many "
            "more to complete. Lengthen them."
        )
    for name, one in [("", rule), *((" of its copy", copy) for copy in rule["copies"])]:
        cold, delete = one["cold_storage_after_days"], one["delete_after_days"]
        if cold and delete and delete < cold + COLD_STAY:
            yield (
                f"Read {cold} days until cold storage and {delete} until deletion{name} for {what}; what is cold "
                f"stays {COLD_STAY} days at least. Delete after {cold + COLD_STAY} or later."
            )
        if delete is not None and delete < 1:
            yield f"Read deletion{name} after {delete} days for {what}. Keep it a day at least."
