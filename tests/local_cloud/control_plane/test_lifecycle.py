# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starting, ending, killing and resetting a cloud."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import RunningCloud, free_port


def _processes_of(cloud: RunningCloud) -> list[int]:
    """Pids of all processes that carry the cloud's state directory in their environment."""
    marker = f"LOCAL_CLOUD_STATE_DIR={cloud.state_dir}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if marker in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:  # ended meanwhile
                continue
    return found


def _wait_until(condition: Callable[[], Any], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return bool(condition())


def _supervisor(cloud: RunningCloud) -> int:
    return int(json.loads((cloud.state_dir / "supervisor.json").read_text())["pid"])


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[RunningCloud]:
    cloud = RunningCloud(free_port(), tmp_path / "cloud")
    yield cloud
    cloud.command("down")


def _up(cloud: RunningCloud, *options: str) -> float:
    """Start it; returns the seconds until it was ready."""
    began = time.monotonic()
    answer = cloud.command("up", "--no-data-plane", *options)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == cloud.endpoint
    return time.monotonic() - began


def test_up_is_ready_within_15_seconds_and_again_changes_nothing(own_cloud: RunningCloud) -> None:
    assert _up(own_cloud) < 15
    own_cloud.client("ec2").describe_vpcs()
    first = _supervisor(own_cloud)
    _up(own_cloud)
    assert _supervisor(own_cloud) == first
    status = json.loads(own_cloud.command("status").stdout)
    assert status["running"]
    assert status["ready"]
    assert status["memory_mib"] < 300


def test_down_ends_every_process_and_again_changes_nothing(own_cloud: RunningCloud) -> None:
    _up(own_cloud)
    assert own_cloud.command("down").stdout.strip() == "ended"
    assert _processes_of(own_cloud) == []
    assert own_cloud.command("down").stdout.strip() == "nothing ran"
    assert own_cloud.command("status").returncode == 3


def test_a_killed_supervisor_leaves_no_process_behind(own_cloud: RunningCloud) -> None:
    _up(own_cloud)
    os.kill(_supervisor(own_cloud), signal.SIGKILL)
    assert _wait_until(lambda: not _processes_of(own_cloud), 10)
    _up(own_cloud)


def test_a_cloud_whose_control_plane_is_killed_ends(own_cloud: RunningCloud) -> None:
    _up(own_cloud)
    supervisor = _supervisor(own_cloud)
    control_plane = next(pid for pid in _processes_of(own_cloud) if pid != supervisor)
    os.kill(control_plane, signal.SIGKILL)
    assert _wait_until(lambda: not _processes_of(own_cloud), 10)


def test_a_cloud_ends_with_the_process_that_it_watches(own_cloud: RunningCloud) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as watched:
        _up(own_cloud, "--watch-pid", str(watched.pid))
        watched.kill()
    assert _wait_until(lambda: not _processes_of(own_cloud), 10)


def test_what_was_made_survives_down_and_a_kill(own_cloud: RunningCloud) -> None:
    _up(own_cloud)
    vpc = own_cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = {"us-east-1a": "10.0.1.0/24", "us-east-1b": "10.0.2.0/24"}
    subnets = [
        own_cloud.client("ec2").create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for zone, cidr in zones.items()
    ]
    own_cloud.client("elbv2").create_load_balancer(Name="stories", Subnets=subnets)
    own_cloud.client("s3").create_bucket(Bucket="kept")
    own_cloud.client("s3").put_object(Bucket="kept", Key="one", Body=b"hello")
    own_cloud.command("down")
    _up(own_cloud)
    own_cloud.client("sns").create_topic(Name="alerts")
    time.sleep(3)  # a write is saved one second after the last one
    os.kill(_supervisor(own_cloud), signal.SIGKILL)
    for pid in _processes_of(own_cloud):
        os.kill(pid, signal.SIGKILL)
    assert _wait_until(lambda: not _processes_of(own_cloud), 10)
    _up(own_cloud)
    assert own_cloud.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert own_cloud.client("elbv2").describe_load_balancers(Names=["stories"])["LoadBalancers"]
    assert own_cloud.client("s3").get_object(Bucket="kept", Key="one")["Body"].read() == b"hello"
    assert len(own_cloud.client("sns").list_topics()["Topics"]) == 1


def test_reset_empties_all_regions(cloud: RunningCloud) -> None:
    for region in ("us-east-1", "us-west-2"):
        cloud.client("ecs", region).create_cluster(clusterName="stories")
        cloud.client("elasticache", region).create_cache_parameter_group(
            CacheParameterGroupName="stories", CacheParameterGroupFamily="redis7", Description="x"
        )
    assert cloud.command("reset").stdout.strip() == "empty"
    for region in ("us-east-1", "us-west-2"):
        assert cloud.client("ecs", region).list_clusters()["clusterArns"] == []
        groups = cloud.client("elasticache", region).describe_cache_parameter_groups()["CacheParameterGroups"]
        assert all(group["CacheParameterGroupName"].startswith("default.") for group in groups)


def test_two_clouds_stand_side_by_side(own_cloud: RunningCloud, cloud: RunningCloud) -> None:
    _up(own_cloud)
    own_cloud.client("ecs").create_cluster(clusterName="one")
    assert cloud.client("ecs").list_clusters()["clusterArns"] == []


def test_up_on_a_taken_port_says_so(own_cloud: RunningCloud, cloud: RunningCloud) -> None:
    taken = RunningCloud(cloud.port, own_cloud.state_dir)
    answer = taken.command("up", "--no-data-plane")
    assert answer.returncode == 1
    assert f"port {cloud.port}: another program listens there" in answer.stderr


@pytest.mark.parametrize("python", ["/no/such/python", sys.executable])
def test_up_without_ministack_says_what_to_install(
    own_cloud: RunningCloud, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    monkeypatch.setenv("LOCAL_CLOUD_PYTHON", python)
    answer = own_cloud.command("up")
    assert answer.returncode == 1
    assert f"{python} has no ministack" in answer.stderr
    assert "local_cloud/requirements.txt" in answer.stderr


def test_it_listens_on_loopback_only(cloud: RunningCloud) -> None:
    port = f":{cloud.port:04X}"
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [fields[1] for fields in sockets if fields[3] == "0A" and fields[1].endswith(port)]
    assert listening == [f"0100007F{port}"]


def test_env_prints_what_a_client_exports(cloud: RunningCloud) -> None:
    lines = cloud.command("env").stdout.splitlines()
    assert f"export AWS_ENDPOINT_URL={cloud.endpoint}" in lines
    assert {line.split("=")[0].removeprefix("export ") for line in lines} >= {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
    }
