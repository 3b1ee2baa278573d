"""Full parameters of the container modules, and the network that they stand in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.ansible import run_module
from tests.support.cloud import Cloud

NAME = "stories-test"
TAGS = {"Project": "1001-stories", "Environment": "test"}
NAMESPACE = f"{NAME}.internal"
BLUE, GREEN = f"{NAME}-app-blue", f"{NAME}-app-green"

ByHand = Callable[[Cloud], None]


def run(cloud: Cloud, module: str, wish: dict[str, Any], **flags: bool) -> dict[str, Any]:
    """Run a module that must not fail."""
    result = run_module(cloud, module, wish, **flags)
    assert not result.get("failed"), result["msg"]
    return result


def steps(result: dict[str, Any]) -> list[str]:
    return [step["id"] for step in result["steps"]]


def assert_drift_is_named_and_mended(
    cloud: Cloud, module: str, wish: dict[str, Any], by_hand: ByHand, field: str
) -> None:
    """After a change by hand: the plan names the field, a run mends it, the next finds nothing to do."""
    run(cloud, module, wish)
    by_hand(cloud)
    drift = run(cloud, module, wish, check=True)
    assert drift["changed"] is True
    assert field in drift["diff"][0]["before"] + drift["diff"][0]["after"]
    assert run(cloud, module, wish)["changed"] is True
    assert run(cloud, module, wish)["changed"] is False


def assert_plan_run_again(cloud: Cloud, module: str, wish: dict[str, Any]) -> dict[str, Any]:
    """The plan writes nothing and lists what the run does; the second run changes nothing and writes nothing."""
    with cloud.recorded() as calls:
        planned = run(cloud, module, wish, check=True)
    assert [call["action"] for call in calls if call["writes"]] == []
    made = run(cloud, module, wish)
    assert steps(planned) == steps(made) != []
    with cloud.recorded() as calls:
        assert run(cloud, module, wish)["changed"] is False
    assert [call["action"] for call in calls if call["writes"]] == []
    return made


def network(cloud: Cloud) -> dict[str, Any]:
    """``vpc``, two ``subnets`` and a security ``group``."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(VpcId=vpc, GroupName="app", Description="Application")["GroupId"]
    return {"vpc": vpc, "subnets": [subnet["SubnetId"] for subnet in subnets], "group": group}


def certificate(cloud: Cloud, domain: str) -> str:
    acm = cloud.client("acm")
    return str(acm.request_certificate(DomainName=domain, ValidationMethod="DNS")["CertificateArn"])


def cluster(**options: Any) -> dict[str, Any]:
    return {
        "name": NAME,
        "tags": TAGS,
        "execute_command": {"logging": "OVERRIDE", "log_group": "/stories-test/exec", "log_encryption": True},
        "default_capacity_provider_strategy": [
            {"capacity_provider": "FARGATE", "base": 2},
            {"capacity_provider": "FARGATE_SPOT", "weight": 3},
        ],
        **options,
    }


def definition(cloud: Cloud, slot: str = "blue", **options: Any) -> dict[str, Any]:
    secrets = cloud.client("secretsmanager")
    try:
        arn = secrets.describe_secret(SecretId="app")["ARN"]
    except secrets.exceptions.ResourceNotFoundException:
        arn = secrets.create_secret(Name="app", SecretString='{"password": "not-shown-to-anyone"}')["ARN"]
    app = {
        "name": "app",
        "image": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{NAME}-app:1.0.0",
        "port_mappings": [{"container_port": 3000}],
        "environment": {"APP_SLOT": slot, "APP_VERSION": "1.0.0", "DATABASE_PORT": 5432},
        "secrets": {"DATABASE_PASSWORD": f"{arn}:password::"},
        "stop_timeout": 30,
        "health_check": {"command": ["CMD-SHELL", "true"]},
        "log_configuration": {"options": {"awslogs-group": "/stories-test/app", "awslogs-region": "us-east-1"}},
        "drop_capabilities": ["ALL"],
    }
    return {
        "family": f"{NAME}-app-{slot}",
        "tags": TAGS,
        "execution_role_arn": "arn:aws:iam::123456789012:role/stories-test-execution",
        "task_role_arn": "arn:aws:iam::123456789012:role/stories-test-task",
        "release_container": "app",
        "release_environment": ["APP_VERSION"],
        "containers": [app],
        **options,
    }


def services(cloud: Cloud, **options: Any) -> dict[str, Any]:
    """Both slots, with the cluster, load balancer, namespace and task definitions that they name."""
    ground = network(cloud)
    balancer = {
        "name": NAME,
        "tags": TAGS,
        "vpc_id": ground["vpc"],
        "subnet_ids": ground["subnets"],
        "security_group_ids": [ground["group"]],
        "certificate_arn": certificate(cloud, "www.stories.test"),
    }
    groups = run(cloud, "load_balancer", balancer)["target_group_arns"]
    names = {"namespace": NAMESPACE, "tags": TAGS, "vpc_id": ground["vpc"], "services": ["app-blue", "app-green"]}
    registries = run(cloud, "service_discovery", names)["service_arns"]
    run(cloud, "ecs_cluster", cluster())
    for slot in ("blue", "green"):
        run(cloud, "ecs_task_definition", definition(cloud, slot))
    return {
        "cluster": NAME,
        "tags": TAGS,
        "subnet_ids": ground["subnets"],
        "security_group_ids": [ground["group"]],
        # The APIs alone run no tasks.
        "wait_seconds": 0,
        "services": [
            {
                "name": f"{NAME}-app-{slot}",
                "task_definition": f"{NAME}-app-{slot}",
                "desired_count": 2 if slot == "blue" else 0,
                "target_group_arn": groups[slot],
                "registry_arn": registries[f"app-{slot}"],
                "tags": {"Slot": slot},
            }
            for slot in ("blue", "green")
        ],
        **options,
    }
