# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The delivery of a resource's logs that is wanted, as resources; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.tags import named
from .._engine.resources import Ref, Resource, is_planned
from .._engine.steps import PlanRefused

SOURCE, DESTINATION, DELIVERY = "log_delivery_source", "log_delivery_destination", "log_delivery"
# CloudWatch Logs API reference: PutDeliverySource, PutDeliveryDestination, S3DeliveryConfiguration.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_BUCKET = re.compile(r"arn:[a-z-]+:s3:::[a-z0-9.-]{3,63}(/\S+)?")
_SUFFIX, _FIELDS = 256, 128


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of a `log_delivery` call, in the order of creation. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    name, tags = params["name"], named(params["tags"], params["name"])
    fields = {"destination": Ref(DESTINATION, name), "suffix_path": params["suffix_path"]}
    if params["record_fields"]:
        fields["record_fields"] = list(params["record_fields"])
    return [
        Resource(SOURCE, name, {"resource": params["resource_arn"], "log_type": params["log_type"]}, tags=tags),
        Resource(
            DESTINATION,
            name,
            {"target": params["destination_arn"], "format": params["output_format"]},
            tags=tags,
        ),
        Resource(DELIVERY, name, fields, tags=tags, on=((SOURCE, name),)),
    ]


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the delivery, one sentence each."""
    name = params["name"]
    if not _NAME.fullmatch(name):
        yield f"Read the name {name!r} of a log delivery; AWS takes up to 60 letters, digits, - and _. Rename it."
    if not params["resource_arn"]:
        yield f"Read log delivery {name} without resource_arn. Name the resource whose logs are delivered."
    _arn, _colons, bucket = params["destination_arn"].partition(":::")
    if not is_planned(bucket) and not _BUCKET.fullmatch(params["destination_arn"]):
        yield (
            f"Read destination_arn {params['destination_arn']!r} of log delivery {name}; it is no bucket's. Write it "
            "like arn:aws:s3:::stories-logs/cloudfront."
        )
    if not 1 <= len(params["suffix_path"]) <= _SUFFIX:
        yield f"Read a suffix_path of {len(params['suffix_path'])} characters for {name}; AWS takes 1 to {_SUFFIX}."
    fields = params["record_fields"]
    if len(fields) > _FIELDS or len(set(fields)) < len(fields):
        yield f"Read {len(fields)} record_fields for {name}; AWS takes up to {_FIELDS}, each once. Mend the list."
