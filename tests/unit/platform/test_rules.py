"""The rules of the platform description that reach across fields."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._platform.rules import broken, owner, unknown

GOOD: dict[str, Any] = {
    "platform_name": "stories",
    "platform_environment": "production",
    "platform_region": "us-east-1",
    "platform_availability_zones": ["us-east-1a", "us-east-1b"],
    "networking_cidr_block": "10.0.0.0/16",
    "networking_public_subnets": ["10.0.101.0/24", "10.0.102.0/24"],
    "networking_app_subnets": ["10.0.1.0/24", "10.0.2.0/24"],
    "networking_data_subnets": ["10.0.11.0/24", "10.0.12.0/24"],
    "ecs_service_min_capacity": 2,
    "ecs_service_max_capacity": 10,
    "load_balancer_domain_name": "www.stories.org",
    "load_balancer_alternative_domain_names": ["*.stories.org"],
    "load_balancer_hosted_zone_id": "Z1",
    "load_balancer_certificate_arn": "",
    "cloudfront_waf_domain_name": "www.stories.org",
    "cloudfront_waf_alternative_domain_names": ["books.stories.org"],
    "cloudfront_waf_hosted_zone_id": "Z1",
    "cloudfront_waf_origin_domain_name": "",
}
ROLES = ["networking", "load_balancer", "cloudfront_waf"]


def test_a_good_description_breaks_no_rule() -> None:
    assert broken(GOOD, ROLES) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"platform_name": "1stories"}, "beginning with a letter"),
        ({"platform_name": "Stories"}, "lower-case"),
        ({"platform_name": "stories--x"}, "single hyphens"),
        ({"platform_name": "stories-of-children"}, "Shorten platform_name"),
        ({"platform_availability_zones": ["us-east-1a", "us-east-1a"]}, "twice"),
        ({"platform_availability_zones": ["us-east-1a", "eu-west-1b"]}, "none of platform_region us-east-1"),
        ({"networking_app_subnets": ["10.0.1.0/24", "10.0.1.0/25"]}, "overlaps 10.0.1.0/24"),
        ({"networking_app_subnets": ["10.0.1.0/24", "192.168.0.0/24"]}, "outside the VPC's 10.0.0.0/16"),
        ({"ecs_service_min_capacity": 11}, "the minimum lies above the maximum"),
        ({"cloudfront_waf_aliases": ["recovery.stories.org"]}, "which the certificate does not cover"),
        ({"cloudfront_waf_domain_name": "stories.org"}, "Read the name stories.org and a load balancer"),
        ({"cloudfront_waf_alternative_domain_names": ["a.b.stories.org"]}, "Read the name a.b.stories.org"),
        ({"cloudfront_waf_domain_name": "", "cloudfront_waf_alternative_domain_names": []}, "Read no cloudfront_waf"),
        ({"load_balancer_alternative_domain_names": ["*.stories.org", "stories.com"]}, "which no single zone can hold"),
    ],
)
def test_a_broken_rule_is_one_sentence_that_says_what_to_do(change: dict[str, Any], sentence: str) -> None:
    (told,) = broken({**GOOD, **change}, ROLES)
    assert sentence in told


def test_a_load_balancer_needs_a_name_or_a_certificate() -> None:
    nameless = {**GOOD, "load_balancer_domain_name": "", "load_balancer_alternative_domain_names": []}
    (told,) = broken(nameless, ["load_balancer"])
    assert "HTTPS needs a certificate" in told
    assert broken({**nameless, "load_balancer_certificate_arn": "arn:aws:acm:c"}, ["load_balancer"]) == []


def test_cloudfront_may_ask_the_load_balancer_by_a_name_of_its_own() -> None:
    other = {"cloudfront_waf_domain_name": "stories.com", "cloudfront_waf_origin_domain_name": "origin.stories.org"}
    assert broken({**GOOD, **other, "cloudfront_waf_hosted_zone_id": ""}, ROLES) == []


def test_everything_wrong_is_reported_at_once() -> None:
    assert len(broken({**GOOD, "platform_name": "1", "ecs_service_min_capacity": 11}, [])) == 2


def test_a_rule_of_a_role_that_does_not_run_is_not_asked() -> None:
    assert broken({"platform_name": "s", "platform_environment": "e"}, []) == []


def test_a_misspelt_variable_is_told_with_the_nearest_name() -> None:
    (told,) = unknown(["networking_cidr_blok"], "networking", ["networking_cidr_block"])
    assert told.endswith("Did you mean networking_cidr_block?")


def test_a_variable_belongs_to_the_role_with_the_longest_fitting_name() -> None:
    assert owner("ecs_service_min_capacity", ["ecs", "ecs_service"]) == "ecs_service"
    assert owner("platform_name", ["ecs"]) is None
