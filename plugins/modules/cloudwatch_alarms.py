#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cloudwatch_alarms
short_description: Make all alarms of a platform, metric and composite, in one call
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes the alarms that are described, mends those that differ, and removes those of ours that are described no more.
  - Every setting is compared, metric mathematics included, so that a threshold changed by hand has a name.
  - Unlike M(amazon.aws.cloudwatch_metric_alarm) it takes tags and composite alarms, and shows what differs.
  - An alarm costs $0.10 a month for each metric in it, a composite alarm $0.50 (us-east-1; ten metrics are free).
options:
  name:
    description: The platform's prefix, such as C(stories-production). Every alarm's name begins with it and a hyphen.
    type: str
    required: true
  state:
    description: Whether the alarms shall exist. V(absent) removes every alarm under the prefix that carries our tags.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description:
      - Tags of every alarm. C(Project) and C(Environment) identify the platform.
      - C(Component) tells these alarms from those that others make under the same prefix.
    type: dict
    required: true
  alarms:
    description: Alarms on a metric, or on an expression over several.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Whole name.
        type: str
        required: true
      description:
        description: What it means and what to do about it.
        type: str
        default: ""
      actions_enabled:
        description: Whether a change of state calls the actions.
        type: bool
        default: true
      alarm_actions:
        description: ARNs that are called when it begins to ring.
        type: list
        elements: str
        default: []
      ok_actions:
        description: ARNs that are called when all is well again.
        type: list
        elements: str
        default: []
      insufficient_data_actions:
        description: ARNs that are called when nothing is known any more.
        type: list
        elements: str
        default: []
      namespace:
        description: Namespace of the metric.
        type: str
      metric_name:
        description: The metric. Either this or O(alarms[].metrics).
        type: str
      dimensions:
        description: Names and values of the metric's dimensions.
        type: dict
        default: {}
      statistic:
        description: V(Average), V(Sum), V(Maximum), V(Minimum), V(SampleCount), or a percentile such as V(p95).
        type: str
        default: Average
      unit:
        description: Unit of the metric; only data of this unit count.
        type: str
      period:
        description: Seconds of one datum.
        type: int
        default: 60
      metrics:
        description: The parts of an expression; exactly one of them is what is compared.
        type: list
        elements: dict
        default: []
        suboptions:
          id:
            description: Its name within the expression.
            type: str
            required: true
          label:
            description: What a graph calls it.
            type: str
          expression:
            description: Metric mathematics over other ids.
            type: str
          return_data:
            description: Whether this is what is compared with the threshold.
            type: bool
            default: false
          namespace:
            description: Namespace of the metric.
            type: str
          metric_name:
            description: The metric.
            type: str
          dimensions:
            description: Names and values of its dimensions.
            type: dict
            default: {}
          statistic:
            description: As O(alarms[].statistic).
            type: str
            default: Average
          period:
            description: Seconds of one datum.
            type: int
          unit:
            description: Unit of the metric.
            type: str
      comparison:
        description: How the metric compares with the threshold when it rings.
        type: str
        choices:
          - GreaterThanThreshold
          - GreaterThanOrEqualToThreshold
          - LessThanThreshold
          - LessThanOrEqualToThreshold
          - LessThanLowerThreshold
          - GreaterThanUpperThreshold
          - LessThanLowerOrGreaterThanUpperThreshold
        default: GreaterThanThreshold
      threshold:
        description: What the metric is compared with. Needed unless O(alarms[].threshold_metric) is given.
        type: float
      threshold_metric:
        description:
          - Id of an expression C(ANOMALY_DETECTION_BAND(metric, width)) among O(alarms[].metrics), with which the
            metric is compared instead of a number. CloudWatch learns the band from two weeks.
          - Both have O(alarms[].metrics[].return_data=true), and the comparison is one with a band.
        type: str
      evaluation_periods:
        description: How many periods are looked at.
        type: int
        default: 1
      datapoints_to_alarm:
        description: How many of these must breach. All, when left out.
        type: int
      treat_missing_data:
        description: What a period without data counts as.
        type: str
        choices: [breaching, notBreaching, ignore, missing]
        default: missing
      low_samples:
        description: Whether a percentile of few samples is compared at all.
        type: str
        choices: [evaluate, ignore]
  composite_alarms:
    description: Alarms on the states of the alarms above.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Whole name.
        type: str
        required: true
      description:
        description: What it means and what to do about it.
        type: str
        default: ""
      rule:
        description: Such as C(ALARM("one") AND ALARM("two")).
        type: str
        required: true
      actions_enabled:
        description: Whether a change of state calls the actions.
        type: bool
        default: true
      alarm_actions:
        description: ARNs that are called when it begins to ring.
        type: list
        elements: str
        default: []
      ok_actions:
        description: ARNs that are called when all is well again.
        type: list
        elements: str
        default: []
      insufficient_data_actions:
        description: ARNs that are called when nothing is known any more.
        type: list
        elements: str
        default: []
      suppressor:
        description: An alarm that keeps this one silent as long as it rings.
        type: str
      suppressor_wait:
        description: Seconds to wait for the suppressor to ring.
        type: int
        default: 60
      suppressor_extension:
        description: Seconds of silence after the suppressor has ended.
        type: int
        default: 60
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Ring when the application answers with errors
  stories1001.platform.cloudwatch_alarms:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production, Component: monitoring}
    alarms:
      - name: stories-production-errors
        description: More than 1 of 100 requests fails. See docs/runbooks/failed-release.md.
        metrics:
          - id: errors
            namespace: AWS/ApplicationELB
            metric_name: HTTPCode_Target_5XX_Count
            dimensions: {LoadBalancer: app/stories-production/0123456789abcdef}
            statistic: Sum
            period: 300
          - id: requests
            namespace: AWS/ApplicationELB
            metric_name: RequestCount
            dimensions: {LoadBalancer: app/stories-production/0123456789abcdef}
            statistic: Sum
            period: 300
          - {id: ratio, expression: FILL(errors, 0) / requests, return_data: true}
        threshold: 0.01
        treat_missing_data: notBreaching
        alarm_actions: ["arn:aws:sns:us-east-1:123456789012:stories-production-alerts"]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: metric_alarm/stories-production-errors:create
      sentence: Create alarm stories-production-errors
resources:
  description: ARN and present state by kind and name.
  returned: success
  type: dict
  sample:
    metric_alarm:
      stories-production-errors:
        id: arn:aws:cloudwatch:us-east-1:123456789012:alarm:stories-production-errors
        state: OK
ringing:
  description: Names of the alarms that ring now.
  returned: success
  type: list
  elements: str
  sample: [stories-production-errors]
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._alarms.kinds import CompositeAlarm, MetricAlarm
from ..module_utils._alarms.model import desired
from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing

_ACTIONS: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
_COMMON: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str", "default": ""},
    "actions_enabled": {"type": "bool", "default": True},
    "alarm_actions": _ACTIONS,
    "ok_actions": _ACTIONS,
    "insufficient_data_actions": _ACTIONS,
}
_METRIC: dict[str, Any] = {
    "id": {"type": "str", "required": True},
    "label": {"type": "str"},
    "expression": {"type": "str"},
    "return_data": {"type": "bool", "default": False},
    "namespace": {"type": "str"},
    "metric_name": {"type": "str"},
    "dimensions": {"type": "dict", "default": {}},
    "statistic": {"type": "str", "default": "Average"},
    "period": {"type": "int"},
    "unit": {"type": "str"},
}
_ALARM: dict[str, Any] = {
    **_COMMON,
    "namespace": {"type": "str"},
    "metric_name": {"type": "str"},
    "dimensions": {"type": "dict", "default": {}},
    "statistic": {"type": "str", "default": "Average"},
    "unit": {"type": "str"},
    "period": {"type": "int", "default": 60},
    "metrics": {"type": "list", "elements": "dict", "default": [], "options": _METRIC},
    "comparison": {
        "type": "str",
        "choices": [
            "GreaterThanThreshold",
            "GreaterThanOrEqualToThreshold",
            "LessThanThreshold",
            "LessThanOrEqualToThreshold",
            "LessThanLowerThreshold",
            "GreaterThanUpperThreshold",
            "LessThanLowerOrGreaterThanUpperThreshold",
        ],
        "default": "GreaterThanThreshold",
    },
    "threshold": {"type": "float"},
    "threshold_metric": {"type": "str"},
    "evaluation_periods": {"type": "int", "default": 1},
    "datapoints_to_alarm": {"type": "int"},
    "treat_missing_data": {
        "type": "str",
        "choices": ["breaching", "notBreaching", "ignore", "missing"],
        "default": "missing",
    },
    "low_samples": {"type": "str", "choices": ["evaluate", "ignore"]},
}
_COMPOSITE: dict[str, Any] = {
    **_COMMON,
    "rule": {"type": "str", "required": True},
    "suppressor": {"type": "str"},
    "suppressor_wait": {"type": "int", "default": 60},
    "suppressor_extension": {"type": "int", "default": 60},
}


def _ringing(state: State) -> dict[str, Any]:
    return {"ringing": sorted(found.name for found in state.values() if found.outputs.get("state") == "ALARM")}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "alarms": {"type": "list", "elements": "dict", "default": [], "options": _ALARM},
            "composite_alarms": {"type": "list", "elements": "dict", "default": [], "options": _COMPOSITE},
        },
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    where = (Aws(module), params["tags"], params["name"])
    kinds = [
        MetricAlarm(*where, [one["name"] for one in params["alarms"]]),
        CompositeAlarm(*where, [one["name"] for one in params["composite_alarms"]]),
    ]
    converge_resources(module, kinds, wanted, _ringing, purge=("metric_alarm", "composite_alarm"))


if __name__ == "__main__":
    main()
