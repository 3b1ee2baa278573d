# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DB subnet groups: subnets that exist in two zones at least, groups in use."""

from __future__ import annotations

from ministack.services import rds

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry


@registry.handles("rds", "CreateDBSubnetGroup", "ModifyDBSubnetGroup")
async def check_zones(call: Call) -> Params:
    try:
        found = await call.invoke("ec2", "DescribeSubnets", {"SubnetIds": call.params["SubnetIds"]})
    except AwsError as error:
        raise AwsError("InvalidSubnet", f"Some input subnets in {call.params['SubnetIds']} are invalid.") from error
    subnets = found["Subnets"]
    if len({subnet["VpcId"] for subnet in subnets}) > 1:
        raise AwsError("InvalidSubnet", "The subnets of a DB subnet group must be in one VPC.")
    zones = {subnet["AvailabilityZone"] for subnet in subnets}
    if len(zones) < 2:
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(sorted(zones))}. Add subnets to cover at least 2 AZs.",
        )
    return await call.forward()


@registry.handles("rds", "DeleteDBSubnetGroup")
async def delete_db_subnet_group(call: Call) -> Params:
    group = call.params["DBSubnetGroupName"]
    users = [name for name, cluster in rds._clusters.items() if cluster["DBSubnetGroup"] == group]
    users += [
        name
        for name, instance in rds._instances.items()
        if (instance.get("DBSubnetGroup") or {}).get("DBSubnetGroupName") == group
        and not instance.get("DBClusterIdentifier")
    ]
    if users:
        raise AwsError(
            "InvalidDBSubnetGroupStateFault",
            f"Cannot delete the subnet group '{group}' because at least one database: {users[0]} is still using it.",
        )
    return await call.forward()
