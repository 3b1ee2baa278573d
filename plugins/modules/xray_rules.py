#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: xray_rules
short_description: Make X-Ray groups and sampling rules
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Keeps which requests are traced and which traces are looked at together. What begins with the platform's prefix and
    carries its tags is ours; what is described no more is removed.
  - Groups and rules are free. Traces cost $5 for each million beyond the first 100,000 of a month.
options:
  name:
    description: The platform's prefix, such as C(stories-production). Every name begins with it and a hyphen.
    type: str
    required: true
  state:
    description: Whether groups and rules shall exist. V(absent) removes all under the prefix that carry our tags.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every group and rule.
    type: dict
    required: true
  groups:
    description: The groups.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Whole name, 32 characters at most.
        type: str
        required: true
      filter_expression:
        description: Which traces belong to it, such as V(responsetime > 2).
        type: str
        required: true
      insights:
        description: Whether X-Ray looks for anomalies in it, which costs $1 for each million traces.
        type: bool
        default: false
  sampling_rules:
    description: The rules. Of those that fit a request the one with the lowest priority counts.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Whole name, 32 characters at most.
        type: str
        required: true
      priority:
        description: From 1, which comes first, to 9999.
        type: int
        required: true
      fixed_rate:
        description: Share of the requests beyond the reservoir that is traced.
        type: float
        required: true
      reservoir_size:
        description: Requests a second that are traced in any case.
        type: int
        default: 0
      service_name:
        description: Name of the service, with C(*) and C(?).
        type: str
        default: "*"
      service_type:
        description: Origin of the service, such as V(AWS::ECS::Container).
        type: str
        default: "*"
      host:
        description: Host header.
        type: str
        default: "*"
      http_method:
        description: Method of the request.
        type: str
        default: "*"
      url_path:
        description: Path of the request.
        type: str
        default: "*"
      resource_arn:
        description: ARN of what the service runs on.
        type: str
        default: "*"
      attributes:
        description: Segment attributes that must match.
        type: dict
        default: {}
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Trace one in ten calls of the API and no health check
  stories1001.platform.xray_rules:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    groups:
      - {name: stories-production-slow, filter_expression: responsetime > 2}
    sampling_rules:
      - {name: stories-production-health, priority: 10, fixed_rate: 0, url_path: /api/health}
      - {name: stories-production-api, priority: 20, fixed_rate: 0.1, reservoir_size: 1, url_path: /api/*}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: xray_group/stories-production-slow:create
      sentence: Create X-Ray group stories-production-slow
resources:
  description: Ids by kind and name.
  returned: success
  type: dict
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._xray.kinds import Group, SamplingRule
from ..module_utils._xray.model import desired


def main() -> None:
    any_value = {"type": "str", "default": "*"}
    group: dict[str, Any] = {
        "name": {"type": "str", "required": True},
        "filter_expression": {"type": "str", "required": True},
        "insights": {"type": "bool", "default": False},
    }
    rule: dict[str, Any] = {
        "name": {"type": "str", "required": True},
        "priority": {"type": "int", "required": True},
        "fixed_rate": {"type": "float", "required": True},
        "reservoir_size": {"type": "int", "default": 0},
        "service_name": any_value,
        "service_type": any_value,
        "host": any_value,
        "http_method": any_value,
        "url_path": any_value,
        "resource_arn": any_value,
        "attributes": {"type": "dict", "default": {}},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "groups": {"type": "list", "elements": "dict", "default": [], "options": group},
            "sampling_rules": {"type": "list", "elements": "dict", "default": [], "options": rule},
        },
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    where = (Aws(module), params["tags"], params["name"])
    kinds = [
        Group(*where, [one["name"] for one in params["groups"]]),
        SamplingRule(*where, [one["name"] for one in params["sampling_rules"]]),
    ]
    converge_resources(module, kinds, wanted, purge=("xray_group", "sampling_rule"))


if __name__ == "__main__":
    main()
