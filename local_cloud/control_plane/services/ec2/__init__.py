# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What EC2's networking needs beyond ministack: rules of security groups, endpoints, checks, dependencies."""

from __future__ import annotations

from local_cloud.control_plane.services.ec2 import (
    account,
    dependencies,
    endpoints,
    flow_logs,
    nat_gateways,
    network_interfaces,
    routes,
    security_groups,
    vpc,
)

__all__ = [
    "account",
    "dependencies",
    "endpoints",
    "flow_logs",
    "nat_gateways",
    "network_interfaces",
    "routes",
    "security_groups",
    "vpc",
]
