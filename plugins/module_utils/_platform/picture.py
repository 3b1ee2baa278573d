# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What stands in the account right now, in the few facts that a picture of the platform shows.

Read with list calls only, by tag or by name; nothing is remembered from the runs that made it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._aws.api import Aws, tag_filters
from .._aws.tags import from_boto3
from .._engine.steps import StepFailed
from .._load_balancer.slots import SLOTS, slot_name

Facts = dict[str, Any]

_ABSENT = (
    "ClusterNotFoundException",
    "DBClusterNotFoundFault",
    "DBProxyNotFoundFault",
    "LoadBalancerNotFound",
    "ReplicationGroupNotFoundFault",
    "TargetGroupNotFound",
)
_TIERS = ("public", "app", "data")


class Picture:
    """Reads one platform. Everything that is absent is None or empty."""

    def __init__(self, aws: Aws, prefix: str, tags: Mapping[str, str]) -> None:
        self._aws, self._prefix = aws, prefix
        self._tags = {name: value for name, value in tags.items() if name in ("Project", "Environment")}

    def facts(self) -> tuple[Facts, list[str]]:
        """(part → facts, a sentence for each part that could not be read)."""
        parts: Mapping[str, Callable[[], Any]] = {
            "network": self._network,
            "load_balancer": self._load_balancer,
            "services": self._services,
            "database": self._database,
            "proxy": self._proxy,
            "cache": self._cache,
            "distribution": self._distribution,
            "firewall": self._firewall,
            "buckets": self._buckets,
            "functions": self._functions,
            "alarms": self._alarms,
        }
        told: Facts = {}
        unread = []
        for name, read in parts.items():
            try:
                told[name] = read()
            except StepFailed as failure:  # a part that this caller may not see leaves the rest of the picture
                told[name] = None
                unread.append(str(failure))
        return told, unread

    def _pages(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        attempt = f"look at {service} of {self._prefix}"
        return self._aws.pages(attempt, service, operation, key, missing=_ABSENT, **parameters)

    def _network(self) -> Facts | None:
        mine = tag_filters(self._tags)
        vpcs = self._pages("ec2", "describe_vpcs", "Vpcs", Filters=mine)
        if not vpcs:
            return None
        subnets = self._pages("ec2", "describe_subnets", "Subnets", Filters=mine)
        gateways = self._pages("ec2", "describe_nat_gateways", "NatGateways", Filters=mine)
        zone_of = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets}
        found: dict[str, dict[str, str]] = {}
        for subnet in subnets:
            name = from_boto3(subnet.get("Tags", [])).get("Name", "")
            for tier in _TIERS:
                if name.startswith(f"{self._prefix}-{tier}-"):
                    found.setdefault(subnet["AvailabilityZone"], {})[tier] = subnet["CidrBlock"]
        alive = [one for one in gateways if one["State"] in ("available", "pending")]
        return {
            "vpc_id": vpcs[0]["VpcId"],
            "cidr_block": vpcs[0]["CidrBlock"],
            "zones": [{"name": zone, "subnets": tiers} for zone, tiers in sorted(found.items())],
            "nat_zones": sorted(zone_of.get(one["SubnetId"], "?") for one in alive),
        }

    def _load_balancer(self) -> Facts | None:
        found = self._pages("elbv2", "describe_load_balancers", "LoadBalancers", Names=[self._prefix])
        if not found:
            return None
        arn = found[0]["LoadBalancerArn"]
        listeners = self._pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn)
        groups = {
            slot: group["TargetGroupArn"]
            for slot in SLOTS
            for group in self._pages(
                "elbv2", "describe_target_groups", "TargetGroups", Names=[slot_name(self._prefix, slot)]
            )
        }
        production = next((one for one in listeners if one["Port"] == 443), None)
        weights = self._weights(production) if production else {}
        return {
            "dns_name": found[0]["DNSName"],
            "ports": sorted(one["Port"] for one in listeners),
            "weights": {slot: weights.get(arn, 0) for slot, arn in groups.items()},
            "healthy": {slot: self._healthy(arn) for slot, arn in groups.items()},
        }

    def _weights(self, listener: Mapping[str, Any]) -> dict[str, int]:
        """Of the listener's own action, or where that only refuses, of the rule that lets CloudFront in."""
        rules = self._pages("elbv2", "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
        for actions in (listener["DefaultActions"], *(rule["Actions"] for rule in rules)):
            for action in actions:
                groups = (action.get("ForwardConfig") or {}).get("TargetGroups", [])
                if groups:
                    return {one["TargetGroupArn"]: int(one.get("Weight", 1)) for one in groups}
        return {}

    def _healthy(self, group: str) -> int:
        targets = self._pages("elbv2", "describe_target_health", "TargetHealthDescriptions", TargetGroupArn=group)
        return sum(one["TargetHealth"]["State"] == "healthy" for one in targets)

    def _services(self) -> list[Facts]:
        answer = self._aws.call_unless(
            _ABSENT,
            f"look at the services of {self._prefix}",
            "ecs",
            "describe_services",
            cluster=self._prefix,
            services=[slot_name(self._prefix, slot) for slot in SLOTS],
        )
        return [
            {
                "slot": one["serviceName"].removeprefix(f"{self._prefix}-app-"),
                "running": one.get("runningCount", 0),
                "desired": one.get("desiredCount", 0),
                "task_definition": one["taskDefinition"].rpartition("/")[2],
            }
            for one in (answer or {}).get("services", [])
            if one.get("status") == "ACTIVE"
        ]

    def _database(self) -> Facts | None:
        clusters = self._pages("rds", "describe_db_clusters", "DBClusters", DBClusterIdentifier=self._prefix)
        if not clusters:
            return None
        cluster = clusters[0]
        instances = {
            one["DBInstanceIdentifier"]: one
            for one in self._pages("rds", "describe_db_instances", "DBInstances")
            if one.get("DBClusterIdentifier") == self._prefix
        }
        return {
            "engine": f"{cluster['Engine']} {cluster['EngineVersion']}",
            "status": cluster["Status"],
            "instances": [
                {
                    "name": member["DBInstanceIdentifier"],
                    "writer": bool(member["IsClusterWriter"]),
                    "class": instances.get(member["DBInstanceIdentifier"], {}).get("DBInstanceClass", ""),
                    "zone": instances.get(member["DBInstanceIdentifier"], {}).get("AvailabilityZone", ""),
                }
                for member in sorted(cluster.get("DBClusterMembers", []), key=lambda one: not one["IsClusterWriter"])
            ],
        }

    def _proxy(self) -> Facts | None:
        found = self._pages("rds", "describe_db_proxies", "DBProxies", DBProxyName=self._prefix)
        return {"endpoint": found[0]["Endpoint"], "status": found[0]["Status"]} if found else None

    def _cache(self) -> Facts | None:
        found = self._pages(
            "elasticache", "describe_replication_groups", "ReplicationGroups", ReplicationGroupId=self._prefix
        )
        if not found:
            return None
        members = [member for group in found[0].get("NodeGroups", []) for member in group.get("NodeGroupMembers", [])]
        nodes = [
            {
                "name": member["CacheClusterId"],
                "zone": member.get("PreferredAvailabilityZone", ""),
                "primary": member.get("CurrentRole") == "primary",
            }
            for member in members
        ]
        return {"node_type": found[0].get("CacheNodeType", ""), "status": found[0]["Status"], "nodes": nodes}

    def _distribution(self) -> Facts | None:
        listed = self._aws.call(f"look at CloudFront of {self._prefix}", "cloudfront", "list_distributions")
        for one in listed.get("DistributionList", {}).get("Items", []):
            if one.get("Comment", "").startswith(self._prefix) or self._tagged(one["ARN"]):
                return {
                    "domain_name": one["DomainName"],
                    "aliases": one.get("Aliases", {}).get("Items", []),
                    "status": one["Status"],
                    "origins": one["Origins"]["Quantity"],
                    "web_acl": bool(one.get("WebACLId")),
                }
        return None

    def _tagged(self, arn: str) -> bool:
        answer = self._aws.call(f"read the tags of {arn}", "cloudfront", "list_tags_for_resource", Resource=arn)
        tags = from_boto3(answer["Tags"]["Items"])
        return all(tags.get(name) == value for name, value in self._tags.items())

    def _firewall(self) -> Facts | None:
        """The web ACL of the distribution; CloudFront's live in us-east-1."""
        attempt = f"look at the firewall of {self._prefix}"
        answer = self._aws.call(attempt, "wafv2", "list_web_acls", region="us-east-1", Scope="CLOUDFRONT")
        mine = [one for one in answer.get("WebACLs", []) if one["Name"].startswith(self._prefix)]
        return {"name": mine[0]["Name"]} if mine else None

    def _buckets(self) -> list[str]:
        listed = self._aws.call(f"list buckets of {self._prefix}", "s3", "list_buckets")
        names = [one["Name"] for one in listed["Buckets"]]
        return sorted(name.removeprefix(f"{self._prefix}-") for name in names if name.startswith(f"{self._prefix}-"))

    def _functions(self) -> list[str]:
        names = [one["FunctionName"] for one in self._pages("lambda", "list_functions", "Functions")]
        return sorted(name.removeprefix(f"{self._prefix}-") for name in names if name.startswith(f"{self._prefix}-"))

    def _alarms(self) -> Facts:
        found = self._pages("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{self._prefix}-")
        states = [one["StateValue"] for one in found]
        alarming = sorted(one["AlarmName"] for one in found if one["StateValue"] == "ALARM")
        return {"total": len(states), "alarming": alarming}
