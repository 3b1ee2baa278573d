# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ElastiCache in the control plane: which Redis servers there shall be, and their real endpoints."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, registry
from local_cloud.control_plane.services.elasticache import state as elasticache
from local_cloud.control_plane.stores import store
from local_cloud.data_plane.control.databases import key_of
from local_cloud.data_plane.control.plane import Plane, Record, Scope

_PRIMARY, _READER, _FIRST_MEMBER = 0, 1, 2

_tokens = store("data_plane_cache_tokens")  # ARN → [AUTH token, …], the newest last


def scopes() -> set[Scope]:
    return {(account, region) for account, region, _ in list(elasticache.groups._data)}


def _arn(call_or_scope: Scope, name: str) -> str:
    return f"arn:aws:elasticache:{call_or_scope[1]}:{call_or_scope[0]}:replicationgroup:{name}"


async def specs(plane: Plane, scope: Scope) -> list[Record]:
    """What the agent needs of each replication group of the region."""
    found = []
    answer = await plane.invoke(scope, "elasticache", "DescribeReplicationGroups", {})
    for group in answer.get("ReplicationGroups", []):
        arn = _arn(scope, group["ReplicationGroupId"])
        with plane.in_scope(scope):
            tokens = _tokens.get(arn, [])
        found.append(
            {
                "key": key_of(arn),
                "arn": arn,
                "identifier": group["ReplicationGroupId"],
                "addresses": plane.settings.block("cache", arn),
                "port": _port(group),
                "tls": bool(group.get("TransitEncryptionEnabled")),
                "tokens": tokens,
                "parameters": await _parameters(plane, scope, group),
            }
        )
    return found


def _port(group: Record) -> int:
    for shard in group.get("NodeGroups", []):
        if port := (shard.get("PrimaryEndpoint") or {}).get("Port"):
            return int(port)
    return int((group.get("ConfigurationEndpoint") or {}).get("Port") or 6379)


async def _parameters(plane: Plane, scope: Scope, group: Record) -> dict[str, str]:
    """The parameters of the group's parameter group that differ from the defaults."""
    members = group.get("MemberClusters", [])
    try:
        answer = await plane.invoke(scope, "elasticache", "DescribeCacheClusters", {"CacheClusterId": members[0]})
        name = answer["CacheClusters"][0]["CacheParameterGroup"]["CacheParameterGroupName"]
        question = {"CacheParameterGroupName": name, "Source": "user"}
        answer = await plane.invoke(scope, "elasticache", "DescribeCacheParameters", question)
    except (AwsError, IndexError, KeyError):  # no member, or no parameter group of its own
        return {}
    return {
        item["ParameterName"]: item["ParameterValue"]
        for item in answer.get("Parameters", [])
        if item.get("ParameterValue") and item.get("Source") == "user"
    }


def register(plane: Plane) -> None:
    """Put real endpoints and states into ElastiCache's answers; keep the AUTH tokens, which it never shows."""

    def shown(call: Call, group: Record) -> Record:
        arn = _arn((call.account, call.region), group["ReplicationGroupId"])
        addresses, port = plane.settings.block("cache", arn), _port(group)
        shards = []
        for shard in group.get("NodeGroups", []):
            members = [
                {**member, "ReadEndpoint": {"Address": addresses[_FIRST_MEMBER + number % 6], "Port": port}}
                for number, member in enumerate(shard.get("NodeGroupMembers", []))
            ]
            shards.append(
                {
                    **shard,
                    "PrimaryEndpoint": {"Address": addresses[_PRIMARY], "Port": port},
                    "ReaderEndpoint": {"Address": addresses[_READER], "Port": port},
                    "NodeGroupMembers": members,
                }
            )
        status = group["Status"]
        if status == "available":
            state = plane.states.get(key_of(arn), "creating")
            status = "create-failed" if state == "failed" else state
        found: dict[str, Any] = {**group, "NodeGroups": shards, "Status": status}
        if group.get("ConfigurationEndpoint"):
            found["ConfigurationEndpoint"] = {"Address": addresses[_PRIMARY], "Port": port}
        return found

    @registry.handles("elasticache", "CreateReplicationGroup", "ModifyReplicationGroup")
    async def change(call: Call) -> Record:
        answer = await call.forward()
        arn = _arn((call.account, call.region), answer["ReplicationGroup"]["ReplicationGroupId"])
        strategy = call.params.get("AuthTokenUpdateStrategy", "SET")
        token = call.params.get("AuthToken")
        if strategy == "DELETE":
            _tokens[arn] = []
        elif token and strategy == "ROTATE":
            _tokens[arn] = [*_tokens.get(arn, [])[-1:], token]
        elif token:
            _tokens[arn] = [token]
        plane.signal.changed("elasticache")
        return {**answer, "ReplicationGroup": shown(call, answer["ReplicationGroup"])}

    @registry.handles("elasticache", "DescribeReplicationGroups")
    async def describe(call: Call) -> Record:
        answer = await call.forward()
        return {**answer, "ReplicationGroups": [shown(call, item) for item in answer.get("ReplicationGroups", [])]}

    @registry.handles("elasticache", "DeleteReplicationGroup")
    async def delete(call: Call) -> Record:
        answer = await call.forward()
        _tokens.pop(_arn((call.account, call.region), call.params["ReplicationGroupId"]), None)
        return answer
