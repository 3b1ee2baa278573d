# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS Budgets shows, makes, changes and removes a budget with its notices; how a tag becomes one of the bill."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import from_boto3, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.steps import StepFailed
from .model import amount, notice, notices, subscriber

# Both services answer for the whole account from one region.
_HOME = "us-east-1"
_MISSING = ("NotFoundException",)


class Budget(Kind):
    """The budget of this name."""

    kind = "budget"
    traits = Traits("budget")

    def __init__(self, aws: Aws, name: str, account_id: str) -> None:
        self._aws = aws
        self._name = name
        self._account = account_id
        self._arn = f"arn:aws:budgets::{account_id}:budget/{name}"

    def _call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self._aws.call(attempt, "budgets", operation, region=_HOME, AccountId=self._account, **parameters)

    def observe(self) -> Iterable[Found]:
        attempt, budget = f"read budget {self._name}", {"AccountId": self._account, "BudgetName": self._name}
        answer = self._aws.call_unless(_MISSING, attempt, "budgets", "describe_budget", region=_HOME, **budget)
        if answer is None:
            return
        shown = answer["Budget"]
        listed = self._aws.pages(
            f"list the notices of budget {self._name}",
            "budgets",
            "describe_notifications_for_budget",
            "Notifications",
            region=_HOME,
            missing=_MISSING,
            **budget,
        )
        limit = shown.get("BudgetLimit", {})
        fields = {
            "filters": {key: sorted(values) for key, values in (shown.get("CostFilters") or {}).items()},
            "limit_usd": amount(limit.get("Amount", 0)),
            "time_unit": shown["TimeUnit"],
            "type": shown["BudgetType"],
            "notifications": notices((one, self._subscribers(one)) for one in listed),
        }
        tags = self._aws.call(
            f"read the tags of budget {self._name}",
            "budgets",
            "list_tags_for_resource",
            region=_HOME,
            ResourceARN=self._arn,
        )
        spend = shown.get("CalculatedSpend", {}).get("ActualSpend", {})
        outputs = {"spent_usd": amount(spend.get("Amount", 0))}
        yield Found(self.kind, self._name, self._arn, fields, from_boto3(tags.get("ResourceTags") or []), outputs)

    def _subscribers(self, one: Mapping[str, Any]) -> list[Any]:
        asked = {
            key: one[key]
            for key in ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
            if key in one
        }
        return self._aws.pages(
            f"list whom budget {self._name} tells",
            "budgets",
            "describe_subscribers_for_notification",
            "Subscribers",
            region=_HOME,
            missing=_MISSING,
            AccountId=self._account,
            BudgetName=self._name,
            Notification=asked,
        )

    def create(self, wanted: Resource) -> Found:
        told = [
            {"Notification": notice(name), "Subscribers": [subscriber(one) for one in people]}
            for name, people in wanted.fields["notifications"].items()
        ]
        tags = to_boto3(dict(wanted.tags or {}))
        self._call(
            f"create budget {wanted.name}",
            "create_budget",
            Budget=_budget(wanted),
            NotificationsWithSubscribers=told,
            ResourceTags=tags,
        )
        return Found(self.kind, wanted.name, self._arn, wanted.fields, wanted.tags)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if set(fields) - {"notifications"}:
            self._call(f"change {', '.join(fields)} of budget {found.name}", "update_budget", NewBudget=_budget(wanted))
        if "notifications" in fields:
            self._change_notices(found.fields["notifications"], wanted.fields["notifications"])

    def _change_notices(self, have: Mapping[str, Collection[str]], want: Mapping[str, Collection[str]]) -> None:
        for name in have:
            # A notice keeps at least one subscriber, so one with others to tell is made anew.
            if sorted(have[name]) != sorted(want.get(name, ())):
                self._notice("remove", "delete_notification", name)
        for name in want:
            if sorted(have.get(name, ())) != sorted(want[name]):
                people = [subscriber(one) for one in want[name]]
                self._notice("make", "create_notification", name, Subscribers=people)

    def _notice(self, verb: str, operation: str, name: str, **parameters: Any) -> None:
        attempt = f"{verb} the notice {name} of budget {self._name}"
        self._call(attempt, operation, BudgetName=self._name, Notification=notice(name), **parameters)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        calls: dict[str, dict[str, Any]] = {
            "tag_resource": {"ResourceTags": to_boto3(dict(put))} if put else {},
            "untag_resource": {"ResourceTagKeys": list(remove)} if remove else {},
        }
        for operation, parameters in calls.items():
            if parameters:
                attempt = f"change the tags of budget {found.name}"
                self._aws.call(attempt, "budgets", operation, region=_HOME, ResourceARN=found.id, **parameters)

    def delete(self, found: Found) -> None:
        self._call(f"delete budget {found.name}", "delete_budget", BudgetName=found.name)


class CostAllocationTag(Kind):
    """Tags by which the bill can be cut. A budget that is filtered by a tag shows $0 until that tag is one of these.

    AWS offers a tag some hours after the first resource carries it, and to the paying account only; both are told as a
    warning, since neither can be mended by this run.
    """

    kind = "cost_allocation_tag"
    traits = Traits("cost allocation tag")

    def __init__(self, aws: Aws, tags: Collection[str], warn: Callable[[str], Any]) -> None:
        self._aws = aws
        self._wanted = list(tags)
        self._warn = warn

    def observe(self) -> Iterable[Found]:
        if not self._wanted:
            return
        attempt = f"read whether {', '.join(self._wanted)} are tags of the bill"
        answer = self._aws.call_unless(
            ("AccessDeniedException", "ValidationException"),
            attempt,
            "ce",
            "list_cost_allocation_tags",
            region=_HOME,
            TagKeys=self._wanted,
        )
        if answer is None:
            self._warn(
                f"Tried to {attempt}; this account may not ask. Activate them in the billing console of the paying "
                "account; until then the budget shows $0."
            )
        known = {one["TagKey"]: one["Status"] for one in (answer or {}).get("CostAllocationTags", [])}
        for tag in self._wanted:
            if tag in known:
                yield Found(self.kind, tag, tag, {"status": known[tag]})
            else:
                if answer is not None:
                    self._warn(
                        f"Looked for the tag {tag} among those of the bill; AWS offers it some hours after the first "
                        "resource carries it. Run phase 5 again tomorrow; until then the budget shows $0."
                    )
                # Nothing that a step of this run could mend.
                yield Found(self.kind, tag, tag, {"status": "Active"}, outputs={"unknown": True})

    def create(self, wanted: Resource) -> Found:
        raise StepFailed(
            f"Tried to make the tag {wanted.name} one of the bill; AWS does that itself. Run again tomorrow."
        )

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        status = [{"TagKey": found.name, "Status": wanted.fields["status"]}]
        attempt = f"make {found.name} a tag of the bill"
        answer = self._aws.call(
            attempt, "ce", "update_cost_allocation_tags_status", region=_HOME, CostAllocationTagsStatus=status
        )
        for error in answer.get("Errors", []):
            raise StepFailed(
                f"Tried to {attempt}; AWS answered {error.get('Code')}: {error.get('Message')}. Run again later."
            )

    def delete(self, found: Found) -> None:
        """Other environments of the account may cut their bill by the same tag, so it stays."""


def _budget(wanted: Resource) -> dict[str, Any]:
    fields = wanted.fields
    told = {
        "BudgetName": wanted.name,
        "BudgetType": fields["type"],
        "BudgetLimit": {"Amount": fields["limit_usd"], "Unit": "USD"},
        "TimeUnit": fields["time_unit"],
    }
    return {**told, "CostFilters": dict(fields["filters"])} if fields["filters"] else told
