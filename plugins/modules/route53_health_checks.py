#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: route53_health_checks
short_description: Ask the public site from all over the world whether it is well
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Keeps health checks of Route 53, found by the beginning of their reference. Those that are described no more go.
  - Their metrics, C(HealthCheckStatus) above all, lie in us-east-1, wherever the platform is.
  - Unlike M(amazon.aws.route53_health_check) it is found again under its name when every setting was changed.
  - A check costs $0.75 a month, and $2 more for each of HTTPS, O(health_checks[].search), an interval of 10 s, and
    O(health_checks[].measure_latency); $0.50 and $1 where the address is one of AWS.
options:
  name:
    description: The platform's prefix, such as C(stories-production). Every check's name begins with it and a hyphen.
    type: str
    required: true
  state:
    description: Whether the checks shall exist. V(absent) removes all under the prefix that carry our tags.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every check.
    type: dict
    required: true
  health_checks:
    description: The checks.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Whole name.
        type: str
        required: true
      protocol:
        description: How it asks.
        type: str
        choices: [HTTP, HTTPS]
        default: HTTPS
      host:
        description: Public name of the site.
        type: str
        required: true
      port:
        description: Port of the site.
        type: int
        default: 443
      path:
        description: What is asked for. An answer of 200 to 399 within some seconds is good.
        type: str
        default: /
      search:
        description: A text that the first 5120 bytes of the answer must hold.
        type: str
        default: ""
      request_interval:
        description: Seconds between two questions of each place. Another value makes the check anew.
        type: int
        choices: [10, 30]
        default: 30
      failure_threshold:
        description: How many failures in a row make it unwell.
        type: int
        default: 3
      measure_latency:
        description: Whether times are measured. Another value makes the check anew.
        type: bool
        default: false
      regions:
        description: Places that ask. All, when empty.
        type: list
        elements: str
        default: []
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Ask the site every 30 s
  stories1001.platform.route53_health_checks:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    health_checks:
      - name: stories-production-site
        host: 1001stories.seedsofempowerment.org
        path: /api/health
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: health_check/stories-production-site:create
      sentence: Create health check stories-production-site
resources:
  description: Ids by kind and name.
  returned: success
  type: dict
health_check_ids:
  description: Ids by name, which are the dimension C(HealthCheckId) of the metrics.
  returned: success
  type: dict
  sample: {stories-production-site: 0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f}
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing
from ..module_utils._site_checks.kinds import HealthCheck
from ..module_utils._site_checks.model import desired


def _ids(state: State) -> dict[str, Any]:
    return {"health_check_ids": {found.name: found.id for found in state.values()}}


def main() -> None:
    check = {
        "name": {"type": "str", "required": True},
        "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"], "default": "HTTPS"},
        "host": {"type": "str", "required": True},
        "port": {"type": "int", "default": 443},
        "path": {"type": "str", "default": "/"},
        "search": {"type": "str", "default": ""},
        "request_interval": {"type": "int", "choices": [10, 30], "default": 30},
        "failure_threshold": {"type": "int", "default": 3},
        "measure_latency": {"type": "bool", "default": False},
        "regions": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "health_checks": {"type": "list", "elements": "dict", "default": [], "options": check},
        },
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        wanted = desired(params) if params["state"] == "present" else None
    named = [one["name"] for one in params["health_checks"]]
    checks = HealthCheck(Aws(module), params["tags"], params["name"], named)
    converge_resources(module, [checks], wanted, _ids, purge=("health_check",))


if __name__ == "__main__":
    main()
