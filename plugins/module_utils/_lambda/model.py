# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Functions that work on what is put into a bucket, as resources; pure.

For each function: the function, and the bucket's right to call it. For all: a queue for events that failed
for good, and the bucket's notifications.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from .._aws.tags import named
from .._engine.resources import Ref, Resource
from .._engine.steps import PlanRefused

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EVENTS = ["s3:ObjectCreated:*"]
_RETENTION = 14 * 24 * 3600  # seconds, the most that SQS takes


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the wishes, one sentence each. Limits: Lambda quotas."""
    names = [function["name"] for function in params["functions"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read function {name} twice. Name each once."
    for function in params["functions"]:
        name = f"{params['name']}-{function['name']}"
        if not _NAME.fullmatch(name):
            yield f"Read the function name {name!r}; Lambda takes 64 letters, digits, hyphens, underscores. Shorten it."
        for key, least, most in (("memory_size", 128, 10240), ("timeout", 1, 900), ("ephemeral_storage", 512, 10240)):
            if not least <= function[key] <= most:
                yield f"Read {key} {function[key]} of function {name}; Lambda takes {least} to {most}. Choose one."
        if not function["prefix"]:
            yield f"Read no prefix for function {name}; it would be called for what it makes itself. Give a prefix."
    prefixes = sorted(function["prefix"] for function in params["functions"] if function["prefix"])
    for one, other in pairwise(prefixes):
        if other.startswith(one):
            yield f"Read the prefixes {one} and {other}; S3 refuses notifications that overlap. Part them."


def desired(params: Mapping[str, Any], code_sha256: str) -> list[Resource]:
    """The resources of a `lambda_functions` call, in the order of creation. Raises PlanRefused."""
    if wrong := list(problems(params)):
        raise PlanRefused(wrong)
    prefix, tags = params["name"], params["tags"]
    queue = f"{prefix}-dead-letters"
    fields: dict[str, Any] = {"retention_seconds": _RETENTION, "encrypted": True}
    functions, permissions = [], []
    dead_letters = Resource("queue", queue, fields, tags=named(tags, queue))
    for function in params["functions"]:
        own = f"{prefix}-{function['name']}"
        fields = {
            "code_sha256": code_sha256,
            "dead_letters": Ref("queue", queue, "arn"),
            "role": params["role_arn"],
            "runtime": params["runtime"],
            "architecture": params["architecture"],
            **{key: function[key] for key in ("handler", "description", "memory_size", "timeout", "ephemeral_storage")},
            "environment": {name: str(value) for name, value in function["environment"].items()},
            "concurrency": function["reserved_concurrency"],
            "tracing": params["tracing"],
        }
        functions.append(Resource("function", own, fields, tags=named(tags, own)))
        fields = {"bucket": f"arn:aws:s3:::{params['bucket']}", "account": params["account_id"]}
        permissions.append(Resource("permission", own, fields, on=(("function", own),)))
    notified = {
        f"{prefix}-{function['name']}": {
            "function": Ref("function", f"{prefix}-{function['name']}", "arn"),
            "events": _EVENTS,
            "prefix": function["prefix"],
        }
        for function in params["functions"]
    }
    allowed = tuple(("permission", name) for name in notified)
    notifications = Resource("notifications", prefix, {"functions": notified}, on=allowed)
    return [dead_letters, *functions, *permissions, notifications]
