# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The budget that is wanted, as a resource, and the canonical form of what AWS shows of one; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from .._aws.tags import named
from .._engine.resources import Resource
from .._engine.steps import PlanRefused

# API reference of CreateBudget.
_NAME = re.compile(r"[^:\\]{1,100}")
_NOTIFICATIONS, _EMAILS, _TOPICS = 10, 10, 1
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `cost_budget` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    filters = {f"user:{name}${value}" for name, value in params["filter_tags"].items()}
    fields = {
        "filters": {"TagKeyValue": sorted(filters)} if filters else {},
        "limit_usd": amount(params["limit_usd"]),
        "time_unit": params["time_unit"],
        "type": "COST",
        "notifications": notices(
            (
                {
                    "NotificationType": one["type"],
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": one["threshold_percent"],
                    "ThresholdType": "PERCENTAGE",
                },
                [
                    *({"SubscriptionType": "EMAIL", "Address": address} for address in one["emails"]),
                    *({"SubscriptionType": "SNS", "Address": arn} for arn in one["topic_arns"]),
                ],
            )
            for one in params["notifications"]
        ),
    }
    return [
        Resource("budget", params["name"], fields, tags=named(params["tags"], params["name"])),
        *(Resource("cost_allocation_tag", tag, {"status": "Active"}) for tag in params["cost_allocation_tags"]),
    ]


def amount(value: Any) -> str:
    """Dollars in one form, however AWS writes zeros: ``500``, ``12.5``."""
    return f"{Decimal(str(value)).normalize():f}"


def notices(
    given: Iterable[tuple[Mapping[str, Any], Iterable[Mapping[str, str]]]],
) -> dict[str, list[str]]:
    """Subscribers by notice: ``{"ACTUAL GREATER_THAN 80 PERCENTAGE": ["EMAIL ops@example.org"]}``."""
    return {
        notice_name(notice): sorted(f"{one['SubscriptionType']} {one['Address']}" for one in subscribers)
        for notice, subscribers in given
    }


def notice_name(notice: Mapping[str, Any]) -> str:
    threshold = f"{float(notice['Threshold']):g}"
    sort = notice.get("ThresholdType", "PERCENTAGE")
    return f"{notice['NotificationType']} {notice['ComparisonOperator']} {threshold} {sort}"


def notice(name: str) -> dict[str, Any]:
    """Inverse of `notice_name`."""
    sort, operator, threshold, unit = name.split(" ")
    return {
        "NotificationType": sort,
        "ComparisonOperator": operator,
        "Threshold": float(threshold),
        "ThresholdType": unit,
    }


def subscriber(name: str) -> dict[str, str]:
    """``EMAIL ops@example.org`` as AWS takes it."""
    sort, _blank, address = name.partition(" ")
    return {"SubscriptionType": sort, "Address": address}


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the budget, one sentence each."""
    name = params["name"]
    if not _NAME.fullmatch(name):
        yield f"Read the budget name {name!r}; it takes up to 100 characters without : and \\. Rename it."
    if params["limit_usd"] <= 0:
        yield f"Read limit_usd {params['limit_usd']} for budget {name}; a budget is more than nothing. Raise it."
    if len(params["notifications"]) > _NOTIFICATIONS:
        yield (
            f"Read {len(params['notifications'])} notifications of budget {name}; AWS takes {_NOTIFICATIONS}. "
            "Leave some out."
        )
    seen = set()
    for one in params["notifications"]:
        told = f"{one['type']} {one['threshold_percent']:g} %"
        if told in seen:
            yield f"Read the notification {told} of budget {name} twice. Name each once."
        seen.add(told)
        if one["threshold_percent"] <= 0:
            yield f"Read the notification {told} of budget {name}; a threshold is more than 0 %. Raise it."
        if not one["emails"] and not one["topic_arns"]:
            yield f"Read the notification {told} of budget {name} without anyone to tell. Name an address or a topic."
        if len(one["emails"]) > _EMAILS or len(one["topic_arns"]) > _TOPICS:
            yield (
                f"Read more subscribers of {told} of budget {name} than AWS takes, {_EMAILS} mails, {_TOPICS} "
                "topic. Leave some out."
            )
        for address in one["emails"]:
            if not _EMAIL.fullmatch(address):
                yield f"Read the address {address!r} in budget {name}; it is not one such as ops@example.org. Mend it."
