# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The topics and subscriptions that are wanted, as resources; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._aws.policies import canonical
from .._aws.tags import named
from .._engine.resources import Ref, Resource
from .._engine.steps import PlanRefused

# API reference of CreateTopic and Subscribe.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_DISPLAY = 100
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ENDPOINT = {
    "email": (_EMAIL, "an address such as ops@example.org"),
    "email-json": (_EMAIL, "an address such as ops@example.org"),
    "https": (re.compile(r"https://\S+"), "a URL that begins with https://"),
    "lambda": (re.compile(r"arn:[^:]+:lambda:\S+"), "a function's ARN"),
    "sqs": (re.compile(r"arn:[^:]+:sqs:\S+"), "a queue's ARN"),
    "sms": (re.compile(r"\+[1-9]\d{6,14}"), "a number such as +12065550100"),
}
PROTOCOLS = tuple(_ENDPOINT)


def desired(params: Mapping[str, Any]) -> list[Resource]:
    """The resources of an `sns_topics` call. Raises PlanRefused."""
    if wrong := [*problems(params)]:
        raise PlanRefused(wrong)
    made, subscriptions = [], []
    for topic in params["topics"]:
        own = topic["name"]
        fields = {
            "display_name": topic["display_name"],
            "kms_key": topic["kms_key_arn"],
            "policy": canonical(topic["policy"]),
        }
        made.append(Resource("sns_topic", own, fields, tags=named(params["tags"], own)))
        for one in topic["subscriptions"]:
            fields = {"topic": Ref("sns_topic", own), "protocol": one["protocol"], "endpoint": one["endpoint"]}
            name = subscription_name(own, one["protocol"], one["endpoint"])
            subscriptions.append(Resource("sns_subscription", name, fields))
    return [*made, *subscriptions]


def subscription_name(topic: str, protocol: str, endpoint: str) -> str:
    """What a subscription is called here; AWS gives it no name: ``stories-production-alerts email:ops@…``."""
    return f"{topic} {protocol}:{endpoint}"


def problems(params: Mapping[str, Any]) -> Iterator[str]:
    """Everything wrong with the topics, one sentence each."""
    names = [topic["name"] for topic in params["topics"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read topic {name} twice. Name each topic once."
    for topic in params["topics"]:
        yield from _topic_problems(topic, params["name"])


def _topic_problems(topic: Mapping[str, Any], prefix: str) -> Iterator[str]:
    name = topic["name"]
    if not _NAME.fullmatch(name) or not name.startswith(f"{prefix}-"):
        yield f"Read the topic name {name!r}; it takes letters, digits, _ and -, and begins with {prefix}-. Rename it."
    if len(topic["display_name"]) > _DISPLAY:
        yield f"Read a display_name of topic {name} longer than SNS takes ({_DISPLAY} characters). Shorten it."
    try:
        canonical(topic["policy"])
    except ValueError as error:
        yield f"Read the policy of topic {name}: {error}. Give a JSON policy document."
    seen = set()
    for one in topic["subscriptions"]:
        pattern, sort = _ENDPOINT[one["protocol"]]
        if not pattern.fullmatch(one["endpoint"]):
            yield (
                f"Read {one['endpoint']!r} as {one['protocol']} subscriber of topic {name}; it is not {sort}. Mend it."
            )
        if (key := (one["protocol"], one["endpoint"])) in seen:
            yield f"Read {one['endpoint']} twice as subscriber of topic {name}. Name each once."
        seen.add(key)
