# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an account without a bill answers: Cost Explorer, savings plans, reserved instances. Nothing is for sale."""

from __future__ import annotations

from datetime import date, timedelta

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry

registry.new_service("ce")
registry.new_service("savingsplans")

_STEPS = {"DAILY": 1, "HOURLY": 1}


def _periods(start: date, end: date, granularity: str) -> list[dict[str, str]]:
    """The period cut into days or months, as Cost Explorer cuts it."""
    periods = []
    while start < end:
        if granularity in _STEPS:
            after = start + timedelta(days=_STEPS[granularity])
        else:
            after = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        after = min(after, end)
        periods.append({"Start": start.isoformat(), "End": after.isoformat()})
        start = after
    return periods


@registry.handles("ce", "GetCostAndUsage")
def cost_and_usage(call: Call) -> Params:
    """Nothing was spent."""
    wanted = call.params
    start, end = (date.fromisoformat(wanted["TimePeriod"][side][:10]) for side in ("Start", "End"))
    if start >= end:
        raise AwsError("ValidationException", "Start date must be before the end date")
    total = {metric: {"Amount": "0", "Unit": "USD"} for metric in wanted["Metrics"]}
    grouped = "GroupBy" in wanted
    return {
        "GroupDefinitions": wanted.get("GroupBy", []),
        "ResultsByTime": [
            {"TimePeriod": period, "Total": {} if grouped else total, "Groups": [], "Estimated": True}
            for period in _periods(start, end, wanted["Granularity"])
        ],
        "DimensionValueAttributes": [],
    }


@registry.handles("ce", "GetSavingsPlansPurchaseRecommendation")
def savings_plans_recommendation(call: Call) -> Params:
    """No usage, so nothing is recommended."""
    names = ("AccountScope", "SavingsPlansType", "TermInYears", "PaymentOption", "LookbackPeriodInDays")
    asked = {name: call.params[name] for name in names if name in call.params}
    return {
        "Metadata": {},
        "SavingsPlansPurchaseRecommendation": {**asked, "SavingsPlansPurchaseRecommendationDetails": []},
    }


@registry.handles("ce", "GetReservationPurchaseRecommendation")
def reservation_recommendation(_call: Call) -> Params:
    """No usage, so nothing is recommended."""
    return {"Metadata": {}, "Recommendations": []}


@registry.handles("savingsplans", "DescribeSavingsPlans")
def describe_savings_plans(_call: Call) -> Params:
    return {"savingsPlans": []}


@registry.handles("rds", "DescribeReservedDBInstances")
def describe_reserved_db_instances(_call: Call) -> Params:
    return {"ReservedDBInstances": []}


@registry.handles("rds", "DescribeReservedDBInstancesOfferings")
def describe_reserved_db_instances_offerings(_call: Call) -> Params:
    """Nothing is on offer here: prices are AWS's."""
    return {"ReservedDBInstancesOfferings": []}
