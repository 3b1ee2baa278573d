# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes scalable targets, policies and scheduled actions.

Everything is addressed by resource id and dimension. Only the targets carry tags; what hangs on a target is
found through it, so that another tool's policies on other targets are never seen.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side, together
from .model import SUSPENDED, canonical, declared, target_name

_SERVICE = "application-autoscaling"
_GONE = ("ObjectNotFoundException",)
_POLICIES = ("describe_scaling_policies", "ScalingPolicies")
_ACTIONS = ("describe_scheduled_actions", "ScheduledActions")
_MOST_IDS = 50  # of DescribeScalableTargets
_SUSPENDED_KEYS = dict(
    zip(
        SUSPENDED, ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), strict=True
    )
)


class ScalingKind(Kind):
    """What the kinds share: the namespace, and the targets by name.

    targets: ``{name: {resource_id, scalable_dimension, …}}`` with what is declared on each, see `model`.
    """

    def __init__(self, aws: Aws, namespace: str, targets: Mapping[str, Mapping[str, Any]]) -> None:
        self.aws = aws
        self.namespace = namespace
        self.targets = targets

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, _SERVICE, operation, **parameters)

    def one_at_a_time(self, wanted: Resource) -> Hashable:
        # AWS answers ConcurrentUpdateException to two that change the same target.
        return wanted.name if wanted.name in self.targets else wanted.name.rpartition("/")[0]

    def address(self, name: str) -> dict[str, Any]:
        """The parameters that address the target of a resource's name."""
        target = self.targets[name] if name in self.targets else self.targets[name.rpartition("/")[0]]
        return {
            "ServiceNamespace": self.namespace,
            "ResourceId": target["resource_id"],
            "ScalableDimension": target["scalable_dimension"],
        }

    def standing(self) -> dict[str, dict[str, Any]]:
        """Each of our targets that stands, by its name."""
        ids = sorted({target["resource_id"] for target in self.targets.values()})
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), _MOST_IDS):
            items = self.aws.pages(
                f"list the scalable targets of {self.namespace}",
                _SERVICE,
                "describe_scalable_targets",
                "ScalableTargets",
                ServiceNamespace=self.namespace,
                ResourceIds=ids[start : start + _MOST_IDS],
            )
            found |= {_name(item): item for item in items if _name(item) in self.targets}
        return found

    def hanging(self, operation: str, key: str) -> Iterable[tuple[str, dict[str, Any]]]:
        """What hangs on our targets, with the target's name: one list for the whole namespace."""
        attempt = f"list what scales {self.namespace}"
        items = self.aws.pages(attempt, _SERVICE, operation, key, ServiceNamespace=self.namespace)
        for item in items:
            name = _name(item)
            if name in self.targets:
                yield name, item


class ScalableTarget(ScalingKind):
    """Targets. Policies and actions that nobody declared are a field of theirs, since each of them scales, too."""

    kind = "scalable_target"
    traits = Traits("scalable target")

    def observe(self) -> Iterable[Found]:
        others, standing = together(self._others, self.standing)
        return side_by_side(lambda one: self._found(one[0], one[1], others.get(one[0], [])), standing.items())

    def _others(self) -> dict[str, list[str]]:
        """The names of undeclared policies and actions by target."""
        others: dict[str, list[str]] = {}
        policies, actions = side_by_side(lambda listed: list(self.hanging(*listed)), (_POLICIES, _ACTIONS))
        for name, item in (*policies, *actions):
            own = item.get("PolicyName") or item["ScheduledActionName"]
            if own not in declared(self.targets[name]):
                others.setdefault(name, []).append(own)
        return others

    def _found(self, name: str, item: Mapping[str, Any], others: Sequence[str]) -> Found:
        arn = item["ScalableTargetARN"]
        answer = self.call(f"read the tags of scalable target {name}", "list_tags_for_resource", ResourceARN=arn)
        state = item.get("SuspendedState") or {}
        fields = {
            "min_capacity": item["MinCapacity"],
            "max_capacity": item["MaxCapacity"],
            "suspended": {key: bool(state.get(parameter)) for key, parameter in _SUSPENDED_KEYS.items()},
            "undeclared": sorted(others),
        }
        return Found(self.kind, name, arn, fields, dict(answer.get("Tags") or {}), {"arn": arn})

    def create(self, wanted: Resource) -> Found:
        answer = self._register(wanted, {**wanted.initial, **wanted.fields}, Tags=dict(wanted.tags or {}))
        arn = answer["ScalableTargetARN"]
        return Found(self.kind, wanted.name, arn, wanted.fields, wanted.tags, {"arn": arn})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if {*fields} - {"undeclared"}:
            self._register(wanted, wanted.fields)
        if "undeclared" in fields:
            self._remove_others(found.name)

    def _remove_others(self, name: str) -> None:
        for target, item in (*self.hanging(*_POLICIES), *self.hanging(*_ACTIONS)):
            policy, action = item.get("PolicyName"), item.get("ScheduledActionName")
            if target != name or (policy or action) in declared(self.targets[name]):
                continue
            operation = "delete_scaling_policy" if policy else "delete_scheduled_action"
            parameter = {"PolicyName": policy} if policy else {"ScheduledActionName": action}
            attempt = f"delete {policy or action} of scalable target {name}"
            self.aws.call_unless(_GONE, attempt, _SERVICE, operation, **self.address(name), **parameter)

    def suspended(self) -> list[str]:
        """Names of the standing targets of which anything is suspended, as a release does while it works."""
        return [name for name, item in self.standing().items() if any((item.get("SuspendedState") or {}).values())]

    def _register(self, wanted: Resource, fields: Mapping[str, Any], **tags: Any) -> Any:
        """Limits that are not among the fields stay as they are."""
        suspended, limits = {}, {"MinCapacity": "min_capacity", "MaxCapacity": "max_capacity"}
        if "suspended" in fields:
            state = {parameter: fields["suspended"][key] for key, parameter in _SUSPENDED_KEYS.items()}
            suspended = {"SuspendedState": state}
        return self.call(
            f"register scalable target {wanted.name}",
            "register_scalable_target",
            **self.address(wanted.name),
            **{parameter: fields[key] for parameter, key in limits.items() if key in fields},
            **suspended,
            **tags,
        )

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self.call(f"tag scalable target {found.name}", "tag_resource", ResourceARN=found.id, Tags=dict(put))
        if remove:
            attempt = f"untag scalable target {found.name}"
            self.call(attempt, "untag_resource", ResourceARN=found.id, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        attempt = f"deregister scalable target {found.name}"
        self.aws.call_unless(_GONE, attempt, _SERVICE, "deregister_scalable_target", **self.address(found.name))


class ScalingPolicy(ScalingKind):
    """Policies on our targets; deleting one deletes the alarms that AWS made for it."""

    kind = "scaling_policy"
    traits = Traits("scaling policy")

    def observe(self) -> Iterable[Found]:
        targets = self.standing()
        for target, item in self.hanging(*_POLICIES):
            kind = item["PolicyType"]
            configuration = item.get(f"{kind}PolicyConfiguration") or {}
            fields = {
                "target": targets.get(target, {}).get("ScalableTargetARN"),
                "type": kind,
                "configuration": canonical(kind, configuration),
            }
            alarms = [alarm["AlarmName"] for alarm in item.get("Alarms") or ()]
            outputs = {"arn": item["PolicyARN"], "alarms": alarms}
            yield Found(self.kind, f"{target}/{item['PolicyName']}", item["PolicyARN"], fields, None, outputs)

    def create(self, wanted: Resource) -> Found:
        kind = wanted.fields["type"]
        answer = self.call(
            f"put scaling policy {wanted.name}",
            "put_scaling_policy",
            PolicyName=wanted.name.rpartition("/")[2],
            PolicyType=kind,
            **self.address(wanted.name),
            **{f"{kind}PolicyConfiguration": wanted.fields["configuration"]},
        )
        return Found(self.kind, wanted.name, answer["PolicyARN"], wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if "type" in fields:  # AWS does not change the type of a policy that stands
            self.delete(found)
        self.create(wanted)

    def delete(self, found: Found) -> None:
        self.aws.call_unless(
            _GONE,
            f"delete scaling policy {found.name}",
            _SERVICE,
            "delete_scaling_policy",
            PolicyName=found.name.rpartition("/")[2],
            **self.address(found.name),
        )


class ScheduledAction(ScalingKind):
    kind = "scheduled_action"
    traits = Traits("scheduled action")

    def observe(self) -> Iterable[Found]:
        targets = self.standing()
        for target, item in self.hanging(*_ACTIONS):
            capacity = item.get("ScalableTargetAction") or {}
            fields = {
                "target": targets.get(target, {}).get("ScalableTargetARN"),
                "schedule": item["Schedule"],
                "timezone": item.get("Timezone") or "UTC",
                "min_capacity": capacity.get("MinCapacity"),
                "max_capacity": capacity.get("MaxCapacity"),
            }
            name = f"{target}/{item['ScheduledActionName']}"
            yield Found(self.kind, name, item["ScheduledActionARN"], fields, None, {"arn": item["ScheduledActionARN"]})

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        capacity = {"MinCapacity": fields["min_capacity"], "MaxCapacity": fields["max_capacity"]}
        self.call(
            f"put scheduled action {wanted.name}",
            "put_scheduled_action",
            ScheduledActionName=wanted.name.rpartition("/")[2],
            Schedule=fields["schedule"],
            Timezone=fields["timezone"],
            ScalableTargetAction={key: value for key, value in capacity.items() if value is not None},
            **self.address(wanted.name),
        )
        return Found(self.kind, wanted.name, wanted.name, fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self.create(wanted)

    def delete(self, found: Found) -> None:
        self.aws.call_unless(
            _GONE,
            f"delete scheduled action {found.name}",
            _SERVICE,
            "delete_scheduled_action",
            ScheduledActionName=found.name.rpartition("/")[2],
            **self.address(found.name),
        )


def _name(item: Mapping[str, Any]) -> str:
    return target_name({"resource_id": item["ResourceId"], "scalable_dimension": item["ScalableDimension"]})


def scaling_kinds(aws: Aws, namespace: str, targets: Sequence[Mapping[str, Any]]) -> list[Kind]:
    """All kinds of scaling, in the order of creation. targets: with resource_id and scalable_dimension."""
    by_name = {target_name(target): target for target in targets}
    return [kind(aws, namespace, by_name) for kind in (ScalableTarget, ScalingPolicy, ScheduledAction)]
