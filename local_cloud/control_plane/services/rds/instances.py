# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DB instances: identifiers, the cluster's subnet group, parameter status, orderable classes."""

from __future__ import annotations

from typing import Any

from ministack.services import rds

from local_cloud.control_plane.overlay import Call, Params, registry
from local_cloud.control_plane.services.rds import state
from local_cloud.control_plane.stores import store

# instance id -> what ministack takes at creation or change and forgets
extras = store("rds_instanceextras")
_KEPT = (
    "PromotionTier",
    "AutoMinorVersionUpgrade",
    "PerformanceInsightsRetentionPeriod",
    "PerformanceInsightsKMSKeyId",
)

# Classes that the project's profiles use and ministack does not list.
_MORE_CLASSES = (
    "db.serverless",
    "db.t3.medium",
    "db.t4g.medium",
    "db.t4g.large",
    "db.r6g.large",
    "db.r6g.xlarge",
    "db.r6g.2xlarge",
    "db.r7g.large",
    "db.r7g.xlarge",
)


async def shown(call: Call, instance: dict[str, Any]) -> dict[str, Any]:
    """An instance as ministack shows it, with what it leaves out."""
    name = instance["DBInstanceIdentifier"]
    instance |= extras.get(name, {})
    waiting = state.pending_reboot.get(name, [])
    for group in instance.get("DBParameterGroups", []):
        group["ParameterApplyStatus"] = "pending-reboot" if group["DBParameterGroupName"] in waiting else "in-sync"
    cluster = rds._clusters.get(instance.get("DBClusterIdentifier", ""))
    if cluster:
        groups = {"DBSubnetGroupName": cluster["DBSubnetGroup"]}
        if cluster["DBSubnetGroup"] in rds._subnet_groups:
            found = await call.invoke("rds", "DescribeDBSubnetGroups", groups)
            instance["DBSubnetGroup"] = found["DBSubnetGroups"][0]
        instance["VpcSecurityGroups"] = cluster.get("VpcSecurityGroups", [])
        instance["StorageEncrypted"] = cluster.get("StorageEncrypted", False)
    return instance


def _keep(call: Call) -> None:
    kept = {key: call.params[key] for key in _KEPT if key in call.params}
    if "EnablePerformanceInsights" in call.params:
        kept["PerformanceInsightsEnabled"] = call.params["EnablePerformanceInsights"]
    name = call.params["DBInstanceIdentifier"]
    extras[name] = {**extras.get(name, {}), **kept}


@registry.handles("rds", "CreateDBInstance")
async def create_db_instance(call: Call) -> Params:
    state.check_identifier("DBInstanceIdentifier", call.params["DBInstanceIdentifier"])
    answer = await call.forward()
    _keep(call)
    return {"DBInstance": {**await shown(call, answer["DBInstance"]), "DBInstanceStatus": "creating"}}


@registry.handles("rds", "DescribeDBInstances")
async def describe_db_instances(call: Call) -> Params:
    answer = await call.forward()
    return {**answer, "DBInstances": [await shown(call, item) for item in answer.get("DBInstances", [])]}


@registry.handles("rds", "ModifyDBInstance")
async def modify_db_instance(call: Call) -> Params:
    answer = await call.forward()
    _keep(call)
    if group := call.params.get("DBParameterGroupName"):
        state.await_reboot(call.params["DBInstanceIdentifier"], group)
    return {"DBInstance": await shown(call, answer["DBInstance"])}


@registry.handles("rds", "DeleteDBInstance")
async def delete_db_instance(call: Call) -> Params:
    answer = await call.forward()
    state.pending_reboot.pop(call.params["DBInstanceIdentifier"], None)
    extras.pop(call.params["DBInstanceIdentifier"], None)
    return {"DBInstance": {**answer["DBInstance"], "DBInstanceStatus": "deleting"}}


@registry.handles("rds", "RebootDBInstance")
async def reboot_db_instance(call: Call) -> Params:
    answer = await call.forward()
    state.pending_reboot.pop(call.params["DBInstanceIdentifier"], None)
    return {"DBInstance": {**await shown(call, answer["DBInstance"]), "DBInstanceStatus": "rebooting"}}


@registry.handles("rds", "DescribeOrderableDBInstanceOptions")
async def describe_orderable_db_instance_options(call: Call) -> Params:
    wanted = call.params.get("DBInstanceClass")
    answer = await call.forward({key: value for key, value in call.params.items() if key != "DBInstanceClass"})
    options = list(answer.get("OrderableDBInstanceOptions", []))
    known = {option["DBInstanceClass"] for option in options}
    if options:
        zones = [{"Name": f"{call.region}{letter}"} for letter in "abc"]
        more = [name for name in _MORE_CLASSES if name not in known]
        options = [{**options[0], "DBInstanceClass": name, "AvailabilityZones": zones} for name in more] + options
    return {"OrderableDBInstanceOptions": [item for item in options if wanted in (None, item["DBInstanceClass"])]}
