# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How SNS lists, makes, changes and removes topics and their subscriptions.

A topic's ARN follows from its name, so the wanted ones are asked for by name; others of ours are found in the list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._aws.api import Aws
from .._aws.policies import canonical, text
from .._aws.prefixed import Prefixed
from .._aws.tags import from_boto3, to_boto3
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .._engine.side_by_side import side_by_side, together
from .model import subscription_name

_MISSING = ("NotFound", "NotFoundException", "ResourceNotFound", "ResourceNotFoundException")
_ATTRIBUTES = {"display_name": "DisplayName", "kms_key": "KmsMasterKeyId", "policy": "Policy"}
PENDING = "PendingConfirmation"


class Topic(Prefixed):
    """Topics under our prefix that are named in this call or carry our tags."""

    service = "sns"
    kind = "sns_topic"
    traits = Traits("topic")

    def observe(self) -> Iterable[Found]:
        listed = self._aws.pages("list the topics", "sns", "list_topics", "Topics")
        arns = [arn for one in listed if (arn := one["TopicArn"]).rpartition(":")[2].startswith(self._prefix)]
        return [found for found in side_by_side(self._read, arns) if found]

    def _read(self, arn: str) -> Found | None:
        """The topic, if it is there still and ours."""
        name = arn.rpartition(":")[2]
        answer, tagged = together(
            lambda: self._ask(f"read topic {name}", "get_topic_attributes", TopicArn=arn),
            lambda: self._ask(f"read the tags of topic {name}", "list_tags_for_resource", ResourceArn=arn),
        )
        if answer is None or tagged is None:
            return None
        tags = from_boto3(tagged["Tags"])
        if not self._is_ours(name, tags):
            return None
        shown = answer["Attributes"]
        fields = {
            "display_name": shown.get("DisplayName", ""),
            "kms_key": shown.get("KmsMasterKeyId") or None,
            "policy": canonical(shown.get("Policy")),
        }
        return Found(self.kind, name, arn, fields, tags, {"arn": arn})

    def _ask(self, attempt: str, operation: str, **topic: str) -> Any:
        return self._aws.call_unless(_MISSING, attempt, "sns", operation, **topic)

    def create(self, wanted: Resource) -> Found:
        attributes = {_ATTRIBUTES[name]: _value(value) for name, value in wanted.fields.items() if value}
        attempt, tags = f"create topic {wanted.name}", to_boto3(dict(wanted.tags or {}))
        arn = self._call(attempt, "create_topic", Name=wanted.name, Attributes=attributes, Tags=tags)["TopicArn"]
        return Found(self.kind, wanted.name, arn, wanted.fields, wanted.tags, {"arn": arn})

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        for field in fields:
            self._call(
                f"set {field} of topic {found.name}",
                "set_topic_attributes",
                TopicArn=found.id,
                AttributeName=_ATTRIBUTES[field],
                AttributeValue=_value(wanted.fields[field]),
            )

    def retag(self, found: Found, put: Mapping[str, str], remove: Sequence[str]) -> None:
        if put:
            self._call(f"tag topic {found.name}", "tag_resource", ResourceArn=found.id, Tags=to_boto3(dict(put)))
        if remove:
            attempt = f"remove tags from topic {found.name}"
            self._call(attempt, "untag_resource", ResourceArn=found.id, TagKeys=list(remove))

    def delete(self, found: Found) -> None:
        self._call(f"delete topic {found.name}", "delete_topic", TopicArn=found.id)


class Subscription(Kind):
    """Subscriptions of our topics.

    One that waits for its confirmation counts as found, so that no run sends a second mail; AWS forgets it after some
    days, and the next run asks once more.
    """

    kind = "sns_subscription"
    traits = Traits("subscription")

    def __init__(self, aws: Aws, topics: Topic, wanted: Collection[str] = ()) -> None:
        """wanted: names of the described ones. One that is not, and was never confirmed, nobody can end: it passes."""
        self._aws = aws
        self._topics = topics
        self._wanted = frozenset(wanted)

    def observe(self) -> Iterable[Found]:
        return [found for its in side_by_side(self._of, self._topics.observe()) for found in its]

    def _of(self, topic: Found) -> list[Found]:
        listed = self._aws.pages(
            f"list the subscriptions of topic {topic.name}",
            "sns",
            "list_subscriptions_by_topic",
            "Subscriptions",
            missing=_MISSING,
            TopicArn=topic.id,
        )
        every = [self._found(topic, one) for one in listed]
        # AWS lists one that was ended, or refused by its owner, for some days more.
        return [one for one in every if one.id != "Deleted" and (one.id != PENDING or one.name in self._wanted)]

    def _found(self, topic: Found, one: Mapping[str, str]) -> Found:
        protocol, endpoint, arn = one["Protocol"], one["Endpoint"], one["SubscriptionArn"]
        fields = {"topic": topic.id, "protocol": protocol, "endpoint": endpoint}
        outputs = {"pending": arn == PENDING}
        return Found(self.kind, subscription_name(topic.name, protocol, endpoint), arn, fields, None, outputs)

    def create(self, wanted: Resource) -> Found:
        topic, protocol, endpoint = (wanted.fields[name] for name in ("topic", "protocol", "endpoint"))
        attempt = f"subscribe {wanted.name}"
        arn = self._aws.call(attempt, "sns", "subscribe", TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
        return Found(self.kind, wanted.name, arn.get("SubscriptionArn", PENDING), wanted.fields)

    def delete(self, found: Found) -> None:
        self._aws.call(f"end subscription {found.name}", "sns", "unsubscribe", SubscriptionArn=found.id)


def _value(value: Any) -> str:
    """An attribute as SNS takes it; an empty text takes it away."""
    return text(value) if isinstance(value, Mapping) else value or ""
