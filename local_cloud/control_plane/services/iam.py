# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IAM: OIDC providers that can be changed, the names of service-linked roles, trust policies that are policies."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import iam

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import drop_tags, merge_tags

# Service principal -> role. Source: "AWS services that work with IAM" and each service's page on its linked role.
LINKED_ROLES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
    "elasticache.amazonaws.com": "AWSServiceRoleForElastiCache",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
    "rds.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_RDSCluster",
    "backup.amazonaws.com": "AWSServiceRoleForBackup",
    "config.amazonaws.com": "AWSServiceRoleForConfig",
    "wafv2.amazonaws.com": "AWSServiceRoleForWAFV2Logging",
    "guardduty.amazonaws.com": "AWSServiceRoleForAmazonGuardDuty",
}


@registry.handles("iam", "CreateRole", "UpdateAssumeRolePolicy")
async def check_trust_policy(call: Call) -> Params:
    text = call.params.get("AssumeRolePolicyDocument") or call.params.get("PolicyDocument") or ""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise AwsError("MalformedPolicyDocument", "This policy contains invalid Json") from error
    exists = call.params["RoleName"] in iam._roles
    if (call.operation != "CreateRole" or not exists) and not document.get("Statement"):
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy: a statement is missing.")
    return await call.forward()


@registry.handles("iam", "CreateServiceLinkedRole")
async def create_service_linked_role(call: Call) -> Params:
    service, suffix = call.params["AWSServiceName"], call.params.get("CustomSuffix")
    name = LINKED_ROLES.get(service)
    if name is None:
        raise AwsError("InvalidInput", f"Service name {service} is not known to the local cloud's IAM.")
    if suffix:
        name = f"{name}_{suffix}"
    if name in iam._roles:
        raise AwsError(
            "InvalidInput",
            f"Service role name {name} has been taken in this account, please try a different suffix.",
        )
    made = (await call.forward())["Role"]["RoleName"]
    record = iam._roles.pop(made)
    record |= {"RoleName": name, "Arn": record["Arn"].replace(made, name)}
    if "Description" in call.params:
        record["Description"] = call.params["Description"]
    iam._roles[name] = record
    return {"Role": (await call.invoke("iam", "GetRole", {"RoleName": name}))["Role"]}


def _provider(call: Call) -> dict[str, Any]:
    arn = call.params["OpenIDConnectProviderArn"]
    if arn not in iam._oidc_providers:
        raise AwsError("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)
    found: dict[str, Any] = iam._oidc_providers[arn]
    return found


@registry.handles("iam", "GetOpenIDConnectProvider")
async def get_provider(call: Call) -> Params:
    answer = await call.forward()
    return {**answer, "Url": answer["Url"].removeprefix("https://")}


@registry.handles("iam", "AddClientIDToOpenIDConnectProvider")
def add_client(call: Call) -> Params:
    provider = _provider(call)
    if call.params["ClientID"] not in provider["ClientIDList"]:
        provider["ClientIDList"] = [*provider["ClientIDList"], call.params["ClientID"]]
    return {}


@registry.handles("iam", "RemoveClientIDFromOpenIDConnectProvider")
def remove_client(call: Call) -> Params:
    provider = _provider(call)
    provider["ClientIDList"] = [item for item in provider["ClientIDList"] if item != call.params["ClientID"]]
    return {}


@registry.handles("iam", "UpdateOpenIDConnectProviderThumbprint")
def update_thumbprints(call: Call) -> Params:
    _provider(call)["ThumbprintList"] = call.params["ThumbprintList"]
    return {}


@registry.handles("iam", "TagOpenIDConnectProvider")
def tag_provider(call: Call) -> Params:
    provider = _provider(call)
    provider["Tags"] = merge_tags(provider.get("Tags", []), call.params["Tags"])
    return {}


@registry.handles("iam", "UntagOpenIDConnectProvider")
def untag_provider(call: Call) -> Params:
    provider = _provider(call)
    provider["Tags"] = drop_tags(provider.get("Tags", []), call.params["TagKeys"])
    return {}


@registry.handles("iam", "ListOpenIDConnectProviderTags")
def list_provider_tags(call: Call) -> Params:
    return {"Tags": _provider(call).get("Tags", []), "IsTruncated": False}


@registry.handles("iam", "GetAccountAuthorizationDetails")
async def authorization_details(call: Call) -> Params:
    """ministack keeps the boundaries of roles and leaves them out here."""
    answer = await call.forward()
    for detail in answer.get("RoleDetailList", []):
        boundary = iam._roles[detail["RoleName"]].get("PermissionsBoundary")
        if boundary:
            detail["PermissionsBoundary"] = {
                "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
                "PermissionsBoundaryArn": boundary,
            }
    return answer
