#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: platform_usage_info
short_description: Read what a standing platform uses, and what AWS offers for it
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Reads the last 60 days of CloudWatch by the hour (traffic and its growth, connections, how busy database, cache and
    tasks are), and AWS's one-year offers for the sizes that run. What was not measured is null.
  - M(stories1001.platform.capacity_plan) and M(stories1001.platform.cost_advice) take what it returns. It buys nothing.
options:
  load_balancer:
    description: The load balancer as CloudWatch names it, such as C(app/stories-production/0123456789abcdef).
    type: str
  db_cluster:
    description: Identifier of the Aurora cluster.
    type: str
  cache:
    description: Identifier of the replication group.
    type: str
  ecs_cluster:
    description: Name of the ECS cluster.
    type: str
  ecs_service:
    description: Name of the live service.
    type: str
  instance_class:
    description: Database instance class to ask offers for.
    type: str
  node_type:
    description: Cache node type to ask offers for.
    type: str
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read how busy production is
  stories1001.platform.platform_usage_info:
    load_balancer: app/stories-production/0123456789abcdef
    db_cluster: stories-production
    instance_class: db.t4g.medium
  register: usage
"""

RETURN = r"""
figures:
  description: The last 30 days; null for what was not measured.
  returned: success
  type: dict
  sample:
    days: 60.0
    request_hours: 720
    requests_per_s: 12.5
    monthly_percent: 8.1
    connections: 41.0
    database: {cpu_percent: 12.3, cpu_peak_percent: 44.0, hours: 720}
    cache: null
    tasks: {cpu_percent: 18.0, memory_percent: 35.0, hours: 720}
offers:
  description: One-year offers of AWS for these sizes.
  returned: success
  type: dict
  sample: {reserved_db: [], reserved_cache: [], savings_rates: {Fargate-ARM-GB-Hours: 0.0028}}
"""

from datetime import UTC, datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._costs.measured import figures, measure
from ..module_utils._costs.offers import offers
from ..module_utils._engine.runner import refusing

_PARTS = ("load_balancer", "db_cluster", "cache", "ecs_cluster", "ecs_service", "instance_class", "node_type")


def main() -> None:
    module = AnsibleAWSModule(argument_spec={name: {"type": "str"} for name in _PARTS}, supports_check_mode=True)
    params: dict[str, Any] = module.params
    aws = Aws(module)
    with refusing(module):
        measured = figures(measure(aws, params, datetime.now(UTC)))
        module.exit_json(changed=False, figures=measured, offers=offers(aws, params))


if __name__ == "__main__":
    main()
