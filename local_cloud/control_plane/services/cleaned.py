# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers of ministack with members that AWS does not have, or with empty values in place of absent ones.

Going through the overlay mends them: it reads an answer by AWS's model and writes it anew.
"""

from __future__ import annotations

from local_cloud.control_plane.overlay import Call, Params, registry

_OPERATIONS = {
    "ecs": ("RegisterTaskDefinition", "DescribeTaskDefinition", "DeregisterTaskDefinition", "DeleteTaskDefinitions"),
    "backup": ("GetBackupPlan", "ListBackupVaults", "DescribeBackupJob", "ListBackupJobs"),
    "wafv2": ("GetIPSet", "GetWebACL"),
    "servicediscovery": ("ListServices", "ListNamespaces"),
    "rds": ("StopDBInstance", "StartDBInstance"),
}


async def cleaned(call: Call) -> Params:
    """What ministack answers, as AWS would write it."""
    return await call.forward()


for _service, _names in _OPERATIONS.items():
    registry.handles(_service, *_names)(cleaned)
