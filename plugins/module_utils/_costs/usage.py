# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the inventory must say before a price can be reckoned: budget, usage of a month, growth.

The numbers stand in ``inventories/profiles/usage.yml`` with a reason each; here stands only what is needed and what
would be nonsense.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

BUDGET = "platform_monthly_budget_usd"
ACCEPTED = "platform_accept_cost_usd"

USAGE = (
    "active_users",
    "requests",
    "origin_requests",
    "cdn_gb",
    "cdn_far_percent",
    "origin_gb",
    "nat_gb",
    "endpoint_gb",
    "cross_zone_gb",
    "database_gb",
    "database_million_io",
    "database_backup_gb",
    "serverless_acu",
    "media_gb",
    "static_gb",
    "uploads",
    "upload_seconds",
    "image_gb",
    "extra_tasks",
    "releases",
    "release_hours",
    "spot_discount_percent",
    "log_gb",
    "flow_log_gb",
    "log_bucket_gb",
    "container_metrics",
    "traces",
    "config_items",
    "config_evaluations",
    "emails",
    "kms_requests",
    "secret_requests",
    "backup_gb",
    "backup_copy_gb",
)

GROWTH = (
    "users",
    "monthly_percent",
    "requests_per_user",
    "users_per_task",
    "connections_per_user",
    "connections_per_reader",
    "average_load_percent",
)
_MORE_THAN_ZERO = {"users", "users_per_task", "connections_per_reader", "average_load_percent"}


def usage_problems(values: Mapping[str, Any]) -> list[str]:
    """A sentence for each number of the usage or the budget that is missing or makes no sense."""
    wrong = _numbers(values, [f"platform_usage_{name}" for name in USAGE])
    wrong += _numbers(values, [BUDGET])
    wrong += _percentages(values, ["platform_usage_cdn_far_percent", "platform_usage_spot_discount_percent"])
    if ACCEPTED in values:
        wrong += _numbers(values, [ACCEPTED])
    return wrong


def growth_problems(values: Mapping[str, Any]) -> list[str]:
    """A sentence for each number of the growth model that is missing or makes no sense."""
    wrong = _numbers(values, [f"platform_growth_{name}" for name in GROWTH])
    wrong += _percentages(values, ["platform_growth_average_load_percent"])
    for name in sorted(_MORE_THAN_ZERO):
        if is_number(values.get(f"platform_growth_{name}")) and float(values[f"platform_growth_{name}"]) == 0:
            wrong.append(f"Read platform_growth_{name} 0; the growth model divides by it. Give a number above 0.")
    return wrong


def is_number(value: object) -> bool:
    """True for a number, or for the text of one as ``-e name=5`` gives it."""
    if isinstance(value, bool):
        return False
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever is no number raises
    except (TypeError, ValueError):
        return False
    return math.isfinite(number)


def _numbers(values: Mapping[str, Any], names: list[str]) -> list[str]:
    missing = [name for name in names if values.get(name) is None]
    wrong = [
        f"Looked for {name} in the inventory and found nothing. Link inventories/profiles/usage.yml into the "
        "environment's group_vars/all, or give the number in platform.yml."
        for name in missing
    ]
    for name in names:
        if name in missing:
            continue
        if not is_number(values[name]):
            wrong.append(f"Read {name} {values[name]!r}; that is no number. Mend the inventory.")
        elif float(values[name]) < 0:
            wrong.append(f"Read {name} {values[name]}; it cannot be negative. Give 0 or more.")
    return wrong


def _percentages(values: Mapping[str, Any], names: list[str]) -> list[str]:
    return [
        f"Read {name} {values[name]}; it is a share of 100. Give 0 to 100."
        for name in names
        if is_number(values.get(name)) and float(values[name]) > 100
    ]
