# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS in the control plane: runs the scheduler over ministack's records and moves tasks through their states.

A task's way: PROVISIONING (made here) → PENDING, ACTIVATING, RUNNING (told by the agent) → DEACTIVATING (deregistered,
draining) → STOPPING (the agent sends SIGTERM, later SIGKILL) → DEPROVISIONING → STOPPED.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import ecs as ministack_ecs

from local_cloud.control_plane.overlay import AwsError
from local_cloud.data_plane.control import scheduler
from local_cloud.data_plane.control.targets import Target, Targets

logger = logging.getLogger("local_cloud.data_plane")

Record = dict[str, Any]
Scope = tuple[str, str]  # (account, region)
Invoke = Callable[..., Any]

_KEPT_STOPPED_TASKS = 100  # a region; AWS keeps a stopped task for an hour
_KEPT_EVENTS = 100
LIVE = ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING")


def take_over() -> None:
    """Put our scheduler in the place of ministack's, which would start Docker containers."""
    make = ministack_ecs._make_deployment

    def make_deployment(task_definition: str, desired_count: int, status: str = "PRIMARY") -> Record:
        made: Record = make(task_definition, desired_count, status)
        made |= {"rolloutState": "IN_PROGRESS", "rolloutStateReason": f"ECS deployment {made['id']} in progress."}
        return made

    def nothing(*_arguments: Any, **_named: Any) -> None:
        """Our scheduler runs after each write anyway."""

    ministack_ecs._make_deployment = make_deployment
    for name in (
        "_reconcile_service_tasks",
        "_complete_service_deployment",
        "_sync_service_targets",
        "_refresh_service_state",
        "_ensure_ecs_reaper_thread",
        "_start_restored_service_reconciler",
        "_cleanup_task_resources",
        "_run_task_worker",
        "_maybe_mark_stopped",
    ):
        if not hasattr(ministack_ecs, name):
            raise RuntimeError(f"ministack's ecs has no {name}; this overlay is for ministack 1.5.33")
        setattr(ministack_ecs, name, nothing)
    ministack_ecs._get_docker = object  # a true value: RunTask then leaves its tasks in PROVISIONING
    ministack_ecs._stop_task = _stop_task
    ministack_ecs._ACTION_MAP["StopTask"] = _stop_task


def _stop_task(data: Record) -> Any:
    """StopTask, as ministack calls its actions; also what its DeleteService uses."""
    cluster = ministack_ecs._resolve_cluster_name(data.get("cluster", "default"))
    if cluster is None:
        return ministack_ecs.error_response_json("ClusterNotFoundException", "Cluster not found.", 400)
    task = ministack_ecs._resolve_task(data.get("task", ""), cluster)
    if not task:
        return ministack_ecs.error_response_json("InvalidParameterException", "The referenced task was not found.", 400)
    want_stopped(task, data.get("reason", "Task stopped by user"), "UserInitiated")
    return ministack_ecs.json_response({"task": ministack_ecs._sanitize(task)})


def want_stopped(task: Record, reason: str, code: str) -> None:
    """Have a task stop; it drains first if it serves."""
    if task["desiredStatus"] == "STOPPED":
        return
    now = ministack_ecs._iso()
    task |= {"desiredStatus": "STOPPED", "stoppedReason": reason, "stopCode": code, "stoppingAt": now}
    task["lastStatus"] = "DEACTIVATING"
    task["_deactivated"] = time.monotonic()
    task["version"] = task.get("version", 1) + 1


class Ecs:
    """The ECS side of all regions."""

    def __init__(self, targets: Targets, invoke: Invoke) -> None:
        self.targets = targets
        self._invoke = invoke
        self.time_scale = 1.0

    def scopes(self) -> set[Scope]:
        return {(account, region) for account, region, _ in list(ministack_ecs._services._data)} | {
            (account, region) for account, region, _ in list(ministack_ecs._tasks._data)
        }

    def tasks(self, scope: Scope) -> list[Record]:
        with request_scope(*scope):
            return list(ministack_ecs._tasks.values())

    def task(self, arn: str) -> Record | None:
        _, _, _, region, account, _ = arn.split(":", 5)
        found: Record | None = ministack_ecs._tasks.get_scoped(account, region, arn)
        return found

    def forget_former_life(self) -> None:
        """Tasks that ran when the cloud ended run no more; the scheduler deregisters them and starts others."""
        for task in list(ministack_ecs._tasks._data.values()):
            # ministack restores every task as STOPPED, also those that are still registered in target groups.
            if not task.get("_ended"):
                task["desiredStatus"] = "RUNNING"  # also those that were about to stop
                want_stopped(task, "The host of this task was stopped", "TerminationNotice")
                task.pop("_deregistered", None)
                self._stopped(task, None)

    async def step(self, scope: Scope) -> None:
        """Bring all services of a region one step forward."""
        with request_scope(*scope):
            services = list(ministack_ecs._services.items())
            for key, service in services:
                if service["status"] in ("ACTIVE", "DRAINING"):
                    await self._step_service(scope, key, service)
            for task in list(ministack_ecs._tasks.values()):
                await self._step_task(scope, task)
            for key, _ in services:
                self._count(key.partition("/")[0])
            self._prune()

    # Services.

    async def _step_service(self, scope: Scope, key: str, service: Record) -> None:
        view = self._view(service)
        decision = scheduler.decide(view)
        primary = service["deployments"][0]
        for arn, reason, failed in decision.stop:
            task = ministack_ecs._tasks[arn]
            if failed:
                self._count_failure(service, task)
            want_stopped(task, reason, "ServiceSchedulerInitiated")
        if decision.launch:
            self._launch(key, service, primary, decision.launch)
        if decision.rollout:
            state, reason = decision.rollout
            primary |= {"rolloutState": state, "rolloutStateReason": reason, "updatedAt": ministack_ecs._iso()}
            if state == "COMPLETED":
                service["_last_completed"] = primary["taskDefinition"]
        if decision.roll_back_to:
            self._roll_back(service, primary, decision.roll_back_to)
        if decision.gone:
            service["deployments"] = [item for item in service["deployments"] if item["id"] not in decision.gone]
        for message in decision.events:
            add_event(service, message)

    def _view(self, service: Record) -> scheduler.Service:
        now = time.monotonic()
        configuration = service.get("deploymentConfiguration") or {}
        breaker = configuration.get("deploymentCircuitBreaker") or {}
        groups = [item["targetGroupArn"] for item in service.get("loadBalancers") or [] if item.get("targetGroupArn")]
        primary = next(item for item in service["deployments"] if item["status"] == "PRIMARY")
        service["deployments"].sort(key=lambda item: item is not primary)
        failed_at = primary.get("_failed_at")
        return scheduler.Service(
            name=service["serviceName"],
            desired=int(service.get("desiredCount", 0)),
            deployments=tuple(
                scheduler.Deployment(
                    id=item["id"],
                    task_definition=item["taskDefinition"],
                    primary=item is primary,
                    rollout_state=item.get("rolloutState", "IN_PROGRESS"),
                    failed_tasks=int(item.get("failedTasks", 0)),
                    # A time of a former life of this process is no time of this one's clock.
                    last_failure=now - failed_at if item is primary and failed_at and failed_at <= now else None,
                )
                for item in service["deployments"]
            ),
            tasks=tuple(self._task_view(task, groups, now) for task in self._tasks_of(service)),
            balanced=bool(groups),
            minimum_percent=int(configuration.get("minimumHealthyPercent", 100)),
            maximum_percent=int(configuration.get("maximumPercent", 200)),
            breaker=bool(breaker.get("enable")),
            rollback=bool(breaker.get("rollback")),
            grace=float(service.get("healthCheckGracePeriodSeconds") or 0),
            last_completed=service.get("_last_completed"),
            active=service["status"] == "ACTIVE",
            time_scale=self.time_scale,
        )

    def _tasks_of(self, service: Record) -> list[Record]:
        group, cluster = f"service:{service['serviceName']}", service["clusterArn"]
        return [
            task
            for task in ministack_ecs._tasks.values()
            if task.get("group") == group and task["clusterArn"] == cluster and task["lastStatus"] != "STOPPED"
        ]

    def _task_view(self, task: Record, groups: list[str], now: float) -> scheduler.Task:
        states = [(group, self.targets.state(group, target)) for group, target in _targets_of(task) if group in groups]
        health, reason = "unknown", ""
        if groups and len(states) >= len(groups):
            found = [state["State"] if state else "initial" for _, state in states]
            if "unhealthy" in found:
                group = states[found.index("unhealthy")][0]
                health, reason = "unhealthy", f"Task failed ELB health checks in (target-group {group})"
            elif all(state in ("healthy", "unused") for state in found):
                health = "healthy"
        return scheduler.Task(
            arn=task["taskArn"],
            deployment=task.get("_deployment_id") or "",
            wanted=task["desiredStatus"] == "RUNNING",
            running_for=now - task["_running_since"] if task["lastStatus"] == "RUNNING" else None,
            health=health,
            unhealthy_reason=reason,
        )

    def _launch(self, key: str, service: Record, deployment: Record, count: int) -> None:
        ministack_ecs._run_task(
            {
                "cluster": key.partition("/")[0],
                "taskDefinition": deployment["taskDefinition"],
                "count": count,
                "group": f"service:{service['serviceName']}",
                "startedBy": deployment["id"],
                "launchType": service.get("launchType"),
                "capacityProviderStrategy": service.get("capacityProviderStrategy"),
                "platformVersion": service.get("platformVersion", ""),
                "networkConfiguration": service.get("networkConfiguration") or {},
                "enableExecuteCommand": service.get("enableExecuteCommand", False),
                "tags": service.get("tags") or [] if service.get("propagateTags") == "SERVICE" else [],
                "_deploymentId": deployment["id"],
            }
        )
        add_event(service, f"(service {service['serviceName']}) has started {count} tasks.")

    def _roll_back(self, service: Record, failed: Record, task_definition: str) -> None:
        failed["status"] = "ACTIVE"
        made = ministack_ecs._make_deployment(task_definition, service["desiredCount"])
        made["launchType"] = service.get("launchType")
        made["rolloutStateReason"] = f"ECS deployment circuit breaker: rolling back from deploymentId {failed['id']}."
        service["deployments"].insert(0, made)
        service["taskDefinition"] = task_definition
        # Tasks that still run from that definition serve on as tasks of the new deployment.
        for task in self._tasks_of(service):
            if task["taskDefinitionArn"] == task_definition and task["desiredStatus"] == "RUNNING":
                task["_deployment_id"] = made["id"]

    def _count_failure(self, service: Record, task: Record) -> None:
        deployment = next((item for item in service["deployments"] if item["id"] == task.get("_deployment_id")), None)
        if deployment:
            deployment["failedTasks"] = deployment.get("failedTasks", 0) + 1
            deployment["_failed_at"] = time.monotonic()
            deployment["updatedAt"] = ministack_ecs._iso()

    def _count(self, cluster: str) -> None:
        """runningCount and pendingCount of services and deployments; ministack keeps the cluster's."""
        ministack_ecs._recount_cluster(cluster)
        for key, service in ministack_ecs._services.items():
            if key.partition("/")[0] != cluster:
                continue
            tasks = self._tasks_of(service)
            _set_counts(service, tasks)
            for deployment in service["deployments"]:
                _set_counts(deployment, [task for task in tasks if task.get("_deployment_id") == deployment["id"]])
                deployment["desiredCount"] = service["desiredCount"] if deployment["status"] == "PRIMARY" else 0

    # Tasks.

    async def _step_task(self, scope: Scope, task: Record) -> None:
        if task["lastStatus"] == "RUNNING" and "_targets" not in task:
            await self._register(scope, task)
        elif task["lastStatus"] == "DEACTIVATING":
            await self._deactivate(scope, task)

    async def _register(self, scope: Scope, task: Record) -> None:
        """Put a running task into the target groups and the Cloud Map services of its service."""
        service = self._service_of(task)
        task["_targets"], task["_instances"] = [], []
        if service is None:
            return
        address = task["_address"]
        for item in service.get("loadBalancers") or []:
            if not item.get("targetGroupArn"):
                continue
            target = (address, int(item.get("containerPort", 80)))
            group = item["targetGroupArn"]
            if await self._try(scope, service, "elbv2", "RegisterTargets", _target_parameters(group, target)):
                task["_targets"].append([group, list(target)])
                add_event(
                    service,
                    f"(service {service['serviceName']}) registered 1 targets in (target-group {group})",
                )
        for registry in service.get("serviceRegistries") or []:
            await self._register_instance(scope, task, service, registry)

    async def _try(self, scope: Scope, service: Record | None, api: str, operation: str, parameters: Record) -> bool:
        """Make a call for a service; a refusal becomes one of its events."""
        try:
            await self._invoke(scope, api, operation, parameters)
        except AwsError as error:
            if service:
                add_event(service, f"(service {service['serviceName']}) {operation}: {error.code}: {error.message}")
            return False
        return True

    async def _register_instance(self, scope: Scope, task: Record, service: Record, registry: Record) -> None:
        name = registry["registryArn"].rpartition("/")[2]
        attributes = {
            "AWS_INSTANCE_IPV4": task["_address"],
            "AVAILABILITY_ZONE": task.get("availabilityZone", ""),
            "REGION": scope[1],
            "ECS_CLUSTER_NAME": task["clusterArn"].rpartition("/")[2],
            "ECS_SERVICE_NAME": task["group"].partition(":")[2],
            "ECS_TASK_DEFINITION_FAMILY": task["taskDefinitionArn"].rpartition("/")[2].partition(":")[0],
        }
        if registry.get("containerPort") or registry.get("port"):
            attributes["AWS_INSTANCE_PORT"] = str(registry.get("containerPort") or registry.get("port"))
        instance = task["taskArn"].rpartition("/")[2]
        parameters = {
            "ServiceId": name,
            "InstanceId": instance,
            "CreatorRequestId": instance,
            "Attributes": attributes,
        }
        if await self._try(scope, service, "servicediscovery", "RegisterInstance", parameters):
            task["_instances"].append([name, instance])

    async def _deactivate(self, scope: Scope, task: Record) -> None:
        """Deregister; when the targets have drained, let the agent stop the process."""
        service = self._service_of(task)
        targets = _targets_of(task)
        if not task.get("_deregistered"):
            task["_deregistered"] = True
            for name, instance in task.pop("_instances", []):
                parameters = {"ServiceId": name, "InstanceId": instance}
                await self._try(scope, service, "servicediscovery", "DeregisterInstance", parameters)
            for group, target in targets:
                await self._try(scope, service, "elbv2", "DeregisterTargets", _target_parameters(group, target))
                if service:
                    add_event(service, f"(service {service['serviceName']}) has begun draining connections on 1 tasks.")
            # The look at the targets that follows this step sees them drain.
        elif task.get("_dead"):
            _end(task)
        elif not any(self.targets.state(group, target) for group, target in targets):
            task["lastStatus"] = "STOPPING"

    def _service_of(self, task: Record) -> Record | None:
        name = task.get("group", "").partition("service:")[2]
        cluster = task["clusterArn"].rpartition("/")[2]
        found: Record | None = ministack_ecs._services.get(f"{cluster}/{name}") if name else None
        return found

    def report(self, report: Record) -> None:
        """The agent's word on one task: {"arn", "status", "address"?, "exit_codes"?, "reason"?}."""
        task = self.task(report["arn"])
        if task is None or task["lastStatus"] == "STOPPED":
            return
        _, _, _, region, account, _ = report["arn"].split(":", 5)
        with request_scope(account, region):
            if report.get("address"):
                _attach(task, report["address"])
            if report["status"] == "STOPPED":
                self._stopped(task, report)
            elif task["desiredStatus"] == "RUNNING":
                self._progressed(task, report["status"])

    def _progressed(self, task: Record, status: str) -> None:
        now = ministack_ecs._iso()
        task["lastStatus"] = status
        task["version"] = task.get("version", 1) + 1
        if status == "ACTIVATING":
            task["pullStartedAt"] = now
        elif status == "RUNNING":
            task |= {"pullStoppedAt": now, "startedAt": now, "_running_since": time.monotonic()}
            for container in task["containers"]:
                container["lastStatus"] = "RUNNING"

    def _stopped(self, task: Record, report: Record | None) -> None:
        """A task's processes ended: by our wish, or by themselves, which counts against its deployment."""
        now = ministack_ecs._iso()
        if task["desiredStatus"] == "RUNNING":
            code = (report or {}).get("stop_code", "EssentialContainerExited")
            want_stopped(task, (report or {}).get("reason", "Essential container in task exited"), code)
            service = self._service_of(task)
            if service:
                self._count_failure(service, task)
        codes = (report or {}).get("exit_codes", {})
        for container in task["containers"]:
            container["lastStatus"] = "STOPPED"
            if container["name"] in codes:
                container["exitCode"] = codes[container["name"]]
        task |= {"executionStoppedAt": now, "stoppedAt": now, "_stopped": time.monotonic()}
        if task.get("_deregistered"):
            _end(task)
        else:  # it died: what it is registered in goes before it is called STOPPED
            task["lastStatus"] = "DEACTIVATING"
            task["_dead"] = True

    def _prune(self) -> None:
        stopped = [task for task in ministack_ecs._tasks.values() if task["lastStatus"] == "STOPPED"]
        stopped.sort(key=lambda task: task.get("_stopped", 0.0))
        for task in stopped[:-_KEPT_STOPPED_TASKS]:
            ministack_ecs._tasks.pop(task["taskArn"], None)


def _end(task: Record) -> None:
    task |= {"lastStatus": "STOPPED", "_ended": True}


def _targets_of(task: Record) -> list[tuple[str, Target]]:
    return [(group, (target[0], int(target[1]))) for group, target in task.get("_targets", [])]


def _target_parameters(group: str, target: Target) -> Record:
    return {"TargetGroupArn": group, "Targets": [{"Id": target[0], "Port": target[1]}]}


def _set_counts(record: Record, tasks: list[Record]) -> None:
    record["runningCount"] = sum(task["lastStatus"] == "RUNNING" for task in tasks)
    record["pendingCount"] = sum(task["lastStatus"] in ("PROVISIONING", "PENDING", "ACTIVATING") for task in tasks)


def add_event(service: Record, message: str) -> None:
    """Put an event at the head of a service's events."""
    event = {"id": str(uuid.uuid4()), "createdAt": ministack_ecs._iso(), "message": message}
    service["events"] = [event, *service.get("events", [])[: _KEPT_EVENTS - 1]]


def _attach(task: Record, address: str) -> None:
    """Show the task's address as its network interface's."""
    task["_address"] = address
    interface = {
        "id": str(uuid.uuid4()),
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [
            {"name": "subnetId", "value": task.get("_subnet") or ""},
            {"name": "networkInterfaceId", "value": f"eni-{uuid.uuid4().hex[:17]}"},
            {"name": "privateIPv4Address", "value": address},
        ],
    }
    task["attachments"] = [interface]
    for container in task["containers"]:
        container["networkInterfaces"] = [{"attachmentId": interface["id"], "privateIpv4Address": address}]
