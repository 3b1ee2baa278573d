"""No task may tell which way its module ran. The gate for every new ansible-core, amazon.aws or botocore.

Each side has an embedded cloud of its own, brought to the same state by the same runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.warm_worker.normal import differences, normal
from tests.support.ansible import PlayResult, run_playbook
from tests.support.cloud import ROOT, Cloud, running

PROBES = "tests/integration/warm_worker/probes.yml"


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, Cloud]]:
    with running(tmp_path_factory.mktemp("stock")) as stock, running(tmp_path_factory.mktemp("warm")) as warm:
        yield stock, warm


@pytest.fixture(scope="module")
def whole_clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, Cloud]]:
    """With data planes. Their ports follow from the cloud's, so the two must not collide."""
    with (
        running(tmp_path_factory.mktemp("stock"), data_plane=True) as stock,
        running(tmp_path_factory.mktemp("warm"), data_plane=True) as warm,
    ):
        yield stock, warm


Pair = tuple[PlayResult, PlayResult]


def both(clouds: tuple[Cloud, Cloud], playbook: str, *options: str, **variables: Any) -> Pair:
    """Run it on both sides at the same time."""

    def one(cloud: Cloud, warm: bool) -> PlayResult:
        return run_playbook(
            cloud,
            playbook,
            *options,
            variables={
                "platform_warm_worker": warm,
                **variables,
            },
        )

    with ThreadPoolExecutor(2) as pool:
        stock, warm = pool.map(one, clouds, (False, True))
    assert "without the warm worker" not in warm.output, warm.output[-3000:]
    return stock, warm


def assert_same(pair: Pair) -> None:
    stock, warm = pair
    assert stock.tasks, stock.output[-3000:]
    found = [
        f"{name}{line}"
        for (name, one), (its_name, other) in zip(normal(stock.tasks), normal(warm.tasks), strict=True)
        for line in differences({"name": name, **one}, {"name": its_name, **other})
    ]
    assert not found, "\n".join(found)
    assert (stock.returncode, stock.stats) == (warm.returncode, warm.stats)


def drift(clouds: tuple[Cloud, Cloud], change: Callable[[Cloud], None]) -> None:
    for cloud in clouds:
        change(cloud)


def break_a_group(cloud: Cloud) -> None:
    """What somebody may do in the console: rename the VPC's Component, open a group."""
    ec2 = cloud.client("ec2")
    groups = ec2.describe_security_groups(Filters=[{"Name": "tag:Name", "Values": ["stories-local-rds"]}])
    group = groups["SecurityGroups"][0]["GroupId"]
    ec2.create_tags(Resources=[group], Tags=[{"Key": "Project", "Value": "1001-stories"}, {"Key": "odd", "Value": "1"}])


@pytest.mark.timeout(900)
def test_phase_1_planned_made_made_again_and_refused(clouds: tuple[Cloud, Cloud]) -> None:
    assert_same(both(clouds, "playbooks/phase1.yml", "--check", "--diff"))
    assert_same(both(clouds, "playbooks/phase1.yml"))
    drift(clouds, break_a_group)
    assert_same(both(clouds, "playbooks/phase1.yml", "--diff"))
    # A range that AWS cannot change on a standing network: the plan is refused and the play ends.
    refused = both(clouds, "playbooks/phase1.yml", networking_cidr_block="10.0.0.0/17")
    assert_same(refused)
    assert refused[1].returncode != 0


def test_failures_loops_and_settings_of_tasks(clouds: tuple[Cloud, Cloud], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_ACTION_PLUGINS", str(ROOT / "playbooks" / "action_plugins"))
    pair = both(clouds, PROBES)
    assert_same(pair)
    failed = {name for name, result in pair[1].tasks if result.get("failed")}
    assert {"An argument of a wrong type", "A region that AWS does not know", "A wrong key"} <= failed
    assert "Connection refused" in dict(pair[1].tasks)["A database that does not answer"]["msg"]


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_whole_roadmap_planned_made_again_drifted_and_refused(whole_clouds: tuple[Cloud, Cloud]) -> None:
    site = "playbooks/site.yml"
    assert_same(both(whole_clouds, site, "--check", "--diff"))
    assert_same(both(whole_clouds, site))
    assert_same(both(whole_clouds, site, "--check"))
    assert_same(both(whole_clouds, site, "--diff"))
    drift(whole_clouds, break_a_group)
    assert_same(both(whole_clouds, site, "--check", "--diff"))
    # A name that AWS cannot change on a standing cluster. It is refused in a lane; what is beside it comes to its end.
    stock, warm = both(whole_clouds, site, rds_aurora_database_name="another")
    assert {name for name, _result in stock.tasks} <= {name for name, _result in warm.tasks}
    assert stock.errors == warm.errors
    assert stock.returncode == warm.returncode != 0
