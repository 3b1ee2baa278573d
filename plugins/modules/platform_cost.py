#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: platform_cost
short_description: Reckon what the described platform costs in a month
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Adds up the list price of everything that the inventory describes, from the price list of its region in
    C(roles/cost_control/files/price_lists) and the usage in C(platform_usage_*). No discount, tax or free year of a
    new account is counted.
  - With O(enforce=true) it fails when the sum is above C(platform_monthly_budget_usd), unless
    C(platform_accept_cost_usd) names a sum that covers it; C(platform_budget_guard=false) turns this off. In check
    mode it warns instead.
  - Nothing is read from AWS and nothing is written. What a run would change, with these prices, is told by
    M(stories1001.platform.platform_plan).
options:
  enforce:
    description: Fail when the budget does not cover the sum.
    type: bool
    default: false
attributes:
  action:
    description: Runs on the controller.
    support: full
extends_documentation_fragment:
  - stories1001.platform.attributes
seealso:
  - module: stories1001.platform.platform_plan
  - module: stories1001.platform.price_list_refresh
"""

EXAMPLES = r"""
- name: Stop before a platform is made that the budget does not cover
  stories1001.platform.platform_cost:
    enforce: true
"""

RETURN = r"""
currency:
  description: Always C(USD).
  returned: success
  type: str
  sample: USD
region:
  description: The region whose prices were taken.
  returned: success
  type: str
  sample: us-east-1
price_list:
  description: Date and source of the price list.
  returned: success
  type: dict
  sample: {date: "2025-10-28", source: "AWS's public price pages"}
resources:
  description: Everything billable, by phase; C(action) is empty, since nothing was planned.
  returned: success
  type: list
  elements: dict
  sample:
    - {phase: 1, kind: nat_gateway, name: stories-production-nat-1, action: "", monthly_usd: 34.65,
       how: "730 h x $0.045 + 40 GB x $0.045"}
monthly_usd:
  description: The sum of the resources.
  returned: success
  type: float
  sample: 360.12
budget_usd:
  description: C(platform_monthly_budget_usd).
  returned: success
  type: float
  sample: 500.0
over_budget:
  description: Whether the sum is above the budget.
  returned: success
  type: bool
  sample: false
"""
