# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Faults that are switched on and off while a cloud runs."""

from __future__ import annotations

import time
import urllib.error
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from .conftest import RunningCloud


@pytest.fixture
def cloud(cloud: RunningCloud) -> Iterator[RunningCloud]:
    yield cloud
    cloud.admin("DELETE", "/faults")
    cloud.admin("POST", "/latency", {"enabled": False})


# service, read call, code and status with which the service throttles
THROTTLES = [
    ("ec2", "describe_vpcs", "RequestLimitExceeded", 503),
    ("s3", "list_buckets", "SlowDown", 503),
    ("elbv2", "describe_load_balancers", "Throttling", 400),
    ("rds", "describe_db_clusters", "Throttling", 400),
    ("ecs", "list_clusters", "ThrottlingException", 400),
    ("cloudwatch", "describe_alarms", "ThrottlingException", 400),
    ("lambda", "list_functions", "TooManyRequestsException", 429),
    ("route53", "list_hosted_zones", "Throttling", 400),
]


@pytest.mark.parametrize(("service", "method", "code", "status"), THROTTLES, ids=[row[0] for row in THROTTLES])
def test_a_throttled_call_answers_as_its_service_throttles(
    cloud: RunningCloud, service: str, method: str, code: str, status: int
) -> None:
    cloud.admin("POST", "/faults", {"kind": "throttle", "service": service})
    with pytest.raises(ClientError) as caught:
        getattr(cloud.client(service), method)()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert not cloud.admin("GET", "/calls")[-1]["took_effect"]


def test_a_client_that_retries_gets_over_a_fault_with_a_count(cloud: RunningCloud) -> None:
    cloud.admin("POST", "/faults", {"kind": "throttle", "service": "ecs", "action": "List*", "count": 1})
    cloud.client("ecs", retries=True).list_clusters()
    assert [entry["error"] for entry in cloud.admin("GET", "/calls")] == ["ThrottlingException", None]


def test_a_server_error_can_have_any_code_and_status(cloud: RunningCloud) -> None:
    fault = {"kind": "error", "code": "ExpiredTokenException", "status": 403, "service": "ecs"}
    cloud.admin("POST", "/faults", fault)
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        cloud.client("ecs").list_clusters()


def test_a_lost_reply_takes_effect(cloud: RunningCloud) -> None:
    cloud.admin("POST", "/faults", {"kind": "lost_reply", "service": "ec2", "action": "CreateVpc"})
    with pytest.raises(ConnectionClosedError):
        cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert len(cloud.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]) == 1
    entry = cloud.admin("GET", "/calls?writes=1")[0]
    assert (entry["error"], entry["status"], entry["took_effect"]) == ("LostReply", 0, True)


def _vpc_endpoint(cloud: RunningCloud) -> int:
    ec2 = cloud.client("ec2", retries=True)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    cloud.admin("POST", "/faults", {"kind": "lost_reply", "action": "CreateVpcEndpoint", "count": 1})
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", ClientToken="once")
    return len(ec2.describe_vpc_endpoints()["VpcEndpoints"])


def _nat_gateway(cloud: RunningCloud) -> int:
    ec2 = cloud.client("ec2", retries=True)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    cloud.admin("POST", "/faults", {"kind": "lost_reply", "action": "CreateNatGateway", "count": 1})
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
    return len(ec2.describe_nat_gateways()["NatGateways"])


def _secret(cloud: RunningCloud) -> int:
    client = cloud.client("secretsmanager", retries=True)
    cloud.admin("POST", "/faults", {"kind": "lost_reply", "action": "CreateSecret", "count": 1})
    client.create_secret(Name="x", SecretString="y")
    return len(client.list_secrets()["SecretList"])


def _certificate(cloud: RunningCloud) -> int:
    client = cloud.client("acm", retries=True)
    cloud.admin("POST", "/faults", {"kind": "lost_reply", "action": "RequestCertificate", "count": 1})
    client.request_certificate(DomainName="stories.example.com", IdempotencyToken="once")
    return len(client.list_certificates()["CertificateSummaryList"])


def _namespace(cloud: RunningCloud) -> int:
    client = cloud.client("servicediscovery", retries=True)
    vpc = cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    cloud.admin("POST", "/faults", {"kind": "lost_reply", "action": "CreatePrivateDnsNamespace", "count": 1})
    client.create_private_dns_namespace(Name="stories.local", Vpc=vpc)
    return len(client.list_namespaces()["Namespaces"])


def _load_balancer(cloud: RunningCloud) -> int:
    ec2, client = cloud.client("ec2"), cloud.client("elbv2", retries=True)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    cloud.admin("POST", "/faults", {"kind": "lost_reply", "action": "CreateTargetGroup", "count": 1})
    client.create_target_group(Name="blue", Protocol="HTTP", Port=3000, VpcId=vpc, TargetType="ip")
    return len(client.describe_target_groups()["TargetGroups"])


@pytest.mark.parametrize(
    "make",
    [_vpc_endpoint, _nat_gateway, _secret, _certificate, _namespace, _load_balancer],
    ids=lambda make: make.__name__.strip("_"),
)
def test_a_call_that_is_repeated_after_a_lost_reply_has_one_effect(
    cloud: RunningCloud, make: Callable[[RunningCloud], int]
) -> None:
    assert make(cloud) == 1
    assert [entry["error"] for entry in cloud.admin("GET", "/calls?writes=1")][-2:] == ["LostReply", None]


def test_a_fault_waits_for_its_turn_and_strikes_only_what_it_names(cloud: RunningCloud) -> None:
    cloud.admin("POST", "/faults", {"kind": "error", "service": "ecs", "writes_only": True, "skip": 1})
    ecs = cloud.client("ecs")
    ecs.list_clusters()
    ecs.create_cluster(clusterName="one")
    with pytest.raises(ClientError):
        ecs.create_cluster(clusterName="two")
    cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert [fault["struck"] for fault in cloud.admin("GET", "/faults")] == [1]


def test_a_fault_with_a_probability_strikes_about_as_often(cloud: RunningCloud) -> None:
    cloud.admin("POST", "/faults", {"kind": "throttle", "service": "ecs", "probability": 0.5})
    ecs = cloud.client("ecs")
    failed = 0
    for _ in range(60):
        try:
            ecs.list_clusters()
        except ClientError:
            failed += 1
    assert 12 <= failed <= 48  # a fair coin misses this once in a million


def test_a_fault_can_be_switched_off(cloud: RunningCloud) -> None:
    fault = cloud.admin("POST", "/faults", {"kind": "error"})
    assert cloud.admin("DELETE", f"/faults?id={fault['id']}") == {"removed": 1}
    cloud.client("ecs").list_clusters()


def test_latency_delays_and_is_logged(cloud: RunningCloud) -> None:
    cloud.admin("POST", "/faults", {"kind": "latency", "latency_ms": 300, "service": "ecs"})
    began = time.monotonic()
    cloud.client("ecs").list_clusters()
    assert time.monotonic() - began >= 0.3
    assert cloud.admin("GET", "/calls")[-1]["latency_ms"] >= 300


def test_the_latency_table_can_be_switched_on(cloud: RunningCloud) -> None:
    cloud.admin("POST", "/latency", {"enabled": True})
    cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert cloud.admin("GET", "/calls")[-1]["latency_ms"] >= 450


@pytest.mark.parametrize("wrong", [{"kind": "none"}, {"service": "ec2"}, {"kind": "error", "color": "red"}, []])
def test_a_fault_that_makes_no_sense_is_refused(cloud: RunningCloud, wrong: object) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        cloud.admin("POST", "/faults", wrong)
    assert caught.value.code == 400
