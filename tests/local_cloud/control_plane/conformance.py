# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compares an HTTP response with botocore's model of the real API: unknown members, missing ones, wrong values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

# AWS itself answers these values, which its own model lacks. Source: the examples of the API reference.
REAL_VALUES_NOT_IN_THE_MODEL = {
    "DescribeInternetGateways.InternetGateways[].Attachments[].State": {"available"},
    "CreateVpcEndpoint.VpcEndpoint.State": {"available", "pending"},
    "DescribeVpcEndpoints.VpcEndpoints[].State": {"available", "pending"},
    "DescribeNetworkInterfaces.NetworkInterfaces[].InterfaceType": {"nat_gateway"},
    "ListAccountSettings.settings[].name": {"dualStackIPv6"},
}


def deviations(operation: OperationModel, body: bytes, parsed: dict[str, Any]) -> list[str]:
    """Sentences, one for each way in which the answer is not one that AWS could give. Empty: it conforms."""
    shape = operation.output_shape
    if shape is None:
        return []
    return [*_unknown_members(operation, shape, body), *_wrong_values(shape, parsed, operation.name)]


def _unknown_members(operation: OperationModel, shape: StructureShape, body: bytes) -> Iterator[str]:
    payload = shape.serialization.get("payload")
    root_shape = shape.members[payload] if payload else shape
    if not body or not isinstance(root_shape, StructureShape):
        return
    if body.lstrip().startswith(b"<"):
        root = ElementTree.fromstring(body)
        wrapper = shape.serialization.get("resultWrapper")
        if wrapper:
            inner = [child for child in root if _tag(child) == wrapper]
            if not inner:
                yield f"{operation.name}: no element {wrapper}"
                return
            root = inner[0]
        yield from _unknown_in_xml(root_shape, root, operation.name, {"requestId", "ResponseMetadata"})
    elif body.lstrip().startswith(b"{"):
        yield from _unknown_in_json(root_shape, json.loads(body), operation.name)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _unknown_in_xml(shape: Shape, element: ElementTree.Element, where: str, ignored: set[str]) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        places: dict[str, Shape] = {}
        for name, member in shape.members.items():
            place = member.serialization.get("name", name)
            if isinstance(member, ListShape) and member.serialization.get("flattened"):
                places[member.member.serialization.get("name", place)] = member.member
            else:
                places[place] = member
        for child in element:
            if _tag(child) in places:
                yield from _unknown_in_xml(places[_tag(child)], child, f"{where}.{_tag(child)}", set())
            elif _tag(child) not in ignored:
                yield f"{where}: AWS knows no member {_tag(child)}"
    elif isinstance(shape, ListShape) and not shape.serialization.get("flattened"):
        place = shape.member.serialization.get("name", "member")
        for child in element:
            if _tag(child) != place:
                yield f"{where}: list element {_tag(child)} instead of {place}"
            yield from _unknown_in_xml(shape.member, child, f"{where}[]", set())


def _unknown_in_json(shape: Shape, value: Any, where: str) -> Iterator[str]:
    if value is None:
        return
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        places = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for key, item in value.items():
            if key in places:
                yield from _unknown_in_json(places[key], item, f"{where}.{key}")
            else:
                yield f"{where}: AWS knows no member {key}"
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for item in value:
            yield from _unknown_in_json(shape.member, item, f"{where}[]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for item in value.values():
            yield from _unknown_in_json(shape.value, item, f"{where}{{}}")


def _wrong_values(shape: Shape, value: Any, where: str) -> Iterator[str]:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name in shape.required_members:
            if name not in value:
                yield f"{where}: member {name} is missing"
        for name, item in value.items():
            if name in shape.members:
                yield from _wrong_values(shape.members[name], item, f"{where}.{name}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for item in value:
            yield from _wrong_values(shape.member, item, f"{where}[]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for item in value.values():
            yield from _wrong_values(shape.value, item, f"{where}{{}}")
    elif isinstance(value, str) and getattr(shape, "enum", None) and value not in shape.enum:
        if value in REAL_VALUES_NOT_IN_THE_MODEL.get(where, ()):
            return
        yield f"{where}: {value!r} is none of {', '.join(shape.enum[:8])}"
