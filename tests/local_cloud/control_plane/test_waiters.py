# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""boto3's own waiters come to their end, for what exists and for what was deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import RunningCloud


class Stage:
    """A network with the resources whose states the waiters look at."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud = cloud
        ec2 = cloud.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")[
                "Subnet"
            ]["SubnetId"]
            for number, zone in enumerate("ab")
        ]

    def nat_gateway(self) -> dict[str, Any]:
        ec2 = self.cloud.client("ec2")
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = ec2.create_nat_gateway(SubnetId=self.subnets[0], AllocationId=address)
        return {"NatGatewayIds": [made["NatGateway"]["NatGatewayId"]]}

    def deleted_nat_gateway(self) -> dict[str, Any]:
        ids = self.nat_gateway()
        self.cloud.client("ec2").delete_nat_gateway(NatGatewayId=ids["NatGatewayIds"][0])
        return ids

    def load_balancer(self) -> dict[str, Any]:
        made = self.cloud.client("elbv2").create_load_balancer(Name="stories", Subnets=self.subnets)
        return {"LoadBalancerArns": [made["LoadBalancers"][0]["LoadBalancerArn"]]}

    def deleted_load_balancer(self) -> dict[str, Any]:
        arns = self.load_balancer()
        self.cloud.client("elbv2").delete_load_balancer(LoadBalancerArn=arns["LoadBalancerArns"][0])
        return arns

    def database(self) -> dict[str, Any]:
        rds = self.cloud.client("rds")
        rds.create_db_cluster(
            DBClusterIdentifier="stories",
            Engine="aurora-postgresql",
            MasterUsername="master",
            ManageMasterUserPassword=True,
        )
        return {"DBClusterIdentifier": "stories"}

    def instance(self) -> dict[str, Any]:
        self.database()
        self.cloud.client("rds").create_db_instance(
            DBInstanceIdentifier="one",
            DBClusterIdentifier="stories",
            Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )
        return {"DBInstanceIdentifier": "one"}

    def deleted_instance(self) -> dict[str, Any]:
        name = self.instance()
        self.cloud.client("rds").delete_db_instance(**name)
        return name

    def deleted_database(self) -> dict[str, Any]:
        name = self.database()
        self.cloud.client("rds").delete_db_cluster(**name, SkipFinalSnapshot=True)
        return name

    def cache(self) -> dict[str, Any]:
        self.cloud.client("elasticache").create_replication_group(
            ReplicationGroupId="stories", ReplicationGroupDescription="x", CacheNodeType="cache.t3.micro"
        )
        return {"ReplicationGroupId": "stories"}

    def deleted_cache(self) -> dict[str, Any]:
        name = self.cache()
        self.cloud.client("elasticache").delete_replication_group(**name)
        return name

    def certificate(self) -> dict[str, Any]:
        made = self.cloud.client("acm").request_certificate(DomainName="stories.local", ValidationMethod="DNS")
        return {"CertificateArn": made["CertificateArn"]}

    def service(self) -> dict[str, Any]:
        ecs = self.cloud.client("ecs")
        ecs.create_cluster(clusterName="stories")
        ecs.register_task_definition(family="app", containerDefinitions=[{"name": "app", "image": "x", "memory": 64}])
        ecs.create_service(cluster="stories", serviceName="app", taskDefinition="app", desiredCount=0)
        return {"cluster": "stories", "services": ["app"]}

    def deleted_service(self) -> dict[str, Any]:
        names = self.service()
        self.cloud.client("ecs").delete_service(cluster="stories", service="app", force=True)
        return names

    def bucket(self) -> dict[str, Any]:
        self.cloud.client("s3").create_bucket(Bucket="stories-logs")
        return {"Bucket": "stories-logs"}

    def snapshot(self) -> dict[str, Any]:
        names = {**self.database(), "DBClusterSnapshotIdentifier": "one"}
        self.cloud.client("rds").create_db_cluster_snapshot(**names)
        return names


WAITERS: list[tuple[str, str, Callable[[Stage], dict[str, Any]]]] = [
    ("ec2", "nat_gateway_available", Stage.nat_gateway),
    ("ec2", "nat_gateway_deleted", Stage.deleted_nat_gateway),
    ("elbv2", "load_balancer_available", Stage.load_balancer),
    ("elbv2", "load_balancers_deleted", Stage.deleted_load_balancer),
    ("rds", "db_cluster_available", Stage.database),
    ("rds", "db_cluster_deleted", Stage.deleted_database),
    ("rds", "db_instance_available", Stage.instance),
    ("rds", "db_instance_deleted", Stage.deleted_instance),
    ("rds", "db_cluster_snapshot_available", Stage.snapshot),
    ("elasticache", "replication_group_available", Stage.cache),
    ("elasticache", "replication_group_deleted", Stage.deleted_cache),
    ("acm", "certificate_validated", Stage.certificate),
    ("ecs", "services_stable", Stage.service),
    ("ecs", "services_inactive", Stage.deleted_service),
    ("s3", "bucket_exists", Stage.bucket),
]


@pytest.mark.parametrize(("service", "waiter", "make"), WAITERS, ids=[row[1] for row in WAITERS])
def test_a_waiter_comes_to_its_end(
    cloud: RunningCloud, service: str, waiter: str, make: Callable[[Stage], dict[str, Any]]
) -> None:
    names = make(Stage(cloud))
    cloud.client(service).get_waiter(waiter).wait(**names, WaiterConfig={"Delay": 1, "MaxAttempts": 3})
