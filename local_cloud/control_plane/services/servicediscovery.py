# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cloud Map: names are taken once, what is in use is not deleted, lists are filtered."""

from __future__ import annotations

from ministack.services import servicediscovery

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry


@registry.handles("servicediscovery", "DeleteService")
async def delete_service(call: Call) -> Params:
    if servicediscovery._instances.get(call.params["Id"]):
        raise AwsError(
            "ResourceInUse", "Service contains registered instances; delete the instances before deleting the service"
        )
    return await call.forward()


@registry.handles("servicediscovery", "DeleteNamespace")
async def delete_namespace(call: Call) -> Params:
    namespace = call.params["Id"].rpartition("/")[2]
    if any(service.get("NamespaceId") == namespace for service in servicediscovery._services.values()):
        raise AwsError(
            "ResourceInUse", "Namespace has associated services; delete the services before deleting the namespace"
        )
    return await call.forward()


@registry.handles("servicediscovery", "CreateService")
async def create_service(call: Call) -> Params:
    wanted = call.params
    for service in servicediscovery._services.values():
        if (service["Name"], service["NamespaceId"]) == (wanted["Name"], wanted.get("NamespaceId")):
            raise AwsError(
                "ServiceAlreadyExists",
                f"Service already exists: {service['Id']}, name {wanted['Name']}, namespace {wanted['NamespaceId']}",
            )
    return await call.forward()


@registry.handles("servicediscovery", "UpdateService")
async def update_service(call: Call) -> Params:
    ident = call.params["Id"].rpartition("/")[2]
    before = servicediscovery._services.get(ident, {}).get("DnsConfig") or {}
    answer = await call.forward()
    # A change of the records leaves the routing policy and the namespace alone.
    if changed := call.params.get("Service", {}).get("DnsConfig"):
        servicediscovery._services[ident]["DnsConfig"] = {**before, **changed}
    return answer


@registry.handles("servicediscovery", "ListServices")
async def list_services(call: Call) -> Params:
    answer = await call.forward()
    namespaces = _asked(call, "NAMESPACE_ID")
    if namespaces is None:
        return answer
    members = {ident for ident, one in servicediscovery._services.items() if one["NamespaceId"] in namespaces}
    return {**answer, "Services": [one for one in answer["Services"] if one["Id"] in members]}


@registry.handles("servicediscovery", "ListNamespaces")
async def list_namespaces(call: Call) -> Params:
    answer = await call.forward()
    names, types = _asked(call, "NAME"), _asked(call, "TYPE")
    return {
        **answer,
        "Namespaces": [
            one
            for one in answer["Namespaces"]
            if (names is None or one["Name"] in names) and (types is None or one["Type"] in types)
        ],
    }


def _asked(call: Call, name: str) -> set[str] | None:
    """The values of a filter, whose condition is EQ or IN; None when nobody asked for it."""
    values = [value for one in call.params.get("Filters", []) if one["Name"] == name for value in one["Values"]]
    return set(values) or None
