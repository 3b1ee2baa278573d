#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cloudwatch_dashboards
short_description: Make CloudWatch dashboards from lists of widgets
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Lays widgets out in rows and keeps each as it is described; a graph that was changed by hand is named by its title.
  - The first three dashboards of an account with up to 50 metrics each are free; each further one costs $3 a month.
options:
  state:
    description: Whether the dashboards shall exist. V(absent) removes those that are named.
    type: str
    choices: [present, absent]
    default: present
  dashboards:
    description: The dashboards.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name, unique in the region.
        type: str
        required: true
      widgets:
        description: The widgets, from left to right and row by row.
        type: list
        elements: dict
        default: []
        suboptions:
          type:
            description: What it shows.
            type: str
            choices: [alarm, log, metric, text]
            default: metric
          title:
            description: Its title, of its own on the dashboard. A text has none; its first line counts instead.
            type: str
            default: ""
          width:
            description: Width in units, of which a dashboard has 24.
            type: int
            default: 12
          height:
            description: Height in units.
            type: int
            default: 6
          properties:
            description: What CloudWatch's dashboard syntax calls properties, without the title.
            type: dict
            required: true
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Show the processors of both slots
  stories1001.platform.cloudwatch_dashboards:
    dashboards:
      - name: stories-production
        widgets:
          - title: Processor
            properties:
              region: us-east-1
              period: 60
              metrics:
                - [AWS/ECS, CPUUtilization, ClusterName, stories-production, ServiceName, stories-production-app-blue]
                - [AWS/ECS, CPUUtilization, ClusterName, stories-production, ServiceName, stories-production-app-green]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: dashboard/stories-production:create
      sentence: Create dashboard stories-production
resources:
  description: Ids by kind and name.
  returned: success
  type: dict
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._dashboards.kinds import Dashboard
from ..module_utils._dashboards.model import TYPES, desired
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing


def main() -> None:
    widget = {
        "type": {"type": "str", "choices": list(TYPES), "default": "metric"},
        "title": {"type": "str", "default": ""},
        "width": {"type": "int", "default": 12},
        "height": {"type": "int", "default": 6},
        "properties": {"type": "dict", "required": True},
    }
    dashboard = {
        "name": {"type": "str", "required": True},
        "widgets": {"type": "list", "elements": "dict", "default": [], "options": widget},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "dashboards": {"type": "list", "elements": "dict", "required": True, "options": dashboard},
        },
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    names = [one["name"] for one in params["dashboards"]]
    converge_resources(module, [Dashboard(Aws(module), names)], wanted)


if __name__ == "__main__":
    main()
