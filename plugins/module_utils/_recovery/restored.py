# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A database cluster that is restored beside the one that it comes from.

Its tags tell what it was restored from and to which moment, so that the next run knows it: AWS itself does not say.
A cluster that was switched into service has lost them, and nothing here removes it then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .._aws.tags import from_boto3, named, to_boto3
from .._engine.resources import Found, Ref, Resource, Traits
from .._engine.steps import PlanRefused, StepFailed
from .._rds.clusters import DbCluster
from .._rds.model import ENGINE

FROM, TO = "RestoredFrom", "RestoredTo"
LATEST = "latest"
_NAME = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,59}")  # 63 less the number of an instance


@dataclass(frozen=True)
class Origin:
    """Where the data come from: a cluster and a moment (``latest`` or ISO 8601 in UTC), or a snapshot."""

    source: str
    moment: str

    @property
    def tags(self) -> dict[str, str]:
        return {FROM: self.source, TO: self.moment}


def moment_of(text: str) -> datetime | None:
    """A moment given with its zone, in whole seconds of UTC, which is as finely as RDS restores; None if it is none."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    return told.astimezone(UTC).replace(microsecond=0) if told.tzinfo else None


def written(moment: datetime) -> str:
    """Such as ``2026-11-22T23:40:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def problems(params: Mapping[str, Any]) -> list[str]:
    """A sentence for each thing wrong with a wished restore."""
    name, wrong = params["name"], []
    if not _NAME.fullmatch(name):
        wrong.append(
            f"Read the name {name!r} for the restored cluster; AWS takes up to 60 lower-case letters, digits and "
            "single hyphens, beginning with a letter. Choose such a name."
        )
    if params["state"] == "absent":
        return wrong
    if name == params["source_cluster"]:
        wrong.append(
            f"Read {name} as the name of both the cluster and its restored copy; a restore stands beside the original. "
            "Choose another name."
        )
    if not params["source_cluster"] and not params["snapshot"]:
        wrong.append(f"Read neither source_cluster nor snapshot for {name}. Say what to restore.")
    if params["snapshot"] and params["restore_to_time"]:
        wrong.append(
            f"Read both snapshot and restore_to_time for {name}; a snapshot is of one moment. Give one of the two."
        )
    if params["restore_to_time"] and moment_of(params["restore_to_time"]) is None:
        wrong.append(
            f"Read restore_to_time {params['restore_to_time']!r} for {name}; it is no moment with a zone. Write it "
            "like 2026-11-22T23:40:00Z."
        )
    if not 1 <= params["instance_count"] <= 16:
        wrong.append(f"Read {params['instance_count']} instances for {name}; a cluster has 1 to 16. Choose one.")
    return wrong


def origin(params: Mapping[str, Any]) -> Origin:
    """What shall be restored, after `problems` found nothing."""
    if params["snapshot"]:
        return Origin(params["snapshot"], "snapshot")
    moment = moment_of(params["restore_to_time"]) if params["restore_to_time"] else None
    return Origin(params["source_cluster"], written(moment) if moment else LATEST)


def refuse_another(found: Mapping[str, str], wanted: Origin, name: str) -> None:
    """Raise PlanRefused when the name is taken by something else than this restore."""
    have = (found.get(FROM), found.get(TO))
    if have != (wanted.source, wanted.moment):
        what = f"restored from {have[0]} to {have[1]}" if have[0] else "that no restore made"
        raise PlanRefused(
            [
                f"Tried to restore {wanted.source} to {wanted.moment} as {name} and found a cluster of that name "
                f"{what}. Choose another name, or remove that one with restore_state: absent."
            ]
        )


def desired(params: Mapping[str, Any], settings: Mapping[str, Any], tags: Mapping[str, str]) -> list[Resource]:
    """Cluster and instances. settings: see `inherited`; tags: those of the origin among them."""
    name = params["name"]
    fields = {
        "subnet_group": settings["subnet_group"],
        "security_groups": sorted(settings["security_groups"]),
        "parameter_group": settings["parameter_group"],
        "deletion_protection": params["deletion_protection"],
        "managed_master_password": True,
        "serverless_v2_scaling": settings["serverless_v2_scaling"],
    }
    if settings["master_secret_kms_key"]:
        fields["master_secret_kms_key"] = settings["master_secret_kms_key"]
    made = [Resource("db_cluster", name, {key: fields[key] for key in fields if fields[key] is not None}, {}, tags)]
    for number in range(1, params["instance_count"] + 1):
        own = f"{name}-{number}"
        instance = {
            "cluster": Ref("db_cluster", name),
            "instance_class": settings["instance_class"],
            "publicly_accessible": False,
        }
        if settings["instance_parameter_group"]:
            instance["parameter_group"] = settings["instance_parameter_group"]
        made.append(Resource("db_instance", own, instance, {}, named(tags, own)))
    return made


def inherited(
    params: Mapping[str, Any], cluster: Mapping[str, Any] | None, writer: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The settings of the restored cluster: those given, else the original's, as RDS describes it (None: it is gone).

    Raises PlanRefused for what neither says.
    """
    original, member = cluster or {}, writer or {}
    groups = member.get("DBParameterGroups") or [{}]
    scaling = original.get("ServerlessV2ScalingConfiguration") or None
    settings = {
        "subnet_group": params["subnet_group"] or original.get("DBSubnetGroup"),
        "security_groups": params["security_group_ids"]
        or [group["VpcSecurityGroupId"] for group in original.get("VpcSecurityGroups") or []],
        "parameter_group": params["cluster_parameter_group"] or original.get("DBClusterParameterGroup"),
        "instance_parameter_group": params["instance_parameter_group"] or groups[0].get("DBParameterGroupName"),
        "instance_class": params["instance_class"] or member.get("DBInstanceClass"),
        "kms_key": params["kms_key_arn"] or original.get("KmsKeyId"),
        "master_secret_kms_key": params["master_secret_kms_key_arn"]
        or (original.get("MasterUserSecret") or {}).get("KmsKeyId"),
        "port": params["port"] or original.get("Port"),
        "serverless_v2_scaling": {
            "min_capacity": float(scaling["MinCapacity"]),
            "max_capacity": float(scaling["MaxCapacity"]),
        }
        if scaling
        else None,
    }
    asked = {
        "subnet_group": "subnet_group",
        "security_groups": "security_group_ids",
        "instance_class": "instance_class",
    }
    if missing := [option for setting, option in asked.items() if not settings[setting]]:
        raise PlanRefused(
            [
                f"Read no {' and no '.join(missing)} for the restored cluster {params['name']}, and found no cluster "
                f"{params['source_cluster'] or '(none named)'} in this region to take it from. Give it."
            ]
        )
    return settings


_PASSWORD = ("managed_master_password", "master_secret_kms_key")


class RestoredCluster(DbCluster):
    """A cluster that is made by a restore; all else is as with any Aurora cluster."""

    traits = Traits("restored Aurora cluster", immutable=frozenset({"subnet_group"}))

    def __init__(
        self,
        *given: Any,
        origin: Origin | None = None,
        settings: Mapping[str, Any] | None = None,
        **named_: Any,
    ) -> None:
        super().__init__(*given, **named_)
        self._origin = origin
        self._settings = settings or {}

    def observe(self) -> Iterable[Found]:
        for found in super().observe():
            tags = found.tags or {}
            if self._origin:
                refuse_another(tags, self._origin, self.name)
            elif FROM not in tags:
                raise PlanRefused(
                    [
                        f"Tried to remove the restored cluster {self.name} and found one that no restore made, or that "
                        "was switched into service. Nothing was removed; name the restored one."
                    ]
                )
            yield found

    def create(self, wanted: Resource) -> Found:
        origin = self._origin
        if origin is None:
            raise StepFailed(f"Tried to restore {wanted.name} without saying from what. Give it an origin.")
        settings = {
            "DBSubnetGroupName": self._settings["subnet_group"],
            "VpcSecurityGroupIds": list(self._settings["security_groups"]),
            "DBClusterParameterGroupName": self._settings["parameter_group"],
            "KmsKeyId": self._settings["kms_key"],
            "Port": self._settings["port"],
        }
        common: dict[str, Any] = {
            "DBClusterIdentifier": wanted.name,
            "DeletionProtection": wanted.fields["deletion_protection"],
            "CopyTagsToSnapshot": True,
            "Tags": to_boto3(dict(wanted.tags or {})),
            **{name: value for name, value in settings.items() if value},
        }
        if scaling := self._settings["serverless_v2_scaling"]:
            common["ServerlessV2ScalingConfiguration"] = {
                "MinCapacity": scaling["min_capacity"],
                "MaxCapacity": scaling["max_capacity"],
            }
        attempt = f"restore {origin.source} to {origin.moment} as {wanted.name}"
        if origin.moment == "snapshot":
            where = {"SnapshotIdentifier": origin.source, "Engine": ENGINE}
            answer = self.call(attempt, "restore_db_cluster_from_snapshot", **common, **where)
        else:
            when: dict[str, Any] = {"UseLatestRestorableTime": True}
            if origin.moment != LATEST:
                when = {"RestoreToTime": moment_of(origin.moment)}
            source = {"SourceDBClusterIdentifier": origin.source}
            answer = self.call(attempt, "restore_db_cluster_to_point_in_time", **common, **source, **when)
        made = self.new(wanted, answer["DBCluster"]["DBClusterArn"])
        self.wait(made)
        # A restore has the original's password; RDS manages one only when it is asked to.
        self.change(made, wanted, [name for name in _PASSWORD if name in wanted.fields])
        return made


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a cluster as RDS describes it."""
    return dict(from_boto3(item.get("TagList") or []))
