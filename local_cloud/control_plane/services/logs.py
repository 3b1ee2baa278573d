# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch Logs: keys of log groups, saved queries, and how AWS refuses and changes deliveries of logs."""

from __future__ import annotations

import time
import uuid
from typing import Any

from ministack.services import cloudwatch_logs

from local_cloud.control_plane.overlay import AwsError, Call, Params, registry
from local_cloud.control_plane.resources import page
from local_cloud.control_plane.stores import store


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


@registry.handles("logs", "PutDeliverySource")
async def put_delivery_source(call: Call) -> Params:
    wanted = call.params
    if ":cloudfront:" in wanted["resourceArn"] and call.region != "us-east-1":
        raise AwsError("ValidationException", "CloudFront delivers its logs from us-east-1 only.")
    for name, source in cloudwatch_logs._delivery_sources.items():
        if name != wanted["name"] and wanted["resourceArn"] in source["resourceArns"]:
            raise AwsError("ConflictException", "This ResourceId has already been used in another Delivery Source.")
    return await call.forward()


@registry.handles("logs", "PutDeliveryDestination")
async def put_delivery_destination(call: Call) -> Params:
    standing = cloudwatch_logs._delivery_destinations.get(call.params["name"])
    if standing and call.params.get("outputFormat", "json") != standing["outputFormat"]:
        raise AwsError("ValidationException", "The output format of a delivery destination cannot be changed.")
    return await call.forward()


@registry.handles("logs", "DeleteDeliverySource", "DeleteDeliveryDestination")
async def delete_delivery_end(call: Call) -> Params:
    name = call.params["name"]
    for delivery in cloudwatch_logs._deliveries.values():
        if name in (delivery["deliverySourceName"], delivery["deliveryDestinationArn"].rpartition(":")[2]):
            raise AwsError("ConflictException", "Cannot delete this resource because a delivery uses it.")
    return await call.forward()


@registry.handles("logs", "UpdateDeliveryConfiguration")
def update_delivery_configuration(call: Call) -> Params:
    delivery = cloudwatch_logs._deliveries.get(call.params["id"])
    if delivery is None:
        raise AwsError("ResourceNotFoundException", "Delivery does not exist.")
    delivery.update({name: value for name, value in call.params.items() if name != "id"})
    return {}


queries = store("logs_query_definitions")  # id -> QueryDefinition


@registry.handles("logs", "PutQueryDefinition")
def put_query_definition(call: Call) -> Params:
    wanted = call.params
    ident = wanted.get("queryDefinitionId")
    if ident and ident not in queries:
        raise AwsError("ResourceNotFoundException", "The specified query definition does not exist.")
    if not wanted["queryString"].strip():
        raise AwsError("InvalidParameterException", "The query string is empty.")
    ident = ident or str(uuid.uuid4())
    queries[ident] = {
        "queryLanguage": wanted.get("queryLanguage", "CWLI"),
        "queryDefinitionId": ident,
        "name": wanted["name"],
        "queryString": wanted["queryString"],
        "lastModified": int(time.time() * 1000),
        "logGroupNames": wanted.get("logGroupNames", []),
    }
    return {"queryDefinitionId": ident}


@registry.handles("logs", "DescribeQueryDefinitions")
def describe_query_definitions(call: Call) -> Params:
    prefix = call.params.get("queryDefinitionNamePrefix", "")
    found = sorted((one for one in queries.values() if one["name"].startswith(prefix)), key=lambda one: one["name"])
    shown, token = page(found, call.params.get("nextToken"), call.params.get("maxResults"), default=1000)
    return {"queryDefinitions": shown, **({"nextToken": token} if token else {})}


@registry.handles("logs", "DeleteQueryDefinition")
def delete_query_definition(call: Call) -> Params:
    if queries.pop(call.params["queryDefinitionId"], None) is None:
        raise AwsError("ResourceNotFoundException", "The specified query definition does not exist.")
    return {"success": True}
