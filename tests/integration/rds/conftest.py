"""The ground on which a database stands: subnets, security groups and a monitoring role."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.cloud import Cloud

NAME = "stories-test"
TAGS = {"Project": "1001-stories", "Environment": "test"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "monitoring.rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


class Ground:
    """What phase 1 makes, by hand, and the wishes that stand on it."""

    def __init__(self, cloud: Cloud) -> None:
        ec2 = cloud.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")[
                "Subnet"
            ]["SubnetId"]
            for number, zone in enumerate("abc")
        ]
        self.groups = [
            ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
            for name in ("ours", "other")
        ]
        self.role, self.other_role = (
            cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
            for name in ("monitoring", "other")
        )
        self.cluster: dict[str, Any] = {
            "name": NAME,
            "tags": TAGS,
            "subnet_ids": self.subnets,
            "security_group_ids": self.groups[:1],
            "availability_zones": ["us-east-1a", "us-east-1b", "us-east-1c"],
            "monitoring_role_arn": self.role,
            "master_secret_kms_key_arn": cloud.client("kms").create_key()["KeyMetadata"]["Arn"],
            "ca_certificate_identifier": "rds-ca-rsa2048-g1",
            "cluster_parameters": {
                "shared_preload_libraries": "pg_stat_statements",
                "rds.force_ssl": True,
                "track_io_timing": True,
                "log_min_duration_statement": 1000,
            },
            "apply_immediately": True,
        }


@pytest.fixture
def ground(cloud: Cloud) -> Ground:
    return Ground(cloud)
