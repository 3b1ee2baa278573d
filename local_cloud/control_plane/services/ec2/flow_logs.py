# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""VPC flow logs: ministack drops their tags (it knows the resource type by another name) and half of their fields."""

from __future__ import annotations

from local_cloud.control_plane.overlay import Call, Params, registry
from local_cloud.control_plane.stores import store

_details = store("flow_log_details")  # flow log id: the fields of CreateFlowLogs that ministack forgets
_KEPT = ("DeliverLogsPermissionArn", "LogGroupName", "LogFormat", "MaxAggregationInterval")


@registry.handles("ec2", "CreateFlowLogs")
async def create_flow_logs(call: Call) -> Params:
    specifications = [
        {**one, "ResourceType": "flow-log"} if one.get("ResourceType") == "vpc-flow-log" else one
        for one in call.params.get("TagSpecifications", [])
    ]
    answer = await call.forward({**call.params, "TagSpecifications": specifications})
    for ident in answer["FlowLogIds"]:
        _details[ident] = {key: call.params[key] for key in _KEPT if key in call.params}
    return answer


@registry.handles("ec2", "DescribeFlowLogs")
async def describe_flow_logs(call: Call) -> Params:
    answer = await call.forward()
    for log in answer.get("FlowLogs", []):
        log.update({"MaxAggregationInterval": 600, **_details.get(log["FlowLogId"], {})})
    return answer
