# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the parts of the data plane shall do, read from the control plane through its own APIs.

Reading through the APIs, not through ministack's records, shows the parts what a client sees.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from local_cloud.control_plane.overlay import AwsError
from local_cloud.data_plane.control.settings import Settings
from local_cloud.data_plane.control.targets import Targets

Record = dict[str, Any]
Scope = tuple[str, str]  # (account, region)
Invoke = Callable[[Scope, str, str, Record], Awaitable[Record]]


def attributes(answer: Record) -> dict[str, str]:
    """{Key: Value} of a Describe…Attributes answer."""
    return {item["Key"]: item.get("Value", "") for item in answer.get("Attributes", [])}


class Reader(Protocol):
    """How this file asks the control plane."""

    async def invoke(self, scope: Scope, service: str, operation: str, parameters: Record) -> Record: ...

    async def registered(self, scope: Scope, group: str) -> Record: ...


async def load_balancers(
    reader: Reader, scope: Scope, targets: Targets, settings: Settings
) -> tuple[list[Record], list[Record]]:
    """(load balancers with listeners and rules, target groups with targets) of one region."""
    invoke = reader.invoke
    balancers = []
    used: set[str] = set()
    for balancer in (await invoke(scope, "elbv2", "DescribeLoadBalancers", {})).get("LoadBalancers", []):
        if balancer.get("Type", "application") != "application":
            continue
        arn = balancer["LoadBalancerArn"]
        listeners = []
        groups_here: set[str] = set()
        answer = await invoke(scope, "elbv2", "DescribeListeners", {"LoadBalancerArn": arn})
        for listener in answer.get("Listeners", []):
            rules = await _rules(invoke, scope, listener)
            groups_here |= {
                group["TargetGroupArn"] for rule in rules for action in rule["actions"] for group in forwarded(action)
            }
            listeners.append(
                {
                    "arn": listener["ListenerArn"],
                    "port": int(listener["Port"]),
                    "protocol": listener.get("Protocol", "HTTP"),
                    "domains": await _domains(invoke, scope, listener),
                    "rules": rules,
                }
            )
        found = attributes(await invoke(scope, "elbv2", "DescribeLoadBalancerAttributes", {"LoadBalancerArn": arn}))
        balancers.append(
            {
                "arn": arn,
                "name": balancer["LoadBalancerName"],
                "region": scope[1],
                "addresses": settings.block("load_balancer", arn),
                "idle_timeout": float(found.get("idle_timeout.timeout_seconds", 60)),
                "listeners": listeners,
                "target_groups": sorted(groups_here),
            }
        )
        used |= groups_here
    groups = [
        await _group(reader, scope, group, targets, used, settings.time_scale)
        for group in (await invoke(scope, "elbv2", "DescribeTargetGroups", {})).get("TargetGroups", [])
        if group.get("TargetType") in ("ip", "instance")
    ]
    return balancers, groups


def forwarded(action: Record) -> list[Record]:
    """The target groups of a forward action with their weights, however it was written."""
    if action["Type"] != "forward":
        return []
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups")
    if not groups and action.get("TargetGroupArn"):
        groups = [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
    return groups or []


async def _domains(invoke: Invoke, scope: Scope, listener: Record) -> list[str]:
    """The names in the listener's certificates: the local authority makes a certificate for them."""
    found: set[str] = set()
    for item in listener.get("Certificates", []):
        try:
            answer = await invoke(scope, "acm", "DescribeCertificate", {"CertificateArn": item["CertificateArn"]})
        except AwsError:  # an IAM server certificate, or one that is gone
            continue
        certificate = answer["Certificate"]
        found |= {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])}
    return sorted(found)


async def _rules(invoke: Invoke, scope: Scope, listener: Record) -> list[Record]:
    """The listener's rules in the order of their priorities; the default actions are the last."""
    answer = await invoke(scope, "elbv2", "DescribeRules", {"ListenerArn": listener["ListenerArn"]})
    chosen = [
        rule for rule in answer.get("Rules", []) if not rule.get("IsDefault") and rule.get("Priority") != "default"
    ]
    chosen.sort(key=lambda rule: int(rule["Priority"]))
    return [
        *({"conditions": rule.get("Conditions", []), "actions": rule["Actions"]} for rule in chosen),
        {"conditions": [], "actions": listener.get("DefaultActions", [])},
    ]


async def _group(reader: Reader, scope: Scope, group: Record, targets: Targets, used: set[str], scale: float) -> Record:
    arn = group["TargetGroupArn"]
    found = attributes(await reader.invoke(scope, "elbv2", "DescribeTargetGroupAttributes", {"TargetGroupArn": arn}))
    delay = float(found.get("deregistration_delay.timeout_seconds", 300))
    registered = {
        (item["Target"]["Id"], int(item["Target"].get("Port") or group.get("Port", 80)))
        for item in (await reader.registered(scope, arn)).get("TargetHealthDescriptions", [])
    }
    state = targets.observe(arn, arn in used, registered, delay * scale)
    return {
        "arn": arn,
        "name": group["TargetGroupName"],
        "region": scope[1],
        "used": state.used,
        "targets": sorted(map(list, registered)),
        "draining": sorted(map(list, state.draining)),
        "deregistration_delay": delay,
        "stickiness": {
            "enabled": found.get("stickiness.enabled") == "true",
            "type": found.get("stickiness.type", "lb_cookie"),
            "seconds": float(found.get("stickiness.lb_cookie.duration_seconds", 86400)),
        },
        "health_check": {
            "enabled": group.get("HealthCheckEnabled", True),
            "protocol": group.get("HealthCheckProtocol", "HTTP"),
            "port": group.get("HealthCheckPort", "traffic-port"),
            "path": group.get("HealthCheckPath", "/"),
            "interval": float(group.get("HealthCheckIntervalSeconds", 30)),
            "timeout": float(group.get("HealthCheckTimeoutSeconds", 5)),
            "healthy": int(group.get("HealthyThresholdCount", 5)),
            "unhealthy": int(group.get("UnhealthyThresholdCount", 2)),
            "matcher": (group.get("Matcher") or {}).get("HttpCode", "200"),
        },
    }


async def tasks(invoke: Invoke, scope: Scope, records: list[Record]) -> list[Record]:
    """What the agent needs of each task that is not STOPPED."""
    found = []
    definitions: dict[str, Record] = {}
    for record in records:
        if record["lastStatus"] == "STOPPED" or record.get("_dead"):
            continue
        arn = record["taskDefinitionArn"]
        if arn not in definitions:
            try:
                answer = await invoke(scope, "ecs", "DescribeTaskDefinition", {"taskDefinition": arn})
            except AwsError:  # deleted meanwhile: the task that runs needs it no more
                definitions[arn] = {"containerDefinitions": []}
            else:
                definitions[arn] = answer["taskDefinition"]
        overrides = {item.get("name"): item for item in (record.get("overrides") or {}).get("containerOverrides", [])}
        found.append(
            {
                "arn": record["taskArn"],
                "account": scope[0],
                "region": scope[1],
                "group": record.get("group", ""),
                "cluster": record["clusterArn"].rpartition("/")[2],
                "wanted": "stopped" if record["lastStatus"] == "STOPPING" else "running",
                "memory": definitions[arn].get("memory"),
                "cpu": definitions[arn].get("cpu"),
                "containers": [
                    {
                        **_container(container, overrides.get(container["name"], {})),
                        "log": _log(container, record),
                    }
                    for container in definitions[arn]["containerDefinitions"]
                ],
            }
        )
    return found


def _log(definition: Record, task: Record) -> Record | None:
    """Where a task that no service runs writes its log. Services write much, which stays in files."""
    options = (definition.get("logConfiguration") or {}).get("options") or {}
    if task.get("group", "").startswith("service:") or not options.get("awslogs-stream-prefix"):
        return None
    stream = f"{options['awslogs-stream-prefix']}/{definition['name']}/{task['taskArn'].rpartition('/')[2]}"
    return {"group": options["awslogs-group"], "stream": stream}


def _container(definition: Record, override: Record) -> Record:
    environment = {item["name"]: item.get("value", "") for item in definition.get("environment", [])}
    environment |= {item["name"]: item.get("value", "") for item in override.get("environment", [])}
    ports = [item["containerPort"] for item in definition.get("portMappings", []) if item.get("containerPort")]
    return {
        "name": definition["name"],
        "image": definition.get("image", ""),
        "essential": definition.get("essential", True),
        "entry_point": definition.get("entryPoint") or [],
        "command": override.get("command") or definition.get("command") or [],
        "environment": environment,
        "secrets": {item["name"]: item["valueFrom"] for item in definition.get("secrets", [])},
        "port": ports[0] if ports else None,
        "stop_timeout": float(definition.get("stopTimeout") or 30),
    }
