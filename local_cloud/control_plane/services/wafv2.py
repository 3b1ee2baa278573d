# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""WAF: logging configurations, and the changes of descriptions and lock tokens that ministack forgets."""

from __future__ import annotations

from typing import Any

from ministack.services import waf as ministack_waf

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.stores import store

_logging = store("waf_logging_configurations")  # web ACL ARN: LoggingConfiguration


@registry.handles("wafv2", "PutLoggingConfiguration")
async def put_logging_configuration(call: Call) -> Params:
    configuration = call.params["LoggingConfiguration"]
    arn = configuration["ResourceArn"]
    if arn not in [acl["ARN"] for acl in await _web_acls(call, arn)]:
        raise _missing()
    if len(configuration["LogDestinationConfigs"]) != 1:
        raise AwsError("WAFInvalidParameterException", "A web ACL has exactly one log destination.")
    destination = configuration["LogDestinationConfigs"][0].removesuffix(":*")
    if not destination.replace("/", ":").split(":")[-1].startswith("aws-waf-logs-"):
        raise AwsError(
            "WAFInvalidParameterException",
            "The ARN isn't valid. A valid ARN begins with arn: and its name with aws-waf-logs-, field: LOG_DESTINATION",
        )
    _logging[arn] = {"ManagedByFirewallManager": False, "LogType": "WAF_LOGS", "LogScope": "CUSTOMER", **configuration}
    return {"LoggingConfiguration": _logging[arn]}


def _missing() -> AwsError:
    return AwsError(
        "WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't exist."
    )


async def _web_acls(call: Call, arn: str) -> list[dict[str, Any]]:
    scope = "CLOUDFRONT" if ":global/" in arn else "REGIONAL"
    listed: list[dict[str, Any]] = (await call.invoke("wafv2", "ListWebACLs", {"Scope": scope}))["WebACLs"]
    return listed


@registry.handles("wafv2", "GetLoggingConfiguration")
def get_logging_configuration(call: Call) -> Params:
    arn = call.params["ResourceArn"]
    if arn not in _logging:
        raise _missing()
    return {"LoggingConfiguration": _logging[arn]}


@registry.handles("wafv2", "ListLoggingConfigurations")
def list_logging_configurations(call: Call) -> Params:
    part = ":global/" if call.params["Scope"] == "CLOUDFRONT" else ":regional/"
    return {"LoggingConfigurations": [one for arn, one in _logging.items() if part in arn]}


@registry.handles("wafv2", "DeleteLoggingConfiguration")
def delete_logging_configuration(call: Call) -> Params:
    if _logging.pop(call.params["ResourceArn"], None) is None:
        raise _missing()
    return {}


@registry.handles("wafv2", "UpdateWebACL")
async def update_web_acl(call: Call) -> Params:
    answer = await call.forward()
    record = ministack_waf.web_acl_record(call.params["Id"], call.params["Scope"])
    record["Description"] = call.params.get("Description", "")
    return answer


@registry.handles("wafv2", "UpdateIPSet", "DeleteIPSet")
async def change_ip_set(call: Call) -> Params:
    wanted = call.params
    record = ministack_waf._resource_from_scope(ministack_waf._ip_sets, wanted["Id"], wanted["Scope"])
    if record and record["LockToken"] != wanted["LockToken"]:
        raise AwsError("WAFOptimisticLockException", "The resource has changed since it was read. Read it again.")
    if record and call.operation == "DeleteIPSet":
        await _refuse_used(call, record["ARN"])
    answer = await call.forward()
    if record and call.operation == "UpdateIPSet":
        record["Description"] = wanted.get("Description", "")
    return answer


async def _refuse_used(call: Call, arn: str) -> None:
    for summary in await _web_acls(call, arn):
        scope = call.params["Scope"]
        key = {"Name": summary["Name"], "Id": summary["Id"], "Scope": scope}
        if arn in str((await call.invoke("wafv2", "GetWebACL", key))["WebACL"]["Rules"]):
            raise AwsError("WAFAssociatedItemException", f"{arn} is used by web ACL {summary['Name']}.")


@registry.handles("wafv2", "DeleteWebACL")
async def delete_web_acl(call: Call) -> Params:
    record = ministack_waf.web_acl_record(call.params["Id"], call.params["Scope"])
    if record and call.params["Scope"] == "CLOUDFRONT":
        listed = await call.invoke("cloudfront", "ListDistributions", {})
        for distribution in listed["DistributionList"].get("Items", []):
            if distribution["WebACLId"] == record["ARN"]:
                raise AwsError("WAFAssociatedItemException", f"{record['ARN']} is used by {distribution['Id']}.")
    answer = await call.forward()
    if record:
        _logging.pop(record["ARN"], None)
    return answer
