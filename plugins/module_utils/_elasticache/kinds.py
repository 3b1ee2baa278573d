# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How AWS lists, makes, changes and removes a replication group; the AUTH token stays inside.

AWS never shows an AUTH token, so its origin is kept in a tag of the replication group: the version of the
secret whose value was set last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.arn_tags import read_tags, refuse_foreign, write_tags
from .._aws.log_groups import LogGroup
from .._aws.tags import to_boto3
from .._aws.waiters import until
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.steps import PlanRefused, StepFailed
from .._secrets.kinds import read_value
from .groups import CacheKind, CacheParameterGroup, CacheSubnetGroup
from .model import key_id, major_minor
from .versions import step_back, unknown_version

TOKEN_TAG = "AuthTokenVersion"
_ROTATING = " rotating"  # the tag's ending while AWS takes the old token beside the new one
_GONE = ("ReplicationGroupNotFoundFault", "ReplicationGroupNotFound")
_FAILED = ("create-failed",)
# Whole values of ModifyReplicationGroup by field; node counts, logs and the token have ways of their own.
_MODIFY = {
    "description": "ReplicationGroupDescription",
    "engine": "Engine",
    "engine_version": "EngineVersion",
    "node_type": "CacheNodeType",
    "parameter_group": "CacheParameterGroupName",
    "security_groups": "SecurityGroupIds",
    "automatic_failover": "AutomaticFailoverEnabled",
    "multi_az": "MultiAZEnabled",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "maintenance_window": "PreferredMaintenanceWindow",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
}


class ReplicationGroup(CacheKind):
    """One replication group with cluster mode off.

    auth_token_secret: ARN of the secret whose value is the AUTH token, if any.
    token_strategy: ROTATE lets the old token live beside the new one, SET ends the old one.
    apply_immediately: whether node type and version change now; else a pending change counts as made.
    engine: the engine and version that shall run, if any, to be refused before the first write.
    """

    kind = "replication_group"
    traits = Traits(
        "replication group",
        immutable=frozenset({"port", "subnet_group", "at_rest_encryption", "transit_encryption", "kms_key"}),
    )

    def __init__(
        self,
        aws: Aws,
        tags: Mapping[str, str],
        name: str,
        auth_token_secret: str = "",
        token_strategy: str = "ROTATE",
        apply_immediately: bool = False,
        final_snapshot_name: str = "",
        engine: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(aws, tags, name)
        self.engine = engine
        self.auth_token_secret = auth_token_secret
        self.token_strategy = token_strategy
        self.apply_immediately = apply_immediately
        self.final_snapshot_name = final_snapshot_name

    def _described(self) -> dict[str, Any] | None:
        groups = self.aws.pages(
            f"look for replication group {self.name}",
            "elasticache",
            "describe_replication_groups",
            "ReplicationGroups",
            missing=_GONE,
            ReplicationGroupId=self.name,
        )
        return groups[0] if groups else None

    def _members(self) -> list[dict[str, Any]]:
        clusters = self.aws.pages("list the cache nodes", "elasticache", "describe_cache_clusters", "CacheClusters")
        return [cluster for cluster in clusters if cluster.get("ReplicationGroupId") == self.name]

    def observe(self) -> Iterable[Found]:
        group = self._described()
        if group is None:
            self._refuse_version("", "")
            return
        if group["Status"] in _FAILED:
            raise PlanRefused(
                [
                    f"Looked for replication group {self.name} and found it {group['Status']}. "
                    "Read its events in ElastiCache, delete it there, then run again."
                ]
            )
        tags = read_tags(self.aws, "elasticache", group["ARN"])
        refuse_foreign(tags, self.tags, f"replication group {self.name}")
        token = tags.pop(TOKEN_TAG, "unknown") if group.get("AuthTokenEnabled") else None
        tags.pop(TOKEN_TAG, None)
        members = self._members()
        settled = group["Status"] == "available"
        fields = self._fields(group, members, token)
        self._refuse_version(fields["engine"], fields["engine_version"])
        outputs = {"arn": group["ARN"], **_endpoints(group), "pending": _pending(group, members)}
        yield Found(self.kind, self.name, self.name, fields, tags, outputs, settled)

    def _refuse_version(self, engine: str, present: str) -> None:
        """Refuse a wanted version that cannot be had. present: the standing one; empty without one.

        AWS is asked only when another version than the standing one is wanted: it withdraws versions that still run.
        """
        if self.engine is None or (engine, present) == (self.engine[0], major_minor(self.engine[1])):
            return
        wrong = step_back(*self.engine, present) if engine == self.engine[0] else ""
        if wrong := wrong or unknown_version(self.aws, *self.engine):
            raise PlanRefused([wrong])

    def _fields(
        self, group: Mapping[str, Any], members: Sequence[Mapping[str, Any]], token: str | None
    ) -> dict[str, Any]:
        member = members[0] if members else {}
        if not self.apply_immediately:
            member = {**member, **member.get("PendingModifiedValues", {})}
        failover = group.get("PendingModifiedValues", {}).get("AutomaticFailoverStatus", group.get("AutomaticFailover"))
        if token and self.token_strategy == "ROTATE":
            token = token.removesuffix(_ROTATING)
        return {
            "description": group.get("Description", ""),
            "engine": group.get("Engine") or member.get("Engine"),
            "engine_version": major_minor(member.get("EngineVersion", "")),
            "node_type": member.get("CacheNodeType", group.get("CacheNodeType")),
            "nodes": len(group.get("MemberClusters", [])),
            "port": _port(group),
            "subnet_group": member.get("CacheSubnetGroupName"),
            "parameter_group": member.get("CacheParameterGroup", {}).get("CacheParameterGroupName"),
            "security_groups": sorted(one["SecurityGroupId"] for one in member.get("SecurityGroups", [])),
            "automatic_failover": failover in ("enabled", "enabling"),
            "multi_az": group.get("MultiAZ") == "enabled",
            "at_rest_encryption": group.get("AtRestEncryptionEnabled", False),
            "kms_key": key_id(group.get("KmsKeyId")),
            "transit_encryption": group.get("TransitEncryptionEnabled", False),
            "auth_token": token,
            "snapshot_retention_limit": group.get("SnapshotRetentionLimit", 0),
            "snapshot_window": group.get("SnapshotWindow"),
            "maintenance_window": str(member.get("PreferredMaintenanceWindow", "")).lower(),
            "auto_minor_version_upgrade": group.get("AutoMinorVersionUpgrade", member.get("AutoMinorVersionUpgrade")),
            "logs": _logs(group),
            "notification_topic": _topic(member),
        }

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        optional: dict[str, Any] = {}
        tags = dict(wanted.tags or {})
        if fields["kms_key"]:
            optional["KmsKeyId"] = fields["kms_key"]
        if fields["notification_topic"]:
            optional["NotificationTopicArn"] = fields["notification_topic"]
        if fields["auth_token"]:
            optional["AuthToken"] = self._token()
            tags[TOKEN_TAG] = fields["auth_token"]
        answer = self.call(
            f"create replication group {wanted.name}",
            "create_replication_group",
            ReplicationGroupId=wanted.name,
            NumCacheClusters=fields["nodes"],
            Port=fields["port"],
            CacheSubnetGroupName=fields["subnet_group"],
            AtRestEncryptionEnabled=fields["at_rest_encryption"],
            TransitEncryptionEnabled=fields["transit_encryption"],
            LogDeliveryConfigurations=_log_requests(fields["logs"], ()),
            Tags=to_boto3(tags),
            **{parameter: fields[field] for field, parameter in _MODIFY.items()},
            **optional,
        )
        return self.new(wanted, answer["ReplicationGroup"]["ARN"])

    def _token(self) -> str:
        token = read_value(self.aws, self.auth_token_secret)
        if not 16 <= len(token) <= 128:
            raise StepFailed(
                f"Read the AUTH token of {self.name} from {self.auth_token_secret} and found {len(token)} characters; "
                "AWS takes 16 to 128. Rotate the secret with a fitting length, then run again."
            )
        return token

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        parameters: dict[str, Any] = {
            parameter: wanted.fields[field] for field, parameter in _MODIFY.items() if field in fields
        }
        if "engine_version" in fields or "engine" in fields:
            parameters["EngineVersion"] = wanted.fields["engine_version"]
        if "logs" in fields:
            parameters["LogDeliveryConfigurations"] = _log_requests(wanted.fields["logs"], found.fields["logs"])
        if "notification_topic" in fields:
            topic = wanted.fields["notification_topic"]
            status = {"NotificationTopicArn": topic} if topic else {}
            parameters |= {**status, "NotificationTopicStatus": "active" if topic else "inactive"}
        # More nodes first: a failover that is switched on needs them. Fewer last, for the same reason.
        grows = "nodes" in fields and wanted.fields["nodes"] > found.fields["nodes"]
        if grows:
            self._set_replicas(found, wanted, "increase_replica_count")
        if parameters:
            self._modify(found, f"change replication group {found.name}", **parameters)
        if "auth_token" in fields:
            self._set_token(found, wanted.fields["auth_token"])
        if "nodes" in fields and not grows:
            self._set_replicas(found, wanted, "decrease_replica_count")

    def _modify(self, found: Found, attempt: str, **parameters: Any) -> None:
        self.call(
            attempt,
            "modify_replication_group",
            ReplicationGroupId=found.id,
            ApplyImmediately=self.apply_immediately,
            **parameters,
        )
        self.wait(found)

    def _set_replicas(self, found: Found, wanted: Resource, operation: str) -> None:
        self.call(
            f"give replication group {found.name} {wanted.fields['nodes']} nodes",
            operation,
            ReplicationGroupId=found.id,
            NewReplicaCount=wanted.fields["nodes"] - 1,
            ApplyImmediately=True,  # the only value that AWS takes here
        )
        self.wait(found)

    def _set_token(self, found: Found, version: str | None) -> None:
        attempt = f"change the AUTH token of {found.name}"
        if version is None:
            strategy, token = "DELETE", {}
        else:
            # The token that goes on from rotating, or the first, is set; others rotate if that was chosen.
            strategy, token = self.token_strategy, {"AuthToken": self._token()}
        # AWS changes tokens at once or not at all.
        self.call(
            attempt,
            "modify_replication_group",
            ReplicationGroupId=found.id,
            ApplyImmediately=True,
            AuthTokenUpdateStrategy=strategy,
            **token,
        )
        self.wait(found)
        arn = str(found.attribute("arn"))
        if version is None:
            write_tags(self.aws, "elasticache", arn, {}, [TOKEN_TAG])
        else:
            ending = _ROTATING if strategy == "ROTATE" else ""
            write_tags(self.aws, "elasticache", arn, {TOKEN_TAG: f"{version}{ending}"}, [])

    def delete(self, found: Found) -> None:
        snapshot = {"FinalSnapshotIdentifier": self.final_snapshot_name} if self.final_snapshot_name else {}
        attempt = f"delete replication group {found.name}"
        self.aws.call_unless(
            _GONE, attempt, "elasticache", "delete_replication_group", ReplicationGroupId=found.id, **snapshot
        )
        self._until(found, "to be gone", good={""})

    def wait(self, found: Found) -> None:
        # One that an earlier run began to delete is awaited until it is gone, and then made anew.
        self._until(found, "to be available", good={"available", ""})

    def _until(self, found: Found, what: str, good: Collection[str]) -> None:
        def read() -> str:
            group = self._described()
            return str(group["Status"]) if group else ""

        until(f"replication group {found.name} {what}", read, good=good, bad=_FAILED, timeout=3600, interval=15)


def _endpoints(group: Mapping[str, Any]) -> dict[str, Any]:
    """Addresses of the primary and the readers; None while AWS has not given them out."""
    shard: Mapping[str, Any] = next(iter(group.get("NodeGroups", [])), {})
    return {
        "primary_endpoint": shard.get("PrimaryEndpoint", {}).get("Address"),
        "reader_endpoint": shard.get("ReaderEndpoint", {}).get("Address"),
        "endpoint_port": shard.get("PrimaryEndpoint", {}).get("Port"),
        "node_ids": list(group.get("MemberClusters", [])),
    }


def _port(group: Mapping[str, Any]) -> int | None:
    port = _endpoints(group)["endpoint_port"]
    return int(port) if port is not None else None


def _pending(group: Mapping[str, Any], members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What AWS will do in the next maintenance window."""
    pending = dict(group.get("PendingModifiedValues", {}))
    for member in members:
        pending |= member.get("PendingModifiedValues", {})
    return pending


def _logs(group: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {
        one["LogType"]: {
            "group": one["DestinationDetails"].get("CloudWatchLogsDetails", {}).get("LogGroup"),
            "format": one["LogFormat"],
        }
        for one in group.get("LogDeliveryConfigurations", [])
        if one.get("Status") not in ("disabling",)
    }


def _log_requests(wanted: Mapping[str, Mapping[str, str]], found: Collection[str]) -> list[dict[str, Any]]:
    """Every wanted delivery, and an end to those that are found and not wanted."""
    on = [
        {
            "LogType": log,
            "DestinationType": "cloudwatch-logs",
            "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": one["group"]}},
            "LogFormat": one["format"],
            "Enabled": True,
        }
        for log, one in sorted(wanted.items())
    ]
    return on + [{"LogType": log, "Enabled": False} for log in sorted(set(found) - set(wanted))]


def _topic(member: Mapping[str, Any]) -> str | None:
    topic = member.get("NotificationConfiguration", {})
    return topic.get("TopicArn") if topic.get("TopicStatus") == "active" else None


def cache_kinds(aws: Aws, tags: Mapping[str, str], name: str, **options: Any) -> list[Kind]:
    """All kinds of a cache, in the order of creation. options: those of `ReplicationGroup`."""
    return [
        CacheSubnetGroup(aws, tags, name),
        CacheParameterGroup(aws, tags, name),
        LogGroup(aws, tags, f"/aws/elasticache/{name}/"),
        ReplicationGroup(aws, tags, name, **options),
    ]
