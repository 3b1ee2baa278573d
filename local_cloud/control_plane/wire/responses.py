# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a boto3-shaped answer to the HTTP response of the client's protocol, by the operation's output shape.

A member that AWS's model lacks is an error here (KeyError), so that an overlay handler cannot invent one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from botocore.awsrequest import HeadersDict
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.parsers import create_parser
from botocore.serialize import CBORSerializer

from local_cloud.control_plane.wire.models import Classified

Params = dict[str, Any]


@dataclass(frozen=True)
class HttpResponse:
    """A whole HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


class AwsError(Exception):
    """An error as AWS would answer it. `status` is looked up in the model when it is not given."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def as_datetime(value: datetime | float | int | str) -> datetime:
    """A moment given as datetime, seconds since 1970, or ISO 8601 text."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str):
        if value.replace(".", "", 1).isdigit():
            return datetime.fromtimestamp(float(value), UTC)
        return as_datetime(datetime.fromisoformat(value.replace("Z", "+00:00")))
    return datetime.fromtimestamp(value, UTC)


def _timestamp(shape: Shape, value: Any, default: str) -> str | float:
    moment = as_datetime(value)
    style = shape.serialization.get("timestampFormat", default)
    if style == "iso8601":
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    if style == "rfc822":
        return format_datetime(moment.astimezone(UTC), usegmt=True)
    return round(moment.timestamp(), 3)


def success(call: Classified, answer: Params, request_id: str) -> HttpResponse:
    """The response that carries `answer`."""
    if call.protocol in ("query", "ec2"):
        return _query_success(call, answer, request_id)
    if call.protocol == "json":
        version = call.operation.service_model.metadata.get("jsonVersion", "1.1")
        body = _json_value(call.operation.output_shape, answer) if call.operation.output_shape else {}
        return _response(200, f"application/x-amz-json-{version}", json.dumps(body).encode(), request_id)
    if call.protocol == "smithy-rpc-v2-cbor":
        return _cbor(call, answer, request_id)
    return _rest_success(call, answer, request_id)


def _response(status: int, content_type: str, body: bytes, request_id: str, **headers: str) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, {"Content-Type": content_type, "x-amzn-requestid": request_id, **named}, body)


def _xml(root: Element) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, "utf-8")


def _query_success(call: Classified, answer: Params, request_id: str) -> HttpResponse:
    operation = call.operation
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    root = Element(f"{operation.name}Response", {"xmlns": namespace} if namespace else {})
    if call.protocol == "ec2":
        SubElement(root, "requestId").text = request_id
        if operation.output_shape:
            _xml_members(root, operation.output_shape, answer)
    else:
        shape = operation.output_shape
        if shape:
            wrapper = shape.serialization.get("resultWrapper")
            _xml_members(SubElement(root, wrapper) if wrapper else root, shape, answer)
        SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = request_id
    return _response(200, "text/xml", _xml(root), request_id)


def _xml_members(parent: Element, shape: StructureShape, value: Params) -> None:
    for name, item in value.items():
        member = shape.members[name]
        if item is None or "location" in member.serialization:
            continue
        _xml_item(parent, member, item, member.serialization.get("name", name))


def _xml_item(parent: Element, shape: Shape, value: Any, name: str) -> None:
    if shape.serialization.get("xmlAttribute"):
        parent.set(name.replace("xsi:", "{http://www.w3.org/2001/XMLSchema-instance}"), str(value))
    elif isinstance(shape, StructureShape):
        _xml_members(SubElement(parent, name), shape, value)
    elif isinstance(shape, ListShape):
        if shape.serialization.get("flattened"):
            for item in value:
                _xml_item(parent, shape.member, item, shape.member.serialization.get("name", name))
        else:
            holder = SubElement(parent, name)
            for item in value:
                _xml_item(holder, shape.member, item, shape.member.serialization.get("name", "member"))
    elif isinstance(shape, MapShape):
        flattened = shape.serialization.get("flattened")
        holder = parent if flattened else SubElement(parent, name)
        for key, item in value.items():
            entry = SubElement(holder, name if flattened else "entry")
            _xml_item(entry, shape.key, key, shape.key.serialization.get("name", "key"))
            _xml_item(entry, shape.value, item, shape.value.serialization.get("name", "value"))
    else:
        SubElement(parent, name).text = _text(shape, value, "iso8601")


def _text(shape: Shape, value: Any, timestamp_format: str) -> str:
    if shape.type_name == "timestamp":
        return str(_timestamp(shape, value, timestamp_format))
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "blob":
        return base64.b64encode(value if isinstance(value, bytes) else str(value).encode()).decode()
    return str(value)


def _json_value(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        found = {}
        for name, item in value.items():
            member = shape.members[name]
            if item is not None and "location" not in member.serialization:
                found[member.serialization.get("name", name)] = _json_value(member, item)
        return found
    if isinstance(shape, ListShape):
        return [_json_value(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: _json_value(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return _timestamp(shape, value, "unixtimestamp")
    if shape.type_name == "blob":
        return _text(shape, value, "")
    return value


# botocore's only CBOR writer is the request serializer's, which its type stubs leave out.
_cbor_writer: Any = CBORSerializer()


def _cbor_bytes(shape: StructureShape, value: Params) -> bytes:
    encoded = bytearray()
    _cbor_writer._serialize_data_item(encoded, value, shape)
    return bytes(encoded)


def _cbor(call: Classified, answer: Params, request_id: str) -> HttpResponse:
    shape = call.operation.output_shape
    body = _cbor_bytes(shape, answer) if shape else b"\xa0"
    return _response(200, "application/cbor", body, request_id, smithy_protocol="rpc-v2-cbor")


def _rest_success(call: Classified, answer: Params, request_id: str) -> HttpResponse:
    operation = call.operation
    status = operation.http.get("responseCode", 200)
    shape = operation.output_shape
    if shape is None:
        return _response(status, "application/json", b"", request_id)
    headers: dict[str, str] = {}
    for name, member in shape.members.items():
        value, place = answer.get(name), member.serialization.get("name", name)
        if value is None:
            continue
        if member.serialization.get("location") == "header":
            headers[place] = _text(member, value, "rfc822")
        elif member.serialization.get("location") == "headers":
            headers.update({place + key: str(item) for key, item in value.items()})
        elif member.serialization.get("location") == "statusCode":
            status = value
    body, content_type = _rest_body(operation, shape, answer)
    response = _response(status, content_type, body, request_id)
    return HttpResponse(status, {**response.headers, **headers}, body)


def _rest_body(operation: OperationModel, shape: StructureShape, answer: Params) -> tuple[bytes, str]:
    json_protocol = operation.service_model.protocol == "rest-json"
    content_type = "application/json" if json_protocol else "application/xml"
    payload = shape.serialization.get("payload")
    root_shape: Shape = shape
    root_name = shape.serialization.get("name", f"{operation.name}Response" if not payload else operation.name)
    value: Any = answer
    if payload:
        root_shape = shape.members[payload]
        root_name = root_shape.serialization.get("name", payload)
        value = answer.get(payload)
        if value is None:
            return b"", content_type
        if not isinstance(root_shape, StructureShape):
            return value if isinstance(value, bytes) else str(value).encode(), content_type
    elif all("location" in member.serialization for member in shape.members.values()):
        return (b"{}" if json_protocol else b""), content_type
    if json_protocol:
        return json.dumps(_json_value(root_shape, value)).encode(), content_type
    namespace = operation.service_model.metadata.get("xmlNamespace")
    root = Element(root_name, {"xmlns": namespace} if namespace else {})
    if isinstance(root_shape, StructureShape):
        _xml_members(root, root_shape, value)
    return _xml(root), content_type


def failure(call: Classified, error: AwsError, request_id: str) -> HttpResponse:
    """The error response of the client's protocol."""
    status = error.status or _modelled_status(call.operation, error.code)
    writer = _FAILURES.get(call.protocol, _json_failure)
    return writer(call, error, status, request_id)


def _modelled_status(operation: OperationModel, code: str) -> int:
    for shape in operation.error_shapes:
        known = shape.metadata.get("error", {})
        if code in (shape.name, known.get("code")):
            return int(known.get("httpStatusCode", 400))
    return 400


def _query_failure(call: Classified, error: AwsError, status: int, request_id: str) -> HttpResponse:
    namespace = call.operation.service_model.metadata.get("xmlNamespace", "")
    root = Element("ErrorResponse", {"xmlns": namespace} if namespace else {})
    body = SubElement(root, "Error")
    SubElement(body, "Type").text = "Receiver" if status >= 500 else "Sender"
    SubElement(body, "Code").text = error.code
    SubElement(body, "Message").text = error.message
    SubElement(root, "RequestId").text = request_id
    return _response(status, "text/xml", _xml(root), request_id)


def _ec2_failure(_call: Classified, error: AwsError, status: int, request_id: str) -> HttpResponse:
    root = Element("Response")
    body = SubElement(SubElement(root, "Errors"), "Error")
    SubElement(body, "Code").text = error.code
    SubElement(body, "Message").text = error.message
    SubElement(root, "RequestID").text = request_id
    return _response(status, "text/xml", _xml(root), request_id)


def _rest_xml_failure(call: Classified, error: AwsError, status: int, request_id: str) -> HttpResponse:
    if call.service != "s3":
        return _query_failure(call, error, status, request_id)
    root = Element("Error")
    SubElement(root, "Code").text = error.code
    SubElement(root, "Message").text = error.message
    SubElement(root, "RequestId").text = request_id
    return _response(status, "application/xml", _xml(root), request_id)


def _json_failure(call: Classified, error: AwsError, status: int, request_id: str) -> HttpResponse:
    version = call.operation.service_model.metadata.get("jsonVersion", "1.1")
    kind = "application/json" if call.protocol == "rest-json" else f"application/x-amz-json-{version}"
    body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message}).encode()
    return _response(status, kind, body, request_id, **_query_error(call, error, status), x_amzn_errortype=error.code)


def _cbor_failure(call: Classified, error: AwsError, status: int, request_id: str) -> HttpResponse:
    def text(value: str) -> bytes:
        encoded = bytearray()
        _cbor_writer._serialize_type_string(encoded, value, None, None)
        return bytes(encoded)

    body = b"\xa2" + text("__type") + text(error.code) + text("message") + text(error.message)
    return _response(
        status, "application/cbor", body, request_id, smithy_protocol="rpc-v2-cbor", **_query_error(call, error, status)
    )


def _query_error(call: Classified, error: AwsError, status: int) -> dict[str, str]:
    if not call.operation.service_model.is_query_compatible:
        return {}
    return {"x_amzn_query_error": f"{error.code};{'Receiver' if status >= 500 else 'Sender'}"}


_FAILURES: dict[str, Callable[[Classified, AwsError, int, str], HttpResponse]] = {
    "query": _query_failure,
    "ec2": _ec2_failure,
    "rest-xml": _rest_xml_failure,
    "smithy-rpc-v2-cbor": _cbor_failure,
}


def parse(call: Classified, response: HttpResponse) -> Params:
    """What boto3 would make of `response`: the answer without ResponseMetadata. Raises AwsError for an error."""
    parser: Any = create_parser(call.protocol)
    parsed = parser.parse(
        {
            "status_code": response.status,
            "headers": HeadersDict(response.headers),  # found whatever their case, as boto3 finds them
            "body": response.body,
        },
        call.operation.output_shape,
    )
    if response.status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(error.get("Code") or str(response.status), error.get("Message", ""), response.status)
    parsed.pop("ResponseMetadata", None)
    return without_empty_enums(call.operation.output_shape, parsed) or {}


def without_empty_enums(shape: Shape | None, value: Any) -> Any:
    """`value` without members whose type is an enumeration and whose value is "": AWS leaves such members out."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {
            name: without_empty_enums(shape.members[name], item)
            for name, item in value.items()
            if name in shape.members and not (item == "" and getattr(shape.members[name], "enum", None))
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [without_empty_enums(shape.member, item) for item in value]
    return value
