# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DB proxies: the instances behind a registered cluster are targets, too, and must be made by then."""

from __future__ import annotations

from typing import Any

from ministack.services import rds

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry


def _instances(targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for target in targets:
        if target.get("Type") != "TRACKED_CLUSTER":
            continue
        cluster = rds._clusters.get(target["RdsResourceId"], {})
        for member in cluster.get("DBClusterMembers", []):
            instance = rds._instances.get(member["DBInstanceIdentifier"], {})
            found.append(
                {
                    "RdsResourceId": member["DBInstanceIdentifier"],
                    "TrackedClusterId": target["RdsResourceId"],
                    "Type": "RDS_INSTANCE",
                    "Role": "READ_WRITE" if member.get("IsClusterWriter") else "READ_ONLY",
                    "Port": cluster["Port"],
                    "Endpoint": (instance.get("Endpoint") or {}).get("Address", cluster["Endpoint"]),
                    "TargetHealth": {"State": "AVAILABLE"},
                }
            )
    return found


@registry.handles("rds", "RegisterDBProxyTargets")
async def register_db_proxy_targets(call: Call) -> Params:
    for cluster in call.params.get("DBClusterIdentifiers", []):
        behind = {"Filters": [{"Name": "db-cluster-id", "Values": [cluster]}]}
        for instance in (await call.invoke("rds", "DescribeDBInstances", behind))["DBInstances"]:
            if instance["DBInstanceStatus"] == "creating":
                name = instance["DBInstanceIdentifier"]
                wanted = "needs to be in [AVAILABLE, MODIFYING, BACKING_UP]"
                why = f"DB Instance {name} is in an unsupported state - CREATING, {wanted}"
                raise AwsError("InvalidDBInstanceState", why)
    answer = await call.forward()
    return {"DBProxyTargets": [*answer["DBProxyTargets"], *_instances(answer["DBProxyTargets"])]}


@registry.handles("rds", "DescribeDBProxyTargets")
async def describe_db_proxy_targets(call: Call) -> Params:
    answer = await call.forward()
    return {**answer, "Targets": [*answer.get("Targets", []), *_instances(answer.get("Targets", []))]}
