#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: sns_topics
short_description: Make the topics of a platform with their policies, keys and subscriptions
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes topics and subscribes addresses to them; mends policy, key, display name and tags; ends subscriptions that are
    described no more.
  - AWS sends a mail to a new address, whose owner confirms by a click. Until then the subscription is told as pending,
    and no further run sends a second mail.
  - Unlike M(community.aws.sns_topic) it predicts in check mode on an empty account and shows what differs.
options:
  name:
    description: The platform's prefix, such as C(stories-production). Every topic's name begins with it and a hyphen.
    type: str
    required: true
  state:
    description: Whether the topics shall exist. V(absent) removes every topic under the prefix that carries our tags.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every topic. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  topics:
    description: The topics.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Whole name.
        type: str
        required: true
      display_name:
        description: What a mail's sender is called.
        type: str
        default: ""
      kms_key_arn:
        description:
          - Key that encrypts what waits for delivery. Its policy must let every service use it that publishes here.
          - AWS's own key C(alias/aws/sns) lets no alarm publish.
        type: str
      policy:
        description: Who may publish.
        type: dict
        required: true
      subscriptions:
        description: Who is told.
        type: list
        elements: dict
        default: []
        suboptions:
          protocol:
            description: How.
            type: str
            choices: [email, email-json, https, lambda, sqs, sms]
            default: email
          endpoint:
            description: Where.
            type: str
            required: true
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Tell the people on duty
  stories1001.platform.sns_topics:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    topics:
      - name: stories-production-alerts
        display_name: 1001 Stories
        policy:
          Version: "2012-10-17"
          Statement:
            - Sid: Alarms
              Effect: Allow
              Principal: {Service: cloudwatch.amazonaws.com}
              Action: sns:Publish
              Resource: arn:aws:sns:us-east-1:123456789012:stories-production-alerts
        subscriptions:
          - endpoint: ops@example.org
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: sns_topic/stories-production-alerts:create
      sentence: Create topic stories-production-alerts
resources:
  description: Ids by kind and name.
  returned: success
  type: dict
topic_arns:
  description: ARNs by the topics' names.
  returned: success
  type: dict
  sample: {stories-production-alerts: "arn:aws:sns:us-east-1:123456789012:stories-production-alerts"}
pending:
  description: Subscriptions whose owners have not confirmed yet.
  returned: success
  type: list
  elements: str
  sample: ["stories-production-alerts email:ops@example.org"]
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing
from ..module_utils._sns.kinds import Subscription, Topic
from ..module_utils._sns.model import PROTOCOLS, desired


def _told(state: State) -> dict[str, Any]:
    return {
        "topic_arns": {name: found.id for (kind, name), found in sorted(state.items()) if kind == "sns_topic"},
        "pending": sorted(found.name for found in state.values() if found.outputs.get("pending")),
    }


def main() -> None:
    subscription = {
        "protocol": {"type": "str", "choices": list(PROTOCOLS), "default": "email"},
        "endpoint": {"type": "str", "required": True},
    }
    topic = {
        "name": {"type": "str", "required": True},
        "display_name": {"type": "str", "default": ""},
        "kms_key_arn": {"type": "str", "no_log": False},
        "policy": {"type": "dict", "required": True},
        "subscriptions": {"type": "list", "elements": "dict", "default": [], "options": subscription},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "topics": {"type": "list", "elements": "dict", "default": [], "options": topic},
        },
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    aws = Aws(module)
    topics = Topic(aws, params["tags"], params["name"], [one["name"] for one in params["topics"]])
    subscribed = [one.name for one in wanted or () if one.kind == "sns_subscription"]
    converge_resources(
        module, [topics, Subscription(aws, topics, subscribed)], wanted, _told, purge=("sns_subscription",)
    )


if __name__ == "__main__":
    main()
