#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cloudwatch_log_insights
short_description: Keep saved Logs Insights queries and metric filters
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Saves queries in a folder of the platform, and makes metrics out of log events, in a namespace of the platform.
  - Everything in that folder and that namespace is ours; what is described no more is removed.
  - Saved queries are free; a query costs $0.005 for each gigabyte that it reads. A metric that gets data costs $0.30 a
    month (us-east-1).
options:
  name:
    description: The platform's prefix, such as C(stories-production); folder of queries and namespace of metrics.
    type: str
    required: true
  state:
    description: Whether queries and filters shall exist. V(absent) removes all of the folder and the namespace.
    type: str
    choices: [present, absent]
    default: present
  queries:
    description: The queries.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name within the folder.
        type: str
        required: true
      query:
        description: The query, in the language of Logs Insights.
        type: str
        required: true
      log_groups:
        description: Log groups that it reads.
        type: list
        elements: str
        required: true
  metric_filters:
    description: The filters. Their log groups must exist.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name, of its own in the platform.
        type: str
        required: true
      log_group:
        description: Log group that it reads.
        type: str
        required: true
      pattern:
        description: Which events count, in CloudWatch's filter syntax.
        type: str
        required: true
      metric:
        description: Name of the metric.
        type: str
        required: true
      value:
        description: What each event adds, a number or a field such as V($.duration_ms).
        type: str
        default: "1"
      default_value:
        description: What is reported for minutes with events of which none fits. Nothing, when left out.
        type: float
      dimensions:
        description: Dimensions of the metric and the fields with their values. Each value costs a metric of its own.
        type: dict
        default: {}
      unit:
        description: Unit of the metric.
        type: str
        default: "None"
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Count slow requests and keep a query that lists them
  stories1001.platform.cloudwatch_log_insights:
    name: stories-production
    queries:
      - name: slow requests
        log_groups: [/stories-production/app]
        query: fields @timestamp, path, duration_ms | filter duration_ms > 2000 | sort duration_ms desc
    metric_filters:
      - name: stories-production-slow-requests
        log_group: /stories-production/app
        pattern: "{ $.duration_ms > 2000 }"
        metric: SlowRequests
        default_value: 0
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: metric_filter/stories-production-slow-requests:create
      sentence: Create metric filter stories-production-slow-requests
resources:
  description: Ids by kind and name.
  returned: success
  type: dict
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._log_insights.kinds import MetricFilter, QueryDefinition
from ..module_utils._log_insights.model import desired


def main() -> None:
    query = {
        "name": {"type": "str", "required": True},
        "query": {"type": "str", "required": True},
        "log_groups": {"type": "list", "elements": "str", "required": True},
    }
    metric_filter = {
        "name": {"type": "str", "required": True},
        "log_group": {"type": "str", "required": True},
        "pattern": {"type": "str", "required": True},
        "metric": {"type": "str", "required": True},
        "value": {"type": "str", "default": "1"},
        "default_value": {"type": "float"},
        "dimensions": {"type": "dict", "default": {}},
        "unit": {"type": "str", "default": "None"},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "queries": {"type": "list", "elements": "dict", "default": [], "options": query},
            "metric_filters": {"type": "list", "elements": "dict", "default": [], "options": metric_filter},
        },
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    aws = Aws(module)
    kinds = [QueryDefinition(aws, params["name"]), MetricFilter(aws, params["name"])]
    converge_resources(module, kinds, wanted, purge=("query_definition", "metric_filter"))


if __name__ == "__main__":
    main()
