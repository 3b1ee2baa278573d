# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cluster snapshots: copies, restores, restores to a point in time.

`state.origins` says where a restored cluster's data came from; bringing the data is the data plane's part.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from ministack.services import rds

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import now, only
from local_cloud.control_plane.services.rds import state
from local_cloud.control_plane.stores import store

# snapshot id -> {"SourceDBClusterSnapshotArn", "password", "DatabaseName"}; the password never leaves the process
_sources = store("rds_snapshot_sources")

_INHERITED = ("Engine", "EngineVersion", "MasterUsername", "StorageEncrypted", "KmsKeyId", "DatabaseName", "Port")


@registry.handles("rds", "CreateDBClusterSnapshot")
async def create_db_cluster_snapshot(call: Call) -> Params:
    state.check_identifier("DBClusterSnapshotIdentifier", call.params["DBClusterSnapshotIdentifier"])
    answer = await call.forward()
    cluster = rds._clusters[answer["DBClusterSnapshot"]["DBClusterIdentifier"]]
    _sources[answer["DBClusterSnapshot"]["DBClusterSnapshotIdentifier"]] = {
        "password": cluster["_MasterUserPassword"],
        "DatabaseName": cluster.get("DatabaseName"),
    }
    return {"DBClusterSnapshot": {**_shown(answer["DBClusterSnapshot"]), "Status": "creating"}}


def _shown(snapshot: dict[str, Any]) -> dict[str, Any]:
    source = _sources.get(snapshot["DBClusterSnapshotIdentifier"], {})
    made_by = {"SnapshotType": "awsbackup"} if state.BACKUP_PREFIX in snapshot["DBClusterSnapshotIdentifier"] else {}
    return {**snapshot, **made_by, **only(source, "SourceDBClusterSnapshotArn")}


@registry.handles("rds", "DescribeDBClusterSnapshots")
async def describe_db_cluster_snapshots(call: Call) -> Params:
    asked = call.params.get("DBClusterSnapshotIdentifier")
    named = {"DBClusterSnapshotIdentifier": state.identifier_of(asked)} if asked else {}  # an ARN serves as well
    answer = await call.forward({**call.params, **named})
    return {**answer, "DBClusterSnapshots": [_shown(item) for item in answer.get("DBClusterSnapshots", [])]}


@registry.handles("rds", "DeleteDBClusterSnapshot")
async def delete_db_cluster_snapshot(call: Call) -> Params:
    answer = await call.forward()
    _sources.pop(call.params["DBClusterSnapshotIdentifier"], None)
    return answer


async def _snapshot(call: Call, name: str) -> dict[str, Any]:
    """The snapshot with this identifier or ARN; an ARN may be of another region."""
    region = name.split(":")[3] if name.startswith("arn:") else call.region
    wanted = {"DBClusterSnapshotIdentifier": state.identifier_of(name)}
    found = await call.invoke("rds", "DescribeDBClusterSnapshots", wanted, region=region)
    snapshot: dict[str, Any] = found["DBClusterSnapshots"][0]
    return snapshot


@registry.handles("rds", "CopyDBClusterSnapshot")
async def copy_db_cluster_snapshot(call: Call) -> Params:
    wanted = call.params
    target = wanted["TargetDBClusterSnapshotIdentifier"]
    state.check_identifier("TargetDBClusterSnapshotIdentifier", target)
    source = await _snapshot(call, wanted["SourceDBClusterSnapshotIdentifier"])
    if target in rds._db_cluster_snapshots:
        raise AwsError("DBClusterSnapshotAlreadyExistsFault", f"Cannot create the snapshot because {target} exists.")
    arn = f"arn:aws:rds:{call.region}:{call.account}:cluster-snapshot:{target}"
    tags = wanted.get("Tags") or (source.get("TagList", []) if wanted.get("CopyTags") else [])
    record = {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in source.items()
        if value is not None
    }
    rds._db_cluster_snapshots[target] = {
        **record,
        "DBClusterSnapshotIdentifier": target,
        "DBClusterSnapshotArn": arn,
        "SnapshotCreateTime": now(),
        "KmsKeyId": wanted.get("KmsKeyId") or source.get("KmsKeyId", ""),
        "TagList": tags,
    }
    if tags:
        rds._tags[arn] = tags
    source_record = _all_sources().get(source["DBClusterSnapshotIdentifier"], {})
    _sources[target] = {**source_record, "SourceDBClusterSnapshotArn": source["DBClusterSnapshotArn"]}
    return {"DBClusterSnapshot": (await _snapshot(call, target))}


def _all_sources() -> dict[str, dict[str, Any]]:
    """The sources of all regions of all accounts, by snapshot id: a copy may come from another region."""
    return {key[2]: value for key, value in _sources._data.items()}


@registry.handles("rds", "RestoreDBClusterFromSnapshot")
async def restore_db_cluster_from_snapshot(call: Call) -> Params:
    snapshot = await _snapshot(call, call.params["SnapshotIdentifier"])
    source = _all_sources().get(snapshot["DBClusterSnapshotIdentifier"], {})
    inherited = {**snapshot, **source}
    origin = {"snapshot": snapshot["DBClusterSnapshotIdentifier"]}
    return await _restore(call, inherited, source.get("password", ""), origin)


@registry.handles("rds", "RestoreDBClusterToPointInTime")
async def restore_db_cluster_to_point_in_time(call: Call) -> Params:
    wanted = call.params
    if bool(wanted.get("UseLatestRestorableTime")) == ("RestoreToTime" in wanted):
        raise AwsError("InvalidParameterCombination", "Specify either RestoreToTime or UseLatestRestorableTime.")
    source = wanted["SourceDBClusterIdentifier"].rpartition(":")[2]
    moment = wanted.get("RestoreToTime")
    cluster = (await call.invoke("rds", "DescribeDBClusters", {"DBClusterIdentifier": source}))["DBClusters"][0]
    if moment and not seconds(cluster["EarliestRestorableTime"]) <= seconds(moment) <= time.time():
        raise AwsError(
            "InvalidParameterValue",
            f"The DB cluster {source} can be restored to a time between its EarliestRestorableTime and its "
            f"LatestRestorableTime, not to {moment}.",
        )
    origin = {"cluster": source, "time": str(moment or "latest")}
    return await _restore(call, cluster, rds._clusters[source]["_MasterUserPassword"], origin)


def seconds(moment: Any) -> float:
    """Seconds since 1970 of a moment as AWS's APIs take and show it."""
    told = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()


async def _restore(call: Call, inherited: dict[str, Any], password: str, origin: dict[str, Any]) -> Params:
    not_of_create = (
        "SnapshotIdentifier",
        "SourceDBClusterIdentifier",
        "RestoreToTime",
        "UseLatestRestorableTime",
        "RestoreType",
    )
    new = {name: value for name, value in call.params.items() if name not in not_of_create}
    for name in _INHERITED:
        if inherited.get(name) not in (None, ""):
            new.setdefault(name, inherited[name])
    new.setdefault("MasterUserPassword", password)
    if new.get("ManageMasterUserPassword"):
        new.pop("MasterUserPassword")
    answer = await call.invoke("rds", "CreateDBCluster", new)
    state.origins[new["DBClusterIdentifier"]] = origin
    return answer
