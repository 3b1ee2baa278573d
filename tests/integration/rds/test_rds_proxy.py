"""rds_proxy on the embedded cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.rds.conftest import NAME, TAGS, Ground
from tests.support.ansible import run_module
from tests.support.cloud import Cloud


class Behind:
    """A small cluster with the secret of a user, and the wish for a proxy before it."""

    def __init__(self, cloud: Cloud, ground: Ground) -> None:
        run_module(cloud, "aurora_cluster", {**ground.cluster, "instance_count": 1})
        secret = cloud.client("secretsmanager").create_secret(
            Name=f"{NAME}-app-user", SecretString=json.dumps({"username": "app", "password": "x" * 20})
        )
        self.groups = ground.groups
        self.other_role = ground.other_role
        self.other_secret = cloud.client("secretsmanager").create_secret(Name="other", SecretString="{}")["ARN"]
        self.wish: dict[str, Any] = {
            "name": NAME,
            "tags": TAGS,
            "cluster": NAME,
            "secret_arns": [secret["ARN"]],
            "role_arn": ground.role,
            "subnet_ids": ground.subnets,
            "security_group_ids": ground.groups[:1],
            "reader_endpoint": True,
        }


@pytest.fixture
def behind(cloud: Cloud, ground: Ground) -> Behind:
    return Behind(cloud, ground)


def run(cloud: Cloud, wish: dict[str, Any], **flags: bool) -> dict[str, Any]:
    result = run_module(cloud, "rds_proxy", wish, **flags)
    assert not result.get("failed"), result["msg"]
    return result


def steps(result: dict[str, Any]) -> list[str]:
    return [step["id"] for step in result["steps"]]


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(
    cloud: Cloud, behind: Behind
) -> None:
    with cloud.recorded() as calls:
        planned = run(cloud, behind.wish, check=True)
    assert not [call for call in calls if call["writes"]]
    made = run(cloud, behind.wish)
    assert steps(planned) == steps(made)
    assert len(steps(made)) == 3
    assert made["endpoint"]
    assert made["reader_endpoint"]
    assert run(cloud, behind.wish)["changed"] is False


def test_a_plan_is_made_while_nothing_that_it_stands_on_exists(cloud: Cloud) -> None:
    wish = {
        "name": NAME,
        "tags": TAGS,
        "cluster": f"planned:db_cluster/{NAME}",
        "secret_arns": ["planned:secret/app-user"],
        "role_arn": "planned:role/rds-proxy",
        "subnet_ids": ["planned:subnet/a", "planned:subnet/b"],
        "security_group_ids": ["planned:security_group/proxy"],
    }
    assert len(steps(run(cloud, wish, check=True))) == 2


def modify(cloud: Cloud, **parameters: Any) -> None:
    cloud.client("rds").modify_db_proxy(DBProxyName=NAME, **parameters)


def no_tls(cloud: Cloud, behind: Behind) -> None:
    modify(cloud, RequireTLS=False)


def other_timeout(cloud: Cloud, behind: Behind) -> None:
    modify(cloud, IdleClientTimeout=60)


def debug_logging(cloud: Cloud, behind: Behind) -> None:
    modify(cloud, DebugLogging=True)


def other_groups(cloud: Cloud, behind: Behind) -> None:
    modify(cloud, SecurityGroups=behind.groups)


def other_secrets(cloud: Cloud, behind: Behind) -> None:
    modify(cloud, Auth=[{"AuthScheme": "SECRETS", "SecretArn": behind.other_secret, "IAMAuth": "DISABLED"}])


def other_role(cloud: Cloud, behind: Behind) -> None:
    modify(cloud, RoleArn=behind.other_role)


def pool(cloud: Cloud, **parameters: Any) -> None:
    cloud.client("rds").modify_db_proxy_target_group(
        DBProxyName=NAME, TargetGroupName="default", ConnectionPoolConfig=parameters
    )


def fewer_idle(cloud: Cloud, behind: Behind) -> None:
    pool(cloud, MaxConnectionsPercent=90, MaxIdleConnectionsPercent=1)


def longer_borrowing(cloud: Cloud, behind: Behind) -> None:
    pool(cloud, ConnectionBorrowTimeout=7)


def pinning_filter(cloud: Cloud, behind: Behind) -> None:
    pool(cloud, SessionPinningFilters=["EXCLUDE_VARIABLE_SETS"])


def open_reader(cloud: Cloud, behind: Behind) -> None:
    cloud.client("rds").modify_db_proxy_endpoint(
        DBProxyEndpointName=f"{NAME}-reader", VpcSecurityGroupIds=behind.groups
    )


def demanded_iam(cloud: Cloud, behind: Behind) -> None:
    secret = behind.wish["secret_arns"][0]
    modify(cloud, Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret, "IAMAuth": "REQUIRED"}])


def smaller_pool(cloud: Cloud, behind: Behind) -> None:
    pool(cloud, MaxConnectionsPercent=60)


def no_target(cloud: Cloud, behind: Behind) -> None:
    cloud.client("rds").deregister_db_proxy_targets(
        DBProxyName=NAME, TargetGroupName="default", DBClusterIdentifiers=[NAME]
    )


def no_reader(cloud: Cloud, behind: Behind) -> None:
    cloud.client("rds").delete_db_proxy_endpoint(DBProxyEndpointName=f"{NAME}-reader")


def tag(cloud: Cloud, arn: str) -> None:
    cloud.client("rds").add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "Owner", "Value": "me"}])


def foreign_tag(cloud: Cloud, behind: Behind) -> None:
    tag(cloud, cloud.client("rds").describe_db_proxies()["DBProxies"][0]["DBProxyArn"])


def foreign_tag_on_the_reader(cloud: Cloud, behind: Behind) -> None:
    endpoints = cloud.client("rds").describe_db_proxy_endpoints(DBProxyName=NAME)["DBProxyEndpoints"]
    tag(cloud, next(one["DBProxyEndpointArn"] for one in endpoints if one["DBProxyEndpointName"].endswith("-reader")))


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (no_tls, "require_tls"),
        (other_timeout, "idle_client_timeout"),
        (debug_logging, "debug_logging"),
        (other_groups, "security_groups"),
        (demanded_iam, "iam_authentication"),
        (other_secrets, "secrets"),
        (other_role, "role"),
        (smaller_pool, "max_connections_percent"),
        (fewer_idle, "max_idle_connections_percent"),
        (longer_borrowing, "connection_borrow_timeout"),
        (pinning_filter, "session_pinning_filters"),
        (open_reader, "security_groups"),
        (no_target, "cluster"),
        (no_reader, "stories-test-reader"),
        (foreign_tag, "Owner"),
        (foreign_tag_on_the_reader, "Owner"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, behind: Behind, by_hand: Callable[[Cloud, Behind], None], field: str
) -> None:
    run(cloud, behind.wish)
    by_hand(cloud, behind)
    drift = run(cloud, behind.wish, check=True)
    assert field in drift["diff"][0]["before"] + drift["diff"][0]["after"]
    run(cloud, behind.wish)
    assert run(cloud, behind.wish)["changed"] is False


def test_a_creation_that_stopped_half_way_is_finished(cloud: Cloud, behind: Behind) -> None:
    for stop in range(4):
        refusal = {"kind": "error", "code": "AccessDenied", "status": 403, "writes_only": True}
        cloud.admin("POST", "/faults", {"service": "rds", "skip": stop, **refusal})
        run_module(cloud, "rds_proxy", behind.wish)
        cloud.admin("DELETE", "/faults")
    run(cloud, behind.wish)
    assert run(cloud, behind.wish)["changed"] is False


@pytest.fixture
def growing(cloud: Cloud, behind: Behind) -> Behind:
    """The cluster has an instance more, which takes some seconds to be made."""
    cloud.admin("POST", "/creation-times", {"scale": 0.015})
    cloud.client("rds").create_db_instance(
        DBInstanceIdentifier=f"{NAME}-2",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-postgresql",
        DBClusterIdentifier=NAME,
    )
    cloud.admin("POST", "/creation-times", {"scale": 0})  # all else is there at once
    return behind


def test_the_cluster_is_registered_once_its_instances_are_made_and_the_endpoint_is_made_meanwhile(
    cloud: Cloud, growing: Behind
) -> None:
    with cloud.recorded() as calls:
        made = run(cloud, growing.wish)
    writes = [(call["action"], call["error"]) for call in calls if call["writes"]]
    refused = ("RegisterDBProxyTargets", "InvalidDBInstanceState")
    assert writes.index(("CreateDBProxyEndpoint", None)) < writes.index(refused)
    assert writes[-1] == ("RegisterDBProxyTargets", None)
    assert len(steps(made)) == 3
    assert run(cloud, growing.wish)["changed"] is False


def test_without_waiting_the_cluster_is_not_registered_before_its_instances_are_made(
    cloud: Cloud, growing: Behind
) -> None:
    begun = run(cloud, {**growing.wish, "wait": False})
    assert steps(begun) == ["db_proxy/stories-test:create"]
    assert f"connection pool of RDS proxy {NAME}" in begun["unfinished"][-1]
    assert run(cloud, growing.wish)["unfinished"] == []


def test_absent_removes_everything(cloud: Cloud, behind: Behind) -> None:
    run(cloud, behind.wish)
    gone = {"name": NAME, "tags": TAGS, "state": "absent"}
    assert len(steps(run(cloud, gone))) == 3
    assert run(cloud, gone)["changed"] is False
