# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From an HTTP request to the parameters as a boto3 user writes them, by the operation's input shape.

Timestamps stay as they were sent (seconds or ISO 8601 text); blobs become bytes.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.parsers import create_parser

from local_cloud.control_plane.wire.models import Classified, HttpRequest, labels, path_pattern

Params = dict[str, Any]


def parameters(call: Classified, request: HttpRequest) -> Params:
    """The call's parameters. Raises ValueError on a body that is not of the call's protocol."""
    shape = call.operation.input_shape
    if shape is None:
        return {}
    if call.protocol in ("query", "ec2"):
        return _from_form(shape, _form(request), call.protocol)
    if call.protocol == "json":
        return _from_json(shape, json.loads(request.body or b"{}")) or {}
    if call.protocol == "smithy-rpc-v2-cbor":
        return _from_cbor(request.body)
    return _from_rest(call.operation, request)


def _form(request: HttpRequest) -> dict[str, str]:
    form = {name: values[0] for name, values in request.query.items()}
    form.update(parse_qsl(request.body.decode(), keep_blank_values=True))
    return form


def _from_form(shape: StructureShape, form: dict[str, str], protocol: str) -> Params:
    tree: dict[str, Any] = {}
    for name, value in form.items():
        node = tree
        *parents, last = name.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise ValueError(f"parameter {name} is both a value and a structure")
        node[last] = value
    return _form_value(shape, tree, protocol) or {}


def _form_name(member: Shape, name: str, protocol: str) -> str:
    serialization = member.serialization
    if protocol == "ec2":
        if "queryName" in serialization:
            return serialization["queryName"]
        given = serialization.get("name", name)
        return given[0].upper() + given[1:]
    if isinstance(member, ListShape) and serialization.get("flattened"):
        return member.member.serialization.get("name", serialization.get("name", name))
    return serialization.get("name", name)


def _form_value(shape: Shape, node: Any, protocol: str) -> Any:
    if isinstance(shape, StructureShape):
        if not isinstance(node, dict):
            return {}
        found = {}
        for name, member in shape.members.items():
            place = _form_name(member, name, protocol)
            if place in node:
                found[name] = _form_value(member, node[place], protocol)
        return found
    if isinstance(shape, ListShape):
        if not isinstance(node, dict):
            return []
        if protocol == "query" and not shape.serialization.get("flattened"):
            node = node.get(shape.member.serialization.get("name", "member"), node.get("member", {}))
        return [_form_value(shape.member, node[key], protocol) for key in sorted(node, key=int)] if node else []
    if isinstance(shape, MapShape):
        if not shape.serialization.get("flattened"):
            node = node.get("entry", {})
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        entries = [node[index] for index in sorted(node, key=int)]
        return {entry[key_name]: _form_value(shape.value, entry.get(value_name, ""), protocol) for entry in entries}
    return _scalar(shape, node)


def _scalar(shape: Shape, text: Any) -> Any:
    kind = shape.type_name
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "boolean":
        return text if isinstance(text, bool) else str(text).lower() == "true"
    if kind == "blob":
        return base64.b64decode(text)
    return text


def _from_json(shape: Shape, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        places = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        return {
            places[place]: _from_json(shape.members[places[place]], item)
            for place, item in value.items()
            if place in places and item is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_from_json(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _from_json(shape.value, item) for key, item in value.items()}
    if shape.type_name == "blob" and isinstance(value, str):
        return base64.b64decode(value)
    return value


def _from_cbor(body: bytes) -> Params:
    if not body:
        return {}
    # botocore reads CBOR only in its response parser; the encoding is the same.
    parser: Any = create_parser("smithy-rpc-v2-cbor")
    value = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
    return value if isinstance(value, dict) else {}


def _from_rest(operation: OperationModel, request: HttpRequest) -> Params:
    shape = operation.input_shape
    if shape is None:
        return {}
    params = _located(operation, request)
    payload = shape.serialization.get("payload")
    body_members = {name: member for name, member in shape.members.items() if "location" not in member.serialization}
    if payload:
        member = shape.members[payload]
        if isinstance(member, StructureShape):
            if request.body:
                params[payload] = _body(operation, member, request.body)
        elif request.body:
            params[payload] = request.body
    elif body_members and request.body:
        known = _body(operation, shape, request.body)
        params.update({name: value for name, value in known.items() if name in body_members})
    return params


def _located(operation: OperationModel, request: HttpRequest) -> Params:
    """Members that travel in the path, the query or the headers."""
    shape = operation.input_shape
    if shape is None:
        return {}
    template = operation.http["requestUri"].partition("?")[0]
    match = path_pattern(template).fullmatch(request.path)
    in_path = dict(zip(labels(template), match.groups(), strict=True)) if match else {}
    found: Params = {}
    for name, member in shape.members.items():
        place = member.serialization.get("name", name)
        location = member.serialization.get("location")
        if location == "uri" and place in in_path:
            found[name] = _scalar(member, unquote(in_path[place]))
        elif location == "querystring" and place in request.query:
            values = request.query[place]
            found[name] = list(values) if isinstance(member, ListShape) else _scalar(member, values[0])
        elif location == "header" and place.lower() in request.headers:
            value = request.headers[place.lower()]
            found[name] = value if member.type_name in ("list", "string", "blob") else _scalar(member, value)
        elif location == "headers":
            found[name] = {
                header[len(place) :]: value
                for header, value in request.headers.items()
                if header.startswith(place.lower())
            }
    return {name: value for name, value in found.items() if value != {}}


def _body(operation: OperationModel, shape: StructureShape, body: bytes) -> Params:
    if operation.service_model.protocol == "rest-json":
        value = _from_json(shape, json.loads(body))
        return value if isinstance(value, dict) else {}
    return _from_xml(shape, ElementTree.fromstring(body))  # the sender is the user's own client


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _from_xml(shape: Shape, element: ElementTree.Element) -> Any:
    if isinstance(shape, StructureShape):
        found = {}
        for name, member in shape.members.items():
            place = member.serialization.get("name", name)
            if isinstance(member, ListShape) and member.serialization.get("flattened"):
                place = member.member.serialization.get("name", place) if place == name else place
                children = [child for child in element if _local(child) == place]
                if children:
                    found[name] = [_from_xml(member.member, child) for child in children]
                continue
            child = next((child for child in element if _local(child) == place), None)
            if child is not None:
                found[name] = _from_xml(member, child)
        return found
    if isinstance(shape, ListShape):
        return [_from_xml(shape.member, child) for child in element]
    if isinstance(shape, MapShape):
        return {_text(entry[0]): _from_xml(shape.value, entry[1]) for entry in element if len(entry) == 2}
    return _scalar(shape, _text(element))


def _text(element: ElementTree.Element) -> str:
    return element.text or ""
