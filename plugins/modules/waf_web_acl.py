#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: waf_web_acl
short_description: Make a WAF web ACL whose rules first count and then block
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes a web ACL with addresses that are let through, a rate limit for each address, AWS's managed rule
    groups, the exemption of upload paths from the limit on bodies, and logging; or removes it all.
  - Each rule counts or blocks. Let a new rule count first, read the log, then let it block.
  - The stock modules C(community.aws.wafv2_web_acl) and C(community.aws.wafv2_ip_set) know neither logging nor
    a diff by rule.
options:
  name:
    description: Name of the web ACL, such as C(stories-production), and prefix of its IP sets' names.
    type: str
    required: true
  state:
    description: Whether the web ACL shall exist. One that is still attached cannot be removed.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every resource.
    type: dict
    required: true
  scope:
    description: For CloudFront (always in us-east-1), or for load balancers and APIs of the region.
    type: str
    choices: [CLOUDFRONT, REGIONAL]
    default: CLOUDFRONT
  description:
    description: What it is for.
    type: str
    default: ""
  default_action:
    description: What happens to requests that no rule stops.
    type: str
    choices: [allow, block]
    default: allow
  allowed_addresses:
    description: IPv4 and IPv6 ranges that no rule applies to, such as load generators.
    type: list
    elements: str
    default: []
  rate_limit:
    description: The most requests that one address may send; no limit when left out.
    type: dict
    suboptions:
      requests:
        description: Requests in a window.
        type: int
        default: 2000
      window_seconds:
        description: Length of the window in seconds.
        type: int
        choices: [60, 120, 300, 600]
        default: 300
      action:
        description: What happens above the limit.
        type: str
        choices: [count, block]
        default: count
  managed_rules:
    description: Managed rule groups, in the order of evaluation.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the group, such as C(AWSManagedRulesCommonRuleSet).
        type: str
        required: true
      vendor:
        description: Vendor of the group.
        type: str
        default: AWS
      version:
        description: Version of the group; the vendor's default when left out.
        type: str
      action:
        description: Whether its rules only count, or do what the vendor says.
        type: str
        choices: [count, block]
        default: count
      count_rules:
        description: Rules of the group that only count although the group blocks.
        type: list
        elements: str
        default: []
  upload_paths:
    description:
      - Beginnings of paths that take bodies above 8 KB. Elsewhere such bodies are treated as the group
        C(AWSManagedRulesCommonRuleSet) is.
    type: list
    elements: str
    default: []
  logging:
    description: Where to log requests; nowhere when left out.
    type: dict
    suboptions:
      destination_arn:
        description: ARN of a log group, bucket or delivery stream whose name begins with C(aws-waf-logs-).
        type: str
        required: true
      redacted_headers:
        description: Headers whose values are kept out of the log.
        type: list
        elements: str
        default: [authorization, cookie]
      keep:
        description: Whether to log all requests or only those that a rule matched.
        type: str
        choices: [all, matched]
        default: matched
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Count what the rules would stop
  stories1001.platform.waf_web_acl:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    rate_limit: {requests: 2000, window_seconds: 300, action: count}
    managed_rules:
      - {name: AWSManagedRulesCommonRuleSet, action: count}
      - {name: AWSManagedRulesSQLiRuleSet, action: block}
    upload_paths: [/api/upload]
    allowed_addresses: [203.0.113.7/32]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "web_acl/stories-production:create", sentence: "Create web ACL stories-production"}]
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample:
    web_acl:
      stories-production: {id: "arn:aws:wafv2:us-east-1:123456789012:global/webacl/stories-production/0a1b"}
web_acl_arn:
  description: ARN of the web ACL.
  returned: success and O(state=present)
  type: str
  sample: arn:aws:wafv2:us-east-1:123456789012:global/webacl/stories-production/0a1b
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._waf.kinds import waf_kinds
from ..module_utils._waf.model import desired

_ACTION = {"type": "str", "choices": ["count", "block"], "default": "count"}

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "tags": {"type": "dict", "required": True},
    "scope": {"type": "str", "choices": ["CLOUDFRONT", "REGIONAL"], "default": "CLOUDFRONT"},
    "description": {"type": "str", "default": ""},
    "default_action": {"type": "str", "choices": ["allow", "block"], "default": "allow"},
    "allowed_addresses": {"type": "list", "elements": "str", "default": []},
    "rate_limit": {
        "type": "dict",
        "options": {
            "requests": {"type": "int", "default": 2000},
            "window_seconds": {"type": "int", "choices": [60, 120, 300, 600], "default": 300},
            "action": _ACTION,
        },
    },
    "managed_rules": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "vendor": {"type": "str", "default": "AWS"},
            "version": {"type": "str"},
            "action": _ACTION,
            "count_rules": {"type": "list", "elements": "str", "default": []},
        },
    },
    "upload_paths": {"type": "list", "elements": "str", "default": []},
    "logging": {
        "type": "dict",
        "options": {
            "destination_arn": {"type": "str", "required": True},
            "redacted_headers": {"type": "list", "elements": "str", "default": ["authorization", "cookie"]},
            "keep": {"type": "str", "choices": ["all", "matched"], "default": "matched"},
        },
    },
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    converge_resources(
        module,
        waf_kinds(Aws(module), params["name"], params["scope"]),
        wanted,
        lambda state: {"web_acl_arn": state["web_acl", params["name"]].id} if wanted else {},
    )


if __name__ == "__main__":
    main()
