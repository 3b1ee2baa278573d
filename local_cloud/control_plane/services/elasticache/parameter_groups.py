# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cache parameter groups of every family, Redis 7 and Valkey among them."""

from __future__ import annotations

import re
from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import page
from local_cloud.control_plane.services.elasticache import engines, state


def _defaults(call: Call) -> dict[str, dict[str, Any]]:
    """The groups that every account has: default.<family>, and …cluster.on for sharded groups."""
    found = {}
    for family in sorted(engines.FAMILIES):
        for suffix in ("", ".cluster.on") if not family.startswith("memcached") else ("",):
            name = f"default.{family}{suffix}"
            found[name] = {
                "CacheParameterGroupName": name,
                "CacheParameterGroupFamily": family,
                "Description": f"Default parameter group for {family}{suffix and ' with cluster mode enabled'}",
                "IsGlobal": False,
                "ARN": state.arn(call.region, call.account, "parametergroup", name),
                "_values": {"cluster-enabled": "yes"} if suffix else {},
            }
    return found


def get(call: Call, name: str) -> dict[str, Any]:
    """A group, made or default. Raises CacheParameterGroupNotFound."""
    found: dict[str, Any] | None = state.parameter_groups.get(name) or _defaults(call).get(name)
    if found is None:
        raise AwsError("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.", 404)
    return found


@registry.handles("elasticache", "CreateCacheParameterGroup")
def create(call: Call) -> Params:
    wanted = call.params
    name, family = wanted["CacheParameterGroupName"].lower(), wanted["CacheParameterGroupFamily"]
    if not re.fullmatch(r"[a-z](?:-?[a-z0-9]){0,254}", name):
        raise AwsError(
            "InvalidParameterValue", f"The parameter CacheParameterGroupName {name} is not a valid identifier."
        )
    if family not in engines.FAMILIES:
        raise AwsError(
            "InvalidParameterValue", f"CacheParameterGroupFamily {family} is not a valid parameter group family."
        )
    if name in state.parameter_groups:
        raise AwsError("CacheParameterGroupAlreadyExists", f"Cache parameter group {name} already exists")
    group = {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": family,
        "Description": wanted["Description"],
        "IsGlobal": False,
        "ARN": state.arn(call.region, call.account, "parametergroup", name),
        "_values": {},
    }
    state.parameter_groups[name] = group
    state.tags[group["ARN"]] = wanted.get("Tags", [])
    return {"CacheParameterGroup": state.public(group)}


@registry.handles("elasticache", "DescribeCacheParameterGroups")
def describe(call: Call) -> Params:
    if name := call.params.get("CacheParameterGroupName"):
        items = [get(call, name)]
    else:
        items = [*_defaults(call).values(), *state.parameter_groups.values()]
    some, marker = page(
        [state.public(item) for item in items], call.params.get("Marker"), call.params.get("MaxRecords")
    )
    return {"CacheParameterGroups": some, "Marker": marker}


@registry.handles("elasticache", "ModifyCacheParameterGroup")
def modify(call: Call) -> Params:
    name = call.params["CacheParameterGroupName"]
    group = get(call, name)
    if name.startswith("default."):
        raise AwsError("InvalidCacheParameterGroupState", f"The default parameter group {name} cannot be modified")
    new = {item["ParameterName"]: item.get("ParameterValue", "") for item in call.params["ParameterNameValues"]}
    for parameter, value in new.items():
        engines.check_value(parameter, value)
    state.parameter_groups[name] = {**group, "_values": {**group["_values"], **new}}
    return {"CacheParameterGroupName": name}


@registry.handles("elasticache", "ResetCacheParameterGroup")
def reset(call: Call) -> Params:
    name = call.params["CacheParameterGroupName"]
    group = get(call, name)
    gone = {item["ParameterName"] for item in call.params.get("ParameterNameValues", [])}
    everything = call.params.get("ResetAllParameters")
    kept = {} if everything else {key: value for key, value in group["_values"].items() if key not in gone}
    state.parameter_groups[name] = {**group, "_values": kept}
    return {"CacheParameterGroupName": name}


@registry.handles("elasticache", "DeleteCacheParameterGroup")
def delete(call: Call) -> Params:
    name = call.params["CacheParameterGroupName"]
    group = get(call, name)
    users = [item["ReplicationGroupId"] for item in state.groups.values() if item["_parameter_group"] == name]
    if users or name.startswith("default."):
        raise AwsError(
            "InvalidCacheParameterGroupState",
            f"One or more cache clusters are still members of this parameter group {name}.",
        )
    state.parameter_groups.pop(name, None)
    state.tags.pop(group["ARN"], None)
    return {}


def _shown(values: dict[str, str], family: str) -> list[dict[str, Any]]:
    minimum = re.sub(r"^\D+", "", family).replace("x", "0")
    return [
        {
            "ParameterName": name,
            "ParameterValue": values.get(name, parameter.value),
            "Description": f"{name} of the engine",
            "Source": "user" if name in values else "system",
            "DataType": parameter.kind,
            "AllowedValues": parameter.allowed,
            "IsModifiable": parameter.modifiable,
            "MinimumEngineVersion": f"{minimum}.0.0",
            "ChangeType": parameter.change,
        }
        for name, parameter in engines.PARAMETERS.items()
    ]


@registry.handles("elasticache", "DescribeCacheParameters")
def describe_parameters(call: Call) -> Params:
    group = get(call, call.params["CacheParameterGroupName"])
    source = call.params.get("Source")
    items = _shown(group["_values"], group["CacheParameterGroupFamily"])
    items = [item for item in items if not source or item["Source"] == source]
    some, marker = page(items, call.params.get("Marker"), call.params.get("MaxRecords"))
    return {"Parameters": some, "CacheNodeTypeSpecificParameters": [], "Marker": marker}


@registry.handles("elasticache", "DescribeEngineDefaultParameters")
def describe_defaults(call: Call) -> Params:
    family = call.params["CacheParameterGroupFamily"]
    if family not in engines.FAMILIES:
        raise AwsError(
            "InvalidParameterValue", f"CacheParameterGroupFamily {family} is not a valid parameter group family."
        )
    return {"EngineDefaults": {"CacheParameterGroupFamily": family, "Parameters": _shown({}, family)}}


@registry.handles("elasticache", "DescribeCacheEngineVersions")
def describe_engine_versions(call: Call) -> Params:
    wanted = call.params
    versions = [
        {
            "Engine": engine,
            "EngineVersion": short,
            "CacheParameterGroupFamily": family,
            "CacheEngineDescription": engine.capitalize(),
            "CacheEngineVersionDescription": f"{engine} version {full}",
        }
        for (engine, short), (full, family) in engines.VERSIONS.items()
        if wanted.get("Engine", engine) == engine
        and wanted.get("EngineVersion", short) in (short, full)
        and wanted.get("CacheParameterGroupFamily", family) == family
    ]
    return {"CacheEngineVersions": versions}
