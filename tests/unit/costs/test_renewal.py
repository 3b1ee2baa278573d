"""Prices read out of what the AWS Price List API answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._costs.bill import bill
from ansible_collections.stories1001.platform.plugins.module_utils._costs.prices import flatten, price_list
from ansible_collections.stories1001.platform.plugins.module_utils._costs.renewal import (
    QUERIES,
    Query,
    filters,
    price_of,
    queries,
    renewed,
)
from ansible_collections.stories1001.platform.plugins.module_utils._costs.rules import RULES

from tests.unit.costs.test_bill import LISTS, described, read

QUERY = Query("nat_gateway/hour", "AmazonEC2", "NatGateway-Hours")


def product(usage: str, *tiers: tuple[str, str], published: str = "2026-01-15T10:00:00Z", currency: str = "USD") -> str:
    """A product as GetProducts answers it. tiers: (where it begins, price)."""
    dimensions: dict[str, Any] = {
        f"rate-{number}": {"unit": "Hrs", "beginRange": begin, "pricePerUnit": {currency: price}}
        for number, (begin, price) in enumerate(tiers)
    }
    terms = {"OnDemand": {"offer": {"priceDimensions": dimensions}}} if tiers else {"Reserved": {}}
    return json.dumps({"product": {"attributes": {"usagetype": usage}}, "terms": terms, "publicationDate": published})


@pytest.mark.parametrize(
    ("products", "expected"),
    [
        ([product("NatGateway-Hours", ("0", "0.0450000000"))], (0.045, "2026-01-15")),
        # A region's own prefix, and products of other names that end alike.
        (
            [product("EUC1-NatGateway-Hours", ("0", "0.052")), product("X-Y-NatGateway-Hours", ("0", "9"))],
            (0.052, "2026-01-15"),
        ),
        (
            [product("EU-NatGateway-Hours", ("0", "0.048")), product("TS-NatGateway-Hours", ("0", "9"))],
            (0.048, "2026-01-15"),
        ),
        ([product("USW2-TS-NatGateway-Hours", ("0", "9")), product("IA-NatGateway-Hours", ("0", "9"))], None),
        # What goes from one region to another begins with both.
        ([product("USE1-USW2-NatGateway-Hours", ("0", "0.02"))], (0.02, "2026-01-15")),
        # The first tier may be free.
        ([product("NatGateway-Hours", ("1024", "0.03"), ("0", "0"), ("2048", "0.02"))], (0.03, "2026-01-15")),
        ([product("NatGateway-Hours", ("0", "0"))], (0.0, "2026-01-15")),
        ([product("NatGateway-Bytes", ("0", "0.045"))], None),
        ([product("NatGateway-Hours")], None),
        ([product("NatGateway-Hours", ("0", "0.3"), currency="CNY")], None),
        ([], None),
    ],
)
def test_a_price_is_read_by_its_usage_type(products: list[str], expected: tuple[float, str] | None) -> None:
    assert price_of(QUERY, products) == expected


def test_two_prices_for_one_thing_are_an_error_and_the_same_twice_is_not() -> None:
    one, other = (product("NatGateway-Hours", ("0", price)) for price in ("0.045", "0.05"))
    assert price_of(QUERY, [one, one]) == (0.045, "2026-01-15")
    with pytest.raises(ValueError, match=r"nat_gateway/hour: \$0\.045, \$0\.05"):
        price_of(QUERY, [one, other])


def test_a_price_for_each_is_kept_for_a_million() -> None:
    query = next(query for query in QUERIES if query.key == "aurora/million_io")
    assert price_of(query, [product("Aurora:StorageIOUsage", ("0", "0.0000002"))]) == (0.2, "2026-01-15")


def test_every_price_of_a_region_that_a_platform_needs_is_asked_for() -> None:
    regional = dict(flatten(read(LISTS / "us-east-1.yml")["services"]))
    for profile in ("lean", "standard"):
        prices = price_list("us-east-1", {**read(LISTS / "us-east-1.yml"), "services": {}}, read(LISTS / "global.yml"))
        description = described(profile)
        bill(description, prices, RULES)
        classes, nodes = [description["rds_aurora_instance_class"]], [description["elasticache_node_type"]]
        asked = {query.key for query in queries(classes, nodes, "us-west-2")}
        assert set(prices.missing) <= regional.keys()
        assert set(prices.missing) <= asked


def test_sizes_of_the_description_are_asked_for_and_serverless_has_no_instance_hour() -> None:
    keys = [query.key for query in queries(["db.r6g.large", "db.serverless", "db.r6g.large"], ["cache.t4g.micro"])]
    assert keys[len(QUERIES) :] == [
        "aurora/instance_hour/db.r6g.large",
        "elasticache/redis_hour/cache.t4g.micro",
        "elasticache/valkey_hour/cache.t4g.micro",
    ]


def test_a_question_names_the_region_and_a_part_of_the_usage_type() -> None:
    told = filters(queries(["db.r6g.large"], [])[-1], "eu-west-1")
    assert {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-1"} in told
    assert {"Type": "CONTAINS", "Field": "usagetype", "Value": "InstanceUsage:db.r6g.large"} in told
    there = filters(queries([], [], "us-west-2")[-1], "eu-west-1")
    assert {"Type": "TERM_MATCH", "Field": "fromRegionCode", "Value": "eu-west-1"} in there
    assert {"Type": "TERM_MATCH", "Field": "toRegionCode", "Value": "us-west-2"} in there


def test_a_renewed_list_has_new_prices_and_the_date_of_the_newest() -> None:
    old = {"date": "2025-10-28", "services": {"kms": {"key_month": 1.0}}}
    new = renewed(old, {"nat_gateway/hour": (0.05, "2026-01-15"), "kms/key_month": (2.0, "2025-12-01")})
    assert new["services"] == {"kms": {"key_month": 2}, "nat_gateway": {"hour": 0.05}}
    assert new["date"] == "2026-01-15"
    assert old["services"] == {"kms": {"key_month": 1.0}}
