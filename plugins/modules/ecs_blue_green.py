#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: ecs_blue_green
short_description: Swap an application between two ECS services behind a load balancer without losing a request
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - An application has two slots, each an ECS service with a target group. The production listener forwards to both
    by weight. A release brings the idle slot up, proves it through a test listener, shifts the traffic step by
    step while it watches, keeps the old slot warm, and retires it.
  - The truth is what the production listener forwards to. What is under way is one record in a DynamoDB table,
    written with conditions, so that only one run works at a time. A run that was killed anywhere is finished by
    running again, a bake that was interrupted is done again as a whole.
  - When the new slot is not good, all traffic goes back at once, scaling and listeners are restored, and the
    module fails with the reason.
  - An error of AWS itself, such as expired credentials, stops the run where it is, with both slots serving. Run
    again to go on.
options:
  application:
    description:
      - Name before the slot in the names of services and target groups, such as C(stories-production-app) for
        C(stories-production-app-blue).
    type: str
    required: true
  cluster:
    description: ECS cluster of both services.
    type: str
    required: true
  load_balancer:
    description: Name of the load balancer.
    type: str
    required: true
  table:
    description: DynamoDB table of release records with hash key C(Application) and range key C(Record), both strings.
    type: str
    required: true
  state:
    description:
      - V(deployed) makes O(image) serve all traffic.
      - V(rolled_back) undoes what is under way, or goes back to the slot before the last release. A second time
        changes nothing.
      - V(status) changes nothing and returns what there is.
    type: str
    choices: [deployed, rolled_back, status]
    default: deployed
  image:
    description:
      - Image, by digest or by tag. A tag of an ECR repository is resolved to its digest, and that is what runs.
      - Required when O(state=deployed).
    type: str
  version:
    description: What the application calls this version; it gets it as C(APP_VERSION). Default is the digest's start.
    type: str
    default: ""
  container:
    description: Name of the container that gets O(image).
    type: str
    default: app
  task_definition:
    description:
      - Family or ARN that a new revision is made from, with image, C(APP_VERSION) and C(APP_SLOT) replaced.
      - Default is the newest revision of the family that the slot to be started has. New revisions go into that family.
    type: str
    default: ""
  slots:
    description: Names of the two slots.
    type: list
    elements: str
    default: [blue, green]
  production_ports:
    description: Ports of the production listeners. Every rule of theirs that forwards to the slots is shifted too.
    type: list
    elements: int
    default: [443]
  test_ports:
    description: Ports of the listeners that lead to the slot under test.
    type: list
    elements: int
    default: [8443]
  steps:
    description: Per cent of the traffic that the new slot gets, rising to 100.
    type: list
    elements: int
    default: [1, 10, 50, 100]
  settle:
    description: Seconds that the load balancer's nodes get to learn of new weights. On AWS not below 60.
    type: float
    default: 60
  bake:
    description: Seconds for which each step is watched.
    type: float
    default: 120
  rollback_window:
    description: Seconds for which the old slot is kept warm, and the new one watched, before the old one is retired.
    type: float
    default: 900
  poll:
    description: Seconds between two looks.
    type: float
    default: 5
  minimum_healthy:
    description: Healthy targets that a slot with traffic must have at any time.
    type: int
    default: 2
  stable_polls:
    description: Looks in a row that must find the new slot healthy before it is tested.
    type: int
    default: 3
  start_timeout:
    description: Seconds in which a slot must come up.
    type: float
    default: 900
  drain_timeout:
    description: Seconds in which the tasks of a retired slot must have ended.
    type: float
    default: 900
  minimum_samples:
    description: Requests (ours through the test listener and the users') that a bake must have seen to be passed.
    type: int
    default: 20
  maximum_error_rate:
    description: Share of failed requests above which the new slot is not good, from 0 to 1.
    type: float
    default: 0.01
  maximum_p95:
    description: Milliseconds that 95 of 100 users' requests may take; 0 for any.
    type: float
    default: 0
  metric_period:
    description: Seconds of one CloudWatch datum of the load balancer.
    type: int
    default: 60
  alarms:
    description: Alarms that must exist, be silent before the release, and stay silent.
    type: list
    elements: str
    default: []
  checks:
    description: Requests to the slot under test. Required when O(state=deployed).
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Path and query.
        type: str
        required: true
      status:
        description: Accepted status codes.
        type: list
        elements: int
        default: [200]
      body:
        description: Regular expression that the body must contain; C({version}) stands for the version.
        type: str
        default: ""
      headers:
        description: Regular expression by header name; C({version}) stands for the version.
        type: dict
        default: {}
      p95:
        description: Milliseconds that 95 of 100 answers may take; 0 for any.
        type: float
        default: 0
  test_url:
    description: URL of the test listener. Default is C(https://), the load balancer's name and the first test port.
    type: str
    default: ""
  test_host:
    description: Host header of the checks; empty for the name in O(test_url).
    type: str
    default: ""
  test_ca_path:
    description: File with the certificate authority of the test listener.
    type: path
  test_validate_certs:
    description: Whether the certificate of the test listener is checked.
    type: bool
    default: true
  probe_interval:
    description: Seconds between two checks while a bake goes on.
    type: float
    default: 1
  canary_header:
    description: Testers who send this header reach the new slot from the passed tests on until all traffic does.
    type: dict
    suboptions:
      name:
        description: Header name.
        type: str
        required: true
      value:
        description: Header value.
        type: str
        required: true
      priority:
        description: Priority of the rule; a free one, lower than that of other rules that would match.
        type: int
        default: 1000
  hooks:
    description:
      - Commands that run on this machine, as lists of arguments. They find C(RELEASE_VERSION), C(RELEASE_IMAGE),
        C(RELEASE_SLOT) and more in their environment. A status other than 0 undoes the release.
      - A run that takes over a killed one runs an unfinished hook again.
    type: dict
    default: {}
    suboptions:
      before_start:
        description: Before the new slot is started, such as a migration of the database.
        type: list
        elements: str
      before_shift:
        description: After the tests, before the first user reaches the new slot.
        type: list
        elements: str
      after_shift:
        description: Once all traffic is on the new slot.
        type: list
        elements: str
      before_retire:
        description: Before the old slot is stopped; from then on the release is not undone any more.
        type: list
        elements: str
  hook_timeout:
    description: Seconds that a hook may take.
    type: float
    default: 900
  until:
    description:
      - Stops after the phase named and keeps the record, so that the caller can do something of his own; the next
        call with V(done) goes on, one with O(state=rolled_back) goes back.
    type: str
    choices: [tested, shifted, warm, done]
    default: done
  keep_slot:
    description:
      - The slot that shall have all traffic when the routes disagree and no record explains it (split brain).
      - With O(state=rolled_back), the slot to go back to when no earlier release is on record.
    type: str
    default: ""
  lease:
    description: Seconds after which another run may take over from one that does not renew its lock.
    type: float
    default: 90
  maximum_stickiness:
    description: Seconds of target group stickiness that a release is ready to wait out.
    type: int
    default: 3600
  credentials_expire_at:
    description:
      - When the credentials end, such as C(2026-01-31T12:00:00Z). A release that would outlive them is refused.
      - Default is the environment variable C(AWS_CREDENTIAL_EXPIRATION).
    type: str
    default: ""
  notify_topic_arn:
    description: SNS topic that is told of begin, end and undo.
    type: str
    default: ""
  reason:
    description: Why this is done, for the audit record.
    type: str
    default: ""
  progress_path:
    description: File to which progress is written as JSON lines. The action plugin sets and shows it.
    type: path
  history:
    description: How many earlier releases are returned.
    type: int
    default: 5
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Release a version
  stories1001.platform.ecs_blue_green:
    application: stories-production-app
    cluster: stories-production
    load_balancer: stories-production
    table: stories-production-releases
    image: 123456789012.dkr.ecr.us-east-1.amazonaws.com/stories-production-app:2.4.0
    version: 2.4.0
    alarms: [stories-production-app-blue-5xx, stories-production-app-green-5xx]
    checks:
      - path: /api/health
        headers: {X-App-Version: "^{version}$"}
        p95: 500

- name: Go back to the slot before
  stories1001.platform.ecs_blue_green:
    application: stories-production-app
    cluster: stories-production
    load_balancer: stories-production
    table: stories-production-releases
    state: rolled_back
    reason: Readers cannot log in
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: dict
  sample: [{id: "shift/10", sentence: "Give green 10 % of the traffic and settle 60 s"}]
live:
  description: The slot that has all traffic; none while a release has split it.
  returned: success
  type: str
  sample: green
routes:
  description: Weights by route and slot.
  returned: success
  type: dict
  sample: {"listener 443": {blue: 0, green: 100}}
slots:
  description: Image, version, task definition, tasks, healthy targets and scaling of each slot.
  returned: success
  type: dict
  sample: {green: {version: 2.4.0, desired: 3, healthy: 3}}
swap_under_way:
  description: Id of the swap on record as unfinished.
  returned: success
  type: str
  sample: 0a1b2c3d4e5f
progress:
  description: What the run that works on it said last.
  returned: when a swap is under way
  type: dict
  sample: {line: "blue 90 %, green 10 %; 3 healthy; 1840 requests seen, 0.00 % errors; 40 s left"}
releases:
  description: Audit records of earlier swaps, newest first.
  returned: success
  type: list
  elements: dict
  sample: [{swap_id: 0a1b2c3d4e5f, outcome: deployed, version: 2.4.0, seconds: 1500.2}]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._blue_green.run import run

_TEXT = {"type": "str", "default": ""}
_HOOK = {"type": "list", "elements": "str"}


def main() -> None:
    run_module = AnsibleAWSModule(
        argument_spec={
            "application": {"type": "str", "required": True},
            "cluster": {"type": "str", "required": True},
            "load_balancer": {"type": "str", "required": True},
            "table": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["deployed", "rolled_back", "status"], "default": "deployed"},
            "image": {"type": "str"},
            "version": _TEXT,
            "container": {"type": "str", "default": "app"},
            "task_definition": _TEXT,
            "slots": {"type": "list", "elements": "str", "default": ["blue", "green"]},
            "production_ports": {"type": "list", "elements": "int", "default": [443]},
            "test_ports": {"type": "list", "elements": "int", "default": [8443]},
            "steps": {"type": "list", "elements": "int", "default": [1, 10, 50, 100]},
            "settle": {"type": "float", "default": 60},
            "bake": {"type": "float", "default": 120},
            "rollback_window": {"type": "float", "default": 900},
            "poll": {"type": "float", "default": 5},
            "minimum_healthy": {"type": "int", "default": 2},
            "stable_polls": {"type": "int", "default": 3},
            "start_timeout": {"type": "float", "default": 900},
            "drain_timeout": {"type": "float", "default": 900},
            "minimum_samples": {"type": "int", "default": 20},
            "maximum_error_rate": {"type": "float", "default": 0.01},
            "maximum_p95": {"type": "float", "default": 0},
            "metric_period": {"type": "int", "default": 60},
            "alarms": {"type": "list", "elements": "str", "default": []},
            "checks": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "path": {"type": "str", "required": True},
                    "status": {"type": "list", "elements": "int", "default": [200]},
                    "body": _TEXT,
                    "headers": {"type": "dict", "default": {}},
                    "p95": {"type": "float", "default": 0},
                },
            },
            "test_url": _TEXT,
            "test_host": _TEXT,
            "test_ca_path": {"type": "path"},
            "test_validate_certs": {"type": "bool", "default": True},
            "probe_interval": {"type": "float", "default": 1},
            "canary_header": {
                "type": "dict",
                "options": {
                    "name": {"type": "str", "required": True},
                    "value": {"type": "str", "required": True},
                    "priority": {"type": "int", "default": 1000},
                },
            },
            "hooks": {
                "type": "dict",
                "default": {},
                "options": {
                    "before_start": _HOOK,
                    "before_shift": _HOOK,
                    "after_shift": _HOOK,
                    "before_retire": _HOOK,
                },
            },
            "hook_timeout": {"type": "float", "default": 900},
            "until": {"type": "str", "choices": ["tested", "shifted", "warm", "done"], "default": "done"},
            "keep_slot": _TEXT,
            "lease": {"type": "float", "default": 90},
            "maximum_stickiness": {"type": "int", "default": 3600},
            "credentials_expire_at": _TEXT,
            "notify_topic_arn": _TEXT,
            "reason": _TEXT,
            "progress_path": {"type": "path"},
            "history": {"type": "int", "default": 5},
        },
        required_if=[("state", "deployed", ("image", "checks"))],
        supports_check_mode=True,
    )
    run(run_module, Aws(run_module))


if __name__ == "__main__":
    main()
