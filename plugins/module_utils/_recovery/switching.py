# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls of a switch: reads the three clusters, carries its steps out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._aws.api import Aws
from .._aws.arn_tags import refuse_foreign, write_tags
from .._aws.tags import named
from .._aws.waiters import until
from .._engine.steps import PlanRefused, StepFailed
from .._rds.clusters import DbCluster
from .restored import FROM, TO, tags_of
from .switch import Cluster, Member, Place, PointProxy, RenameCluster, RenameInstance, Settle, Step, problems

_NO_PROXY = ("DBProxyNotFoundFault", "DBProxyNotFound")


class Switching:
    """One switch by its three names (serving, restored, kept)."""

    def __init__(self, aws: Aws, tags: Mapping[str, str], names: tuple[str, str, str]) -> None:
        self._aws = aws
        self._tags = tags
        self._names = names

    def observe(self) -> Place:
        """The clusters as they stand. Raises PlanRefused for what the switch may not touch."""
        serving, restored, kept = (self._cluster(name) for name in self._names)
        place = Place(serving, restored, kept, self._names, self._proxy())
        if wrong := problems(place):
            raise PlanRefused(wrong)
        return place

    def _cluster(self, name: str) -> Cluster | None:
        item = DbCluster(self._aws, self._tags, name).described()
        if item is None:
            return None
        tags = tags_of(item)
        refuse_foreign(tags, self._tags, f"Aurora cluster {name}")
        members = sorted(member["DBInstanceIdentifier"] for member in item.get("DBClusterMembers") or [])
        numbered = tuple(Member(member, _number(member, place)) for place, member in enumerate(members, 1))
        return Cluster(name, tags, numbered, bool(item.get("DeletionProtection")))

    def _proxy(self) -> str | None:
        """The platform's proxy, which bears the serving cluster's name."""
        name = self._names[0]
        attempt = f"look for RDS Proxy {name}"
        found = self._aws.pages(attempt, "rds", "describe_db_proxies", "DBProxies", missing=_NO_PROXY, DBProxyName=name)
        return name if found else None

    def apply(self, steps: Sequence[Step], _place: Place) -> None:
        for step in steps:
            match step:
                case RenameCluster():
                    self._rename_cluster(step)
                case RenameInstance():
                    self._rename_instance(step)
                case PointProxy():
                    self._point_proxy(step)
                case Settle():
                    self._settle(step)

    def _rename_cluster(self, step: RenameCluster) -> None:
        self._aws.call(
            f"rename Aurora cluster {step.old} to {step.new}",
            "rds",
            "modify_db_cluster",
            DBClusterIdentifier=step.old,
            NewDBClusterIdentifier=step.new,
            ApplyImmediately=True,
        )

        def read() -> str:
            item = DbCluster(self._aws, self._tags, step.new).described()
            return str(item["Status"]) if item else "being renamed"

        until(f"Aurora cluster {step.new} to be available under its new name", read, good={"available"}, interval=5)

    def _rename_instance(self, step: RenameInstance) -> None:
        self._aws.call(
            f"rename DB instance {step.old} to {step.new}",
            "rds",
            "modify_db_instance",
            DBInstanceIdentifier=step.old,
            NewDBInstanceIdentifier=step.new,
            ApplyImmediately=True,
        )

        def read() -> str:
            attempt = f"look at DB instance {step.new}"
            gone = ("DBInstanceNotFound", "DBInstanceNotFoundFault")
            found = self._aws.pages(
                attempt, "rds", "describe_db_instances", "DBInstances", missing=gone, DBInstanceIdentifier=step.new
            )
            return str(found[0]["DBInstanceStatus"]) if found else "being renamed"

        until(f"DB instance {step.new} to be available under its new name", read, good={"available"}, interval=5)

    def _point_proxy(self, step: PointProxy) -> None:
        groups = self._aws.pages(
            f"look at the targets of RDS Proxy {step.proxy}",
            "rds",
            "describe_db_proxy_targets",
            "Targets",
            DBProxyName=step.proxy,
        )
        tracked = {
            one.get("TrackedClusterId") or one["RdsResourceId"] for one in groups if one["Type"] != "RDS_INSTANCE"
        }
        for cluster in sorted(tracked):
            self._aws.call_unless(
                ("DBProxyTargetNotFoundFault", "DBClusterNotFoundFault"),
                f"take Aurora cluster {cluster} from RDS Proxy {step.proxy}",
                "rds",
                "deregister_db_proxy_targets",
                DBProxyName=step.proxy,
                DBClusterIdentifiers=[cluster],
            )
        self._aws.call_unless(
            ("DBProxyTargetAlreadyRegisteredFault",),
            f"register Aurora cluster {step.cluster} with RDS Proxy {step.proxy}",
            "rds",
            "register_db_proxy_targets",
            DBProxyName=step.proxy,
            DBClusterIdentifiers=[step.cluster],
        )

    def _settle(self, step: Settle) -> None:
        if step.protect:
            self._aws.call(
                f"protect Aurora cluster {step.cluster}",
                "rds",
                "modify_db_cluster",
                DBClusterIdentifier=step.cluster,
                DeletionProtection=True,
                ApplyImmediately=True,
            )
        item = DbCluster(self._aws, self._tags, step.cluster).described()
        if item is None:
            raise StepFailed(
                f"Tried to tag Aurora cluster {step.cluster} and found it gone. See who renamed it, run again."
            )
        for member in item.get("DBClusterMembers") or []:
            name = member["DBInstanceIdentifier"]
            arn = item["DBClusterArn"].replace(f":cluster:{step.cluster}", f":db:{name}")
            write_tags(self._aws, "rds", arn, named(self._tags, name), (FROM, TO))
        # The tags of the restore go last: as long as they are there, the next run goes on.
        write_tags(self._aws, "rds", item["DBClusterArn"], named(self._tags, step.cluster), (FROM, TO))


def _number(member: str, place: int) -> int:
    tail = member.rpartition("-")[2]
    return int(tail) if tail.isdigit() else place
