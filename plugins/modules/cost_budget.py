#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cost_budget
short_description: Keep a budget that tells before the money is gone
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes a cost budget with its notices, and mends limit, filter, notices, subscribers and tags.
  - A filter by tag counts only once that tag is one of the bill; O(cost_allocation_tags) makes it so.
  - Budgets that only tell are free. O(cost_allocation_tags) asks Cost Explorer once a run, which costs $0.01.
options:
  name:
    description: Name of the budget, unique in the account.
    type: str
    required: true
  state:
    description: Whether the budget shall exist.
    type: str
    choices: [present, absent]
    default: present
  account_id:
    description: The account whose bill it watches.
    type: str
    required: true
  tags:
    description: Tags of the budget itself.
    type: dict
    required: true
  limit_usd:
    description: Dollars for each O(time_unit).
    type: float
    default: 500
  time_unit:
    description: For how long the limit is.
    type: str
    choices: [DAILY, MONTHLY, QUARTERLY, ANNUALLY]
    default: MONTHLY
  filter_tags:
    description: Only resources with one of these tags count. All of the account, when empty.
    type: dict
    default: {}
  notifications:
    description: When to tell whom.
    type: list
    elements: dict
    default: []
    suboptions:
      type:
        description: What was spent, or what will have been spent by the end.
        type: str
        choices: [ACTUAL, FORECASTED]
        required: true
      threshold_percent:
        description: Per cent of the limit above which it tells.
        type: float
        required: true
      emails:
        description: Addresses; they need not confirm.
        type: list
        elements: str
        default: []
      topic_arns:
        description: One SNS topic, whose policy lets Budgets publish.
        type: list
        elements: str
        default: []
  cost_allocation_tags:
    description: Tags that shall be tags of the bill.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Tell at 80 per cent, and when more than all will be spent
  stories1001.platform.cost_budget:
    name: stories-production
    account_id: "123456789012"
    tags: {Project: 1001-stories, Environment: production}
    limit_usd: 500
    filter_tags: {Project: 1001-stories}
    notifications:
      - {type: ACTUAL, threshold_percent: 80, emails: [admin@example.org]}
      - {type: FORECASTED, threshold_percent: 100, emails: [admin@example.org]}
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: budget/stories-production:create
      sentence: Create budget stories-production
resources:
  description: Ids by kind and name, and what was spent so far.
  returned: success
  type: dict
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._budgets.kinds import Budget, CostAllocationTag
from ..module_utils._budgets.model import desired
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing


def main() -> None:
    addresses = {"type": "list", "elements": "str", "default": []}
    notification = {
        "type": {"type": "str", "choices": ["ACTUAL", "FORECASTED"], "required": True},
        "threshold_percent": {"type": "float", "required": True},
        "emails": addresses,
        "topic_arns": addresses,
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "account_id": {"type": "str", "required": True},
            "tags": {"type": "dict", "required": True},
            "limit_usd": {"type": "float", "default": 500},
            "time_unit": {
                "type": "str",
                "choices": ["DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY"],
                "default": "MONTHLY",
            },
            "filter_tags": {"type": "dict", "default": {}},
            "notifications": {"type": "list", "elements": "dict", "default": [], "options": notification},
            "cost_allocation_tags": addresses,
        },
        supports_check_mode=True,
    )
    params = module.params
    present = params["state"] == "present"
    with refusing(module):
        wanted = desired(params) if present else None
    aws = Aws(module)
    budget = Budget(aws, params["name"], params["account_id"])
    # A tag of the bill may serve others, so a removal leaves it.
    bill = [CostAllocationTag(aws, params["cost_allocation_tags"], module.warn)] if present else []
    converge_resources(module, [budget, *bill], wanted)


if __name__ == "__main__":
    main()
