# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""RDS in the control plane: which servers there shall be, and the real endpoints in what RDS answers."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime

from ministack.services import rds as ministack_rds

from local_cloud.control_plane.overlay import AwsError, Call, registry
from local_cloud.control_plane.services.rds.snapshots import seconds
from local_cloud.control_plane.services.rds.state import identifier_of
from local_cloud.control_plane.stores import store
from local_cloud.data_plane.control.plane import Plane, Record, Scope

# What of a cluster's block of addresses is for what; the members follow from the fifth on.
_WRITER, _READER, _PROXY, _PROXY_READER, _FIRST_MEMBER = 0, 1, 2, 3, 4

_passwords = store("data_plane_database_passwords")  # ARN → password that RDS does not keep in Secrets Manager
_reboots = store("data_plane_database_reboots")  # ARN → how often the writer was rebooted
_copies = store("data_plane_database_copies")  # ARN → key of the snapshot or server that it begins with

_moments = store("data_plane_database_moments")  # ARN → the moment that a restored cluster goes back to, ISO 8601
_keys = store("data_plane_database_keys")  # ARN → the server's key where it does not follow from the ARN
_former = store("data_plane_database_former_arns")  # ARN that was renamed away: its addresses wait for the next owner
_sources = store("data_plane_database_snapshots")  # key of a snapshot → key of the server that it was taken from


def key_of(arn: str) -> str:
    """The name of a server's folder; a server keeps it when its cluster is renamed."""
    _, _, _, region, account, _ = arn.split(":", 5)
    kept: str | None = _keys._data.get((account, region, arn))
    return kept or _own_key(arn)


def _own_key(arn: str) -> str:
    return arn.rpartition(":")[2] + "-" + hashlib.sha256(arn.encode()).hexdigest()[:8]


def _key_for_new(arn: str) -> None:
    """See that a new cluster gets no key of one that was renamed."""
    _keys.pop(arn, None)
    if _own_key(arn) in _keys._data.values():
        _keys[arn] = f"{_own_key(arn)}-{secrets.token_hex(3)}"


def former_arns() -> set[str]:
    """ARNs whose addresses are kept though nothing bears them at the moment."""
    return {arn for _, _, arn in list(_former._data)}


def scopes() -> set[Scope]:
    return {
        (account, region)
        for records in (ministack_rds._clusters, ministack_rds._instances)
        for account, region, _ in list(records._data)
    }


async def specs(plane: Plane, scope: Scope) -> list[Record]:
    """What the agent needs of each cluster of the region, and of each instance that is in none."""
    found = []
    for cluster in (await plane.invoke(scope, "rds", "DescribeDBClusters", {})).get("DBClusters", []):
        if "postgres" in cluster["Engine"]:
            parameters = {"DBClusterParameterGroupName": cluster.get("DBClusterParameterGroup", "")}
            values = await _parameters(plane, scope, "DescribeDBClusterParameters", parameters)
            found.append(await _spec(plane, scope, cluster, cluster["DBClusterArn"], cluster.get("Port"), values))
    for instance in (await plane.invoke(scope, "rds", "DescribeDBInstances", {})).get("DBInstances", []):
        if instance["Engine"] == "postgres" and not instance.get("DBClusterIdentifier"):
            groups = instance.get("DBParameterGroups") or [{"DBParameterGroupName": ""}]
            parameters = {"DBParameterGroupName": groups[0]["DBParameterGroupName"]}
            values = await _parameters(plane, scope, "DescribeDBParameters", parameters)
            instance["DatabaseName"] = instance.get("DBName")
            port = (instance.get("Endpoint") or {}).get("Port")
            found.append(await _spec(plane, scope, instance, instance["DBInstanceArn"], port, values))
    return found


async def _spec(
    plane: Plane, scope: Scope, record: Record, arn: str, port: int | None, parameters: dict[str, str]
) -> Record:
    with plane.in_scope(scope):
        password, reboots, copy = _passwords.get(arn, ""), _reboots.get(arn, 0), _copies.get(arn)
        moment = _moments.get(arn)
    secret = (record.get("MasterUserSecret") or {}).get("SecretArn")
    if secret:
        try:
            answer = await plane.invoke(scope, "secretsmanager", "GetSecretValue", {"SecretId": secret})
            password = json.loads(answer["SecretString"])["password"]
        except AwsError:  # the secret is being deleted with its cluster
            password = ""
    return {
        "key": key_of(arn),
        "arn": arn,
        "identifier": arn.rpartition(":")[2],
        "addresses": plane.settings.block("database", arn),
        "port": int(port or 5432),
        "database": record.get("DatabaseName") or "",
        "user": record.get("MasterUsername") or "postgres",
        "password": password,
        "parameters": parameters,
        "reboots": reboots,
        "copy_of": copy,
        "moment": moment,
    }


async def _parameters(plane: Plane, scope: Scope, operation: str, group: Record) -> dict[str, str]:
    try:
        answer = await plane.invoke(scope, "rds", operation, {**group, "Source": "user"})
    except AwsError:  # a default group that has no record
        return {}
    return {
        item["ParameterName"]: item["ParameterValue"]
        for item in answer.get("Parameters", [])
        if item.get("ParameterValue") is not None and item.get("Source", "user") == "user"
    }


def register(plane: Plane) -> None:
    """Put real endpoints and states into RDS's answers, and take note of what only RDS itself would know."""

    def addresses(arn: str) -> list[str]:
        return plane.settings.block("database", arn)

    def status(arn: str, told: str) -> str:
        """A cluster or instance is available when its server is: until then creating, or rebooting, or failed."""
        return told if told != "available" else plane.states.get(key_of(arn), "creating")

    def cluster(record: Record) -> Record:
        if "postgres" not in record["Engine"]:
            return record
        arn = record["DBClusterArn"]
        return {
            **record,
            "Endpoint": addresses(arn)[_WRITER],
            "ReaderEndpoint": addresses(arn)[_READER],
            "Status": status(arn, record["Status"]),
        }

    def instance(record: Record) -> Record:
        if "postgres" not in record["Engine"]:
            return record
        name = record.get("DBClusterIdentifier")
        arn, port = record["DBInstanceArn"], (record.get("Endpoint") or {}).get("Port")
        place = _WRITER
        if name and name in ministack_rds._clusters:
            owner = ministack_rds._clusters[name]
            arn, port = owner["DBClusterArn"], owner.get("Port")
            place = _FIRST_MEMBER + plane.settings.member(arn, record["DBInstanceIdentifier"]) % 12
        return {
            **record,
            "Endpoint": {
                **(record.get("Endpoint") or {}),
                "Address": addresses(arn)[place],
                "Port": int(port or 5432),
            },
            "DBInstanceStatus": status(arn, record["DBInstanceStatus"]),
        }

    @registry.handles("rds", "DescribeDBClusters")
    async def describe_clusters(call: Call) -> Record:
        answer = await call.forward()
        return {**answer, "DBClusters": [cluster(item) for item in answer.get("DBClusters", [])]}

    @registry.handles(
        "rds",
        "CreateDBCluster",
        "ModifyDBCluster",
        "RestoreDBClusterFromSnapshot",
        "RestoreDBClusterToPointInTime",
        "FailoverDBCluster",
    )
    async def change_cluster(call: Call) -> Record:
        answer = await call.forward()
        record = answer["DBCluster"]
        arn = record["DBClusterArn"]
        if call.operation not in ("ModifyDBCluster", "FailoverDBCluster"):
            _key_for_new(arn)
        if call.params.get("NewDBClusterIdentifier"):
            _rename(plane, arn.removesuffix(record["DBClusterIdentifier"]) + call.params["DBClusterIdentifier"], arn)
        if password := call.params.get("MasterUserPassword"):
            _passwords[arn] = password
        if call.operation == "FailoverDBCluster":
            _reboots[arn] = _reboots.get(arn, 0) + 1
        if source := _source_of(call):
            _copies[arn] = source
        if moment := call.params.get("RestoreToTime"):
            _moments[arn] = datetime.fromtimestamp(seconds(moment), UTC).isoformat()
        plane.signal.changed("rds")
        return {**answer, "DBCluster": cluster(record)}

    @registry.handles("rds", "DescribeDBInstances")
    async def describe_instances(call: Call) -> Record:
        answer = await call.forward()
        return {**answer, "DBInstances": [instance(item) for item in answer.get("DBInstances", [])]}

    @registry.handles("rds", "CreateDBInstance", "ModifyDBInstance")
    async def change_instance(call: Call) -> Record:
        answer = await call.forward()
        if password := call.params.get("MasterUserPassword"):
            _passwords[answer["DBInstance"]["DBInstanceArn"]] = password
        return {**answer, "DBInstance": instance(answer["DBInstance"])}

    @registry.handles("rds", "RebootDBInstance")
    async def reboot(call: Call) -> Record:
        """The writer's reboot restarts the server; a reader's would only end its own sessions."""
        answer = await call.forward()
        name = answer["DBInstance"]["DBInstanceIdentifier"]
        owner = ministack_rds._clusters.get(answer["DBInstance"].get("DBClusterIdentifier", ""))
        arn = owner["DBClusterArn"] if owner else answer["DBInstance"]["DBInstanceArn"]
        members = {item["DBInstanceIdentifier"]: item for item in (owner or {}).get("DBClusterMembers", [])}
        if not owner or members.get(name, {}).get("IsClusterWriter", True):
            _reboots[arn] = _reboots.get(arn, 0) + 1
        return {**answer, "DBInstance": instance(answer["DBInstance"])}

    def proxy(record: Record) -> Record:
        target = plane.proxied.get(record["DBProxyName"])
        return {**record, "Endpoint": addresses(target)[_PROXY]} if target else record

    @registry.handles("rds", "DescribeDBProxies")
    async def describe_proxies(call: Call) -> Record:
        answer = await call.forward()
        for record in answer.get("DBProxies", []):
            await _learn_target(plane, call, record["DBProxyName"])
        return {**answer, "DBProxies": [proxy(item) for item in answer.get("DBProxies", [])]}

    @registry.handles("rds", "DescribeDBProxyTargets")
    async def describe_proxy_targets(call: Call) -> Record:
        answer = await call.forward()
        shown = []
        for target in answer.get("Targets", []):
            owner = ministack_rds._clusters.get(target.get("TrackedClusterId") or target.get("RdsResourceId", ""))
            if owner and target.get("Endpoint"):
                place = _WRITER
                if target.get("Type") == "RDS_INSTANCE":
                    place = _FIRST_MEMBER + plane.settings.member(owner["DBClusterArn"], target["RdsResourceId"]) % 12
                target = {**target, "Endpoint": addresses(owner["DBClusterArn"])[place]}
            shown.append(target)
        return {**answer, "Targets": shown}

    @registry.handles("rds", "DescribeDBProxyEndpoints")
    async def describe_proxy_endpoints(call: Call) -> Record:
        answer = await call.forward()
        shown = []
        for record in answer.get("DBProxyEndpoints", []):
            await _learn_target(plane, call, record["DBProxyName"])
            target = plane.proxied.get(record["DBProxyName"])
            place = _PROXY_READER if record.get("TargetRole") == "READ_ONLY" else _PROXY
            shown.append({**record, "Endpoint": addresses(target)[place]} if target else record)
        return {**answer, "DBProxyEndpoints": shown}

    @registry.handles("rds", "CreateDBClusterSnapshot", "CopyDBClusterSnapshot")
    async def snapshot(call: Call) -> Record:
        """Have the agent copy the server's files, so that a restore brings back what was there."""
        answer = await call.forward()
        record = answer["DBClusterSnapshot"]
        arn = record["DBClusterSnapshotArn"]
        if call.operation == "CopyDBClusterSnapshot":
            source = call.params["SourceDBClusterSnapshotIdentifier"]
            if not source.startswith("arn:"):
                source = arn.removesuffix(identifier_of(arn)) + source
            _copies[arn] = _copy_of(source)  # of any region: files are files
        else:
            owner = ministack_rds._clusters.get(record["DBClusterIdentifier"])
            if owner and "postgres" in owner["Engine"]:
                _copies[arn] = f"snapshot-{key_of(arn)}"
                _sources[_copies[arn]] = key_of(owner["DBClusterArn"])
                plane.signal.changed("rds")
        return answer

    @registry.handles("rds", "DeleteDBClusterSnapshot")
    async def delete_snapshot(call: Call) -> Record:
        answer = await call.forward()
        _copies.pop(answer["DBClusterSnapshot"]["DBClusterSnapshotArn"], None)
        return answer


def snapshots() -> dict[str, str]:
    """Key of each snapshot that there is → key of the server that it was taken from."""
    kept = {value for (_, _, arn), value in list(_copies._data.items()) if ":cluster-snapshot:" in arn and value}
    return {key: source for (_, _, key), source in list(_sources._data.items()) if key in kept}


def _copy_of(arn: str) -> str | None:
    _, _, _, region, account, _ = arn.split(":", 5)
    found: str | None = _copies._data.get((account, region, arn))
    return found


def _rename(plane: Plane, before: str, arn: str) -> None:
    """The server stays what it is, and moves to the addresses of its new name."""
    key = key_of(before)
    _keys.pop(before, None)
    _keys[arn] = key
    _former.pop(arn, None)
    _former[before] = key
    for records in (_passwords, _reboots):
        if before in records:
            records[arn] = records.pop(before)
    if key in plane.states:
        plane.states[key] = "renaming"


def _source_of(call: Call) -> str | None:
    """The key of the files that a restored cluster begins with."""
    if call.operation == "RestoreDBClusterToPointInTime":
        source = ministack_rds._clusters.get(call.params["SourceDBClusterIdentifier"].rpartition(":")[2])
        return key_of(source["DBClusterArn"]) if source else None
    if call.operation == "RestoreDBClusterFromSnapshot":
        name = call.params["SnapshotIdentifier"]
        prefix = f"arn:aws:rds:{call.region}:{call.account}:cluster-snapshot:"
        return _copy_of(name if name.startswith("arn:") else prefix + name)
    return None


async def _learn_target(plane: Plane, call: Call, name: str) -> None:
    targets = (await call.invoke("rds", "DescribeDBProxyTargets", {"DBProxyName": name})).get("Targets", [])
    for target in targets:
        owner = ministack_rds._clusters.get(target.get("TrackedClusterId") or target.get("RdsResourceId", ""))
        if owner:
            plane.proxied[name] = owner["DBClusterArn"]
