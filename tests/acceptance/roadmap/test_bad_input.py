"""Each bad input gives one clear error before the first write, whatever phase it would have struck."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.ansible import run_playbook
from tests.support.cloud import ROOT, Cloud, running

# What is wrong with the description, and a part of the one sentence that tells it.
BAD: Mapping[str, tuple[dict[str, Any], str]] = {
    "overlapping subnets": (
        {"networking_app_subnets": ["10.0.1.0/24", "10.0.1.128/25", "10.0.3.0/24"]},
        "overlaps 10.0.1.0/24",
    ),
    "a subnet outside the VPC": (
        {"networking_data_subnets": ["10.9.1.0/24", "10.0.12.0/24", "10.0.13.0/24"]},
        "outside the VPC",
    ),
    "a mask that does not exist": ({"networking_cidr_block": "10.0.0.0/40"}, "Write it like 10.0.0.0/16"),
    "two subnets in one zone": (
        {"platform_availability_zones": ["us-east-1a", "us-east-1a", "us-east-1b"]},
        "Name each zone once",
    ),
    "a name that starts with a digit": ({"platform_name": "1001-stories"}, "beginning with a letter"),
    "a name that is too long": ({"platform_name": "stories-of-all-the-children"}, "Shorten platform_name"),
    "an unknown key": ({"networking_cidr_blok": "10.0.0.0/16"}, "Did you mean networking_cidr_block?"),
    "an unknown choice": ({"networking_nat_gateways": "two"}, "must be one of: none, single, per_zone"),
    "a wrong type": ({"networking_app_subnets": {"a": 1}}, "networking_app_subnets"),
    "a minimum above the maximum": (
        {"ecs_service_min_capacity": 11, "ecs_service_max_capacity": 10},
        "minimum lies above the maximum",
    ),
    "no certificate": ({"load_balancer_domain_name": ""}, "HTTPS needs a certificate"),
    "a name that no certificate covers": (
        {"cloudfront_waf_domain_name": "www.elsewhere.test"},
        "CloudFront would refuse to ask it",
    ),
    "an unknown rule action": (
        {"cloudfront_waf_managed_rules": [{"name": "AWSManagedRulesSQLiRuleSet", "action": "stop"}]},
        "must be one of: count, block",
    ),
    "a text for a number": ({"release_poll": "soon"}, "release_poll"),
}


@pytest.fixture(scope="module")
def empty_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def told(empty_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What the first task of site.yml says to each description: one play a description, all in one process."""
    (first, *_phases) = yaml.safe_load((ROOT / "playbooks" / "site.yml").read_text(encoding="utf-8"))
    preflight = first["tasks"][0]
    assert "stories1001.platform.platform_preflight" in preflight
    plays = [
        {
            "hosts": "platform",
            "gather_facts": False,
            "vars_files": [str(ROOT / "playbooks" / "vars" / "platform.yml")],
            "vars": variables,
            "tasks": [{**preflight, "name": name, "ignore_errors": True}],
        }
        for name, (variables, _sentence) in BAD.items()
    ]
    playbook = tmp_path_factory.mktemp("plays") / "bad.yml"
    playbook.write_text(yaml.safe_dump(plays), encoding="utf-8")
    result = run_playbook(empty_cloud, str(playbook))
    return {name: task["msg"] for name, task in result.tasks if task.get("failed")}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_description_is_told_in_one_sentence(told: Mapping[str, str], what: str) -> None:
    assert BAD[what][1] in told[what]
    assert len(told[what].splitlines()) == 1


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"networking_nat_gateways": "two"}, "must be one of: none, single, per_zone"),
        ({"platform_region": "us-esat-1", "platform_availability_zones": ["us-esat-1a"]}, "us-esat-1"),
        ({"platform_availability_zones": ["us-east-1a", "us-east-1b", "us-east-1z"]}, "us-east-1z"),
        ({"rds_aurora_engine_version": "15.99"}, "Wanted engine version 15.99; AWS offers 15."),
        ({"elasticache_engine_version": "7.9"}, "Wanted redis 7.9; ElastiCache offers "),
    ],
    ids=["by the description's rules", "by the region", "by its zones", "by the database's", "by the cache's versions"],
)
def test_the_roadmap_stops_at_a_bad_description_before_the_first_write(
    empty_cloud: Cloud, variables: dict[str, Any], sentence: str
) -> None:
    with empty_cloud.recorded() as calls:
        result = run_playbook(empty_cloud, "playbooks/site.yml", variables=variables)
    assert result.returncode != 0
    (error,) = result.errors
    assert sentence in error
    assert not [call["action"] for call in calls if call["writes"]]


def test_without_credentials_the_error_says_where_to_put_them(empty_cloud: Cloud) -> None:
    nobody = {"platform_aws_access_key": "", "platform_aws_secret_key": ""}
    result = run_playbook(empty_cloud, "playbooks/phase1.yml", variables=nobody, keys=False)
    (error,) = result.errors
    assert "no AWS credentials" in error
    assert "AWS_PROFILE" in error


@pytest.mark.parametrize(
    ("playbook", "phase"), [("phase2.yml", 1), ("phase3.yml", 1), ("phase4.yml", 1), ("phase7.yml", 3)]
)
def test_a_phase_whose_predecessor_is_missing_says_which_to_run(empty_cloud: Cloud, playbook: str, phase: int) -> None:
    with empty_cloud.recorded() as calls:
        result = run_playbook(empty_cloud, f"playbooks/{playbook}")
    (error,) = result.errors
    assert f"Run playbooks/phase{phase}.yml first." in error
    assert not [call["action"] for call in calls if call["writes"]]


@pytest.mark.parametrize("environment", ["local", "staging", "production"])
def test_the_inventories_that_come_with_the_collection_pass(
    empty_cloud: Cloud, environment: str, tmp_path: Path
) -> None:
    (first, *_phases) = yaml.safe_load((ROOT / "playbooks" / "site.yml").read_text(encoding="utf-8"))
    play = {
        "hosts": "platform",
        "gather_facts": False,
        "vars_files": [str(ROOT / "playbooks" / "vars" / "platform.yml")],
        "tasks": first["tasks"][:1],
    }
    playbook = tmp_path / "good.yml"
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    result = run_playbook(empty_cloud, str(playbook), inventory=f"inventories/{environment}")
    assert result.returncode == 0, result.errors
