"""The bill: every quantity from the description, every price from the list, every gap named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stories1001.platform.plugins.module_utils._costs.bill import Description, bill, line, total
from ansible_collections.stories1001.platform.plugins.module_utils._costs.compute import spot_share
from ansible_collections.stories1001.platform.plugins.module_utils._costs.cost import cost, refusal
from ansible_collections.stories1001.platform.plugins.module_utils._costs.data import processors
from ansible_collections.stories1001.platform.plugins.module_utils._costs.plan import planned_lines, unpriced
from ansible_collections.stories1001.platform.plugins.module_utils._costs.prices import Prices, flatten, price_list
from ansible_collections.stories1001.platform.plugins.module_utils._costs.rules import BY_KIND, FREE, RULES
from ansible_collections.stories1001.platform.plugins.module_utils._costs.table import table
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused

ROOT = Path(__file__).resolve().parents[3]
LISTS = ROOT / "roles" / "cost_control" / "files" / "price_lists"


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def described(profile: str = "lean", **changes: Any) -> Description:
    """The production description as the inventory gives it, role defaults below."""
    values: dict[str, Any] = {}
    for defaults in sorted((ROOT / "roles").glob("*/defaults/main.yml")):
        values |= {name: value for name, value in (read(defaults) or {}).items() if "{{" not in str(value)}
    for name in (f"profiles/{profile}.yml", "profiles/usage.yml", "production/group_vars/all/platform.yml"):
        values |= read(ROOT / "inventories" / name)
    return Description({**values, **changes})


def prices(region: str = "us-east-1") -> Prices:
    return price_list(region, read(LISTS / f"{region}.yml"), read(LISTS / "global.yml"))


def without(description: Description, *names: str) -> Description:
    return Description({name: value for name, value in description.items() if name not in names})


def test_lean_fits_the_budget_and_standard_does_not() -> None:
    lean, standard = (cost(described(profile), prices()) for profile in ("lean", "standard"))
    assert lean["monthly_usd"] <= lean["budget_usd"] == 500
    assert not lean["over_budget"]
    assert standard["monthly_usd"] > 900
    assert standard["over_budget"]


def test_the_sum_is_that_of_the_lines_a_reader_adds_up() -> None:
    told = cost(described(), prices())
    assert told["monthly_usd"] == round(sum(one["monthly_usd"] for one in told["resources"]), 2)


def test_each_line_can_be_reckoned_again_from_its_own_words() -> None:
    for one in bill(described("standard"), prices(), RULES):
        parts = re.findall(r"([\d,.]+) [^+]*? x \$([\d.]+)", one.how)
        again = sum(float(quantity.replace(",", "")) * float(price) for quantity, price in parts)
        # The words round quantities to a thousandth.
        assert again == pytest.approx(one.monthly_usd, abs=0.02), one


@pytest.mark.parametrize(
    ("kind", "name", "changes", "usd"),
    [
        # Checked by hand against the price pages of us-east-1.
        ("nat_gateway", "stories-production-nat-1", {"platform_usage_nat_gb": 100}, 730 * 0.045 + 4.5),
        ("nat_gateway", "stories-production-nat-3", {"networking_nat_gateways": "single"}, 730 * 0.045),
        ("db_instance", "stories-production-1", {"rds_aurora_instance_class": "db.r6g.large"}, 730 * 0.26),
        (
            "db_instance",
            "stories-production-1",
            {"rds_aurora_instance_class": "db.serverless", "platform_usage_serverless_acu": 2},
            730 * 2 * 0.12,
        ),
        ("db_proxy", "stories-production", {"rds_aurora_instance_class": "db.r6g.xlarge"}, 730 * 8 * 0.015),
        ("db_proxy", "stories-production", {"rds_aurora_instance_class": "db.serverless"}, 730 * 8 * 0.015),
        ("replication_group", "stories-production", {"elasticache_node_type": "cache.t3.medium"}, 730 * 2 * 0.068),
        (
            "ecs_service",
            "stories-production-app-blue",
            {"ecs_service_cpu_architecture": "X86_64", "platform_usage_extra_tasks": 0},
            730 * 2 * (0.5 * 0.04048 + 0.004445) + 0.6,
        ),
        ("web_acl", "stories-production", {"platform_usage_requests": 10e6}, 5 + 6 + 6),
        ("load_balancer", "stories-production", {"platform_usage_origin_gb": 0}, 730 * (0.0225 + 0.015) + 0.13),
        ("distribution", "stories-production", {"platform_usage_cdn_gb": 1000}, 0),
        (
            "distribution",
            "stories-production",
            {"platform_usage_cdn_gb": 1124, "platform_usage_cdn_far_percent": 50},
            50 * 0.085 + 50 * 0.12,
        ),
        # HTTPS and latency; $1 for each of them.
        ("health_check", "stories-production-site", {}, 2.5),
        ("health_check", "stories-production-site", {"monitoring_site_latency": False}, 1.5),
        ("vpc_endpoint", "stories-production-s3", {}, 0),
        (
            "vpc_endpoint",
            "stories-production-ecr.api",
            {"networking_interface_endpoints": ["ecr.api"], "platform_usage_endpoint_gb": 0},
            730 * 3 * 0.01,
        ),
    ],
)
def test_a_resource_costs_what_the_price_page_says(
    kind: str, name: str, changes: Mapping[str, Any], usd: float
) -> None:
    assert line(BY_KIND[kind], name, described(**changes), prices()).monthly_usd == pytest.approx(usd, abs=0.01)


def test_tasks_on_spot_cost_less_by_the_assumed_discount() -> None:
    strategy = [
        {"capacity_provider": "FARGATE", "base": 2, "weight": 1},
        {"capacity_provider": "FARGATE_SPOT", "weight": 3},
    ]
    assert spot_share(strategy) == 0.75
    assert spot_share([]) == 0
    paid = [
        line(
            BY_KIND["ecs_service"],
            "stories-production-app-blue",
            described(ecs_service_capacity_provider_strategy=given, platform_usage_spot_discount_percent=60),
            prices(),
        ).monthly_usd
        - 0.6
        for given in ([], strategy)
    ]
    assert paid[1] == pytest.approx(paid[0] * (1 - 0.75 * 0.6), abs=0.01)


def test_a_size_without_price_is_named_with_its_list() -> None:
    changes = {"rds_aurora_instance_class": "db.x2g.large", "elasticache_node_type": "cache.none"}
    with pytest.raises(PlanRefused) as refused:
        cost(described(**changes), prices())
    [sentence] = refused.value.problems
    assert "aurora/instance_hour/db.x2g.large" in sentence
    assert "elasticache/redis_hour/cache.none" in sentence
    assert "us-east-1 (2025-10-28)" in sentence


def test_a_region_without_a_list_is_named() -> None:
    with pytest.raises(PlanRefused, match="price list of region eu-south-2"):
        price_list("eu-south-2", None, read(LISTS / "global.yml"))


def test_a_region_whose_list_has_gaps_names_them_all() -> None:
    with pytest.raises(PlanRefused, match=re.escape("aurora/instance_hour/db.t4g.medium")) as refused:
        cost(described(platform_region="eu-central-1"), prices("eu-central-1"))
    assert "rds_proxy/vcpu_hour" in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"region": "eu-west-1"}, "region 'eu-west-1'"),
        ({"currency": "EUR"}, "currency 'EUR'"),
        ({"date": None}, "date None"),
        ({"services": {"kms": {"key_month": -1}}}, "kms/key_month"),
        ({"services": {"kms": {"key_month": "one"}}}, "'one'"),
    ],
)
def test_a_broken_list_is_named(changes: Mapping[str, Any], named: str) -> None:
    with pytest.raises(PlanRefused, match=re.escape(named)):
        price_list("us-east-1", {**read(LISTS / "us-east-1.yml"), **changes}, read(LISTS / "global.yml"))


@pytest.mark.parametrize("path", sorted(LISTS.glob("*.yml")), ids=lambda path: path.stem)
def test_every_list_is_dated_and_names_the_page_of_each_service(path: Path) -> None:
    content = read(path)
    assert content["region"] == path.stem
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", content["date"])
    for name, service in content["services"].items():
        assert service["source"].startswith("https://aws.amazon.com/"), name
        assert list(flatten({name: service})), name


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"platform_usage_nat_gb": -1}, "platform_usage_nat_gb -1; it cannot be negative"),
        ({"platform_usage_requests": "many"}, "platform_usage_requests 'many'; that is no number"),
        ({"platform_usage_requests": True}, "platform_usage_requests True"),
        ({"platform_usage_cdn_far_percent": 120}, "share of 100"),
        ({"platform_monthly_budget_usd": "five"}, "platform_monthly_budget_usd 'five'"),
        ({"platform_accept_cost_usd": "all"}, "platform_accept_cost_usd 'all'"),
    ],
)
def test_nonsense_in_the_usage_is_named(changes: Mapping[str, Any], named: str) -> None:
    with pytest.raises(PlanRefused, match=re.escape(named)):
        cost(described(**changes), prices())


def test_everything_missing_is_named_at_once() -> None:
    gone = ("platform_usage_log_gb", "platform_usage_nat_gb", "platform_monthly_budget_usd")
    with pytest.raises(PlanRefused) as refused:
        cost(without(described(), *gone), prices())
    assert len(refused.value.problems) == len(gone)
    assert all(any(name in problem for problem in refused.value.problems) for name in gone)


def test_the_guard_stops_above_the_budget_unless_a_sum_is_accepted() -> None:
    over = described("standard")
    told = cost(over, prices())
    reason = refusal(told, over)
    assert reason is not None
    assert f"-e platform_accept_cost_usd={int(told['monthly_usd']) + 1}" in reason
    enough = described("standard", platform_accept_cost_usd=str(int(told["monthly_usd"]) + 1))
    assert refusal(told, enough) is None
    little = described("standard", platform_accept_cost_usd=600)
    assert "platform_accept_cost_usd 600" in str(refusal(told, little))
    assert refusal(cost(described(), prices()), described()) is None


def test_a_plan_tells_what_happens_to_each_resource_and_counts_it_once() -> None:
    records = [
        {"play": "Check", "task": "check"},
        {
            "play": "Phase 1: network",
            "task": "make",
            "changed": True,
            "steps": ["nat_gateway/stories-production-nat-1:create", "vpc/stories-production:tag"],
            "resources": {"nat_gateway": ["stories-production-nat-1"], "subnet": ["stories-production-app-1"]},
        },
        {
            "play": "Phase 2: database",
            "task": "make",
            "changed": True,
            "steps": ["db_instance/stories-production-3:delete", "kms_key/stories-production-data:change"],
            "resources": {"db_instance": ["stories-production-1"]},
        },
        {"play": "Phase 4: edge", "task": "again", "resources": {"nat_gateway": ["stories-production-nat-1"]}},
        {"play": "Phase 4: edge", "task": "stories1001.platform.release : Make an alarm", "changed": True},
        {"play": "Phase 4: edge", "task": "new", "resources": {"spaceship": ["one"]}},
    ]
    lines = planned_lines(records, described(), prices())
    actions = {(one.phase, one.kind, one.name): one.action for one in lines if one.action}
    assert actions == {
        (1, "nat_gateway", "stories-production-nat-1"): "create",
        (1, "vpc", "stories-production"): "change",
        (1, "subnet", "stories-production-app-1"): "keep",
        (2, "db_instance", "stories-production-3"): "destroy",
        (2, "db_instance", "stories-production-1"): "keep",
        (2, "kms_key", "stories-production-data"): "change",
        (4, "task", "Make an alarm"): "change",
        (4, "spaceship", "one"): "keep",
    }
    assert unpriced(records) == ["spaceship"]
    assert total(lines) == round(sum(one.monthly_usd for one in lines), 2)
    destroyed = next(one for one in lines if one.action == "destroy")
    assert destroyed.monthly_usd == 0
    assert destroyed.how == "ends; one like it costs $53.29"


def test_the_table_names_every_part_that_costs_and_the_verdict() -> None:
    records = [{"play": "Phase 1: x", "task": "y", "steps": ["nat_gateway/stories-production-nat-1:create"]}]
    told = cost(described(), prices(), records)
    text = "\n".join(table(told))
    assert "+     34.65  nat_gateway stories-production-nat-1  730 h x $0.045 + 40 GB x $0.045" in text
    assert "1 to create, 0 to change, 0 to destroy" in text
    assert "within the budget of $500.00" in text
    assert "2025-10-28" in text


def test_resources_that_are_alike_are_one_line_of_the_table() -> None:
    steps = [f"metric_alarm/alarm-{number}:create" for number in range(80)]
    told = cost(described(), prices(), [{"play": "Phase 5: x", "task": "y", "steps": steps}])
    [line_of_alarms] = [text for text in table(told) if "metric_alarm" in text]
    assert line_of_alarms == " +      8.00  80 x metric_alarm alarm-0 and 79 more  1 alarm x $0.1"


def test_no_kind_is_both_priced_and_free() -> None:
    assert not FREE & set(BY_KIND)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("db.t4g.medium", 2), ("db.r6g.large", 2), ("db.r6g.xlarge", 4), ("db.r6g.12xlarge", 48), ("db.odd", 0)],
)
def test_an_instance_class_has_its_processors(name: str, expected: int) -> None:
    assert processors(name) == expected
