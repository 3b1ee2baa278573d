# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes ECS clusters and services.

Identity is the name. A release owns what a service runs and how many: task definition and desired count
are given at creation and never read or written again here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import from_lower_case, lower_case
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.steps import StepFailed
from .._load_balancer.slots import without_release_tags
from . import shapes

_NO_CLUSTER = ("ClusterNotFoundException",)
_SERVICES_PER_CALL = 10  # DescribeServices takes no more names at once


class EcsKind(Kind):
    """What everything in ECS shares: tags by ARN, in lower case."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "ecs", operation, **parameters)

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        what, arn = f"{self.traits.title} {found.name}", found.attribute("arn")
        if put:
            self.call(f"tag {what}", "tag_resource", resourceArn=arn, tags=lower_case(put))
        if remove:
            self.call(f"remove tags from {what}", "untag_resource", resourceArn=arn, tagKeys=list(remove))


class Cluster(EcsKind):
    kind = "ecs_cluster"
    traits = Traits("ECS cluster")

    def __init__(self, aws: Aws, name: str) -> None:
        super().__init__(aws)
        self.name = name

    def observe(self) -> Iterable[Found]:
        for cluster in self._listed():
            outputs = {"arn": cluster["clusterArn"]}
            tags = without_release_tags(from_lower_case(cluster.get("tags")))
            settled = cluster["status"] == "ACTIVE"
            fields = shapes.cluster_fields(cluster)
            yield Found(self.kind, self.name, cluster["clusterName"], fields, tags, outputs, settled)

    def _listed(self) -> list[dict[str, Any]]:
        answer = self.call(
            f"look for ECS cluster {self.name}",
            "describe_clusters",
            clusters=[self.name],
            include=["SETTINGS", "CONFIGURATIONS", "TAGS"],
        )
        # A deleted cluster stays listed as INACTIVE; its name can be used again.
        return [cluster for cluster in answer["clusters"] if cluster["status"] not in {"INACTIVE", "DEPROVISIONING"}]

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        answer = self.call(
            f"create ECS cluster {wanted.name}",
            "create_cluster",
            clusterName=wanted.name,
            tags=lower_case(wanted.tags or {}),
            capacityProviders=fields["capacity_providers"],
            defaultCapacityProviderStrategy=shapes.to_strategy(fields["default_strategy"]),
            **shapes.to_cluster(fields),
        )
        outputs = {"arn": answer["cluster"]["clusterArn"]}
        return Found(self.kind, wanted.name, wanted.name, fields, wanted.tags, outputs)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        capacity = {"capacity_providers", "default_strategy"}
        if set(fields) - capacity:
            attempt = f"change ECS cluster {found.name}"
            self.call(attempt, "update_cluster", cluster=found.id, **shapes.to_changed_cluster(wanted.fields))
        if set(fields) & capacity:
            self.call(
                f"set the capacity providers of ECS cluster {found.name}",
                "put_cluster_capacity_providers",
                cluster=found.id,
                capacityProviders=wanted.fields["capacity_providers"],
                defaultCapacityProviderStrategy=shapes.to_strategy(wanted.fields["default_strategy"]),
            )

    def delete(self, found: Found) -> None:
        self.call(f"delete ECS cluster {found.name}", "delete_cluster", cluster=found.id)

    def wait(self, found: Found) -> None:
        def read() -> str:
            listed = self._listed()
            return str(listed[0]["status"]) if listed else ""

        until(f"ECS cluster {found.name} to be active", read, good={"ACTIVE"}, bad={"FAILED"}, timeout=600)


class Service(EcsKind):
    kind = "ecs_service"
    traits = Traits(
        "ECS service", immutable=frozenset({"scheduling_strategy", "deployment_controller", "deployment_strategy"})
    )

    def __init__(self, aws: Aws, cluster: str, names: Sequence[str], wait_seconds: int = 900) -> None:
        """names: of the services looked for. wait_seconds: for a deployment to complete; 0 does not wait."""
        super().__init__(aws)
        self.cluster = cluster
        self.names = list(names)
        self.wait_seconds = wait_seconds

    def observe(self) -> Iterable[Found]:
        for service in self._listed(self.names):
            if service["status"] != "ACTIVE":
                continue
            outputs = {
                "arn": service["serviceArn"],
                "task_definition": service["taskDefinition"],
                "desired_count": service["desiredCount"],
                "running_count": service["runningCount"],
            }
            tags = without_release_tags(from_lower_case(service.get("tags")))
            name = service["serviceName"]
            yield Found(self.kind, name, service["serviceArn"], shapes.service_fields(service), tags, outputs)

    def _listed(self, names: Sequence[str]) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = []
        for start in range(0, len(names), _SERVICES_PER_CALL):
            answer = self.aws.call_unless(
                _NO_CLUSTER,
                f"look for ECS services {', '.join(names)}",
                "ecs",
                "describe_services",
                cluster=self.cluster,
                services=list(names[start : start + _SERVICES_PER_CALL]),
                include=["TAGS"],
            )
            listed += answer["services"] if answer else []
        return listed

    def create(self, wanted: Resource) -> Found:
        # A service of this name that is still draining would refuse the new one.
        self._await_gone(wanted.name)
        answer = self.call(
            f"create ECS service {wanted.name}",
            "create_service",
            cluster=self.cluster,
            serviceName=wanted.name,
            taskDefinition=wanted.initial["task_definition"],
            desiredCount=wanted.initial["desired_count"],
            schedulingStrategy=wanted.fields["scheduling_strategy"],
            deploymentController={"type": wanted.fields["deployment_controller"]},
            tags=lower_case(wanted.tags or {}),
            **shapes.to_new_capacity(wanted.fields["capacity"]),
            **shapes.to_service(wanted.fields),
        )
        arn = answer["service"]["serviceArn"]
        return Found(self.kind, wanted.name, arn, wanted.fields, wanted.tags, {"arn": arn})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        # Neither taskDefinition nor desiredCount: AWS keeps what a call does not name.
        capacity: dict[str, Any] = {}
        if "capacity" in fields:
            # AWS changes the capacity of a service only with a new deployment of what it runs.
            capacity = {**shapes.changed_capacity(wanted.fields["capacity"]), "forceNewDeployment": True}
        self.call(
            f"change ECS service {found.name}",
            "update_service",
            cluster=self.cluster,
            service=found.name,
            **capacity,
            **shapes.to_service(wanted.fields, changed=fields),
        )

    def delete(self, found: Found) -> None:
        attempt = f"delete ECS service {found.name}"
        self.call(attempt, "delete_service", cluster=self.cluster, service=found.name, force=True)
        # The cluster, the target groups and the security group are in use until the last task has drained.
        self._await_gone(found.name)

    def _await_gone(self, name: str) -> None:
        def left() -> str:
            return "".join(service["status"] for service in self._listed([name]) if service["status"] == "DRAINING")

        until(f"ECS service {name} to be drained", left, good={""}, timeout=900)

    def wait(self, found: Found) -> None:
        """Until the newest deployment is complete; a service without tasks is complete at once."""
        if not self.wait_seconds:
            return

        def read() -> str:
            service = self._listed([found.name])[0]
            newest: Mapping[str, Any] = next((one for one in service["deployments"] if one["status"] == "PRIMARY"), {})
            if newest.get("rolloutState") == "FAILED":
                raise StepFailed(_failure(found.name, newest, service.get("events", [])))
            return "complete" if shapes.is_complete(service, newest) else str(newest.get("rolloutState", "waiting"))

        until(f"ECS service {found.name} to run its tasks", read, good={"complete"}, timeout=self.wait_seconds)


def _failure(name: str, deployment: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> str:
    reason = str(deployment.get("rolloutStateReason", "no reason given")).rstrip(".")
    told = " ".join(str(event["message"]) for event in events[:3])
    return (
        f"Waited for ECS service {name} to run its tasks; its deployment failed: {reason}. The last events: {told} "
        "Mend the image, the task definition or the network and run the play again."
    )
