# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the call log says, and what it never says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from local_cloud.control_plane.call_log import CallLog

from .conftest import RunningCloud

SECRET = "correct-horse-battery-staple"

# One call in each of AWS's protocols: service, client method, parameters, (service, action) in the log.
CALLS: list[tuple[str, str, dict[str, Any], tuple[str, str]]] = [
    ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}, ("ec2", "CreateVpc")),
    ("elbv2", "describe_load_balancers", {}, ("elbv2", "DescribeLoadBalancers")),
    ("ecs", "create_cluster", {"clusterName": "x"}, ("ecs", "CreateCluster")),
    ("lambda", "list_functions", {}, ("lambda", "ListFunctions")),
    ("s3", "create_bucket", {"Bucket": "stories-x"}, ("s3", "CreateBucket")),
    ("s3", "get_bucket_versioning", {"Bucket": "stories-x"}, ("s3", "GetBucketVersioning")),
    ("s3", "put_object", {"Bucket": "stories-x", "Key": "a/b c", "Body": b"x"}, ("s3", "PutObject")),
    ("s3", "list_objects_v2", {"Bucket": "stories-x"}, ("s3", "ListObjectsV2")),
    ("route53", "list_hosted_zones", {}, ("route53", "ListHostedZones")),
    ("cloudwatch", "list_metrics", {}, ("cloudwatch", "ListMetrics")),
    (
        "application-autoscaling",
        "describe_scalable_targets",
        {"ServiceNamespace": "ecs"},
        ("application-autoscaling", "DescribeScalableTargets"),
    ),
    ("apigatewayv2", "get_apis", {}, ("apigatewayv2", "GetApis")),
    ("stepfunctions", "list_state_machines", {}, ("stepfunctions", "ListStateMachines")),
    ("backup", "list_backup_vaults", {}, ("backup", "ListBackupVaults")),
    ("cloudfront", "list_distributions", {}, ("cloudfront", "ListDistributions")),
]


@pytest.mark.parametrize(("service", "method", "params", "logged"), CALLS, ids=[f"{c[3][0]}:{c[3][1]}" for c in CALLS])
def test_a_call_has_its_name_in_aws_spelling(
    cloud: RunningCloud, service: str, method: str, params: dict[str, Any], logged: tuple[str, str]
) -> None:
    if service == "s3" and method != "create_bucket":
        cloud.client("s3").create_bucket(Bucket="stories-x")
    getattr(cloud.client(service), method)(**params)
    entry = cloud.admin("GET", "/calls")[-1]
    assert (entry["service"], entry["action"]) == logged
    assert entry["status"] < 300
    assert entry["region"] == "us-east-1"
    assert {name: entry["parameters"].get(name) for name in params if name != "Body"} == {
        name: value for name, value in params.items() if name != "Body"
    }


def test_an_error_is_logged_with_its_code_and_request_id(cloud: RunningCloud) -> None:
    with pytest.raises(ClientError) as caught:
        cloud.client("elbv2").describe_target_groups(Names=["none"])
    entry = cloud.admin("GET", "/calls")[-1]
    assert entry["error"] == "TargetGroupNotFound"
    assert entry["status"] == 400
    assert entry["request_id"] == caught.value.response["ResponseMetadata"]["RequestId"]
    assert not entry["took_effect"]


def test_writes_can_be_told_from_reads(cloud: RunningCloud) -> None:
    ec2 = cloud.client("ec2")
    ec2.describe_vpcs()
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    with pytest.raises(ClientError):
        ec2.create_vpc(CidrBlock="nonsense")
    cloud.client("sts").get_caller_identity()
    writes = cloud.admin("GET", "/calls?writes=1")
    assert [entry["action"] for entry in writes] == ["CreateVpc", "CreateVpc"]
    assert [entry["took_effect"] for entry in writes] == [True, False]


def test_calls_can_be_read_from_a_point_on_and_cleared(cloud: RunningCloud) -> None:
    cloud.client("ec2").describe_vpcs()
    last = cloud.admin("GET", "/calls")[-1]["seq"]
    cloud.client("ecs").list_clusters()
    assert [entry["action"] for entry in cloud.admin("GET", f"/calls?since={last}")] == ["ListClusters"]
    cloud.admin("DELETE", "/calls")
    assert cloud.admin("GET", "/calls") == []
    assert (cloud.state_dir / "calls.jsonl").read_text() == ""


def test_the_file_has_the_same_entries(cloud: RunningCloud) -> None:
    cloud.client("ec2").describe_vpcs()
    lines = (cloud.state_dir / "calls.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == cloud.admin("GET", "/calls")


def _cluster(cloud: RunningCloud) -> None:
    cloud.client("rds").create_db_cluster(
        DBClusterIdentifier="x", Engine="aurora-postgresql", MasterUsername="master", MasterUserPassword=SECRET
    )


def _cache(cloud: RunningCloud) -> None:
    cloud.client("elasticache").create_replication_group(
        ReplicationGroupId="x",
        ReplicationGroupDescription="x",
        CacheNodeType="cache.t3.micro",
        TransitEncryptionEnabled=True,
        AuthToken=SECRET,
    )


def _secret(cloud: RunningCloud) -> None:
    cloud.client("secretsmanager").create_secret(Name="x", SecretString=json.dumps({"password": SECRET}))


def _secret_bytes(cloud: RunningCloud) -> None:
    cloud.client("secretsmanager").create_secret(Name="y", SecretBinary=SECRET.encode())


def _parameter(cloud: RunningCloud) -> None:
    cloud.client("ssm").put_parameter(Name="/x", Value=SECRET, Type="SecureString")


def _environment(cloud: RunningCloud) -> None:
    container = {"name": "x", "image": "x", "memory": 64, "environment": [{"name": "DB_PASSWORD", "value": SECRET}]}
    cloud.client("ecs").register_task_definition(family="x", containerDefinitions=[container])


def _user(cloud: RunningCloud) -> None:
    cloud.client("iam").create_user(UserName="x")
    cloud.client("iam").create_login_profile(UserName="x", Password=SECRET)


def _encrypt(cloud: RunningCloud) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["KeyId"]
    cloud.client("kms").encrypt(KeyId=key, Plaintext=SECRET.encode())


@pytest.mark.parametrize(
    "make",
    [_cluster, _cache, _secret, _secret_bytes, _parameter, _environment, _user, _encrypt],
    ids=lambda f: f.__name__,
)
def test_a_secret_is_never_logged(cloud: RunningCloud, make: Callable[[RunningCloud], None]) -> None:
    make(cloud)
    texts = [path.read_text(errors="replace") for path in (cloud.state_dir / "logs").glob("*.log")]
    texts.append((cloud.state_dir / "calls.jsonl").read_text())
    assert SECRET not in "".join(texts)
    assert "********" in texts[-1] or "<" in texts[-1]


def test_names_and_switches_beside_a_secret_stay_readable(cloud: RunningCloud) -> None:
    cloud.client("rds").create_db_cluster(
        DBClusterIdentifier="x", Engine="aurora-postgresql", MasterUsername="master", ManageMasterUserPassword=True
    )
    parameters = cloud.admin("GET", "/calls")[-1]["parameters"]
    assert parameters["ManageMasterUserPassword"] is True
    assert parameters["DBClusterIdentifier"] == "x"


def test_a_call_is_under_way_until_it_is_answered_though_its_client_is_gone(cloud: RunningCloud) -> None:
    cloud.admin("POST", "/faults", {"kind": "latency", "service": "ec2", "latency_ms": 1500})
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    impatient = Config(read_timeout=0.2, retries={"total_max_attempts": 1})
    with pytest.raises(ReadTimeoutError):
        boto3.client("ec2", endpoint_url=cloud.endpoint, config=impatient, **keys).create_vpc(CidrBlock="10.0.0.0/16")
    assert cloud.admin("GET", "/calls/under-way") == {"calls": 1}
    assert cloud.admin("GET", "/calls") == []
    deadline = time.monotonic() + 10
    while cloud.admin("GET", "/calls/under-way")["calls"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [entry["action"] for entry in cloud.admin("GET", "/calls")] == ["CreateVpc"]


def test_after_a_restart_no_number_is_given_twice_though_calls_ended_in_another_order(tmp_path: Path) -> None:
    (tmp_path / "calls.jsonl").write_text('{"seq": 1}\n{"seq": 3}\n{"seq": 2}\n')
    assert CallLog(tmp_path / "calls.jsonl").next_seq() == 4
