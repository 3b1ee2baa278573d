#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: application_autoscaling
short_description: Scale ECS services, Aurora readers and more by metrics and by the clock
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Registers scalable targets of one service namespace with their target-tracking policies, step policies and
    scheduled actions, or removes them all.
  - Policies and actions on a declared target that are not declared themselves are removed.
  - The stock module changes AWS under C(--check). This one does not.
options:
  service_namespace:
    description: What is scaled, such as C(ecs) or C(rds).
    type: str
    required: true
  state:
    description: Whether the targets shall be scaled.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every target.
    type: dict
    required: true
  targets:
    description: The scalable targets.
    type: list
    elements: dict
    required: true
    suboptions:
      resource_id:
        description: Such as C(service/cluster/service) or C(cluster:stories-production).
        type: str
        required: true
      scalable_dimension:
        description: Such as C(ecs:service:DesiredCount) or C(rds:cluster:ReadReplicaCount).
        type: str
        required: true
      min_capacity:
        description: Scaling in stops here.
        type: int
        default: 1
      max_capacity:
        description: Scaling out stops here.
        type: int
        default: 1
      keep_capacity:
        description:
          - Whether a target that stands keeps its own limits; those told here are then for a new target only.
          - C(suspended) keeps them as long as anything of it is suspended, as a release does while it works.
        type: str
        choices: [never, suspended, always]
        default: never
      suspended:
        description: What may not scale at present; a standing suspension is left alone when left out.
        type: dict
        suboptions:
          dynamic_scaling_in:
            description: Scaling in by policies.
            type: bool
            default: false
          dynamic_scaling_out:
            description: Scaling out by policies.
            type: bool
            default: false
          scheduled_scaling:
            description: Scheduled actions.
            type: bool
            default: false
      target_tracking:
        description: Policies that hold a metric near a value. AWS makes their alarms.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name of the policy, unique on its target.
            type: str
            required: true
          target_value:
            description: The value to hold.
            type: float
            required: true
          predefined_metric:
            description: Such as C(ECSServiceAverageCPUUtilization).
            type: str
          resource_label:
            description: Load balancer and target group of C(ALBRequestCountPerTarget).
            type: str
          customized_metric:
            description: A metric of CloudWatch, in place of O(targets[].target_tracking[].predefined_metric).
            type: dict
            suboptions:
              namespace:
                description: Its namespace.
                type: str
                required: true
              metric_name:
                description: Its name.
                type: str
                required: true
              statistic:
                description: How it is aggregated.
                type: str
                choices: [Average, Minimum, Maximum, SampleCount, Sum]
                default: Average
              dimensions:
                description: Its dimensions.
                type: dict
                default: {}
          scale_out_cooldown:
            description: Seconds to wait after scaling out.
            type: int
            default: 60
          scale_in_cooldown:
            description: Seconds to wait after scaling in.
            type: int
            default: 300
          disable_scale_in:
            description: Only ever scales out.
            type: bool
            default: false
      step_scaling:
        description: Policies that an alarm of the caller's sets off.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name of the policy, unique on its target.
            type: str
            required: true
          adjustment_type:
            description: What the steps' numbers mean.
            type: str
            choices: [ChangeInCapacity, PercentChangeInCapacity, ExactCapacity]
            default: ChangeInCapacity
          cooldown:
            description: Seconds to wait after a change.
            type: int
            default: 60
          metric_aggregation_type:
            description: How the alarm's metric is aggregated.
            type: str
            choices: [Average, Minimum, Maximum]
            default: Average
          min_adjustment_magnitude:
            description: The least change of a percentage.
            type: int
          steps:
            description: Intervals of the metric, relative to the alarm's threshold, in ascending order.
            type: list
            elements: dict
            required: true
            suboptions:
              lower_bound:
                description: From here; from minus infinity when left out.
                type: float
              upper_bound:
                description: To here; to infinity when left out.
                type: float
              adjustment:
                description: By how much.
                type: int
                required: true
      scheduled:
        description: Changes of the limits by the clock.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Name of the action, unique on its target.
            type: str
            required: true
          schedule:
            description: C(at(…)), C(rate(…)) or C(cron(…)).
            type: str
            required: true
          timezone:
            description: In which the schedule is read, such as C(America/New_York).
            type: str
            default: UTC
          min_capacity:
            description: The minimum from then on.
            type: int
          max_capacity:
            description: The maximum from then on.
            type: int
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Scale the readers of the database
  stories1001.platform.application_autoscaling:
    service_namespace: rds
    tags: {Project: 1001-stories, Environment: production}
    targets:
      - resource_id: cluster:stories-production
        scalable_dimension: rds:cluster:ReadReplicaCount
        min_capacity: 2
        max_capacity: 5
        target_tracking:
          - name: readers-cpu
            target_value: 60
            predefined_metric: RDSReaderAverageCPUUtilization
            scale_out_cooldown: 300
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: "scalable_target/cluster:stories-production:ReadReplicaCount:create"
      sentence: Create scalable target cluster:stories-production:ReadReplicaCount
resources:
  description: Ids by kind and name, with the alarms that AWS made for a policy.
  returned: success
  type: dict
  sample: {scalable_target: {"cluster:stories-production:ReadReplicaCount": {id: "arn:aws:application-autoscaling:…"}}}
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._autoscaling.kinds import ScalableTarget, scaling_kinds
from ..module_utils._autoscaling.model import desired, target_name
from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing

_NAME: dict[str, Any] = {"type": "str", "required": True}
_TRACKING = {
    "name": _NAME,
    "target_value": {"type": "float", "required": True},
    "predefined_metric": {"type": "str"},
    "resource_label": {"type": "str"},
    "customized_metric": {
        "type": "dict",
        "options": {
            "namespace": {"type": "str", "required": True},
            "metric_name": {"type": "str", "required": True},
            "statistic": {
                "type": "str",
                "choices": ["Average", "Minimum", "Maximum", "SampleCount", "Sum"],
                "default": "Average",
            },
            "dimensions": {"type": "dict", "default": {}},
        },
    },
    "scale_out_cooldown": {"type": "int", "default": 60},
    "scale_in_cooldown": {"type": "int", "default": 300},
    "disable_scale_in": {"type": "bool", "default": False},
}
_STEP = {
    "name": _NAME,
    "adjustment_type": {
        "type": "str",
        "choices": ["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"],
        "default": "ChangeInCapacity",
    },
    "cooldown": {"type": "int", "default": 60},
    "metric_aggregation_type": {"type": "str", "choices": ["Average", "Minimum", "Maximum"], "default": "Average"},
    "min_adjustment_magnitude": {"type": "int"},
    "steps": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "lower_bound": {"type": "float"},
            "upper_bound": {"type": "float"},
            "adjustment": {"type": "int", "required": True},
        },
    },
}
_SCHEDULED = {
    "name": _NAME,
    "schedule": {"type": "str", "required": True},
    "timezone": {"type": "str", "default": "UTC"},
    "min_capacity": {"type": "int"},
    "max_capacity": {"type": "int"},
}
_SUSPENDED = {
    "dynamic_scaling_in": {"type": "bool", "default": False},
    "dynamic_scaling_out": {"type": "bool", "default": False},
    "scheduled_scaling": {"type": "bool", "default": False},
}
_TARGET = {
    "resource_id": {"type": "str", "required": True},
    "scalable_dimension": {"type": "str", "required": True},
    "min_capacity": {"type": "int", "default": 1},
    "max_capacity": {"type": "int", "default": 1},
    "keep_capacity": {"type": "str", "choices": ["never", "suspended", "always"], "default": "never"},
    "suspended": {"type": "dict", "options": _SUSPENDED},
    "target_tracking": {"type": "list", "elements": "dict", "default": [], "options": _TRACKING},
    "step_scaling": {"type": "list", "elements": "dict", "default": [], "options": _STEP},
    "scheduled": {"type": "list", "elements": "dict", "default": [], "options": _SCHEDULED},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "service_namespace": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "targets": {"type": "list", "elements": "dict", "required": True, "options": _TARGET},
        },
        supports_check_mode=True,
    )
    params, aws, wanted = module.params, Aws(module), None
    namespace, targets = params["service_namespace"], params["targets"]
    with refusing(module):
        if params["state"] == "present":
            asks = any(target["keep_capacity"] == "suspended" for target in targets)
            by_name = {target_name(target): target for target in targets}
            suspended = ScalableTarget(aws, namespace, by_name).suspended() if asks else []
            wanted = desired(params, suspended)
    converge_resources(module, scaling_kinds(aws, namespace, targets), wanted)


if __name__ == "__main__":
    main()
