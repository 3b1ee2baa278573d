#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: platform_plan
short_description: Run a playbook in check mode and tell what it would do and what that costs
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Runs a playbook of the roadmap in check mode, in a process of its own, with the inventory, the limit, the
    extra variables and the vault settings of the present run. Nothing is written; that holds however the outer
    playbook was started.
  - Returns each resource with what would happen to it and its price, reckoned as by
    M(stories1001.platform.platform_cost), and the table of phases as text.
options:
  playbook:
    description: The playbook, from the folder of the present one or an absolute path.
    type: path
    default: site.yml
attributes:
  action:
    description: Runs on the controller.
    support: full
extends_documentation_fragment:
  - stories1001.platform.attributes
seealso:
  - module: stories1001.platform.platform_cost
"""

EXAMPLES = r"""
- name: Plan the whole roadmap
  stories1001.platform.platform_plan:
    playbook: site.yml
  register: plan

- name: Show the plan
  ansible.builtin.debug:
    msg: "{{ plan.table }}"
"""

RETURN = r"""
resources:
  description: As of M(stories1001.platform.platform_cost), with C(action) create, change, destroy or keep.
  returned: success
  type: list
  elements: dict
  sample:
    - {phase: 1, kind: nat_gateway, name: stories-production-nat-1, action: create, monthly_usd: 34.65,
       how: "730 h x $0.045 + 40 GB x $0.045"}
counts:
  description: How many resources would be created, changed, destroyed and kept.
  returned: success
  type: dict
  sample: {create: 120, change: 0, destroy: 0, keep: 0}
phases:
  description: The same for each phase, with its monthly cost.
  returned: success
  type: list
  elements: dict
  sample: [{phase: 1, create: 60, change: 0, destroy: 0, keep: 0, monthly_usd: 48.5}]
unpriced:
  description: Kinds of resources that the price table does not know.
  returned: success
  type: list
  elements: str
  sample: []
table:
  description: The plan as lines of text.
  returned: success
  type: list
  elements: str
  sample: ["Phase 1   60 to create   $48.50 a month"]
monthly_usd:
  description: The sum; C(budget_usd), C(over_budget), C(currency), C(region) and C(price_list) beside it.
  returned: success
  type: float
  sample: 360.12
"""
