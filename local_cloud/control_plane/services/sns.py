# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SNS: an e-mail address is subscribed once its owner has confirmed; nothing here reads mail, so it stays pending."""

from __future__ import annotations

import uuid
from typing import Any

from ministack.services import sns

from local_cloud.control_plane.overlay import Call, Params, registry

_ASKED = ("email", "email-json")
_PENDING = "PendingConfirmation"


def _subscriptions(topic_arn: str) -> list[dict[str, Any]]:
    topic = sns._topic_by_arn_any_scope(topic_arn) or {}
    found: list[dict[str, Any]] = topic.get("subscriptions", [])
    return found


@registry.handles("sns", "Subscribe")
async def subscribe(call: Call) -> Params:
    known = {one["arn"] for one in _subscriptions(call.params["TopicArn"])}
    answer = await call.forward()
    if call.params["Protocol"] not in _ASKED:
        return answer
    for one in _subscriptions(call.params["TopicArn"]):
        if one["arn"] == answer["SubscriptionArn"] and one["arn"] not in known:
            one.update(confirmed=False, token=str(uuid.uuid4()))
            one["attributes"].update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")
            return {"SubscriptionArn": "pending confirmation"}
    return answer


@registry.handles("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
async def list_subscriptions(call: Call) -> Params:
    answer = await call.forward()
    for one in answer.get("Subscriptions", []):
        listed = {sub["arn"]: sub["confirmed"] for sub in _subscriptions(one["TopicArn"])}
        if not listed.get(one["SubscriptionArn"], True):
            one["SubscriptionArn"] = _PENDING
    return answer
