# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An Aurora Global Database: the standing cluster as its writer, a second one in another region that follows it.

Without instances the second one costs its storage and the replicated writes; it must be given one before it can serve.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws, AwsModule
from .._aws.tags import named, to_boto3
from .._aws.waiters import until
from .._engine.resources import Found, Ref, Resource, Traits
from .._engine.steps import PlanRefused
from .._rds.clusters import DbCluster
from .._rds.groups import RdsKind
from .._rds.model import ENGINE

_GONE = ("GlobalClusterNotFoundFault", "GlobalClusterNotFound")


class Elsewhere(Aws):
    """The same account in another region."""

    def __init__(self, module: AwsModule, region: str) -> None:
        super().__init__(module)
        self.region = region

    def client(self, service: str, region: str | None = None) -> Any:
        return super().client(service, region or self.region)


def desired(params: Mapping[str, Any], primary: Mapping[str, Any]) -> list[Resource]:
    """The resources of an `aurora_global_database` call. primary: the writer's cluster as RDS describes it."""
    name, second, tags = params["name"], params["secondary_name"], params["tags"]
    made = [
        Resource(
            "global_cluster",
            name,
            {"deletion_protection": params["deletion_protection"], "writer": primary["DBClusterArn"]},
        ),
        Resource("db_subnet_group", second, {"subnets": sorted(params["subnet_ids"])}, tags=named(tags, second)),
        Resource(
            "db_cluster",
            second,
            {
                "subnet_group": Ref("db_subnet_group", second),
                "security_groups": sorted(params["security_group_ids"]),
                "kms_key": params["kms_key_arn"],
                "deletion_protection": params["deletion_protection"],
                "follows": name,
            },
            tags=named(tags, second),
            on=(("global_cluster", name),),
        ),
    ]
    for number in range(1, params["instance_count"] + 1):
        own = f"{second}-{number}"
        fields = {"cluster": Ref("db_cluster", second), "instance_class": params["instance_class"]}
        made.append(Resource("db_instance", own, fields, tags=named(tags, own)))
    return made


def problems(params: Mapping[str, Any], region: str | None, classes: Sequence[str]) -> list[str]:
    """A sentence for each thing wrong; classes: those of the writer's instances."""
    name, wrong = params["name"], []
    if params["secondary_region"] == region:
        wrong.append(f"Read {region} as the second region of {name}, which is its own. Name another region.")
    small = sorted({one for one in [*classes, params["instance_class"]] if one.startswith("db.t")})
    if small:
        wrong.append(
            f"Read instances of class {', '.join(small)} for the global database {name}; Aurora takes none of db.t. "
            "Choose a class such as db.r6g.large (rds_aurora_instance_class)."
        )
    if not params["subnet_ids"] or not params["security_group_ids"]:
        wrong.append(
            f"Read no subnet_ids or security_group_ids of {params['secondary_region']} for the global database {name}. "
            "Make a network there first, with an inventory for that region and playbooks/phase1.yml."
        )
    return wrong


class GlobalCluster(RdsKind):
    """The frame around both clusters, by its name."""

    kind = "global_cluster"
    traits = Traits("Aurora Global Database", immutable=frozenset({"writer"}))

    def described(self) -> dict[str, Any] | None:
        """The global cluster as RDS describes it; None without one."""
        listed = self.aws.pages(
            f"look for Aurora Global Database {self.name}",
            "rds",
            "describe_global_clusters",
            "GlobalClusters",
            missing=_GONE,
            GlobalClusterIdentifier=self.name,
        )
        return listed[0] if listed else None

    def observe(self) -> Iterable[Found]:
        item = self.described()
        if item is None:
            return
        writers = [one["DBClusterArn"] for one in item.get("GlobalClusterMembers") or [] if one.get("IsWriter")]
        fields = {
            "deletion_protection": item.get("DeletionProtection", False),
            "writer": writers[0] if writers else None,
        }
        arn = {"arn": item["GlobalClusterArn"]}
        yield Found(self.kind, self.name, self.name, fields, None, arn, item["Status"] == "available")

    def create(self, wanted: Resource) -> Found:
        answer = self.call(
            f"make Aurora cluster {wanted.fields['writer']} the writer of a global database",
            "create_global_cluster",
            GlobalClusterIdentifier=wanted.name,
            SourceDBClusterIdentifier=wanted.fields["writer"],
            DeletionProtection=wanted.fields["deletion_protection"],
            Tags=to_boto3(named(self.tags, wanted.name)),
        )
        return self.new(wanted, answer["GlobalCluster"]["GlobalClusterArn"])

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._protect(found.name, wanted.fields["deletion_protection"])

    def _protect(self, name: str, protection: bool) -> None:
        self.call(
            f"set the deletion protection of Aurora Global Database {name}",
            "modify_global_cluster",
            GlobalClusterIdentifier=name,
            DeletionProtection=protection,
        )

    def leave(self, arn: str) -> None:
        """Let a cluster go its own way; it stays as it is."""
        self.aws.call_unless(
            {*_GONE, "DBClusterNotFoundFault"},
            f"take {arn} out of Aurora Global Database {self.name}",
            "rds",
            "remove_from_global_cluster",
            GlobalClusterIdentifier=self.name,
            DbClusterIdentifier=arn,
        )

        def read() -> str:
            members = (self.described() or {}).get("GlobalClusterMembers") or []
            return "in" if arn in [one["DBClusterArn"] for one in members] else "out"

        until(f"{arn} to be out of Aurora Global Database {self.name}", read, good={"out"}, timeout=1800)

    def delete(self, found: Found) -> None:
        if found.fields["deletion_protection"]:
            self._protect(found.name, False)
        if found.fields["writer"]:
            self.leave(found.fields["writer"])
        attempt = f"delete Aurora Global Database {found.name}"
        self.aws.call_unless(_GONE, attempt, "rds", "delete_global_cluster", GlobalClusterIdentifier=found.name)

    def wait(self, found: Found) -> None:
        def read() -> str:
            return str((self.described() or {}).get("Status", ""))

        until(f"Aurora Global Database {found.name} to be available", read, good={"available"}, timeout=1800)


class Follower(DbCluster):
    """The cluster in the other region. `follows` is the global database that it is a member of."""

    traits = Traits("following Aurora cluster", immutable=frozenset({"subnet_group", "kms_key", "follows"}))

    def __init__(self, *given: Any, frame: GlobalCluster, version: str = "", **named_: Any) -> None:
        super().__init__(*given, **named_)
        self._frame = frame
        self._version = version

    def observe(self) -> Iterable[Found]:
        members = (self._frame.described() or {}).get("GlobalClusterMembers") or []
        arns = [one["DBClusterArn"] for one in members]
        for found in super().observe():
            follows = self._frame.name if found.outputs["arn"] in arns else None
            fields = {**found.fields, "follows": follows}
            yield Found(found.kind, found.name, found.id, fields, found.tags, found.outputs, found.settled)

    def create(self, wanted: Resource) -> Found:
        fields = wanted.fields
        answer = self.call(
            f"create Aurora cluster {wanted.name} as a follower",
            "create_db_cluster",
            DBClusterIdentifier=wanted.name,
            GlobalClusterIdentifier=fields["follows"],
            Engine=ENGINE,
            EngineVersion=self._version,
            DBSubnetGroupName=fields["subnet_group"],
            VpcSecurityGroupIds=fields["security_groups"],
            KmsKeyId=fields["kms_key"],
            StorageEncrypted=True,
            DeletionProtection=fields["deletion_protection"],
            Tags=to_boto3(dict(wanted.tags or {})),
        )
        return self.new(wanted, answer["DBCluster"]["DBClusterArn"])

    def delete(self, found: Found) -> None:
        if found.fields["follows"]:
            self._frame.leave(found.outputs["arn"])
        super().delete(found)


def primary_of(aws: Aws, tags: Mapping[str, str], name: str) -> dict[str, Any]:
    """The cluster that shall write. Raises PlanRefused when there is none."""
    found = DbCluster(aws, tags, name).described()
    if found is None:
        raise PlanRefused(
            [f"Looked for Aurora cluster {name} in {aws.region} and found none. Run playbooks/phase2.yml first."]
        )
    return found
