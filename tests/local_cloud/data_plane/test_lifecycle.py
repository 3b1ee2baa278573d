# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A cloud with all its servers ends, is killed, comes back."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from tests.local_cloud.data_plane.stage import Stage, address_of, eventually, forward, get

TOKEN = "a-token-of-sixteen-or-more"


@pytest.fixture(scope="module")
def full(stage: Stage) -> dict[str, Any]:
    """Three tasks behind a load balancer of two nodes, with a database and a cache."""
    rds, cache = stage.client("rds"), stage.client("elasticache")
    rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=stage.subnets)
    rds.create_db_cluster(
        DBClusterIdentifier="stories",
        Engine="aurora-postgresql",
        DatabaseName="library",
        MasterUsername="master",
        ManageMasterUserPassword=True,
        DBSubnetGroupName="data",
    )
    cache.create_cache_subnet_group(CacheSubnetGroupName="d", CacheSubnetGroupDescription="d", SubnetIds=stage.subnets)
    cache.create_replication_group(
        ReplicationGroupId="cache",
        ReplicationGroupDescription="cache",
        Engine="redis",
        CacheNodeType="cache.t3.medium",
        NumCacheClusters=2,
        TransitEncryptionEnabled=True,
        AuthToken=TOKEN,
        CacheSubnetGroupName="d",
    )
    eventually(lambda: rds.describe_db_clusters()["DBClusters"][0]["Status"] == "available")
    eventually(lambda: cache.describe_replication_groups()["ReplicationGroups"][0]["Status"] == "available")
    cluster = rds.describe_db_clusters()["DBClusters"][0]
    place = cache.describe_replication_groups()["ReplicationGroups"][0]["NodeGroups"][0]["PrimaryEndpoint"]
    secret = cluster["MasterUserSecret"]["SecretArn"]
    definition = stage.task_definition(
        environment={
            "DATABASE_HOST": cluster["Endpoint"],
            "DATABASE_NAME": "library",
            "REDIS_HOST": place["Address"],
            "REDIS_TLS": "true",
            "REDIS_AUTH_TOKEN": TOKEN,
        },
        secrets=[
            {"name": "DATABASE_USERNAME", "valueFrom": f"{secret}:username::"},
            {"name": "DATABASE_PASSWORD", "valueFrom": f"{secret}:password::"},
        ],
    )
    group = stage.target_group()
    balancer = stage.load_balancer(forward((group, 1)))
    service = stage.service(definition, group, desired=3)
    stage.steady(service)
    return {"balancer": balancer, "service": service, "group": group}


def views(balancer: dict[str, Any]) -> int:
    return int(get(balancer["url"] + "/")[1].partition("id='views'>")[2].partition("<")[0])


def memory_mib(pids: list[int]) -> float:
    """Proportional set size of the processes."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as lines:
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def test_three_tasks_two_nodes_a_database_and_a_cache_take_less_than_a_gibibyte(
    stage: Stage, full: dict[str, Any]
) -> None:
    pids = stage.pids()
    assert len(pids) >= 9  # supervisor, control plane, agent, load balancer, three tasks, Redis, PostgreSQL
    assert memory_mib(pids) < 1024


def test_data_and_services_come_back_after_down_and_up(stage: Stage, full: dict[str, Any]) -> None:
    before = views(full["balancer"])
    addresses = {address_of(task) for task in stage.tasks(full["service"])}
    stage.command("down")
    assert stage.pids() == []
    stage.up(os.getpid())
    eventually(lambda: stage.described(full["service"])["runningCount"] == 3)
    eventually(lambda: list(stage.health(full["group"]).values()) == ["healthy"] * 3)
    assert len(addresses) == 3
    assert views(full["balancer"]) == before + 1
    assert "Sindbad the Sailor" in get(full["balancer"]["url"] + "/library")[1]


def test_nothing_is_left_after_the_supervisor_is_killed_and_all_comes_back(stage: Stage, full: dict[str, Any]) -> None:
    before = views(full["balancer"])
    os.kill(json.loads((stage.state_dir / "supervisor.json").read_text())["pid"], signal.SIGKILL)
    eventually(lambda: stage.pids() == [], 30)
    stage.up(os.getpid())
    eventually(lambda: list(stage.health(full["group"]).values()) == ["healthy"] * 3)
    # Redis writes once a second what it holds.
    assert views(full["balancer"]) in (before, before + 1)


@pytest.mark.parametrize("part", ["local_cloud.data_plane", "local_cloud.control_plane"])
def test_nothing_is_left_after_one_part_is_killed(stage: Stage, full: dict[str, Any], part: str) -> None:
    record = json.loads((stage.state_dir / "supervisor.json").read_text())
    pids = record.get("pids") or record["parts"]
    os.kill(pids[part], signal.SIGKILL)
    eventually(lambda: stage.pids() == [], 30)
    stage.up(os.getpid())
    eventually(lambda: list(stage.health(full["group"]).values()) == ["healthy"] * 3)


def test_a_reset_ends_every_server_and_removes_its_data(stage: Stage, full: dict[str, Any]) -> None:
    stage.command("reset")
    eventually(lambda: len(stage.pids()) == 4)  # supervisor, control plane, agent, load balancer
    eventually(lambda: not [*(stage.state_dir / "databases").iterdir(), *(stage.state_dir / "caches").iterdir()])
