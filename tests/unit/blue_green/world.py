"""A small AWS in memory with a clock of its own: hours of releases pass in milliseconds.

It keeps what a release can see or change (listeners, services, scaling, records, alarms, metrics), lets tasks start
and stop, lets load balancer nodes learn late, and counts every request that would have failed. Each write can be the
one at which the process is killed.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from ansible_collections.stories1001.platform.plugins.module_utils._aws.api import Aws
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.api import Api
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.apply import Release
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.judge import Sample
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.model import Check, Desired, Observed
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.observe import Observer
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.plan import plan
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.progress import Progress
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.store import Store
from botocore.exceptions import ClientError

APPLICATION, CLUSTER, BALANCER, TABLE = "stories-test-app", "stories-test", "stories-test", "stories-test-releases"
REPOSITORY = "registry.example/stories-test-app"
SLOTS = ("blue", "green")
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
BALANCER_ARN = f"{ARN}:loadbalancer/app/{BALANCER}/1"
GROUPS = {slot: f"{ARN}:targetgroup/{APPLICATION}-{slot}/{slot}" for slot in SLOTS}
LISTENERS = {port: f"{ARN}:listener/app/{BALANCER}/1/{port}" for port in (443, 8443)}
TAGS = [{"key": "Project", "value": "1001-stories"}]
TICK = 1.0
# Of DynamoDB's reserved words those that an attribute of ours has; an expression must call them by another name.
RESERVED = {"ABORT", "OWNER"}
CHECK = Check("/api/health", body="ok", headers={"X-App-Version": "^{version}$"}, p95=500)


class Killed(BaseException):
    """kill -9: nothing of the run gets another word."""


def image(version: str) -> str:
    return f"{REPOSITORY}@sha256:{version.encode().hex():0<64}"


def client_error(code: str, operation: str, message: str = "injected") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class Version:
    """How a version behaves. start: seconds to become healthy. errors: share of users' requests that fail."""

    start: float = 5
    healthy: bool = True
    right: bool = True
    errors: float = 0
    milliseconds: float = 50


@dataclass
class Task:
    definition: str
    healthy_at: float


@dataclass
class Service:
    definition: str
    desired: int
    tasks: list[Task] = field(default_factory=list)
    breaker: bool = False  # rolls back instead of deploying


class World:
    """The account. lags: seconds after which each node of the load balancer learns of new weights."""

    def __init__(self, lags: Sequence[float] = (0.5, 3.0), seed: int = 0) -> None:
        self.now = 1_000_000.0
        self.lags, self.random = tuple(lags), random.Random(seed)
        self.versions: dict[str, Version] = {}
        self.definitions: list[dict[str, Any]] = []
        first = self.register(image("v1"), "v1", "blue")
        self.services = {"blue": Service(first, 3), "green": Service(first, 0)}
        self.services["blue"].tasks = [Task(first, 0.0) for _ in range(3)]
        self.scaling: dict[str, dict[str, Any]] = {
            "blue": {"MinCapacity": 2, "MaxCapacity": 10, "SuspendedState": _suspended(False, False, False)},
            "green": {"MinCapacity": 0, "MaxCapacity": 10, "SuspendedState": _suspended(True, True, True)},
        }
        self.actions = {LISTENERS[443]: [_forward(100, 0)], LISTENERS[8443]: [_forward(0, 100)]}
        self.rules: dict[str, dict[str, Any]] = {}
        self.history: list[tuple[float, dict[str, Any]]] = [(0.0, copy.deepcopy(self.actions))]
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.tags: dict[str, str] = {}
        self.alarms: dict[str, str] = {}
        self.counted = {slot: [0.0, 0.0] for slot in SLOTS}  # requests, errors
        self.requests = 0.0
        self.failed: list[str] = []
        self.violations: list[str] = []
        self.writes: list[str] = []
        self.kill_at: tuple[int, str] | None = None
        self.before_write: Callable[[str], None] = lambda operation: None
        self.every_tick: Callable[[World], None] = lambda world: None
        self.notices: list[str] = []

    # --- time and traffic ------------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end - 1e-9:
            step = min(TICK, end - self.now)
            self.now += step
            self.pass_time(step)

    def pass_time(self, seconds: float) -> None:
        self.every_tick(self)
        for service in self.services.values():
            behaviour = self.behaviour(service.definition)
            service.tasks = [task for task in service.tasks if task.definition == service.definition]
            while len(service.tasks) < service.desired:
                at = self.now + behaviour.start if behaviour.healthy else float("inf")
                service.tasks.append(Task(service.definition, at))
            del service.tasks[service.desired :]
        shown = self.weights(self.actions)
        for slot, weight in shown.items():
            if weight and self.healthy(slot) < 2:
                self.violations.append(f"I1: {slot} has weight {weight} and {self.healthy(slot)} healthy at {self.now}")
        for lag in self.lags:
            weights = self.weights(self.known(lag))
            total = sum(weights.values())
            for slot, weight in weights.items():
                if not weight:
                    continue
                share = weight / total * 100 * seconds / len(self.lags)
                errors = self.behaviour(self.services[slot].definition).errors * share
                if self.healthy(slot) == 0:
                    errors = share
                self.requests += share
                if errors:
                    self.failed.append(f"{errors:.2f} requests of {slot} at {self.now:.1f}")
                self.counted[slot][0] += share
                self.counted[slot][1] += errors

    def known(self, lag: float) -> Mapping[str, Any]:
        return next(actions for at, actions in reversed(self.history) if at <= self.now - lag or at == 0.0)

    @staticmethod
    def weights(actions: Mapping[str, Any], port: int = 443) -> dict[str, int]:
        groups = actions[LISTENERS[port]][0]["ForwardConfig"]["TargetGroups"]
        slots = {arn: slot for slot, arn in GROUPS.items()}
        return {slots[one["TargetGroupArn"]]: one["Weight"] for one in groups}

    def healthy(self, slot: str) -> int:
        return sum(1 for task in self.services[slot].tasks if task.healthy_at <= self.now)

    def behaviour(self, definition: str) -> Version:
        return self.versions.get(self.version(definition), Version())

    def version(self, definition: str) -> str:
        container = self.definition(definition)["containerDefinitions"][0]
        return next(one["value"] for one in container["environment"] if one["name"] == "APP_VERSION")

    def definition(self, name: str) -> dict[str, Any]:
        return next(one for one in reversed(self.definitions) if name in (one["taskDefinitionArn"], one["family"]))

    def register(self, image_name: str, version: str, slot: str) -> str:
        variables = {"APP_VERSION": version, "APP_SLOT": slot, "DATABASE_HOST": "db"}
        container = {"name": "app", "image": image_name, "portMappings": [{"containerPort": 3000}]}
        told = {"environment": [{"name": name, "value": value} for name, value in variables.items()]}
        return self.keep({"cpu": "256", "memory": "512", "containerDefinitions": [{**container, **told}]})

    def keep(self, definition: Mapping[str, Any]) -> str:
        revision = len(self.definitions) + 1
        arn = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{APPLICATION}:{revision}"
        self.definitions.append(
            {**definition, "taskDefinitionArn": arn, "family": APPLICATION, "revision": revision, "status": "ACTIVE"}
        )
        return arn

    def live(self) -> str:
        having = [slot for slot, weight in self.weights(self.actions).items() if weight]
        assert len(having) == 1, having
        return having[0]

    # --- writes ----------------------------------------------------------------------------------------------

    @contextmanager
    def write(self, operation: str, client: _Client) -> Iterator[None]:
        """One mutating call. The process may be killed before it or after it."""
        self.before_write(operation)
        # What botocore does at the last moment before a request leaves.
        for hook in client.hooks:
            hook(event_name=f"before-send.service.{operation.title().replace('_', '')}")
        number = len(self.writes)
        self.writes.append(operation)
        if self.kill_at == (number, "before"):
            raise Killed
        self.now += 0.05
        yield
        self.history.append((self.now, copy.deepcopy(self.actions)))
        if self.kill_at == (number, "after"):
            raise Killed

    def client(self, service: str) -> Any:
        return _CLIENTS[service](self)


def _suspended(scale_in: bool, out: bool, scheduled: bool) -> dict[str, bool]:
    return {
        "DynamicScalingInSuspended": scale_in,
        "DynamicScalingOutSuspended": out,
        "ScheduledScalingSuspended": scheduled,
    }


def _forward(blue: int, green: int, sticky: int = 0) -> dict[str, Any]:
    stickiness: dict[str, Any] = {"Enabled": bool(sticky)}
    if sticky:
        stickiness["DurationSeconds"] = sticky
    weights = {"blue": blue, "green": green}
    groups = [{"TargetGroupArn": GROUPS[slot], "Weight": weight} for slot, weight in weights.items()]
    return {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness},
    }


class _Client:
    def __init__(self, world: World) -> None:
        self.world = world
        self.hooks: list[Any] = []
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda _name, hook: self.hooks.append(hook)))

    def can_paginate(self, _operation: str) -> bool:
        return False


class Elb(_Client):
    def describe_load_balancers(self, Names: list[str]) -> Any:
        if Names != [BALANCER]:
            raise client_error("LoadBalancerNotFound", "DescribeLoadBalancers")
        return {"LoadBalancers": [{"LoadBalancerArn": BALANCER_ARN, "DNSName": "balancer.example"}]}

    def describe_target_groups(self, Names: list[str]) -> Any:
        found = {f"{APPLICATION}-{slot}": arn for slot, arn in GROUPS.items()}
        if Names[0] not in found:
            raise client_error("TargetGroupNotFound", "DescribeTargetGroups")
        return {"TargetGroups": [{"TargetGroupArn": found[Names[0]]}]}

    def describe_listeners(self, LoadBalancerArn: str = "", ListenerArns: Sequence[str] = ()) -> Any:
        shown = [
            {"ListenerArn": arn, "Port": port, "DefaultActions": copy.deepcopy(self.world.actions[arn])}
            for port, arn in LISTENERS.items()
            if arn in (ListenerArns or LISTENERS.values())
        ]
        return {"Listeners": shown}

    def describe_rules(self, ListenerArn: str = "", RuleArns: Sequence[str] = ()) -> Any:
        rules = self.world.rules.items()
        chosen = [
            copy.deepcopy(rule) for arn, rule in rules if arn in RuleArns or ListenerArn == rule.get("ListenerArn")
        ]
        return {"Rules": chosen}

    def describe_target_health(self, TargetGroupArn: str) -> Any:
        slot = next(slot for slot, arn in GROUPS.items() if arn == TargetGroupArn)
        service = self.world.services[slot]
        healthy = self.world.healthy(slot)
        states = ["healthy"] * healthy + ["initial"] * (len(service.tasks) - healthy)
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}} for state in states]}

    def modify_listener(self, ListenerArn: str, DefaultActions: list[Any]) -> Any:
        with self.world.write("modify_listener", self):
            self.world.actions[ListenerArn] = copy.deepcopy(DefaultActions)
        return {}

    def modify_rule(self, RuleArn: str, Actions: list[Any]) -> Any:
        with self.world.write("modify_rule", self):
            self.world.rules[RuleArn]["Actions"] = copy.deepcopy(Actions)
        return {}

    def create_rule(self, **rule: Any) -> Any:
        with self.world.write("create_rule", self):
            arn = f"{ARN}:listener-rule/{len(self.world.rules)}"
            self.world.rules[arn] = {**rule, "RuleArn": arn, "Priority": str(rule["Priority"])}
        return {}

    def delete_rule(self, RuleArn: str) -> Any:
        with self.world.write("delete_rule", self):
            del self.world.rules[RuleArn]
        return {}

    def describe_tags(self, ResourceArns: list[str]) -> Any:
        tags = [{"Key": name, "Value": value} for name, value in self.world.tags.items()]
        return {"TagDescriptions": [{"ResourceArn": ResourceArns[0], "Tags": tags}]}

    def add_tags(self, ResourceArns: list[str], Tags: list[Any]) -> Any:
        with self.world.write("add_tags", self):
            self.world.tags.update({tag["Key"]: tag["Value"] for tag in Tags})
        return {}


class Ecs(_Client):
    def describe_services(self, cluster: str, services: list[str]) -> Any:
        if cluster != CLUSTER:
            raise client_error("ClusterNotFoundException", "DescribeServices")
        return {"services": [self._shown(slot) for slot in SLOTS if f"{APPLICATION}-{slot}" in services]}

    def _shown(self, slot: str) -> Any:
        service = self.world.services[slot]
        started = self.world.healthy(slot) >= service.desired and len(service.tasks) >= service.desired
        primary = {
            "status": "PRIMARY",
            "taskDefinition": service.definition,
            "rolloutState": "COMPLETED" if started else "IN_PROGRESS",
        }
        return {
            "serviceName": f"{APPLICATION}-{slot}",
            "status": "ACTIVE",
            "taskDefinition": service.definition,
            "desiredCount": service.desired,
            "runningCount": len(service.tasks),
            "deployments": [primary],
        }

    def describe_task_definition(self, taskDefinition: str, include: list[str]) -> Any:
        return {"taskDefinition": copy.deepcopy(self.world.definition(taskDefinition)), "tags": TAGS}

    def list_task_definitions(self, **_which: Any) -> Any:
        return {"taskDefinitionArns": [one["taskDefinitionArn"] for one in reversed(self.world.definitions)]}

    def register_task_definition(self, **definition: Any) -> Any:
        with self.world.write("register_task_definition", self):
            assert definition.pop("tags") == TAGS, "a site run would find drift"
            arn = self.world.keep(definition)
        return {"taskDefinition": {"taskDefinitionArn": arn}}

    def update_service(self, cluster: str, service: str, desiredCount: int, taskDefinition: str = "") -> Any:
        found = self.world.services[service.rsplit("-", 1)[1]]
        with self.world.write("update_service", self):
            found.desired = desiredCount
            if taskDefinition and not found.breaker:
                found.definition = taskDefinition
            self.world.pass_time(0.001)
        return {}


class Scaler(_Client):
    def describe_scalable_targets(self, **_which: Any) -> Any:
        return {
            "ScalableTargets": [
                {"ResourceId": f"service/{CLUSTER}/{APPLICATION}-{slot}", **copy.deepcopy(target)}
                for slot, target in self.world.scaling.items()
            ]
        }

    def register_scalable_target(
        self, ResourceId: str, MinCapacity: int, MaxCapacity: int, SuspendedState: Any, **_which: Any
    ) -> Any:
        slot = ResourceId.rsplit("-", 1)[1]
        with self.world.write("register_scalable_target", self):
            self.world.scaling[slot] = {
                "MinCapacity": MinCapacity,
                "MaxCapacity": MaxCapacity,
                "SuspendedState": dict(SuspendedState),
            }
            # As AWS does: capacity outside the new limits is moved into them at once.
            service = self.world.services[slot]
            service.desired = min(max(service.desired, MinCapacity), MaxCapacity)
        return {}


class Dynamo(_Client):
    """Just enough of DynamoDB: the conditions that the store writes, evaluated."""

    def get_item(self, TableName: str, Key: Any, **_how: Any) -> Any:
        if TableName != TABLE:
            raise client_error("ResourceNotFoundException", "GetItem")
        found = self.world.items.get(_key(Key))
        return {"Item": copy.deepcopy(found)} if found else {}

    def query(self, Limit: int, **_how: Any) -> Any:
        found = [item for key, item in sorted(self.world.items.items(), reverse=True) if key[1].startswith("swap#")]
        return {"Items": copy.deepcopy(found[:Limit])}

    def put_item(self, TableName: str, Item: Any, **condition: Any) -> Any:
        with self.world.write("put_item", self):
            self._demand(_key(Item), "PutItem", condition)
            self.world.items[_key(Item)] = copy.deepcopy(Item)
        return {}

    def update_item(self, TableName: str, Key: Any, UpdateExpression: str, **condition: Any) -> Any:
        with self.world.write("update_item", self):
            self._demand(_key(Key), "UpdateItem", {**condition, "UpdateExpression": UpdateExpression})
            names, values = condition.get("ExpressionAttributeNames", {}), condition["ExpressionAttributeValues"]
            item = self.world.items.setdefault(_key(Key), copy.deepcopy(Key))
            for name, value in re.findall(r"([#\w]+) = (:\w+)", UpdateExpression):
                item[names.get(name, name)] = values[value]
        return {"Attributes": copy.deepcopy(item)}

    def delete_item(self, TableName: str, Key: Any, **condition: Any) -> Any:
        with self.world.write("delete_item", self):
            self._demand(_key(Key), "DeleteItem", condition)
            self.world.items.pop(_key(Key), None)
        return {}

    def _demand(self, key: tuple[str, str], operation: str, condition: Mapping[str, Any]) -> None:
        for expression in ("ConditionExpression", "UpdateExpression"):
            words = re.findall(r"(?<![#:\w])\w+", condition.get(expression, ""))
            if reserved := RESERVED & {word.upper() for word in words}:
                raise client_error("ValidationException", operation, f"reserved keyword: {', '.join(reserved)}")
        item = self.world.items.get(key)
        names = condition.get("ExpressionAttributeNames", {})
        values = condition.get("ExpressionAttributeValues", {})
        for part in filter(None, condition.get("ConditionExpression", "").split(" AND ")):
            if part.startswith("attribute_not_exists"):
                good = item is None
            else:
                name, operator, value = part.split()
                (have,) = (item or {}).get(names.get(name, name), {"S": None}).values()
                (want,) = values[value].values()
                good = have == want if operator == "=" else have is not None and float(have) < float(want)
            if not good:
                raise client_error("ConditionalCheckFailedException", operation)


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["Application"]["S"], item["Record"]["S"]


class Watch(_Client):
    def describe_alarms(self, AlarmNames: list[str], **_types: Any) -> Any:
        known = self.world.alarms
        return {"MetricAlarms": [{"AlarmName": n, "StateValue": known[n]} for n in AlarmNames if n in known]}

    def get_metric_data(self, MetricDataQueries: list[Any], StartTime: float, EndTime: float) -> Any:
        results = []
        for query in MetricDataQueries:
            metric = query["MetricStat"]["Metric"]
            group = next(one["Value"] for one in metric["Dimensions"] if one["Name"] == "TargetGroup")
            slot = group.rsplit("/", 1)[1]
            counted = self.world.counted[slot]
            value = {"RequestCount": counted[0], "HTTPCode_Target_5XX_Count": counted[1]}.get(metric["MetricName"], 0)
            results.append({"Id": query["Id"], "Values": [value] if value else []})
        return {"MetricDataResults": results}


_CLIENTS: dict[str, Any] = {
    "elbv2": Elb,
    "ecs": Ecs,
    "application-autoscaling": Scaler,
    "dynamodb": Dynamo,
    "cloudwatch": Watch,
}


class FakeModule:
    region: str | None = "us-east-1"

    def __init__(self, world: World) -> None:
        self._clients = {name: world.client(name) for name in _CLIENTS}

    def client(self, service: str, **_options: Any) -> Any:
        return self._clients[service]


class Clock:
    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        return self._world.now

    def sleep(self, seconds: float) -> None:
        self._world.sleep(seconds)


class FakeProber:
    """Answers as the slot would to which the test listener leads, one answer a second."""

    def __init__(self, world: World, checks: Sequence[Check]) -> None:
        self._world, self._checks, self._taken_at = world, checks, world.now

    def once(self) -> list[Sample]:
        return [self._ask(check) for check in self._checks]

    def _ask(self, check: Check) -> Sample:
        weights = World.weights(self._world.known(max(self._world.lags)), 8443)
        slot = max(weights, key=lambda one: weights[one])
        if not self._world.healthy(slot):
            return Sample(check, 503, 1)
        definition = self._world.services[slot].definition
        behaviour, version = self._world.behaviour(definition), self._world.version(definition)
        body = "ok" if behaviour.right else "another page"
        return Sample(check, 200, behaviour.milliseconds, body, {"X-App-Version": version})

    def start(self) -> None:
        self._taken_at = self._world.now

    def take(self) -> list[Sample]:
        count = int(self._world.now - self._taken_at)
        self._taken_at += count
        return [self._ask(check) for check in self._checks[:1] for _ in range(count)]

    def stop(self) -> None: ...


def wish(version: str = "v2", **changes: Any) -> Desired:
    """A release with short times that still exceed the slowest node of the load balancer."""
    told: dict[str, Any] = {
        "state": "deployed",
        "application": APPLICATION,
        "cluster": CLUSTER,
        "load_balancer": BALANCER,
        "table": TABLE,
        "image": image(version),
        "version": version,
        "settle": 6,
        "bake": 20,
        "rollback_window": 30,
        "poll": 2,
        "lease": 30,
        "start_timeout": 60,
        "drain_timeout": 60,
        "minimum_samples": 10,
        "checks": (CHECK,),
    }
    return Desired(**{**told, **changes})


@dataclass
class Run:
    """One process of the module on the world."""

    world: World
    desired: Desired
    owner: str = "first"

    def __post_init__(self) -> None:
        clock = Clock(self.world)
        api = Api(Aws(FakeModule(self.world)))
        self.store = Store(api._aws, clock, self.desired.table, APPLICATION, self.owner, self.desired.lease)
        self.observer = Observer(api, self.store, clock, self.desired)
        self.progress = Progress(clock)
        prober = FakeProber(self.world, self.desired.checks)
        self.release = Release(api, self.store, self.observer, clock, prober, self.progress, self._notify)

    def _notify(self, subject: str, _message: str) -> None:
        self.world.notices.append(subject)

    def observe(self) -> Observed:
        return self.observer.observe()

    def planned(self) -> list[str]:
        return [step.id for step in plan(self.observe(), self.desired)]

    def go(self) -> list[str]:
        """What the module does: observe, plan, apply, and look again. Answers the ids of the steps."""
        observed = self.observe()
        steps = plan(observed, self.desired)
        if steps:
            self.release.apply(steps, observed)
        assert plan(self.observe(), self.desired) == ()
        return [step.id for step in steps]
