# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes a load balancer and its target groups.

Identity is the name, which AWS keeps unique. Listeners are in `listeners`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from .._aws.api import Aws
from .._aws.tags import from_boto3, to_boto3
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side, together
from .slots import SLOTS, slot_name, without_release_tags

_TAGS_PER_CALL = 20  # DescribeTags takes no more ARNs at once


class ElbKind(Kind):
    """What everything in Elastic Load Balancing shares: tags by ARN, attributes by key."""

    def __init__(self, aws: Aws, name: str, *, brief: bool = False) -> None:
        """name: of the load balancer, which is the platform's prefix.

        brief: read ids, endpoints and weights only, in a third of the calls; for those who compare nothing.
        """
        self.aws = aws
        self.name = name
        self.brief = brief

    def call(self, attempt: str, operation: str, **parameters: Any) -> Any:
        return self.aws.call(attempt, "elbv2", operation, **parameters)

    def tags_of(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        """Tags by ARN, without those that a release writes."""
        tags: dict[str, dict[str, str]] = {}
        if self.brief:
            return tags
        for start in range(0, len(arns), _TAGS_PER_CALL):
            some = list(arns[start : start + _TAGS_PER_CALL])
            answer = self.call(f"read tags of every {self.traits.title}", "describe_tags", ResourceArns=some)
            for one in answer["TagDescriptions"]:
                tags[one["ResourceArn"]] = without_release_tags(from_boto3(one["Tags"]))
        return tags

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        what = f"{self.traits.title} {found.name}"
        if put:
            self.call(f"tag {what}", "add_tags", ResourceArns=[found.id], Tags=to_boto3(dict(put)))
        if remove:
            self.call(f"remove tags from {what}", "remove_tags", ResourceArns=[found.id], TagKeys=list(remove))


class TargetGroup(ElbKind):
    kind = "target_group"
    traits = Traits("target group", immutable=frozenset({"vpc", "protocol", "protocol_version", "port", "target_type"}))

    def observe(self) -> Iterable[Found]:
        names = {slot_name(self.name, slot) for slot in SLOTS}
        listed = self.aws.pages("list target groups", "elbv2", "describe_target_groups", "TargetGroups")
        ours = [group for group in listed if group["TargetGroupName"] in names]
        tags, attributes = together(
            lambda: self.tags_of([group["TargetGroupArn"] for group in ours]),
            lambda: side_by_side(self._attributes_of, ours),
        )
        for group, its in zip(ours, attributes, strict=True):
            yield self._found(group, its, tags.get(group["TargetGroupArn"], {}))

    def _found(self, group: Mapping[str, Any], attributes: Mapping[str, str], tags: dict[str, str]) -> Found:
        name, arn = group["TargetGroupName"], group["TargetGroupArn"]
        fields = {
            "vpc": group["VpcId"],
            "protocol": group["Protocol"],
            "protocol_version": group.get("ProtocolVersion", "HTTP1"),
            "port": group["Port"],
            "target_type": group["TargetType"],
            "health_check.enabled": group["HealthCheckEnabled"],
            "health_check.protocol": group["HealthCheckProtocol"],
            "health_check.port": group["HealthCheckPort"],
            "health_check.path": group.get("HealthCheckPath"),
            "health_check.interval": group["HealthCheckIntervalSeconds"],
            "health_check.timeout": group["HealthCheckTimeoutSeconds"],
            "health_check.healthy_threshold": group["HealthyThresholdCount"],
            "health_check.unhealthy_threshold": group["UnhealthyThresholdCount"],
            "health_check.matcher": group.get("Matcher", {}).get("HttpCode"),
            **attributes,
        }
        return Found(self.kind, name, arn, fields, tags, {"full_name": full_name(arn)})

    def _attributes_of(self, group: Mapping[str, Any]) -> dict[str, str]:
        if self.brief:
            return {}
        attempt, arn = f"read attributes of target group {group['TargetGroupName']}", group["TargetGroupArn"]
        answer = self.call(attempt, "describe_target_group_attributes", TargetGroupArn=arn)
        return {one["Key"]: one["Value"] for one in answer["Attributes"]}

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        answer = self.call(
            f"create target group {wanted.name}",
            "create_target_group",
            Name=wanted.name,
            VpcId=fields["vpc"],
            Protocol=fields["protocol"],
            ProtocolVersion=fields["protocol_version"],
            Port=fields["port"],
            TargetType=fields["target_type"],
            Tags=to_boto3(dict(wanted.tags or {})),
            **_health_check(fields),
        )
        arn = answer["TargetGroups"][0]["TargetGroupArn"]
        made = Found(self.kind, wanted.name, arn, fields, wanted.tags, {"full_name": full_name(arn)})
        self._set_attributes(made, fields)
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if any(name.startswith("health_check.") for name in fields):
            self.call(
                f"change the health check of target group {found.name}",
                "modify_target_group",
                TargetGroupArn=found.id,
                **_health_check(wanted.fields),
            )
        self._set_attributes(found, {name: wanted.fields[name] for name in fields})

    def _set_attributes(self, found: Found, fields: Mapping[str, Any]) -> None:
        attributes = _attributes(fields)
        if attributes:
            self.call(
                f"set attributes of target group {found.name}",
                "modify_target_group_attributes",
                TargetGroupArn=found.id,
                Attributes=attributes,
            )

    def delete(self, found: Found) -> None:
        self.call(f"delete target group {found.name}", "delete_target_group", TargetGroupArn=found.id)


class LoadBalancer(ElbKind):
    kind = "load_balancer"
    traits = Traits("load balancer", immutable=frozenset({"scheme"}))

    def observe(self) -> Iterable[Found]:
        for balancer in self.listed():
            arn = balancer["LoadBalancerArn"]
            attributes, tags = together(partial(self._attributes, arn), partial(self.tags_of, [arn]))
            fields = {
                "scheme": balancer["Scheme"],
                "ip_address_type": balancer["IpAddressType"],
                "subnets": sorted(zone["SubnetId"] for zone in balancer["AvailabilityZones"]),
                "security_groups": sorted(balancer.get("SecurityGroups", [])),
                **attributes,
            }
            state = balancer["State"]["Code"]
            settled = state in {"active", "active_impaired"}
            yield Found(self.kind, self.name, arn, fields, tags.get(arn, {}), _outputs(balancer), settled)

    def _attributes(self, arn: str) -> dict[str, str]:
        attempt = f"read attributes of load balancer {self.name}"
        answer = self.call(attempt, "describe_load_balancer_attributes", LoadBalancerArn=arn)
        return {one["Key"]: one["Value"] for one in answer["Attributes"]}

    def listed(self) -> list[dict[str, Any]]:
        """The one load balancer of this name, if there is one."""
        return self.aws.pages(
            f"look for load balancer {self.name}",
            "elbv2",
            "describe_load_balancers",
            "LoadBalancers",
            missing={"LoadBalancerNotFound"},
            Names=[self.name],
        )

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        answer = self.call(
            f"create load balancer {wanted.name}",
            "create_load_balancer",
            Name=wanted.name,
            Type="application",
            Scheme=fields["scheme"],
            IpAddressType=fields["ip_address_type"],
            Subnets=fields["subnets"],
            SecurityGroups=fields["security_groups"],
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        balancer = answer["LoadBalancers"][0]
        made = Found(self.kind, wanted.name, balancer["LoadBalancerArn"], fields, wanted.tags, _outputs(balancer))
        self._set_attributes(made, fields)
        return made

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        what = f"load balancer {found.name}"
        arn = {"LoadBalancerArn": found.id}
        if "subnets" in fields:
            self.call(f"set subnets of {what}", "set_subnets", Subnets=wanted.fields["subnets"], **arn)
        if "security_groups" in fields:
            groups = wanted.fields["security_groups"]
            self.call(f"set security groups of {what}", "set_security_groups", SecurityGroups=groups, **arn)
        if "ip_address_type" in fields:
            kind = wanted.fields["ip_address_type"]
            self.call(f"set the address type of {what}", "set_ip_address_type", IpAddressType=kind, **arn)
        self._set_attributes(found, {name: wanted.fields[name] for name in fields})

    def _set_attributes(self, found: Found, fields: Mapping[str, Any]) -> None:
        attributes = _attributes(fields)
        if attributes:
            self.call(
                f"set attributes of load balancer {found.name}",
                "modify_load_balancer_attributes",
                LoadBalancerArn=found.id,
                Attributes=attributes,
            )

    def delete(self, found: Found) -> None:
        if found.fields.get("deletion_protection.enabled") == "true":
            # The module lets nobody come here by accident, see `protected`.
            self._set_attributes(found, {"deletion_protection.enabled": "false"})
        self.call(f"delete load balancer {found.name}", "delete_load_balancer", LoadBalancerArn=found.id)

        # Its network interfaces hold the security group and the subnets until they are gone, too.
        def left() -> str:
            listed = self.listed() or self._interfaces(found)
            return "there" if listed else ""

        until(f"load balancer {found.name} to be gone", left, good={""}, timeout=600)

    def _interfaces(self, found: Found) -> list[Any]:
        filters = [{"Name": "description", "Values": [f"ELB {full_name(found.id)}"]}]
        attempt = f"look for network interfaces of load balancer {found.name}"
        return self.aws.pages(attempt, "ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=filters)

    def wait(self, found: Found) -> None:
        def read() -> str:
            listed = self.listed()
            return str(listed[0]["State"]["Code"]) if listed else ""

        good = {"active", "active_impaired"}
        until(f"load balancer {found.name} to be active", read, good=good, bad={"failed"}, timeout=900)


def protected(found: Iterable[Found]) -> list[str]:
    """A sentence for each load balancer that AWS would not let us delete."""
    return [
        f"Wanted to delete load balancer {one.name}; its deletion protection is on. Turn it off in the inventory "
        "and run the phase, or tell the removal to override it."
        for one in found
        if one.kind == LoadBalancer.kind and one.fields.get("deletion_protection.enabled") == "true"
    ]


def full_name(arn: str) -> str:
    """The tail by which CloudWatch and autoscaling name it: ``app/name/id`` or ``targetgroup/name/id``."""
    return arn.rsplit(":", 1)[1].removeprefix("loadbalancer/")


def _outputs(balancer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "dns_name": balancer.get("DNSName"),
        "hosted_zone_id": balancer.get("CanonicalHostedZoneId"),
        "full_name": full_name(balancer["LoadBalancerArn"]),
    }


def _attributes(fields: Mapping[str, Any]) -> list[dict[str, str]]:
    """Those fields that are AWS attributes: their keys have a dot and are no part of the health check."""
    return [
        {"Key": name, "Value": value}
        for name, value in sorted(fields.items())
        if "." in name and not name.startswith("health_check.")
    ]


def _health_check(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "HealthCheckEnabled": fields["health_check.enabled"],
        "HealthCheckProtocol": fields["health_check.protocol"],
        "HealthCheckPort": fields["health_check.port"],
        "HealthCheckPath": fields["health_check.path"],
        "HealthCheckIntervalSeconds": fields["health_check.interval"],
        "HealthCheckTimeoutSeconds": fields["health_check.timeout"],
        "HealthyThresholdCount": fields["health_check.healthy_threshold"],
        "UnhealthyThresholdCount": fields["health_check.unhealthy_threshold"],
        "Matcher": {"HttpCode": fields["health_check.matcher"]},
    }
