#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: platform_preflight
short_description: Validate the platform description before anything is written
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Checks the variables of the inventory against the argument specifications of the roles that a phase
    runs, and against the rules that reach across fields (CIDRs, zones, names, bounds).
  - Everything wrong is reported at once. Nothing is read from AWS and nothing is written.
  - A variable that begins with a role's name and is no input of that role is an error, with the nearest
    name that is one.
options:
  roles:
    description: Names of the roles, without the collection's name.
    type: list
    elements: str
    required: true
attributes:
  action:
    description: Runs on the controller.
    support: full
extends_documentation_fragment:
  - stories1001.platform.attributes
"""

EXAMPLES = r"""
- name: Check the description of phase 1
  stories1001.platform.platform_preflight:
    roles: [security, networking]
"""

RETURN = r"""
roles:
  description: The roles whose inputs were checked.
  returned: success
  type: list
  elements: str
  sample: [security, networking]
"""
