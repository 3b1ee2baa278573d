# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS Price List API: few products, in the shape and with the attributes that AWS gives them.

Prices are those of October 2025; some products of Frankfurt are left out, as a region may lack what another has.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry

registry.new_service("pricing")

_PUBLISHED = "2025-10-28T18:02:11Z"
# region code -> the prefix of its usage types
_REGIONS = {"us-east-1": "", "us-west-2": "USW2-", "eu-central-1": "EUC1-"}
_AURORA = {"databaseEngine": "Aurora PostgreSQL"}

_REGION_FIELDS = {"AWSDataTransfer": "fromRegionCode"}

# service, product family, usage type, unit, further attributes, price in each of the regions above
_PRODUCTS: tuple[tuple[str, str, str, str, dict[str, str], tuple[float, ...]], ...] = (
    ("AmazonEC2", "NAT Gateway", "NatGateway-Hours", "Hrs", {}, (0.045, 0.045, 0.052)),
    ("AmazonEC2", "NAT Gateway", "NatGateway-Bytes", "GB", {}, (0.045, 0.045, 0.052)),
    ("AWSELB", "Load Balancer-Application", "LoadBalancerUsage", "Hrs", {}, (0.0225, 0.0225, 0.027)),
    # The hour of a trust store, whose usage type ends like that of the load balancer.
    ("AWSELB", "Load Balancer-Application", "TS-LoadBalancerUsage", "Hrs", {}, (0.0056, 0.0056, 0.0064)),
    ("AWSELB", "Load Balancer-Application", "LCUUsage", "LCU-Hrs", {}, (0.008, 0.008, 0.008)),
    ("AmazonECS", "Compute", "Fargate-vCPU-Hours:perCPU", "hours", {}, (0.04048, 0.04048, 0.04656)),
    ("AmazonECS", "Compute", "Fargate-ARM-vCPU-Hours:perCPU", "hours", {}, (0.03238, 0.03238, 0.03725)),
    ("AmazonECS", "Compute", "Fargate-GB-Hours", "hours", {}, (0.004445, 0.004445, 0.00511)),
    ("AmazonECS", "Compute", "Fargate-ARM-GB-Hours", "hours", {}, (0.00356, 0.00356, 0.00409)),
    (
        "AmazonRDS",
        "Database Instance",
        "InstanceUsage:db.r6g.large",
        "Hrs",
        {**_AURORA, "instanceType": "db.r6g.large"},
        (0.26, 0.26),
    ),
    (
        "AmazonRDS",
        "Database Instance",
        "InstanceUsage:db.t4g.medium",
        "Hrs",
        {**_AURORA, "instanceType": "db.t4g.medium"},
        (0.073, 0.073),
    ),
    ("AmazonRDS", "ServerlessV2", "Aurora:ServerlessV2Usage", "ACU-Hr", _AURORA, (0.12, 0.12)),
    ("AmazonRDS", "System Operation", "Aurora:StorageIOUsage", "IOs", {}, (0.0000002, 0.0000002)),
    (
        "AmazonElastiCache",
        "Cache Instance",
        "NodeUsage:cache.t4g.micro",
        "Hrs",
        {"cacheEngine": "Redis", "instanceType": "cache.t4g.micro"},
        (0.016, 0.016),
    ),
    (
        "AmazonElastiCache",
        "Cache Instance",
        "NodeUsage:cache.t3.medium",
        "Hrs",
        {"cacheEngine": "Redis", "instanceType": "cache.t3.medium"},
        (0.068, 0.068),
    ),
    (
        "AmazonElastiCache",
        "Cache Instance",
        "NodeUsage:cache.t4g.micro",
        "Hrs",
        {"cacheEngine": "Valkey", "instanceType": "cache.t4g.micro"},
        (0.0128, 0.0128),
    ),
    ("AmazonRDS", "Storage Snapshot", "Aurora:BackupUsage", "GB-Mo", {}, (0.021, 0.021)),
    ("AmazonDynamoDB", "Amazon DynamoDB PayPerRequest Throughput", "WriteRequestUnits", "", {}, (0.000000625,) * 2),
    ("AmazonDynamoDB", "Amazon DynamoDB PayPerRequest Throughput", "IA-WriteRequestUnits", "", {}, (0.00000078,) * 2),
    (
        "AWSDataTransfer",
        "Data Transfer",
        "DataTransfer-Regional-Bytes",
        "GB",
        {"transferType": "IntraRegion"},
        (0.01, 0.01, 0.01),
    ),
    (
        "AWSDataTransfer",
        "Data Transfer",
        "USW2-AWS-Out-Bytes",
        "GB",
        {"transferType": "InterRegion Outbound", "toRegionCode": "us-west-2"},
        (0.02,),
    ),
    ("AmazonS3", "Storage", "TimedStorage-SIA-ByteHrs", "GB-Mo", {}, (0.0125, 0.0125, 0.0135)),
    ("AmazonS3", "Storage", "TimedStorage-ByteHrs", "GB-Mo", {"volumeType": "Standard"}, (0.023, 0.023, 0.0245)),
)


@registry.handles("pricing", "GetProducts")
def get_products(call: Call) -> Params:
    service = call.params["ServiceCode"]
    if service not in {product[0] for product in _PRODUCTS} | {"AmazonVPC", "AmazonCloudWatch"}:
        raise AwsError("NotFoundException", f"Service code {service} not found")
    products = [product for product in _all() if product["serviceCode"] == service and _fits(product, call.params)]
    return {"FormatVersion": "aws_v1", "PriceList": [json.dumps(product) for product in products]}


def _all() -> list[dict[str, Any]]:
    return [
        _product(
            service,
            family,
            f"{prefix}{usage}",
            unit,
            {**more, _REGION_FIELDS.get(service, "regionCode"): region},
            price,
        )
        for service, family, usage, unit, more, prices in _PRODUCTS
        for (region, prefix), price in zip(_REGIONS.items(), prices, strict=False)
    ]


def _product(
    service: str, family: str, usage: str, unit: str, attributes: dict[str, str], price: float
) -> dict[str, Any]:
    sku = hashlib.sha256(f"{service} {usage}".encode()).hexdigest()[:16].upper()
    code = f"{sku}.JRTCKXETXF"
    dimension = {
        "rateCode": f"{code}.6YS6EN2CT7",
        "unit": unit,
        "beginRange": "0",
        "endRange": "Inf",
        "appliesTo": [],
        "pricePerUnit": {"USD": f"{price:.10f}"},
    }
    term = {"sku": sku, "offerTermCode": "JRTCKXETXF", "priceDimensions": {f"{code}.6YS6EN2CT7": dimension}}
    return {
        "product": {"sku": sku, "productFamily": family, "attributes": {**attributes, "usagetype": usage}},
        "serviceCode": service,
        "terms": {"OnDemand": {code: term}},
        "publicationDate": _PUBLISHED,
    }


def _fits(product: dict[str, Any], wanted: Params) -> bool:
    told = {**product["product"]["attributes"], "productFamily": product["product"]["productFamily"]}
    return all(
        one["Value"] in told.get(one["Field"], "")
        if one["Type"] == "CONTAINS"
        else told.get(one["Field"]) == one["Value"]
        for one in wanted.get("Filters", ())
    )
