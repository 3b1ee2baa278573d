# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch Logs: the key of a log group can be set and taken away."""

from __future__ import annotations

from typing import Any

from ministack.services import cloudwatch_logs

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry


def _group(call: Call) -> dict[str, Any]:
    name = call.params.get("logGroupName") or call.params.get("resourceIdentifier", "").rpartition("log-group:")[2]
    if name not in cloudwatch_logs._log_groups:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    found: dict[str, Any] = cloudwatch_logs._log_groups[name]
    return found


@registry.handles("logs", "AssociateKmsKey")
def associate_kms_key(call: Call) -> Params:
    _group(call)["kmsKeyId"] = call.params["kmsKeyId"]
    return {}


@registry.handles("logs", "DisassociateKmsKey")
def disassociate_kms_key(call: Call) -> Params:
    _group(call)["kmsKeyId"] = None
    return {}
