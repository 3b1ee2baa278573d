"""An Aurora of the embedded cloud, which is a real PostgreSQL, as phase 2 names and tags it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.support.ansible import run_module
from tests.support.cloud import REGION, Cloud

PREFIX = "stories-local"
TAGS = {"Project": "1001-stories", "Environment": "local"}


def sql(cloud: Cloud, statement: str, cluster: str = PREFIX, region: str = REGION) -> Any:
    """The first value that a statement of the master user returns."""
    found = cloud.client("rds", region).describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]
    secret = cloud.client("secretsmanager", region).get_secret_value(SecretId=found["MasterUserSecret"]["SecretArn"])
    deadline = time.monotonic() + 30
    while True:
        try:
            with psycopg.connect(
                host=found["Endpoint"],
                port=found["Port"],
                dbname="stories_db",
                user="stories_admin",
                password=json.loads(secret["SecretString"])["password"],
                sslmode="require",
                autocommit=True,
            ) as connection:
                result = connection.execute(statement)
                row = result.fetchone() if result.description else None
                return row[0] if row else None
        except psycopg.OperationalError:  # a server that has just moved, or a password that has not arrived
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@dataclass
class Aurora:
    """connect: to its database as the master user, over TLS."""

    cloud: Cloud
    connect: Callable[[], Any]
    connection: dict[str, Any]

    def indexes(self) -> set[str]:
        """The valid ones of schema public."""
        with self.connect() as connection:
            query = (
                "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                "WHERE i.indisvalid AND c.relnamespace = 'public'::regnamespace"
            )
            return {row[0] for row in connection.execute(query)}


def make(cloud: Cloud, **parameters: Any) -> Aurora:
    """A cluster of one instance; the network below it is made by hand. parameters: further ones of aurora_cluster."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("abc")
    ]
    group = ec2.create_security_group(GroupName="rds", Description="rds", VpcId=vpc)["GroupId"]
    wish = {
        "name": PREFIX,
        "tags": TAGS,
        "subnet_ids": subnets,
        "security_group_ids": [group],
        "availability_zones": ["us-east-1a", "us-east-1b", "us-east-1c"],
        "database_name": "stories_db",
        "instance_count": 1,
        "monitoring_interval": 0,
        "apply_immediately": True,
        **parameters,
    }
    made = run_module(cloud, "aurora_cluster", wish)
    assert "failed" not in made, made["msg"]
    connection = {
        "host": made["endpoint"],
        "port": 5432,
        "database": "stories_db",
        "secret_arn": made["master_secret_arn"],
        "sslrootcert": cloud.variables["platform_ca_path"],
    }

    def connect() -> Any:
        answer = cloud.client("secretsmanager").get_secret_value(SecretId=made["master_secret_arn"])
        secret = json.loads(answer["SecretString"])
        return psycopg.connect(
            host=made["endpoint"],
            dbname="stories_db",
            user=secret["username"],
            password=secret["password"],
            sslmode="verify-full",
            sslrootcert=connection["sslrootcert"],
            autocommit=True,
        )

    return Aurora(cloud, connect, connection)
