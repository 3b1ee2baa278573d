# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS and ElastiCache endpoints lead to real servers."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any

import psycopg
import pytest

from tests.local_cloud.data_plane.stage import Stage, eventually, forward, get

CLUSTER = "stories"


@pytest.fixture(scope="module")
def rds(stage: Stage) -> Any:
    """RDS with one available cluster, "stories", of two instances, and its parameter group "tuning"."""
    rds = stage.client("rds")
    rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=stage.subnets)
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="tuning", DBParameterGroupFamily="aurora-postgresql15", Description="tuning"
    )
    rds.create_db_cluster(
        DBClusterIdentifier=CLUSTER,
        Engine="aurora-postgresql",
        EngineVersion="15.10",
        DatabaseName="library",
        MasterUsername="master",
        ManageMasterUserPassword=True,
        DBSubnetGroupName="data",
        DBClusterParameterGroupName="tuning",
    )
    for number in (1, 2):
        rds.create_db_instance(
            DBInstanceIdentifier=f"{CLUSTER}-{number}",
            DBClusterIdentifier=CLUSTER,
            Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )
    available(rds, CLUSTER)
    return rds


def described(rds: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    return found


def available(rds: Any, name: str) -> dict[str, Any]:
    eventually(lambda: described(rds, name)["Status"] == "available")
    return described(rds, name)


def password(stage: Stage, rds: Any, name: str = CLUSTER) -> str:
    secret = described(rds, name)["MasterUserSecret"]["SecretArn"]
    value = stage.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    return str(json.loads(value)["password"])


def connect(stage: Stage, rds: Any, host: str = "", **more: Any) -> psycopg.Connection[Any]:
    """A connection as the master user to the cluster's writer, or to another of its addresses."""
    cluster = described(rds, CLUSTER)
    given = {
        "host": host or cluster["Endpoint"],
        "port": cluster["Port"],
        "dbname": "library",
        "user": "master",
        "sslmode": "verify-full",
        "sslrootcert": str(stage.state_dir / "tls" / "ca.pem"),
        "connect_timeout": 5,
        **more,
    }
    return psycopg.connect(autocommit=True, password=given.pop("password", None) or password(stage, rds), **given)


def shown(connection: psycopg.Connection[Any], parameter: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [parameter]).fetchone()
    assert row is not None
    return str(row[0])


def test_every_endpoint_of_a_cluster_leads_to_its_database_with_a_verified_certificate(stage: Stage, rds: Any) -> None:
    cluster = described(rds, CLUSTER)
    instances = rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [CLUSTER]}])["DBInstances"]
    hosts = [cluster["Endpoint"], cluster["ReaderEndpoint"], *(item["Endpoint"]["Address"] for item in instances)]
    assert len(set(hosts)) == 4
    for host in hosts:
        with connect(stage, rds, host) as connection:
            assert shown(connection, "server_version").startswith("15.")


def test_a_proxy_endpoint_leads_to_the_cluster_that_it_stands_before(stage: Stage, rds: Any) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = stage.client("iam").create_role(RoleName="proxy", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    secret = described(rds, CLUSTER)["MasterUserSecret"]["SecretArn"]
    rds.create_db_proxy(
        DBProxyName="pool",
        EngineFamily="POSTGRESQL",
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret, "IAMAuth": "DISABLED"}],
        RoleArn=role,
        VpcSubnetIds=stage.subnets,
    )
    rds.register_db_proxy_targets(DBProxyName="pool", DBClusterIdentifiers=[CLUSTER])
    host = rds.describe_db_proxies(DBProxyName="pool")["DBProxies"][0]["Endpoint"]
    with connect(stage, rds, host) as connection:
        assert shown(connection, "server_version").startswith("15.")


def test_the_master_user_makes_roles_and_extensions_but_is_no_superuser(stage: Stage, rds: Any) -> None:
    with connect(stage, rds) as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'for a test'")
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER SYSTEM SET work_mem = '1GB'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY (SELECT 1) TO PROGRAM 'true'")
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
        connect(stage, rds, user="rdsadmin", password="any")


def test_a_dynamic_parameter_works_at_once_and_a_static_one_after_the_writers_reboot(stage: Stage, rds: Any) -> None:
    parameters = [
        {"ParameterName": "log_min_duration_statement", "ParameterValue": "1234", "ApplyMethod": "immediate"},
        {"ParameterName": "max_connections", "ParameterValue": "123", "ApplyMethod": "pending-reboot"},
    ]
    rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="tuning", Parameters=parameters)
    with connect(stage, rds) as connection:
        eventually(lambda: shown(connection, "log_min_duration_statement") == "1234ms")
        assert shown(connection, "max_connections") == "600"
    states = [item["DBClusterParameterGroupStatus"] for item in described(rds, CLUSTER)["DBClusterMembers"]]
    assert states == ["pending-reboot", "pending-reboot"]
    rds.reboot_db_instance(DBInstanceIdentifier=f"{CLUSTER}-1")

    def after_reboot() -> str | None:
        try:
            with connect(stage, rds) as connection:
                return shown(connection, "max_connections")
        except psycopg.OperationalError:  # while it restarts
            return None

    eventually(lambda: after_reboot() == "123")
    with connect(stage, rds) as connection:
        assert shown(connection, "log_min_duration_statement") == "1234ms"


def test_a_new_master_password_opens_the_database(stage: Stage, rds: Any) -> None:
    rds.create_db_cluster(
        DBClusterIdentifier="plain",
        Engine="aurora-postgresql",
        MasterUsername="owner",
        MasterUserPassword="first-password",
        DBSubnetGroupName="data",
    )
    cluster = available(rds, "plain")
    where = {"host": cluster["Endpoint"], "dbname": "postgres", "user": "owner"}
    with connect(stage, rds, **where, password="first-password") as connection:
        assert shown(connection, "ssl") == "on"
    rds.modify_db_cluster(DBClusterIdentifier="plain", MasterUserPassword="second-password", ApplyImmediately=True)

    def opens() -> bool:
        try:
            connect(stage, rds, **where, password="second-password").close()
        except psycopg.OperationalError:
            return False
        return True

    eventually(opens)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(stage, rds, **where, password="first-password")
    folder = next((stage.state_dir / "databases").glob("plain-*"))
    rds.delete_db_cluster(DBClusterIdentifier="plain", SkipFinalSnapshot=True)
    eventually(lambda: not folder.exists())


def test_a_restored_cluster_holds_what_was_there_when_its_snapshot_was_taken(stage: Stage, rds: Any) -> None:
    with connect(stage, rds) as connection:
        connection.execute("CREATE TABLE chapters (number int)")
        connection.execute("INSERT INTO chapters SELECT generate_series(1, 1001)")
        rds.create_db_cluster_snapshot(DBClusterIdentifier=CLUSTER, DBClusterSnapshotIdentifier="before")
        eventually(lambda: [path for path in (stage.state_dir / "databases").glob("snapshot-*") if not path.suffix])
        connection.execute("DELETE FROM chapters WHERE number > 1")
    rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="restored", SnapshotIdentifier="before", Engine="aurora-postgresql"
    )
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="latest", SourceDBClusterIdentifier=CLUSTER, UseLatestRestorableTime=True
    )
    counts = {}
    for name in ("restored", "latest"):
        rds.modify_db_cluster(DBClusterIdentifier=name, MasterUserPassword="after-restore", ApplyImmediately=True)
        cluster = available(rds, name)

        def count(host: str = cluster["Endpoint"]) -> int | None:
            try:
                with connect(stage, rds, host, password="after-restore") as connection:
                    row = connection.execute("SELECT count(*) FROM chapters").fetchone()
            except psycopg.OperationalError:  # the new password has not arrived
                return None
            return int(row[0]) if row else None

        counts[name] = eventually(count)
    assert counts == {"restored": 1001, "latest": 1}


# Redis.


class Redis:
    """As much of a client as these tests need: one command at a time over TLS."""

    def __init__(self, stage: Stage, host: str, port: int) -> None:
        context = ssl.create_default_context(cafile=stage.state_dir / "tls" / "ca.pem")
        plain = socket.create_connection((host, port), timeout=5)
        self._file = context.wrap_socket(plain, server_hostname=host).makefile("rwb")

    def __call__(self, *words: str) -> str:
        """The reply's first line, and the second of a bulk string."""
        self._file.write(f"*{len(words)}\r\n".encode())
        for word in words:
            self._file.write(f"${len(word.encode())}\r\n{word}\r\n".encode())
        self._file.flush()
        line = self._file.readline().decode().strip()
        return self._file.readline().decode().strip() if line.startswith("$") and line != "$-1" else line


TOKEN = "a-token-of-sixteen-or-more"


@pytest.fixture(scope="module")
def cache(stage: Stage) -> dict[str, Any]:
    """An available replication group, "cache", with encryption in transit and AUTH."""
    client = stage.client("elasticache")
    client.create_cache_subnet_group(
        CacheSubnetGroupName="data", CacheSubnetGroupDescription="data", SubnetIds=stage.subnets
    )
    client.create_replication_group(
        ReplicationGroupId="cache",
        ReplicationGroupDescription="cache",
        Engine="redis",
        EngineVersion="7.1",
        CacheNodeType="cache.t3.medium",
        NumCacheClusters=3,
        AutomaticFailoverEnabled=True,
        TransitEncryptionEnabled=True,
        AuthToken=TOKEN,
        CacheSubnetGroupName="data",
    )

    def group() -> dict[str, Any]:
        found: dict[str, Any] = client.describe_replication_groups(ReplicationGroupId="cache")["ReplicationGroups"][0]
        return found

    eventually(lambda: group()["Status"] == "available")
    return group()


def redis(stage: Stage, cache: dict[str, Any], endpoint: str = "PrimaryEndpoint") -> Redis:
    place = cache["NodeGroups"][0][endpoint]
    return Redis(stage, place["Address"], place["Port"])


def test_a_cache_asks_for_its_token_over_tls_and_its_reader_sees_what_its_primary_has(
    stage: Stage, cache: dict[str, Any]
) -> None:
    primary, reader = redis(stage, cache), redis(stage, cache, "ReaderEndpoint")
    assert primary("PING").startswith("-NOAUTH")
    assert primary("AUTH", "wrong").startswith("-WRONGPASS")
    assert (primary("AUTH", TOKEN), reader("AUTH", TOKEN)) == ("+OK", "+OK")
    assert (primary("SET", "tale", "1001"), reader("GET", "tale")) == ("+OK", "1001")


def test_a_cache_speaks_the_platforms_redis_7(stage: Stage, cache: dict[str, Any]) -> None:
    primary = redis(stage, cache)
    primary("AUTH", TOKEN)
    assert primary("FUNCTION", "LIST") == "*0"  # unknown to Redis 6


def test_while_a_token_is_rotated_both_open_the_cache_and_then_only_the_new_one(
    stage: Stage, cache: dict[str, Any]
) -> None:
    new = TOKEN + "-2"

    def opens(token: str) -> bool:
        return redis(stage, cache)("AUTH", token) == "+OK"

    def modify(strategy: str) -> None:
        stage.client("elasticache").modify_replication_group(
            ReplicationGroupId="cache", AuthToken=new, AuthTokenUpdateStrategy=strategy, ApplyImmediately=True
        )

    modify("ROTATE")
    eventually(lambda: opens(new))
    assert opens(TOKEN)
    modify("SET")
    eventually(lambda: not opens(TOKEN))
    assert opens(new)
    modify_back = {"AuthToken": TOKEN, "AuthTokenUpdateStrategy": "SET", "ApplyImmediately": True}
    stage.client("elasticache").modify_replication_group(ReplicationGroupId="cache", **modify_back)
    eventually(lambda: opens(TOKEN))


def test_the_application_reads_a_row_and_counts_a_view_through_the_load_balancer(
    stage: Stage, rds: Any, cache: dict[str, Any]
) -> None:
    manager = stage.client("secretsmanager")
    with connect(stage, rds) as connection:
        connection.execute("CREATE ROLE app LOGIN PASSWORD 'app-password'")
        connection.execute("GRANT app TO master")  # PostgreSQL 15 asks for it; so does RDS
        connection.execute("CREATE SCHEMA app AUTHORIZATION app")
        connection.execute("ALTER ROLE app SET search_path = app")
    user = {"username": "app", "password": "app-password"}
    secret = manager.create_secret(Name="app", SecretString=json.dumps(user))["ARN"]
    token = manager.create_secret(Name="redis", SecretString=TOKEN)["ARN"]
    cluster, place = described(rds, CLUSTER), cache["NodeGroups"][0]["PrimaryEndpoint"]
    definition = stage.task_definition(
        family="full",
        environment={
            "DATABASE_HOST": cluster["Endpoint"],
            "DATABASE_PORT": str(cluster["Port"]),
            "DATABASE_NAME": "library",
            "DATABASE_SSLMODE": "verify-full",
            "REDIS_HOST": place["Address"],
            "REDIS_PORT": str(place["Port"]),
            "REDIS_TLS": "true",
        },
        secrets=[
            {"name": "DATABASE_USERNAME", "valueFrom": f"{secret}:username::"},
            {"name": "DATABASE_PASSWORD", "valueFrom": f"{secret}:password::"},
            {"name": "REDIS_AUTH_TOKEN", "valueFrom": token},
        ],
    )
    group = stage.target_group()
    balancer = stage.load_balancer(forward((group, 1)))
    stage.steady(stage.service(definition, group, desired=2))
    health = json.loads(get(balancer["url"] + "/api/health")[1])
    assert health["checks"] == {"postgresql": "ok", "redis": "ok"}
    assert "Sindbad the Sailor" in get(balancer["url"] + "/library")[1]
    assert "The Ebony Horse" in get(balancer["url"] + "/books/3")[1]
    views = [get(balancer["url"] + "/")[1].partition("id='views'>")[2].partition("<")[0] for _ in range(3)]
    assert views == ["1", "2", "3"]
