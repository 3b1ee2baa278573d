#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cost_advice
short_description: Recommend sizes and commitments, with numbers
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Compares what CloudWatch showed and what AWS offers with the sizes of the description and the price list, and tells
    what a smaller size, reserved instances or a savings plan would save in a month.
  - It never buys anything. Where a commitment pays, the command is printed for a person to run, or not.
options:
  figures:
    description: What M(stories1001.platform.platform_usage_info) measured.
    type: dict
  offers:
    description: What M(stories1001.platform.platform_usage_info) was offered.
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
- name: Recommend sizes and commitments
  stories1001.platform.cost_advice:
    figures: "{{ usage.figures }}"
    offers: "{{ usage.offers }}"
"""

RETURN = r"""
advice:
  description: Each recommendation, the largest saving first. C(command) is for a person.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: right-sizing
      what: db.r6g.xlarge
      text: "CPU 9.0 % on average, 31.0 % at the peak of 30 days: a size smaller suffices: db.r6g.large."
      monthly_saving_usd: 378.14
      command: ""
      sentence: "Right-sizing, db.r6g.xlarge: CPU 9.0 % on average. Saves $378.14 a month."
not_measured:
  description: What could not be judged, and why.
  returned: success
  type: list
  elements: str
  sample: ["No advice on the size of the cache: CloudWatch has 0 hours of it, and 168 are needed."]
"""
