# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an account without a bill answers: Cost Explorer, savings plans, reserved instances.

Offers are in AWS's shape, a third below the list price; buying is not among the operations.
"""

from __future__ import annotations

from datetime import date, timedelta

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry

registry.new_service("ce")
registry.new_service("savingsplans")

_STEPS = {"DAILY": 1, "HOURLY": 1}
_YEAR = 31_536_000  # seconds
_NO = "No Upfront"


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


@registry.handles("savingsplans", "DescribeSavingsPlansOfferingRates")
def describe_savings_plans_offering_rates(call: Call) -> Params:
    """What Fargate costs in the asked region under a Compute plan of one year."""
    payments = call.params.get("savingsPlanPaymentOptions", ["No Upfront"])
    if "Fargate" not in call.params.get("products", ["Fargate"]):
        return {"searchResults": []}
    plan = {
        "offeringId": "00000000-0000-0000-0000-000000000001",
        "paymentOption": payments[0],
        "planType": "Compute",
        "durationSeconds": _YEAR,
        "currency": "USD",
    }
    rates = {
        "Fargate-vCPU-Hours:perCPU": "0.0271",
        "Fargate-GB-Hours": "0.00298",
        "Fargate-ARM-vCPU-Hours:perCPU": "0.0217",
        "Fargate-ARM-GB-Hours": "0.00239",
    }
    return {
        "searchResults": [
            {
                "savingsPlanOffering": plan,
                "rate": rate,
                "unit": "Hrs",
                "productType": "Fargate",
                "serviceCode": "AmazonECS",
                "usageType": usage,
            }
            for usage, rate in rates.items()
        ]
    }


@registry.handles("rds", "DescribeReservedDBInstancesOfferings")
def describe_reserved_db_instances_offerings(call: Call) -> Params:
    prices = {"db.t4g.medium": 0.049, "db.r6g.large": 0.173}
    offers = _offers(call.params, call.params.get("DBInstanceClass"), prices)
    return {
        "ReservedDBInstancesOfferings": [
            {"ReservedDBInstancesOfferingId": f"{identity}", "DBInstanceClass": name, "MultiAZ": False, **offer}
            for identity, name, offer in offers
        ]
    }


@registry.handles("elasticache", "DescribeReservedCacheNodesOfferings")
def describe_reserved_cache_nodes_offerings(call: Call) -> Params:
    prices = {"cache.t4g.micro": 0.0107, "cache.t3.medium": 0.0455}
    offers = _offers(call.params, call.params.get("CacheNodeType"), prices)
    return {
        "ReservedCacheNodesOfferings": [
            {"ReservedCacheNodesOfferingId": f"{identity}", "CacheNodeType": name, **offer}
            for identity, name, offer in offers
        ]
    }


def _offers(asked: Params, size: str | None, prices: dict[str, float]) -> list[tuple[str, str, Params]]:
    """(id, size, what both services say of an offer) for a year without payment in advance."""
    if str(asked.get("Duration", _YEAR)) not in ("1", str(_YEAR)) or asked.get("OfferingType", _NO) != _NO:
        return []
    return [
        (
            f"offer-{name.replace('.', '-')}",
            name,
            {
                "Duration": _YEAR,
                "FixedPrice": 0.0,
                "UsagePrice": 0.0,
                "ProductDescription": asked.get("ProductDescription", ""),
                "OfferingType": _NO,
                "RecurringCharges": [{"RecurringChargeAmount": price, "RecurringChargeFrequency": "Hourly"}],
            },
        )
        for name, price in prices.items()
        if size in (None, name)
    ]
