# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AWS calls of a release, one a function. Reads give AWS's answers in our shapes; writes are fenced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.tags import from_lower_case, lower_case
from .._engine.steps import PlanRefused
from .model import Actions, Scaling

_DIMENSION = "ecs:service:DesiredCount"
_NO_SUCH_BALANCER = ("LoadBalancerNotFound",)
_NO_SUCH_GROUP = ("TargetGroupNotFound",)
_NO_SUCH_CLUSTER = ("ClusterNotFoundException",)
_NO_SUCH_IMAGE = ("ImageNotFoundException", "RepositoryNotFoundException")
_NO_SUCH_DEFINITION = ("ClientException",)


class Api:
    """Calls AWS for one release.

    prepare: called before a write; renews a lease that is not fresh.
    fence: called right before a write leaves; raises `store.LostLease` when the lease has run out. A process
    that was stopped between its check and its write is caught there.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.prepare: Callable[[], None] = lambda: None
        self.fence: Callable[[], None] = lambda: None
        self.writes: Counter[str] = Counter()
        self._fenced: set[str] = set()

    def load_balancer(self, name: str) -> dict[str, Any]:
        """LoadBalancerArn, DNSName, …. Raises PlanRefused when there is none."""
        answer = self._aws.call_unless(
            _NO_SUCH_BALANCER, f"look for load balancer {name}", "elbv2", "describe_load_balancers", Names=[name]
        )
        if not answer or not answer["LoadBalancers"]:
            raise PlanRefused([f"Looked for load balancer {name} and found none. Run playbooks/phase3.yml."])
        found: dict[str, Any] = answer["LoadBalancers"][0]
        return found

    def listeners(self, balancer_arn: str) -> list[dict[str, Any]]:
        attempt = f"list the listeners of {balancer_arn}"
        return self._aws.pages(attempt, "elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer_arn)

    def rules(self, listener_arn: str) -> list[dict[str, Any]]:
        """Rules of a listener without its default."""
        attempt = f"list the rules of {listener_arn}"
        rules = self._aws.pages(attempt, "elbv2", "describe_rules", "Rules", ListenerArn=listener_arn)
        return [rule for rule in rules if not rule.get("IsDefault") and rule.get("Priority") != "default"]

    def actions(self, arn: str, is_rule: bool) -> Actions:
        """The actions of a listener or a rule as they are now."""
        if is_rule:
            answer = self._aws.call(f"read rule {arn}", "elbv2", "describe_rules", RuleArns=[arn])
            return tuple(answer["Rules"][0]["Actions"])
        answer = self._aws.call(f"read listener {arn}", "elbv2", "describe_listeners", ListenerArns=[arn])
        return tuple(answer["Listeners"][0]["DefaultActions"])

    def target_groups(self, names: Sequence[str]) -> dict[str, str]:
        """ARNs by name; those that do not exist are left out."""
        found = {}
        for name in names:
            answer = self._aws.call_unless(
                _NO_SUCH_GROUP, f"look for target group {name}", "elbv2", "describe_target_groups", Names=[name]
            )
            if answer and answer["TargetGroups"]:
                found[name] = answer["TargetGroups"][0]["TargetGroupArn"]
        return found

    def healthy(self, group_arn: str) -> int:
        """Number of healthy targets."""
        answer = self._aws.call(
            f"read target health of {group_arn}", "elbv2", "describe_target_health", TargetGroupArn=group_arn
        )
        return sum(1 for one in answer["TargetHealthDescriptions"] if one["TargetHealth"]["State"] == "healthy")

    def set_actions(self, arn: str, is_rule: bool, actions: Actions) -> None:
        if is_rule:
            self._write(f"set the weights of rule {arn}", "elbv2", "modify_rule", RuleArn=arn, Actions=list(actions))
        else:
            attempt = f"set the weights of listener {arn}"
            self._write(attempt, "elbv2", "modify_listener", ListenerArn=arn, DefaultActions=list(actions))

    def create_rule(
        self, listener_arn: str, priority: int, conditions: Sequence[Any], actions: Sequence[Any], name: str
    ) -> None:
        self._write(
            f"make the rule of priority {priority} for testers in {listener_arn}",
            "elbv2",
            "create_rule",
            ListenerArn=listener_arn,
            Priority=priority,
            Conditions=list(conditions),
            Actions=list(actions),
            Tags=[{"Key": "Name", "Value": name}],
        )

    def delete_rule(self, arn: str) -> None:
        self._write(f"remove rule {arn}", "elbv2", "delete_rule", RuleArn=arn)

    def tag(self, arn: str, name: str, value: str) -> None:
        attempt = f"tag {arn} with {name}={value}"
        self._write(attempt, "elbv2", "add_tags", ResourceArns=[arn], Tags=[{"Key": name, "Value": value}])

    def tags(self, arn: str) -> dict[str, str]:
        answer = self._aws.call(f"read the tags of {arn}", "elbv2", "describe_tags", ResourceArns=[arn])
        return {tag["Key"]: tag["Value"] for one in answer["TagDescriptions"] for tag in one["Tags"]}

    def services(self, cluster: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """ACTIVE services by name. Raises PlanRefused when the cluster does not exist."""
        answer = self._aws.call_unless(
            _NO_SUCH_CLUSTER,
            f"read services {', '.join(names)}",
            "ecs",
            "describe_services",
            cluster=cluster,
            services=list(names),
        )
        if answer is None:
            raise PlanRefused([f"Looked for ECS cluster {cluster} and found none. Run playbooks/phase3.yml."])
        return {one["serviceName"]: one for one in answer["services"] if one["status"] == "ACTIVE"}

    def definition(self, name: str) -> tuple[dict[str, Any], dict[str, str]]:
        """A task definition by ARN, or the newest ACTIVE revision of a family, and its tags."""
        answer = self._aws.call_unless(
            _NO_SUCH_DEFINITION,
            f"read task definition {name}",
            "ecs",
            "describe_task_definition",
            taskDefinition=name,
            include=["TAGS"],
        )
        if answer is None:
            raise PlanRefused([f"Looked for task definition {name} and found none. Run playbooks/phase3.yml."])
        return answer["taskDefinition"], from_lower_case(answer.get("tags"))

    def revisions(self, family: str) -> list[str]:
        """ARNs of the ACTIVE revisions, newest first."""
        return self._aws.pages(
            f"list the revisions of {family}",
            "ecs",
            "list_task_definitions",
            "taskDefinitionArns",
            familyPrefix=family,
            status="ACTIVE",
            sort="DESC",
        )

    def register(self, family: str, definition: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """ARN of the new revision."""
        answer = self._write(
            f"register a revision of {family}",
            "ecs",
            "register_task_definition",
            family=family,
            **definition,
            **({"tags": lower_case(tags)} if tags else {}),
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def set_service(self, cluster: str, service: str, desired: int, definition: str = "") -> None:
        parameters = {"cluster": cluster, "service": service, "desiredCount": desired}
        if definition:
            parameters["taskDefinition"] = definition
        self._write(f"set service {service} to {desired} tasks", "ecs", "update_service", **parameters)

    def scaling(self, cluster: str, services: Sequence[str]) -> dict[str, Scaling]:
        """Scalable targets by service; services without one are left out."""
        ids = {f"service/{cluster}/{service}": service for service in services}
        targets = self._aws.pages(
            f"read the scaling of {', '.join(services)}",
            "application-autoscaling",
            "describe_scalable_targets",
            "ScalableTargets",
            ServiceNamespace="ecs",
            ResourceIds=sorted(ids),
            ScalableDimension=_DIMENSION,
        )
        return {ids[one["ResourceId"]]: _scaling(one) for one in targets if one["ResourceId"] in ids}

    def set_scaling(self, cluster: str, service: str, scaling: Scaling) -> None:
        self._write(
            f"set the scaling of {service} to {scaling.minimum}-{scaling.maximum}",
            "application-autoscaling",
            "register_scalable_target",
            ServiceNamespace="ecs",
            ResourceId=f"service/{cluster}/{service}",
            ScalableDimension=_DIMENSION,
            MinCapacity=scaling.minimum,
            MaxCapacity=scaling.maximum,
            SuspendedState={
                "DynamicScalingInSuspended": scaling.suspended_in,
                "DynamicScalingOutSuspended": scaling.suspended_out,
                "ScheduledScalingSuspended": scaling.suspended_scheduled,
            },
        )

    def digest(self, repository: str, tag: str, registry: str) -> str:
        """Digest of an image that is in ECR; empty when ECR has none of that name."""
        which = {"imageDigest": tag} if tag.startswith("sha256:") else {"imageTag": tag}
        answer = self._aws.call_unless(
            _NO_SUCH_IMAGE,
            f"look for image {repository}:{tag}",
            "ecr",
            "describe_images",
            registryId=registry,
            repositoryName=repository,
            imageIds=[which],
        )
        return str(answer["imageDetails"][0]["imageDigest"]) if answer and answer["imageDetails"] else ""

    def alarms(self, names: Collection[str]) -> dict[str, str]:
        """States by name; an alarm that does not exist is left out."""
        if not names:
            return {}
        attempt, wanted = f"read alarms {', '.join(sorted(names))}", sorted(names)
        states: dict[str, str] = {}
        for start in range(0, len(wanted), 100):
            answer = self._aws.call(
                attempt,
                "cloudwatch",
                "describe_alarms",
                AlarmNames=wanted[start : start + 100],
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            )
            for alarm in (*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])):
                states[alarm["AlarmName"]] = alarm["StateValue"]
        return states

    def metrics(self, queries: Sequence[Any], start: float, end: float) -> dict[str, list[float]]:
        """Values by query id. start, end: seconds since 1970."""
        series = self._aws.pages(
            "read the metrics of the new slot",
            "cloudwatch",
            "get_metric_data",
            "MetricDataResults",
            MetricDataQueries=list(queries),
            StartTime=start,
            EndTime=end,
        )
        values: dict[str, list[float]] = {}
        for one in series:
            values.setdefault(one["Id"], []).extend(one["Values"])
        return values

    def publish(self, topic: str, subject: str, message: str) -> None:
        # SNS takes 100 characters of one line.
        line = " ".join(subject.split())[:100]
        attempt = f"notify {topic}"
        self._aws.call(attempt, "sns", "publish", TopicArn=topic, Subject=line, Message=message)

    def caller(self) -> str:
        """ARN of the credentials in use."""
        return str(self._aws.call("read who we are", "sts", "get_caller_identity")["Arn"])

    def _write(self, attempt: str, client: str, operation: str, /, **parameters: Any) -> Any:
        self._hook(client)
        self.prepare()
        self.writes[operation] += 1
        return self._aws.call(attempt, client, operation, **parameters)

    def _hook(self, service: str) -> None:
        """Check the lease once more at the last moment before each request, retries included."""
        if service in self._fenced:
            return
        self._fenced.add(service)
        events = self._aws.client(service).meta.events
        writing = ("Modify", "Create", "Delete", "Update", "Register", "AddTags")

        def check(event_name: str, **_event: Any) -> None:
            if event_name.rsplit(".", 1)[1].startswith(writing):
                self.fence()

        events.register("before-send", check)


def _scaling(target: Mapping[str, Any]) -> Scaling:
    suspended = target.get("SuspendedState", {})
    return Scaling(
        int(target["MinCapacity"]),
        int(target["MaxCapacity"]),
        bool(suspended.get("DynamicScalingInSuspended")),
        bool(suspended.get("DynamicScalingOutSuspended")),
        bool(suspended.get("ScheduledScalingSuspended")),
    )
