"""elasticache_replication_group on the embedded cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

NAME = "stories-test-redis"
TAGS = {"Project": "1001-stories", "Environment": "test"}
TOKEN_SECRET = {
    "name_prefix": "stories-test",
    "tags": TAGS,
    "secrets": [{"name": "stories-test-redis-auth-token", "text": "{token}", "generate": [{"name": "token"}]}],
}


class Ground:
    """A VPC with subnets, security groups and the secret of the AUTH token, and the wish that stands on them."""

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
        made = run_module(cloud, "secretsmanager_secrets", TOKEN_SECRET)
        self.secret = made["arns"]["stories-test-redis-auth-token"]
        self.wish: dict[str, Any] = {
            "name": NAME,
            "tags": TAGS,
            "subnet_ids": self.subnets,
            "security_group_ids": self.groups[:1],
            "auth_token_secret": self.secret,
            "parameters": {"maxmemory-policy": "allkeys-lru", "timeout": 300},
        }


@pytest.fixture
def ground(cloud: Cloud) -> Ground:
    return Ground(cloud)


def run(cloud: Cloud, wish: dict[str, Any], **flags: bool) -> dict[str, Any]:
    result = run_module(cloud, "elasticache_replication_group", wish, **flags)
    assert not result.get("failed"), result["msg"]
    return result


def steps(result: dict[str, Any]) -> list[str]:
    return [step["id"] for step in result["steps"]]


def test_the_plan_on_an_empty_account_lists_what_the_run_then_makes_and_writes_nothing(
    cloud: Cloud, ground: Ground
) -> None:
    with cloud.recorded() as calls:
        planned = run(cloud, ground.wish, check=True)
    assert not [call for call in calls if call["writes"]]
    made = run(cloud, ground.wish)
    assert steps(planned) == steps(made)
    assert len(steps(made)) == 5
    assert made["primary_endpoint"]
    assert run(cloud, ground.wish)["changed"] is False


def test_a_plan_is_made_while_the_secret_the_subnets_and_the_groups_do_not_exist_yet(cloud: Cloud) -> None:
    wish = {
        "name": NAME,
        "tags": TAGS,
        "subnet_ids": ["planned:subnet/a"],
        "security_group_ids": ["planned:security_group/redis"],
        "auth_token_secret": "planned:secret/stories-test-redis-auth-token",
    }
    assert len(steps(run(cloud, wish, check=True))) == 5


def modify(cloud: Cloud, **parameters: Any) -> None:
    cloud.client("elasticache").modify_replication_group(ReplicationGroupId=NAME, ApplyImmediately=True, **parameters)


def other_description(cloud: Cloud, ground: Ground) -> None:
    modify(cloud, ReplicationGroupDescription="mine")


def other_node_type(cloud: Cloud, ground: Ground) -> None:
    modify(cloud, CacheNodeType="cache.r7g.large")


def other_security_group(cloud: Cloud, ground: Ground) -> None:
    modify(cloud, SecurityGroupIds=ground.groups)


def other_snapshot_retention(cloud: Cloud, ground: Ground) -> None:
    modify(cloud, SnapshotRetentionLimit=1)


def other_snapshot_window(cloud: Cloud, ground: Ground) -> None:
    modify(cloud, SnapshotWindow="07:00-08:00")


def other_maintenance_window(cloud: Cloud, ground: Ground) -> None:
    modify(cloud, PreferredMaintenanceWindow="mon:09:00-mon:10:00")


def no_failover(cloud: Cloud, ground: Ground) -> None:
    modify(cloud, MultiAZEnabled=False, AutomaticFailoverEnabled=False)


def no_minor_upgrades(cloud: Cloud, ground: Ground) -> None:
    modify(cloud, AutoMinorVersionUpgrade=False)


def no_slow_log(cloud: Cloud, ground: Ground) -> None:
    modify(cloud, LogDeliveryConfigurations=[{"LogType": "slow-log", "Enabled": False}])


def other_parameter_group(cloud: Cloud, ground: Ground) -> None:
    modify(cloud, CacheParameterGroupName="default.redis7")


def fewer_nodes(cloud: Cloud, ground: Ground) -> None:
    cloud.client("elasticache").decrease_replica_count(
        ReplicationGroupId=NAME, NewReplicaCount=1, ApplyImmediately=True
    )


def more_nodes(cloud: Cloud, ground: Ground) -> None:
    cloud.client("elasticache").increase_replica_count(
        ReplicationGroupId=NAME, NewReplicaCount=3, ApplyImmediately=True
    )


def other_parameter(cloud: Cloud, ground: Ground) -> None:
    cloud.client("elasticache").modify_cache_parameter_group(
        CacheParameterGroupName=f"{NAME}-redis7",
        ParameterNameValues=[
            {"ParameterName": "maxmemory-policy", "ParameterValue": "noeviction"},
            {"ParameterName": "maxmemory-samples", "ParameterValue": "9"},
        ],
    )


def fewer_subnets(cloud: Cloud, ground: Ground) -> None:
    cloud.client("elasticache").modify_cache_subnet_group(CacheSubnetGroupName=NAME, SubnetIds=ground.subnets[:2])


def endless_logs(cloud: Cloud, ground: Ground) -> None:
    cloud.client("logs").delete_retention_policy(logGroupName=f"/aws/elasticache/{NAME}/slow-log")


def other_token(cloud: Cloud, ground: Ground) -> None:
    cloud.client("secretsmanager").put_secret_value(SecretId=ground.secret, SecretString="0123456789abcdef0123456789")


def other_topic(cloud: Cloud, ground: Ground) -> None:
    topic = cloud.client("sns").create_topic(Name="other")["TopicArn"]
    modify(cloud, NotificationTopicArn=topic, NotificationTopicStatus="active")


def foreign_tag(operation: str, key: str) -> Callable[[Cloud, Ground], None]:
    """What puts a tag of somebody else on ours among those that the operation lists."""

    def put(cloud: Cloud, ground: Ground) -> None:
        client = cloud.client("elasticache")
        arn = next(one["ARN"] for one in getattr(client, operation)()[key] if NAME in one["ARN"])
        client.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "Owner", "Value": "me"}])

    return put


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        (other_description, "description"),
        (other_node_type, "node_type"),
        (other_security_group, "security_groups"),
        (other_snapshot_retention, "snapshot_retention_limit"),
        (other_snapshot_window, "snapshot_window"),
        (other_maintenance_window, "maintenance_window"),
        (no_failover, "automatic_failover"),
        (no_minor_upgrades, "auto_minor_version_upgrade"),
        (no_slow_log, "logs"),
        (other_parameter_group, "parameter_group"),
        (fewer_nodes, "nodes"),
        (more_nodes, "nodes"),
        (other_parameter, "maxmemory-samples"),
        (fewer_subnets, "subnets"),
        (endless_logs, "retention_days"),
        (other_token, "auth_token"),
        (other_topic, "notification_topic"),
        (foreign_tag("describe_replication_groups", "ReplicationGroups"), "Owner"),
        (foreign_tag("describe_cache_subnet_groups", "CacheSubnetGroups"), "Owner"),
        (foreign_tag("describe_cache_parameter_groups", "CacheParameterGroups"), "Owner"),
    ],
)
def test_what_was_changed_by_hand_is_named_as_drift_and_mended(
    cloud: Cloud, ground: Ground, by_hand: Callable[[Cloud, Ground], None], field: str
) -> None:
    wish = {**ground.wish, "apply_immediately": True}
    run(cloud, wish)
    by_hand(cloud, ground)
    drift = run(cloud, wish, check=True)
    assert field in drift["diff"][0]["before"] + drift["diff"][0]["after"]
    run(cloud, wish)
    assert run(cloud, wish)["changed"] is False


def test_a_token_rotates_beside_the_old_one_and_is_then_set_alone(cloud: Cloud, ground: Ground) -> None:
    run(cloud, ground.wish)
    other_token(cloud, ground)
    with cloud.recorded() as rotating:
        run(cloud, ground.wish)
    assert run(cloud, ground.wish)["changed"] is False
    with cloud.recorded() as setting:
        run(cloud, {**ground.wish, "auth_token_update_strategy": "set"})

    def strategies(calls: list[dict[str, Any]]) -> list[str]:
        return [call["parameters"]["AuthTokenUpdateStrategy"] for call in calls if "AuthToken" in call["parameters"]]

    assert strategies(rotating) == ["ROTATE"]
    assert strategies(setting) == ["SET"]


def test_an_unknown_version_is_refused_with_those_that_aws_offers(cloud: Cloud, ground: Ground) -> None:
    with cloud.recorded() as calls:
        result = run_module(cloud, "elasticache_replication_group", {**ground.wish, "engine_version": "7.9"})
    assert result["msg"].startswith("Wanted redis 7.9; ElastiCache offers ")
    assert not [call for call in calls if call["writes"]]


def test_a_newer_version_is_an_upgrade_and_an_older_one_is_refused(cloud: Cloud, ground: Ground) -> None:
    wish = {**ground.wish, "apply_immediately": True}
    run(cloud, {**wish, "engine_version": "7.0"})
    assert steps(run(cloud, wish)) == [f"replication_group/{NAME}:change"]
    assert run(cloud, wish)["changed"] is False
    with cloud.recorded() as calls:
        refused = run_module(cloud, "elasticache_replication_group", {**wish, "engine_version": "7.0"})
    assert "found 7.1; ElastiCache takes no step back. Set it to 7.1." in refused["msg"]
    assert not [call for call in calls if call["writes"]]


def test_the_port_of_a_standing_cache_cannot_change_and_the_plan_says_so(cloud: Cloud, ground: Ground) -> None:
    run(cloud, ground.wish)
    result = run_module(cloud, "elasticache_replication_group", {**ground.wish, "port": 6380})
    assert "AWS cannot change it" in result["msg"]


def test_a_creation_that_stopped_half_way_is_finished(cloud: Cloud, ground: Ground) -> None:
    for stop in range(6):
        refusal = {"kind": "error", "code": "AccessDenied", "status": 403, "writes_only": True}
        cloud.admin("POST", "/faults", {"service": "elasticache", "skip": stop, **refusal})
        run_module(cloud, "elasticache_replication_group", ground.wish)
        cloud.admin("DELETE", "/faults")
    run(cloud, ground.wish)
    assert run(cloud, ground.wish)["changed"] is False


def test_absent_removes_everything_with_a_last_snapshot(cloud: Cloud, ground: Ground) -> None:
    run(cloud, ground.wish)
    gone = {"name": NAME, "tags": TAGS, "state": "absent", "final_snapshot_name": f"{NAME}-final"}
    assert len(steps(run(cloud, gone))) == 5
    assert run(cloud, gone)["changed"] is False
    snapshots = cloud.client("elasticache").describe_snapshots()["Snapshots"]
    assert [snapshot["SnapshotName"] for snapshot in snapshots] == [f"{NAME}-final"]


def test_the_token_is_shown_nowhere(cloud: Cloud, ground: Ground) -> None:
    shown = json.dumps([run(cloud, ground.wish, check=True), run(cloud, ground.wish)])
    token = cloud.client("secretsmanager").get_secret_value(SecretId=ground.secret)["SecretString"]
    assert token not in shown
    assert token not in json.dumps(cloud.calls())
