#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: capacity_plan
short_description: Tell what growth asks of the platform, month by month, and which limit comes when
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Reckons readers, requests, tasks, database instances, connections and cost for each month from
    C(platform_growth_*) and C(platform_usage_*) of the inventory, tells when each limit of the described platform is
    reached and what to do then, and recommends once a quarter.
  - Nothing is read from AWS; M(stories1001.platform.platform_usage_info) reads what O(measured) takes.
options:
  months:
    description: How many months to plan, 1 to 60.
    type: int
    default: 12
  measured:
    description:
      - What CloudWatch showed. C(requests_per_s) at the busiest hour and C(monthly_percent) of growth win over the
        inventory where they are not null. A measured decline counts as no growth.
      - With C(request_hours) below 168 the readers stay those of the inventory; the first visits to a new platform say
        nothing of a year.
    type: dict
attributes:
  action:
    description: Runs on the controller.
    support: full
extends_documentation_fragment:
  - stories1001.platform.attributes
seealso:
  - module: stories1001.platform.platform_usage_info
"""

EXAMPLES = r"""
- name: Plan the next year from the numbers of the inventory
  stories1001.platform.capacity_plan:
  register: capacity

- name: Tell which limits come
  ansible.builtin.debug:
    msg: "{{ capacity.limits | selectattr('reached_in_month') }}"
"""

RETURN = r"""
baseline:
  description: Where the plan starts, and whether inventory or CloudWatch said so.
  returned: success
  type: dict
  sample: {users: 100, monthly_percent: 15.0, source: inventory}
months:
  description: Each month; users, requests, tasks and connections at its busiest hour.
  returned: success
  type: list
  elements: dict
  sample:
    - {month: 1, users: 100, requests_per_s: 50.0, tasks: 2, instances: 2, readers: 1, connections: 20,
       monthly_usd: 327.37}
limits:
  description:
    - Each limit of the described platform, the nearest first.
    - C(of) and C(value) tell which figure of RV(months) it bounds and where; empty for a limit that moves with them.
  returned: success
  type: list
  elements: dict
  sample:
    - {limit: "ecs_service_max_capacity: 10 tasks", reached_in_month: 12,
       what_to_do: "Raise ecs_service_max_capacity to 11.", of: tasks, value: 10}
recommendations:
  description: One for each quarter.
  returned: success
  type: list
  elements: dict
  sample: [{quarter: Q1 (month 3), text: "133 readers at once. Nothing to change."}]
"""
