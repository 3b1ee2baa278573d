"""The rig: two slots of the application behind a load balancer of two nodes, on an embedded cloud of its own.

Tasks are processes, the load balancer's nodes are real and learn of a change 0.5 s and 3 s late, traffic is HTTP.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.support.cloud import ROOT, Cloud, running

PREFIX = "stories-rig"
APPLICATION = f"{PREFIX}-app"
TABLE = f"{PREFIX}-releases"
SLOTS = ("blue", "green")
PRODUCTION, TEST = 8080, 8443
LAGS = {"0": 0.5, "1": 3.0}
TIME_SCALE = 0.2
TASKS = 2
MINIMUM = 2
SAMPLE_EVERY = 0.1  # seconds
SAMPLE_AT_MOST = 0.15  # seconds, which the design asks for

Result = dict[str, Any]


@dataclass
class Samples:
    """How often the invariant was looked at, how often later than asked for, and what was wrong."""

    count: int = 0
    late: int = 0
    widest_gap: float = 0.0
    violations: list[str] = field(default_factory=list)


class Rig:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.elb, self.ecs = cloud.client("elbv2"), cloud.client("ecs")
        self.scaler, self.dynamo = cloud.client("application-autoscaling"), cloud.client("dynamodb")
        self.cloudwatch = cloud.client("cloudwatch")
        self.groups: dict[str, str] = {}
        self.listeners: dict[int, str] = {}
        self.addresses: list[str] = []
        self.port = self.test_port = 0
        self.balancer = ""

    # --- set-up ----------------------------------------------------------------------------------------------

    def build(self) -> None:
        """What phases 1, 3 and 7 make, reduced to what a release needs."""
        self.settings(time_scale=TIME_SCALE, nodes=2, lag=LAGS)
        ec2 = self.cloud.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        zones = enumerate(("us-east-1a", "us-east-1b"))
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for number, zone in zones
        ]
        made = self.elb.create_load_balancer(Name=PREFIX, Subnets=subnets)["LoadBalancers"][0]
        self.balancer = made["LoadBalancerArn"]
        self.groups = {slot: self._target_group(slot, vpc) for slot in SLOTS}
        self.listeners = {
            port: self.elb.create_listener(
                LoadBalancerArn=self.balancer, Protocol="HTTP", Port=port, DefaultActions=self.forward(*weights)
            )["Listeners"][0]["ListenerArn"]
            for port, weights in ((PRODUCTION, (100, 0)), (TEST, (0, 100)))
        }
        self.cloud.client("ecr").create_repository(repositoryName=APPLICATION)
        self.ecs.create_cluster(clusterName=PREFIX)
        definition = self._first_definition()
        for slot, count in zip(SLOTS, (TASKS, 0), strict=True):
            self._service(slot, definition, count, subnets)
        self._table()
        self.eventually(lambda: self.healthy("blue") == TASKS)
        self.eventually(self._places)

    def _target_group(self, slot: str, vpc: str) -> str:
        made = self.elb.create_target_group(
            Name=f"{APPLICATION}-{slot}",
            Protocol="HTTP",
            Port=3000,
            VpcId=vpc,
            TargetType="ip",
            HealthCheckPath="/api/health",
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=4,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
        self.elb.modify_target_group_attributes(TargetGroupArn=made, Attributes=delay)
        return str(made)

    def forward(self, blue: int, green: int, sticky: int = 0) -> list[dict[str, Any]]:
        stickiness: dict[str, Any] = {"Enabled": True, "DurationSeconds": sticky} if sticky else {"Enabled": False}
        groups = [
            {"TargetGroupArn": self.groups["blue"], "Weight": blue},
            {"TargetGroupArn": self.groups["green"], "Weight": green},
        ]
        config = {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}
        return [{"Type": "forward", "ForwardConfig": config}]

    def _first_definition(self) -> str:
        variables = {"APP_VERSION": "v1", "APP_SLOT": "blue"}
        container = {
            "name": "app",
            "image": self.push("v1"),
            "essential": True,
            "portMappings": [{"containerPort": 3000}],
            "environment": [{"name": name, "value": value} for name, value in variables.items()],
            "stopTimeout": 30,
        }
        made = self.ecs.register_task_definition(
            family=APPLICATION,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[container],
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def _service(self, slot: str, definition: str, count: int, subnets: Sequence[str]) -> None:
        self.ecs.create_service(
            cluster=PREFIX,
            serviceName=f"{APPLICATION}-{slot}",
            taskDefinition=definition,
            desiredCount=count,
            launchType="FARGATE",
            # Grace passes as fast as TIME_SCALE says; how long a version takes to start does not.
            healthCheckGracePeriodSeconds=int(300 / TIME_SCALE),
            loadBalancers=[{"targetGroupArn": self.groups[slot], "containerName": "app", "containerPort": 3000}],
            networkConfiguration={"awsvpcConfiguration": {"subnets": list(subnets)}},
            deploymentConfiguration={
                "maximumPercent": 200,
                "minimumHealthyPercent": 100,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
        )
        idle = count == 0
        suspended = {
            "DynamicScalingInSuspended": idle,
            "DynamicScalingOutSuspended": idle,
            "ScheduledScalingSuspended": idle,
        }
        self.scaler.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId=f"service/{PREFIX}/{APPLICATION}-{slot}",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=count,
            MaxCapacity=6,
            SuspendedState=suspended,
        )

    def _table(self) -> None:
        keys = {"Application": "HASH", "Record": "RANGE"}
        self.dynamo.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        )

    def _places(self) -> bool:
        known = self.cloud.admin("GET", "/data-plane/status").get("load_balancers", {}).get(PREFIX, {})
        ports = known.get("ports", {})
        if not {str(PRODUCTION), str(TEST)} <= set(ports):
            return False
        self.port, self.test_port = int(ports[str(PRODUCTION)]), int(ports[str(TEST)])
        self.addresses = [node["address"] if isinstance(node, dict) else str(node) for node in known["nodes"]]
        return True

    # --- acting ----------------------------------------------------------------------------------------------

    def settings(self, **wanted: Any) -> None:
        self.cloud.admin("POST", "/data-plane/settings", wanted)

    def push(self, version: str, fault: str = "") -> str:
        """Push an image; answers its name by digest. fault: see local_cloud/app/faults.py."""
        environment = {"APP_FAULT": fault} if fault else {}
        body = {"repository": APPLICATION, "tag": version, "environment": environment}
        return str(self.cloud.admin("POST", "/data-plane/images", body)["image_by_digest"])

    def wish(self, version: str, **changes: Any) -> dict[str, Any]:
        """Parameters of the module: short times that still exceed what the slowest node needs to learn."""
        return {
            "application": APPLICATION,
            "cluster": PREFIX,
            "load_balancer": PREFIX,
            "table": TABLE,
            "image": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{APPLICATION}:{version}",
            "version": version,
            "production_ports": [PRODUCTION],
            "test_ports": [TEST],
            "test_url": f"http://{self.addresses[0]}:{self.test_port}",
            "steps": [10, 100],
            "settle": 4,
            "bake": 3,
            "rollback_window": 1,
            "poll": 0.5,
            "lease": 12,
            "minimum_healthy": MINIMUM,
            "stable_polls": 2,
            "start_timeout": 40,
            "drain_timeout": 60,
            "minimum_samples": 2,
            "metric_period": 10,
            "probe_interval": 0.2,
            "checks": [{"path": "/api/version", "headers": {"X-App-Version": "^{version}$"}}],
            **changes,
        }

    def run(
        self, parameters: Mapping[str, Any], *, check: bool = False, kill_at: str = "", timeout: float = 300
    ) -> Result:
        """One run of the module in a process of its own. A killed one answers ``{"killed": True}``."""
        process = self.start(parameters, check=check, kill_at=kill_at)
        return self.finish(process, timeout)

    def start(self, parameters: Mapping[str, Any], *, check: bool = False, kill_at: str = "", **more: str) -> Any:
        environment = {
            **os.environ,
            **self.cloud.environment,
            **more,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "collections"), str(ROOT)]),
            "RIG_KILL_AT": kill_at,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.blue_green.process"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps({**parameters, "_ansible_check_mode": check}))
        process.stdin.close()
        process.stdin = None
        return process

    def finish(self, process: Any, timeout: float = 300) -> Result:
        out, err = process.communicate(timeout=timeout)
        if process.returncode == -signal.SIGKILL:
            return {"killed": True}
        lines = [line for line in out.splitlines() if line.startswith("{")]
        assert lines, f"the module printed no result:\n{out}\n{err}"
        result: Result = json.loads(lines[-1])
        return result

    def alarm(self, name: str) -> None:
        """An alarm that goes off only by hand."""
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Rig",
            MetricName="Pain",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="made")

    def release(self, version: str, fault: str = "", **changes: Any) -> Result:
        """Push a version and release it; fails unless the module succeeds."""
        self.push(version, fault)
        result = self.run(self.wish(version, **changes))
        assert not result.get("failed"), result["msg"]
        return result

    # --- looking ---------------------------------------------------------------------------------------------

    def weights(self, port: int = PRODUCTION) -> dict[str, int]:
        listener = self.elb.describe_listeners(ListenerArns=[self.listeners[port]])["Listeners"][0]
        slots = {arn: slot for slot, arn in self.groups.items()}
        action = listener["DefaultActions"][-1]
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or [action]
        given = {slots[one["TargetGroupArn"]]: one.get("Weight", 1) for one in groups}
        return {slot: given.get(slot, 0) for slot in SLOTS}

    def await_weight(self, slot: str, weight: int) -> None:
        self.eventually(lambda: self.weights()[slot] == weight, 180)

    def live(self) -> str:
        having = [slot for slot, weight in self.weights().items() if weight]
        assert len(having) == 1, having
        return having[0]

    def healthy(self, slot: str) -> int:
        return self._states(slot).count("healthy")

    def targets(self, slot: str) -> int:
        """All of them, those that drain as well."""
        return len(self._states(slot))

    def _states(self, slot: str) -> list[str]:
        found = self.elb.describe_target_health(TargetGroupArn=self.groups[slot])["TargetHealthDescriptions"]
        return [one["TargetHealth"]["State"] for one in found]

    def services(self) -> dict[str, Any]:
        names = [f"{APPLICATION}-{slot}" for slot in SLOTS]
        found = self.ecs.describe_services(cluster=PREFIX, services=names)["services"]
        return {one["serviceName"].rsplit("-", 1)[1]: one for one in found}

    def scaling(self) -> dict[str, tuple[int, int, tuple[bool, ...]]]:
        found = self.scaler.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        return {
            one["ResourceId"].rsplit("-", 1)[1]: (
                one["MinCapacity"],
                one["MaxCapacity"],
                tuple(value for _name, value in sorted(one["SuspendedState"].items())),
            )
            for one in found
        }

    def actions(self) -> Any:
        listeners = self.elb.describe_listeners(LoadBalancerArn=self.balancer)["Listeners"]
        shown = {one["Port"]: one["DefaultActions"] for one in listeners}
        for found in shown.values():
            for group in found[-1]["ForwardConfig"]["TargetGroups"]:
                group["Weight"] = 0
        return shown

    def last_call(self) -> int:
        """Number of the newest call in the cloud's log."""
        return self.cloud.newest_call()

    def intent(self) -> dict[str, Any] | None:
        key = {"Application": {"S": APPLICATION}, "Record": {"S": "intent"}}
        item: dict[str, Any] | None = self.dynamo.get_item(TableName=TABLE, Key=key).get("Item")
        return item

    @staticmethod
    def eventually(check: Callable[[], Any], seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := check()):
            assert time.monotonic() < deadline, f"not so after {seconds} s"
            time.sleep(0.1)
        return found

    @contextmanager
    def sampled(self) -> Iterator[Samples]:
        """I1, looked at all the time: every slot with weight has enough healthy targets."""
        samples, ended = Samples(), threading.Event()

        # Weights are read before and after the health: a change between the two is no violation.
        def look() -> None:
            last, before = time.monotonic(), self.weights()
            while not ended.is_set():
                try:
                    healthy = {slot: self.healthy(slot) for slot in SLOTS if before[slot]}
                    after = self.weights()
                except ClientError:  # faults strike the sampler's calls too; it looks again
                    continue
                now = time.monotonic()
                samples.widest_gap = max(samples.widest_gap, now - last)
                samples.late += now - last > SAMPLE_AT_MOST
                last = now
                samples.count += 1
                for slot in SLOTS:
                    if before[slot] and after[slot] and healthy[slot] < MINIMUM:
                        samples.violations.append(f"{slot} had weight {after[slot]} and {healthy[slot]} healthy")
                before = after
                ended.wait(max(0.0, SAMPLE_EVERY - (time.monotonic() - now)))

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield samples
        finally:
            ended.set()
            thread.join()


@contextmanager
def rig(state_dir: Path) -> Iterator[Rig]:
    with running(state_dir, data_plane=True) as cloud:
        made = Rig(cloud)
        made.build()
        yield made
