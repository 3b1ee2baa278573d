# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The account's EC2 attributes."""

from __future__ import annotations

from local_cloud.control_plane.overlay import Call, Params, registry

_ATTRIBUTES = {
    "supported-platforms": ["VPC"],
    "vpc-max-security-groups-per-interface": ["5"],
    "max-elastic-ips": ["5"],
    "max-instances": ["20"],
    "vpc-max-elastic-ips": ["5"],
    "default-vpc": ["none"],
}


@registry.handles("ec2", "DescribeAccountAttributes")
def describe_account_attributes(call: Call) -> Params:
    wanted = call.params.get("AttributeNames") or list(_ATTRIBUTES)
    return {
        "AccountAttributes": [
            {"AttributeName": name, "AttributeValues": [{"AttributeValue": value} for value in _ATTRIBUTES[name]]}
            for name in wanted
            if name in _ATTRIBUTES
        ]
    }
