"""Each bad input gives one clear error before the first write, whatever phase it would have struck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.ansible import run_playbook
from tests.support.cloud import Cloud, running


@pytest.fixture(scope="module")
def empty_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"networking_app_subnets": ["10.0.1.0/24", "10.0.1.128/25", "10.0.3.0/24"]}, "overlaps 10.0.1.0/24"),
        ({"networking_data_subnets": ["10.9.1.0/24", "10.0.12.0/24", "10.0.13.0/24"]}, "outside the VPC"),
        ({"networking_cidr_block": "10.0.0.0/40"}, "Write it like 10.0.0.0/16"),
        ({"platform_availability_zones": ["us-east-1a", "us-east-1a", "us-east-1b"]}, "Name each zone once"),
        ({"platform_name": "1001-stories"}, "beginning with a letter"),
        ({"platform_name": "stories-of-all-the-children"}, "Shorten platform_name"),
        ({"networking_cidr_blok": "10.0.0.0/16"}, "Did you mean networking_cidr_block?"),
        ({"networking_nat_gateways": "two"}, "must be one of: none, single, per_zone"),
        ({"networking_app_subnets": {"a": 1}}, "networking_app_subnets"),
        ({"platform_region": "us-esat-1", "platform_availability_zones": ["us-esat-1a"] * 1}, "us-esat-1"),
        ({"platform_availability_zones": ["us-east-1a", "us-east-1b", "us-east-1z"]}, "us-east-1z"),
        ({"ecs_service_min_capacity": 11, "ecs_service_max_capacity": 10}, "minimum lies above the maximum"),
    ],
)
def test_a_bad_description_is_told_once_and_nothing_is_written(
    empty_cloud: Cloud, variables: dict[str, Any], told: str
) -> None:
    with empty_cloud.recorded() as calls:
        result = run_playbook(empty_cloud, "playbooks/site.yml", variables=variables)
    assert result.returncode != 0
    (error,) = result.errors
    assert told in error
    assert not [call["action"] for call in calls if call["writes"]]


def test_without_credentials_the_error_says_where_to_put_them(empty_cloud: Cloud) -> None:
    nobody = {"platform_aws_access_key": "", "platform_aws_secret_key": ""}
    result = run_playbook(empty_cloud, "playbooks/phase1.yml", variables=nobody, keys=False)
    (error,) = result.errors
    assert "no AWS credentials" in error
    assert "AWS_PROFILE" in error


@pytest.mark.parametrize(("playbook", "phase"), [("phase2.yml", 1), ("phase3.yml", 1)])
def test_a_phase_whose_predecessor_is_missing_says_which_to_run(empty_cloud: Cloud, playbook: str, phase: int) -> None:
    with empty_cloud.recorded() as calls:
        result = run_playbook(empty_cloud, f"playbooks/{playbook}")
    (error,) = result.errors
    assert f"Run playbooks/phase{phase}.yml first." in error
    assert not [call["action"] for call in calls if call["writes"]]
