# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the data plane's tests stand on: a cloud, a network, a load balancer, an ECS cluster."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

CHECKOUT = Path(__file__).resolve().parents[3]
REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/stories"
TIME_SCALE = 0.2


def free_port() -> int:
    """One of the range that this folder's tests keep to; another cloud's addresses follow from its port."""
    for port in range(14610, 14699):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free between 14610 and 14699")


def eventually(check: Callable[[], Any], seconds: float = 45.0, every: float = 0.1) -> Any:
    """The first true result of `check`; fails with its last one after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"not so after {seconds} s; last seen: {found!r}"
        time.sleep(every)


def get(url: str, method: str = "GET", headers: dict[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
    """(status, body, headers in lower case); redirects are not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_arguments: Any) -> None:
            return None

    request = urllib.request.Request(url, method=method, headers=headers or {})
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=20) as answer:
            return (
                answer.status,
                answer.read().decode(),
                {name.lower(): value for name, value in answer.headers.items()},
            )
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), {name.lower(): value for name, value in error.headers.items()}


class Stage:
    """A running cloud, with shorthands for what most tests need."""

    def __init__(self, port: int, state_dir: Path) -> None:
        self.port = port
        self.state_dir = state_dir
        self.endpoint = f"http://127.0.0.1:{port}"
        self.ecs, self.elbv2, self.ec2 = self.client("ecs"), self.client("elbv2"), self.client("ec2")
        self._names = iter(range(1000))

    @classmethod
    def start(cls, state_dir: Path, watch_pid: int | None = None) -> Stage:
        stage = cls(free_port(), state_dir)
        stage.up(watch_pid)
        stage.admin("POST", "/data-plane/settings", {"time_scale": TIME_SCALE})
        stage.build()
        return stage

    def up(self, watch_pid: int | None = None) -> None:
        self.command("up", *(["--watch-pid", str(watch_pid)] if watch_pid else []))

    def command(self, *arguments: str) -> str:
        where = ["--port", str(self.port), "--state-dir", str(self.state_dir)]
        command = [sys.executable, "-m", "local_cloud", *arguments, *where]
        answer = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=90, check=False)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        content = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.endpoint}/_cloud{path}", method=method, data=content)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def name(self, prefix: str) -> str:
        return f"{prefix}-{next(self._names)}"

    # The stage.

    def build(self) -> None:
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"][
                "SubnetId"
            ]
            for number, zone in enumerate(("us-east-1a", "us-east-1b"))
        ]
        self.ecs.create_cluster(clusterName="stage")

    def load_balancer(self, actions: list[dict[str, Any]], port: int = 80) -> dict[str, Any]:
        """A load balancer with an HTTP listener; the listener's `url`, `port`, `listener` and more are added to it."""
        made = self.elbv2.create_load_balancer(Name=self.name("alb"), Subnets=self.subnets)["LoadBalancers"][0]
        return self.listener(made, actions, Protocol="HTTP", Port=port)

    def listener(self, balancer: dict[str, Any], actions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """The load balancer as reached through a new listener."""
        arn, name = balancer["LoadBalancerArn"], balancer["LoadBalancerName"]
        found = self.elbv2.create_listener(LoadBalancerArn=arn, DefaultActions=actions, **more)["Listeners"][0]

        def place() -> dict[str, Any] | None:
            known = self.admin("GET", "/data-plane/status").get("load_balancers", {}).get(name, {})
            return known if str(found["Port"]) in known.get("ports", {}) else None

        place_ = eventually(place)
        port = place_["ports"][str(found["Port"])]
        time.sleep(0.2)  # for the nodes' lag
        return {
            **balancer,
            "url": f"{found['Protocol'].lower()}://{balancer['DNSName']}:{port}",
            "address": balancer["DNSName"],
            "port": port,
            "nodes": place_["nodes"],
            "listener": found["ListenerArn"],
        }

    def act(self, balancer: dict[str, Any], actions: list[dict[str, Any]]) -> None:
        """Replace the listener's default actions and wait until every node knows."""
        self.elbv2.modify_listener(ListenerArn=balancer["listener"], DefaultActions=actions)
        time.sleep(0.3)

    def target_group(self, delay: int = 5, **more: Any) -> str:
        """The ARN of a target group with quick health checks: every 5 scaled seconds, twice."""
        arn = self.elbv2.create_target_group(
            **{
                "Name": self.name("tg"),
                "Protocol": "HTTP",
                "Port": 3000,
                "VpcId": self.vpc,
                "TargetType": "ip",
                "HealthCheckPath": "/api/health",
                "HealthCheckIntervalSeconds": 5,
                "HealthCheckTimeoutSeconds": 2,
                "HealthyThresholdCount": 2,
                "UnhealthyThresholdCount": 2,
                **more,
            }
        )["TargetGroups"][0]["TargetGroupArn"]
        attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}]
        self.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)
        return str(arn)

    def task_definition(self, version: str = "1.0.0", family: str = "stories", **container: Any) -> str:
        """The ARN of a task definition of the reference application; `environment` is a dict."""
        environment = container.pop("environment", {})
        return str(
            self.ecs.register_task_definition(
                family=family,
                networkMode="awsvpc",
                requiresCompatibilities=["FARGATE"],
                cpu="256",
                memory="512",
                containerDefinitions=[
                    {
                        "name": "app",
                        "image": f"{REPOSITORY}:{version}",
                        "essential": True,
                        "portMappings": [{"containerPort": 3000}],
                        "environment": [{"name": name, "value": value} for name, value in environment.items()],
                        **container,
                    }
                ],
            )["taskDefinition"]["taskDefinitionArn"]
        )

    def service(self, task_definition: str, group: str | None = None, desired: int = 1, **more: Any) -> str:
        """The name of a new ECS service, behind a target group if one is given."""
        name = self.name("service")
        balanced = [{"targetGroupArn": group, "containerName": "app", "containerPort": 3000}] if group else []
        self.ecs.create_service(
            cluster="stage",
            serviceName=name,
            taskDefinition=task_definition,
            desiredCount=desired,
            launchType="FARGATE",
            loadBalancers=balanced,
            networkConfiguration={"awsvpcConfiguration": {"subnets": self.subnets}},
            **more,
        )
        return name

    def described(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ecs.describe_services(cluster="stage", services=[service])["services"][0]
        return found

    def steady(self, service: str, seconds: float = 60.0) -> dict[str, Any]:
        """Wait until the service's only deployment has completed."""

        def check() -> dict[str, Any] | None:
            found = self.described(service)
            done = len(found["deployments"]) == 1 and found["deployments"][0]["rolloutState"] == "COMPLETED"
            return found if done and found["runningCount"] == found["desiredCount"] else None

        found: dict[str, Any] = eventually(check, seconds)
        return found

    def tasks(self, service: str, status: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster="stage", serviceName=service, desiredStatus=status)["taskArns"]
        return list(self.ecs.describe_tasks(cluster="stage", tasks=arns)["tasks"]) if arns else []

    def health(self, group: str) -> dict[str, str]:
        """Target address → state."""
        found = self.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {item["Target"]["Id"]: item["TargetHealth"]["State"] for item in found}

    def remove(self, service: str) -> None:
        self.ecs.delete_service(cluster="stage", service=service, force=True)

    def pids(self) -> list[int]:
        """All processes that this cloud started, PostgreSQL's included."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                    state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                except OSError:
                    continue
                if str(self.state_dir).encode() in text and state != "Z":
                    found.append(int(entry.name))
        return found


def address_of(task: dict[str, Any]) -> str:
    """The private address of a task's network interface."""
    details = {item["name"]: item["value"] for item in task["attachments"][0]["details"]}
    return details["privateIPv4Address"]


def forward(*groups: tuple[str, int], **stickiness: Any) -> list[dict[str, Any]]:
    """A forward action over (target group, weight)."""
    config: dict[str, Any] = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]}
    if stickiness:
        config["TargetGroupStickinessConfig"] = stickiness
    return [{"Type": "forward", "ForwardConfig": config}]
