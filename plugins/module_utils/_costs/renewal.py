# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where each price of a region comes from in the AWS Price List API, and how it is read out of the answer; pure.

Source: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_Filter.html and the usage types
that GetProducts answers. A usage type begins with a code of its region (``EUC1-NatGateway-Hours``; EU- in eu-west-1;
often none in us-east-1), so products are told apart by what follows it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_ON_DEMAND = "OnDemand"


# Any other word before a usage type makes it another thing: TS-LoadBalancerUsage is the hour of a trust store,
# IA-WriteRequestUnits that of tables for what is seldom read.
_REGION = r"(?:[A-Z]{2,3}\d-|EU-)"


@dataclass(frozen=True)
class Query:
    """One price. key: its place in the list. usage: the usage type without its region. times: AWS's units in one of
    the list. region_field: the attribute that holds the region, where it is no plain product of a region.
    """

    key: str
    service: str
    usage: str
    filters: Mapping[str, str] = field(default_factory=dict)
    times: float = 1.0
    region_field: str = "regionCode"


_MILLION = 1e6
_AURORA = {"databaseEngine": "Aurora PostgreSQL"}

QUERIES: tuple[Query, ...] = (
    Query("nat_gateway/hour", "AmazonEC2", "NatGateway-Hours"),
    Query("nat_gateway/gb", "AmazonEC2", "NatGateway-Bytes"),
    Query("interface_endpoint/hour", "AmazonVPC", "VpcEndpoint-Hours"),
    Query("interface_endpoint/gb", "AmazonVPC", "VpcEndpoint-Bytes"),
    Query(
        "data_transfer/between_zones_gb",
        "AWSDataTransfer",
        "DataTransfer-Regional-Bytes",
        {"transferType": "IntraRegion"},
        region_field="fromRegionCode",
    ),
    Query("load_balancer/hour", "AWSELB", "LoadBalancerUsage", {"productFamily": "Load Balancer-Application"}),
    Query("load_balancer/lcu_hour", "AWSELB", "LCUUsage", {"productFamily": "Load Balancer-Application"}),
    Query("fargate/vcpu_hour/X86_64", "AmazonECS", "Fargate-vCPU-Hours:perCPU"),
    Query("fargate/vcpu_hour/ARM64", "AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
    Query("fargate/gb_hour/X86_64", "AmazonECS", "Fargate-GB-Hours"),
    Query("fargate/gb_hour/ARM64", "AmazonECS", "Fargate-ARM-GB-Hours"),
    Query("s3/standard_gb_month", "AmazonS3", "TimedStorage-ByteHrs", {"volumeType": "Standard"}),
    Query("s3/infrequent_access_gb_month", "AmazonS3", "TimedStorage-SIA-ByteHrs"),
    Query("cloudwatch_logs/gb", "AmazonCloudWatch", "DataProcessing-Bytes", {"productFamily": "Data Payload"}),
    Query(
        "cloudwatch_logs/gb_month", "AmazonCloudWatch", "TimedStorage-ByteHrs", {"productFamily": "Storage Snapshot"}
    ),
    Query("cloudwatch_logs/vended_to_s3_gb", "AmazonCloudWatch", "S3-Egress-Bytes"),
    Query("aurora/acu_hour", "AmazonRDS", "Aurora:ServerlessV2Usage", _AURORA),
    Query("aurora/storage_gb_month", "AmazonRDS", "Aurora:StorageUsage"),
    Query("aurora/million_io", "AmazonRDS", "Aurora:StorageIOUsage", times=_MILLION),
    Query("aurora/backup_gb_month", "AmazonRDS", "Aurora:BackupUsage"),
    # Recovery points of Aurora in a vault are billed as Aurora's own backups.
    Query("backup/aurora_gb_month", "AmazonRDS", "Aurora:BackupUsage"),
    Query("rds_proxy/vcpu_hour", "AmazonRDS", "RDS:ProxyUsage"),
    Query("rds_proxy/acu_hour", "AmazonRDS", "RDS:Proxy-ASv2-Usage"),
    Query("dynamodb/million_writes", "AmazonDynamoDB", "WriteRequestUnits", times=_MILLION),
    Query("dynamodb/million_reads", "AmazonDynamoDB", "ReadRequestUnits", times=_MILLION),
    Query("dynamodb/recovery_gb_month", "AmazonDynamoDB", "TimedPITRStorage-ByteHrs"),
)
_CACHE_ENGINES = {"redis": "Redis", "valkey": "Valkey"}


def queries(instance_classes: Iterable[str], node_types: Iterable[str], other_region: str = "") -> list[Query]:
    """Every price to ask for: those of `QUERIES`, one for each database class, one for each cache node type and engine,
    and the way to another region if there is one.
    """
    databases = [
        # The plain usage type; InstanceUsageIOOptimized is that of Aurora I/O-Optimized.
        Query(f"aurora/instance_hour/{name}", "AmazonRDS", f"InstanceUsage:{name}", {**_AURORA, "instanceType": name})
        for name in sorted(set(instance_classes))
        if name != "db.serverless"
    ]
    caches = [
        Query(f"elasticache/{engine}_hour/{name}", "AmazonElastiCache", f"NodeUsage:{name}", {"cacheEngine": word})
        for engine, word in _CACHE_ENGINES.items()
        for name in sorted(set(node_types))
    ]
    copies = [
        Query(
            "cross_region/gb",
            "AWSDataTransfer",
            "AWS-Out-Bytes",
            {"transferType": "InterRegion Outbound", "toRegionCode": other_region},
            region_field="fromRegionCode",
        )
    ]
    return [*QUERIES, *databases, *caches, *(copies if other_region else ())]


def filters(query: Query, region: str) -> list[dict[str, str]]:
    """The Filters of GetProducts."""
    wanted = {query.region_field: region, **query.filters}
    exact = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in sorted(wanted.items())]
    # Which code AWS gives a region is not told anywhere, so that only a part of the usage type is known.
    return [*exact, {"Type": "CONTAINS", "Field": "usagetype", "Value": query.usage}]


def price_of(query: Query, products: Sequence[str]) -> tuple[float, str] | None:
    """(US dollars of one unit of the list, publication date) from the products of an answer; None when it has none.

    Of a price in tiers the first one that costs something is taken. Raises ValueError when two products fit and differ.
    """
    found: dict[float, str] = {}
    for text in products:
        product = json.loads(text)
        usage = str(product.get("product", {}).get("attributes", {}).get("usagetype", ""))
        # What goes from one region to another begins with both.
        if not re.fullmatch(rf"{_REGION}{{0,2}}{re.escape(query.usage)}", usage):
            continue
        price = _first_tier(product.get("terms", {}).get(_ON_DEMAND, {}))
        if price is not None:
            found[round(price * query.times, 10)] = str(product.get("publicationDate", ""))[:10]
    if len(found) > 1:
        raise ValueError(f"{query.key}: {', '.join(f'${price:g}' for price in sorted(found))}")
    return next(iter(found.items()), None)


def _first_tier(terms: Mapping[str, Any]) -> float | None:
    tiers = [
        (float(dimension.get("beginRange") or 0), float(dimension["pricePerUnit"]["USD"]))
        for term in terms.values()
        for dimension in term["priceDimensions"].values()
        if "USD" in dimension["pricePerUnit"]
    ]
    prices = [price for _begin, price in sorted(tiers)]
    return next((price for price in prices if price > 0), prices[0] if prices else None)


def renewed(content: Mapping[str, Any], answers: Mapping[str, tuple[float, str]]) -> dict[str, Any]:
    """The list with the answered prices put in. Its date becomes that of the newest answer, if any price is new."""
    services: dict[str, Any] = json.loads(json.dumps(content["services"]))
    for key, (price, _date) in answers.items():
        *way, last = key.split("/")
        place = services
        for name in way:
            place = place.setdefault(name, {})
        place[last] = int(price) if price == int(price) else price
    dates = [date for _price, date in answers.values() if date]
    return {**content, "date": max([*dates, str(content["date"])]), "services": services}
