#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: platform_cost
short_description: Reckon what the platform costs in a month, before it exists
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Adds up the list price of everything that the inventory describes, from the price list of its region in
    C(roles/cost_control/files/price_lists) and the usage in C(platform_usage_*). No discount, tax or free year of a
    new account is counted.
  - With O(plan) it first runs a playbook in check mode, in a process of its own, with the inventory, the limit, the
    extra variables and the vault settings of the present run, and tells of each resource whether it would be created,
    changed, destroyed or kept.
  - With O(enforce=true) it fails when the sum is above C(platform_monthly_budget_usd), unless
    C(platform_accept_cost_usd) names a sum that covers it; C(platform_budget_guard=false) turns this off. In check
    mode it warns instead.
  - Nothing is written. Without O(plan) nothing is read from AWS either.
options:
  plan:
    description: A playbook to run in check mode, from the folder of the present one.
    type: path
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
  - module: stories1001.platform.price_list_refresh
"""

EXAMPLES = r"""
- name: Stop before a platform is made that the budget does not cover
  stories1001.platform.platform_cost:
    enforce: true

- name: Plan the whole roadmap with its price
  stories1001.platform.platform_cost:
    plan: site.yml
  register: plan

- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ plan.table }}"
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
  description:
    - Everything billable, by phase. With O(plan) every resource of the plan.
    - C(action) is create, change, destroy or keep; empty for what no resource causes, and without O(plan).
  returned: success
  type: list
  elements: dict
  sample:
    - {phase: 1, kind: nat_gateway, name: stories-production-nat-1, action: create, monthly_usd: 34.65,
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
accepted_usd:
  description: C(platform_accept_cost_usd), the sum that was accepted by name; 0 without one.
  returned: success
  type: float
  sample: 0.0
counts:
  description: How many resources would be created, changed, destroyed and kept.
  returned: success and O(plan)
  type: dict
  sample: {create: 120, change: 0, destroy: 0, keep: 0}
phases:
  description: The same for each phase, with its monthly cost.
  returned: success and O(plan)
  type: list
  elements: dict
  sample: [{phase: 1, create: 60, change: 0, destroy: 0, keep: 0, monthly_usd: 48.5}]
unpriced:
  description: Kinds of resources that the price table does not know.
  returned: success and O(plan)
  type: list
  elements: str
  sample: []
table:
  description: The plan as lines of text.
  returned: success and O(plan)
  type: list
  elements: str
  sample: ["Phase 1: 60 to create, 0 to change, 0 to destroy; $48.50"]
"""
