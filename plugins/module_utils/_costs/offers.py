# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS offers for a year's commitment: read, never taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._aws.api import Aws

_YEAR = "31536000"
_NO_UPFRONT = "No Upfront"
_SAVINGS_REGION = "us-east-1"  # the one endpoint of savings plans


def offers(aws: Aws, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """One-year No Upfront offers for the database class and node type, and Fargate's rates under a Compute plan."""
    return {
        "reserved_db": _reserved_db(aws, wanted["instance_class"]) if wanted.get("instance_class") else [],
        "reserved_cache": _reserved_cache(aws, wanted["node_type"]) if wanted.get("node_type") else [],
        "savings_rates": _savings_rates(aws),
    }


def _reserved_db(aws: Aws, instance_class: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.pages(
        f"ask what a reserved {instance_class} costs",
        "rds",
        "describe_reserved_db_instances_offerings",
        "ReservedDBInstancesOfferings",
        DBInstanceClass=instance_class,
        Duration=_YEAR,
        OfferingType=_NO_UPFRONT,
        ProductDescription="aurora-postgresql",
    )
    return found


def _reserved_cache(aws: Aws, node_type: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.pages(
        f"ask what a reserved {node_type} costs",
        "elasticache",
        "describe_reserved_cache_nodes_offerings",
        "ReservedCacheNodesOfferings",
        CacheNodeType=node_type,
        Duration=_YEAR,
        OfferingType=_NO_UPFRONT,
        ProductDescription="redis",
    )
    return found


def _savings_rates(aws: Aws) -> dict[str, float]:
    """{usage type: US dollars of an hour} of Fargate in the module's region."""
    rates = aws.pages(
        "ask what Fargate costs under a Compute Savings Plan",
        "savingsplans",
        "describe_savings_plans_offering_rates",
        "searchResults",
        region=_SAVINGS_REGION,
        savingsPlanTypes=["Compute"],
        savingsPlanPaymentOptions=[_NO_UPFRONT],
        products=["Fargate"],
        serviceCodes=["AmazonECS"],
        filters=[{"name": "region", "values": [str(aws.region)]}],
    )
    return {
        rate["usageType"]: float(rate["rate"])
        for rate in rates
        if str(rate["savingsPlanOffering"]["durationSeconds"]) == _YEAR
    }
