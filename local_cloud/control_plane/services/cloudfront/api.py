# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What CloudFront refuses and ministack takes: unknown policies and keys, aliases without certificate or taken.

And what ministack lacks: moving an alias from one distribution to another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import cloudfront as ministack_cloudfront

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry

_POLICIES = (
    ("CachePolicyId", "GetCachePolicy", "NoSuchCachePolicy"),
    ("OriginRequestPolicyId", "GetOriginRequestPolicy", "NoSuchOriginRequestPolicy"),
    ("ResponseHeadersPolicyId", "GetResponseHeadersPolicy", "NoSuchResponseHeadersPolicy"),
)


@registry.handles("cloudfront", "CreateDistribution", "CreateDistributionWithTags", "UpdateDistribution")
async def check_distribution(call: Call) -> Params:
    wanted = call.params.get("DistributionConfigWithTags", {}).get("DistributionConfig")
    config = wanted or call.params["DistributionConfig"]
    await _check_behaviors(call, config)
    await _check_origins(call, config)
    _check_aliases(call, config)
    return await call.forward()


def _behaviors(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield config["DefaultCacheBehavior"]
    yield from config.get("CacheBehaviors", {}).get("Items", [])


async def _check_behaviors(call: Call, config: dict[str, Any]) -> None:
    origins = [origin["Id"] for origin in config["Origins"]["Items"]]
    for behavior in _behaviors(config):
        if behavior["TargetOriginId"] not in origins:
            raise AwsError("NoSuchOrigin", f"No origin exists with the Origin Id {behavior['TargetOriginId']}.")
        if behavior.get("CachePolicyId") and any(key in behavior for key in ("ForwardedValues", "DefaultTTL")):
            raise AwsError("InvalidArgument", "A behavior takes a cache policy or the legacy settings, not both.")
        for member, operation, error in _POLICIES:
            if behavior.get(member):
                await _must_exist(call, operation, behavior[member], error)
        groups = behavior.get("TrustedKeyGroups", {})
        for group in groups.get("Items", []):
            await _must_exist(call, "GetKeyGroup", group, "TrustedKeyGroupDoesNotExist")


async def _check_origins(call: Call, config: dict[str, Any]) -> None:
    for origin in config["Origins"]["Items"]:
        if ("S3OriginConfig" in origin) is ("CustomOriginConfig" in origin):
            raise AwsError("InvalidOrigin", f"Origin {origin['Id']} needs S3OriginConfig or CustomOriginConfig.")
        if access := origin.get("OriginAccessControlId"):
            await _must_exist(call, "GetOriginAccessControl", access, "NoSuchOriginAccessControl")


async def _must_exist(call: Call, operation: str, ident: str, error: str) -> None:
    try:
        await call.invoke("cloudfront", operation, {"Id": ident})
    except AwsError as missing:
        raise AwsError(error, f"{ident} does not exist.") from missing


def _check_aliases(call: Call, config: dict[str, Any]) -> None:
    aliases = config.get("Aliases", {}).get("Items", [])
    if aliases and config.get("ViewerCertificate", {}).get("CloudFrontDefaultCertificate"):
        raise AwsError("InvalidViewerCertificate", "To add an alternate domain name, attach a trusted certificate.")
    for distribution in ministack_cloudfront._distributions.values():
        taken = ministack_cloudfront._get_distribution_aliases(distribution)
        if distribution["Id"] != call.params.get("Id") and set(taken) & set(aliases):
            raise AwsError("CNAMEAlreadyExists", "One or more aliases belong to another distribution.")


@registry.handles("cloudfront", "AssociateAlias")
async def associate_alias(call: Call) -> Params:
    alias, target = call.params["Alias"], call.params["TargetDistributionId"]
    before = [
        distribution["Id"]
        for distribution in ministack_cloudfront._distributions.values()
        if alias in ministack_cloudfront._get_distribution_aliases(distribution)
    ]
    await _must_exist(call, "GetDistribution", target, "NoSuchDistribution")
    for ident in before:
        await _set_aliases(call, ident, lambda aliases: [name for name in aliases if name != alias])
    await _set_aliases(call, target, lambda aliases: [*aliases, alias])
    return {}


async def _set_aliases(call: Call, ident: str, change: Callable[[list[str]], list[str]]) -> None:
    shown = await call.invoke("cloudfront", "GetDistributionConfig", {"Id": ident})
    config = shown["DistributionConfig"]
    aliases = change(list(config.get("Aliases", {}).get("Items", [])))
    config["Aliases"] = {"Quantity": len(aliases), **({"Items": aliases} if aliases else {})}
    wanted = {"Id": ident, "IfMatch": shown["ETag"], "DistributionConfig": config}
    await call.invoke("cloudfront", "UpdateDistribution", wanted)


@registry.handles("cloudfront", "DeleteOriginAccessControl")
async def delete_origin_access_control(call: Call) -> Params:
    for distribution in ministack_cloudfront._distributions.values():
        if call.params["Id"] in distribution["config_xml"]:
            raise AwsError("OriginAccessControlInUse", f"{call.params['Id']} is used by {distribution['Id']}.")
    return await call.forward()
