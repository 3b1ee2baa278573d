# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ministack forgets of ECS clusters and services, and which revision a family means."""

from __future__ import annotations

from typing import Any

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.stores import store

_kept = store("ecs_service_fields")  # service ARN: the fields below, as they were last given

# With AWS's own default for a new service.
_DEFAULTS: dict[str, Any] = {
    "availabilityZoneRebalancing": "ENABLED",
    "enableECSManagedTags": False,
    "propagateTags": "NONE",
    "serviceRegistries": [],
}


@registry.handles("ecs", "CreateCluster")
async def create_cluster(call: Call) -> Params:
    answer = await call.forward()
    if defaults := call.params.get("serviceConnectDefaults"):
        changes = {"cluster": answer["cluster"]["clusterArn"], "serviceConnectDefaults": defaults}
        return await call.invoke("ecs", "UpdateCluster", changes)
    return answer


@registry.handles("ecs", "CreateService")
async def create_service(call: Call) -> Params:
    answer = await call.forward()
    given = {name: call.params.get(name, default) for name, default in _DEFAULTS.items()}
    _kept[answer["service"]["serviceArn"]] = given
    return {"service": {**answer["service"], **given}}


@registry.handles("ecs", "UpdateService")
async def update_service(call: Call) -> Params:
    answer = await call.forward()
    arn = answer["service"]["serviceArn"]
    given = {name: call.params[name] for name in _DEFAULTS if name in call.params}
    _kept[arn] = {**_DEFAULTS, **_kept.get(arn, {}), **given}
    return {"service": {**answer["service"], **_kept[arn]}}


@registry.handles("ecs", "DescribeServices")
async def describe_services(call: Call) -> Params:
    answer = await call.forward()
    services = [{**service, **_kept.get(service["serviceArn"], {})} for service in answer["services"]]
    return {**answer, "services": services}


@registry.handles("ecs", "DescribeTaskDefinition")
async def describe_task_definition(call: Call) -> Params:
    """A family alone means its newest ACTIVE revision; ministack shows the newest of any state."""
    named = call.params["taskDefinition"].rpartition("/")[2]
    if ":" in named:
        return await call.forward()
    listed = await call.invoke("ecs", "ListTaskDefinitions", {"familyPrefix": named, "status": "ACTIVE"})
    active = [arn for arn in listed["taskDefinitionArns"] if arn.rpartition("/")[2].rpartition(":")[0] == named]
    if not active:
        raise AwsError("ClientException", "Unable to describe task definition.")
    newest = max(active, key=lambda arn: int(arn.rpartition(":")[2]))
    return await call.forward({**call.params, "taskDefinition": newest})
