#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: load_test
short_description: Visit the site as many users at once, with k6, and tell how it bore that
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Lets users of several kinds visit the site at the same time; their number rises in steps to the one that the KPI
    table promises.
  - Limits come from the same table. The module tells what was found; whether that is enough is judged by
    M(stories1001.platform.kpi_verdicts).
  - Opens the site once before the test, so that a site that is down is one error and not a million.
  - It changes nothing on AWS but a task that ends with the test, when O(runner=fargate).
options:
  platform:
    description: Prefix of every name, such as C(stories-production); kept with the results.
    type: str
    required: true
  base_url:
    description: Address of the site, through CloudFront where there is one.
    type: str
    required: true
  kpis:
    description: The table of KPIs, by name; see C(inventories/profiles/kpis.yml).
    type: dict
    required: true
  scenarios:
    description: Kinds of users.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the kind.
        type: str
        required: true
      share:
        description: Percent of all users that are of this kind; all shares sum to 100.
        type: float
        required: true
      steps:
        description: What such a user does, in order, again and again.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: Name of the step.
            type: str
            required: true
          kind:
            description: Which limit applies. A file has none, since it is as large as it is.
            type: str
            choices: [page, api, file]
            default: page
          method:
            description: HTTP method.
            type: str
            choices: [GET, POST, PUT, DELETE]
            default: GET
          paths:
            description: Paths of which each visit takes one.
            type: list
            elements: str
            required: true
          body:
            description: Sent as JSON.
            type: dict
          status:
            description: Statuses of success.
            type: list
            elements: int
            default: [200]
  script:
    description: Text of the k6 script behind the plan; the role brings it.
    type: str
    required: true
  users:
    description: Users at the same time at the peak. The KPI C(concurrent_users) unless given.
    type: int
  scale_percent:
    description: Percent of O(users) that this test makes; lower it where the generator is a small machine.
    type: float
    default: 100
  steps:
    description: Percent of the peak at which the load stays for a while.
    type: list
    elements: float
    default: [10, 20, 50, 100]
  ramp_seconds:
    description: Seconds in which the load grows to each step, and in which it ends.
    type: float
    default: 120
  hold_seconds:
    description: Seconds for which the load stays at each step.
    type: float
    default: 300
  think_seconds:
    description: Least and greatest seconds that a user pauses between two requests.
    type: list
    elements: float
    default: [1, 4]
  headers:
    description:
      - Sent with every request.
      - With O(runner=fargate) they are readable in the task's description, so no secret belongs in them then.
    type: dict
    default: {}
  signing:
    description:
      - With what paths are signed that only signed URLs may read; see M(stories1001.platform.cloudfront_signed_url).
        The signatures end with the test. Without it nothing is signed.
    type: dict
    suboptions:
      secret_id:
        description: ARN or name of the secret with the private key.
        type: str
        required: true
      key_pair_id:
        description: Id of the public key in CloudFront.
        type: str
        required: true
  signed_paths:
    description: How the paths begin that are signed with O(signing).
    type: list
    elements: str
    default: [/content/]
  check_path:
    description:
      - Opened once before the test, and after it everything that the users only read. A path that does not answer with
        a status of success is an error before the test. With O(runner=fargate) nothing is opened from here.
    type: str
    default: /
  ca_path:
    description: Certificate authorities to trust in place of the system's.
    type: path
  validate_certs:
    description: Whether the site's certificate must be valid for its name.
    type: bool
    default: true
  runner:
    description: Where k6 runs, on the machine of this module or as a task of the platform's cluster.
    type: str
    choices: [controller, fargate]
    default: controller
  k6:
    description: The program; looked for on PATH and beside the Python in use.
    type: str
    default: k6
  fargate:
    description: Where the task runs; needed with O(runner=fargate).
    type: dict
    suboptions:
      cluster:
        description: The ECS cluster.
        type: str
        required: true
      task_definition:
        description: Task definition whose container has k6 and a shell.
        type: str
        required: true
      container:
        description: That container.
        type: str
        default: k6
      subnet_ids:
        description: Subnets with a way to the site.
        type: list
        elements: str
        required: true
      security_group_ids:
        description: Security groups of the task.
        type: list
        elements: str
        required: true
      assign_public_ip:
        description: Whether the task has a public address of its own.
        type: bool
        default: false
      bucket:
        description: Bucket through which the summary comes back, below C(load-test/).
        type: str
        required: true
      log_group:
        description: Log group of that container; its figures are shown while the test runs. Nothing is shown without.
        type: str
        default: ""
      log_stream_prefix:
        description: Its C(awslogs-stream-prefix).
        type: str
        default: k6
  results_path:
    description: File for the results, JSON; its folder is made. None is written in check mode.
    type: path
  progress_path:
    description: File that gets a JSON line for each look at the running test; the action plugin shows it.
    type: path
attributes:
  check_mode:
    description: Checks the options and tells the plan; visits nothing.
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
- name: Visit the site as 100 users
  stories1001.platform.load_test:
    platform: stories-production
    base_url: https://1001stories.seedsofempowerment.org
    kpis: "{{ platform_kpis }}"
    scale_percent: 10
    script: "{{ lookup('ansible.builtin.file', 'users.js') }}"
    scenarios:
      - {name: readers, share: 90, steps: [{name: home, paths: [/]}]}
      - {name: programs, share: 10, steps: [{name: books, kind: api, paths: [/api/books]}]}
"""

RETURN = r"""
users:
  description: Users at the peak; in check mode those that would be.
  returned: always
  type: int
  sample: 1000
seconds:
  description: How long the test took; in check mode how long it would.
  returned: always
  type: float
  sample: 1800.4
requests:
  description: Requests that were made.
  returned: when the test ran
  type: int
  sample: 712345
requests_per_s:
  description: Average over the whole test.
  returned: when the test ran
  type: float
  sample: 395.7
error_percent:
  description: Percent of requests that failed; null when there was none.
  returned: when the test ran
  type: float
  sample: 0.01
p95_ms:
  description: 95th percentile by kind of request, in milliseconds; a kind that was not asked for is missing.
  returned: when the test ran
  type: dict
  sample: {page: 412.5, api: 88.1}
by_step:
  description: Figures of each step of each scenario.
  returned: when the test ran
  type: list
  elements: dict
  sample: [{scenario: home, step: page, requests: 1042, average_ms: 80.1, p95_ms: 212.0, error_percent: 0.0}]
thresholds:
  description: Each limit and whether it held; one without a single sample did not.
  returned: when the test ran
  type: list
  elements: dict
  sample: [{metric: "http_req_duration{kind:page}", expression: "p(95)<2000", met: true}]
samples:
  description:
    - The course of the test. Requests a second and their average are of the time since the sample before; percentile
      and failures are of the whole test so far.
  returned: when the test ran
  type: list
  elements: dict
  sample: [{second: 3.0, users: 12, requests_per_s: 5.3, average_ms: 22.1, p95_ms: 61.2, error_percent: 0.0}]
passed:
  description: Whether every limit held.
  returned: when the test ran
  type: bool
  sample: true
results_path:
  description: Where the results were written.
  returned: when asked for
  type: str
  sample: reports/stories-production/load_test/20260131T120000Z.json
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._cloudfront.signing import HAS_CRYPTOGRAPHY, signed_url
from ..module_utils._cloudfront.signing_keys import read_key
from ..module_utils._engine.resources import is_planned
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._kpis.table import checked
from ..module_utils._load_test import fargate, local
from ..module_utils._load_test.plan import Plan, Shape, plan, readable_paths, signed
from ..module_utils._load_test.progress import Progress
from ..module_utils._load_test.results import passed, result

_SLACK = 900.0  # seconds that a signature holds beyond the test's length: a Fargate task takes time to start
STEP = {
    "name": {"type": "str", "required": True},
    "kind": {"type": "str", "choices": ["page", "api", "file"], "default": "page"},
    "method": {"type": "str", "choices": ["GET", "POST", "PUT", "DELETE"], "default": "GET"},
    "paths": {"type": "list", "elements": "str", "required": True},
    "body": {"type": "dict"},
    "status": {"type": "list", "elements": "int", "default": [200]},
}
SCENARIO = {
    "name": {"type": "str", "required": True},
    "share": {"type": "float", "required": True},
    "steps": {"type": "list", "elements": "dict", "required": True, "options": STEP},
}
FARGATE = {
    "cluster": {"type": "str", "required": True},
    "task_definition": {"type": "str", "required": True},
    "container": {"type": "str", "default": "k6"},
    "subnet_ids": {"type": "list", "elements": "str", "required": True},
    "security_group_ids": {"type": "list", "elements": "str", "required": True},
    "assign_public_ip": {"type": "bool", "default": False},
    "bucket": {"type": "str", "required": True},
    "log_group": {"type": "str", "default": ""},
    "log_stream_prefix": {"type": "str", "default": "k6"},
}
SIGNING = {
    "secret_id": {"type": "str", "required": True, "no_log": False},
    "key_pair_id": {"type": "str", "required": True, "no_log": False},
}
ARGUMENTS: dict[str, Any] = {
    "platform": {"type": "str", "required": True},
    "base_url": {"type": "str", "required": True},
    "kpis": {"type": "dict", "required": True},
    "scenarios": {"type": "list", "elements": "dict", "required": True, "options": SCENARIO},
    "script": {"type": "str", "required": True},
    "users": {"type": "int"},
    "scale_percent": {"type": "float", "default": 100},
    "steps": {"type": "list", "elements": "float", "default": [10, 20, 50, 100]},
    "ramp_seconds": {"type": "float", "default": 120},
    "hold_seconds": {"type": "float", "default": 300},
    "think_seconds": {"type": "list", "elements": "float", "default": [1, 4]},
    # The secret header of the origin may be among them.
    "headers": {"type": "dict", "default": {}, "no_log": True},
    "signing": {"type": "dict", "no_log": False, "options": SIGNING},
    "signed_paths": {"type": "list", "elements": "str", "default": ["/content/"]},
    "check_path": {"type": "str", "default": "/"},
    "ca_path": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "runner": {"type": "str", "choices": ["controller", "fargate"], "default": "controller"},
    "k6": {"type": "str", "default": "k6"},
    "fargate": {"type": "dict", "options": FARGATE},
    "results_path": {"type": "path"},
    "progress_path": {"type": "path"},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        required_if=[("runner", "fargate", ["fargate"])],
        supports_check_mode=True,
        check_boto3=False,  # only a test on Fargate asks AWS
    )
    with refusing(module):
        params = module.params
        kpis = checked(params["kpis"])
        shape = _shape(params, kpis)
        # The address of a platform that is only planned stands for one that will be.
        planned = is_planned(params["base_url"])
        base_url = "https://planned.invalid" if planned else params["base_url"]
        test = plan(shape, params["scenarios"], base_url, kpis, headers=_headers(params), insecure=_insecure(params))
        if module.check_mode or planned:
            module.exit_json(changed=False, users=test.peak, seconds=test.seconds, kinds=list(test.kinds))
        module.exit_json(changed=False, **_run(module, params, shape, test, kpis))


def _shape(params: Mapping[str, Any], kpis: Mapping[str, float]) -> Shape:
    return Shape(
        users=int(kpis["concurrent_users"]) if params["users"] is None else params["users"],
        scale_percent=params["scale_percent"],
        steps=tuple(params["steps"]),
        ramp=params["ramp_seconds"],
        hold=params["hold_seconds"],
        think=tuple(params["think_seconds"]),
    )


def _run(module: Any, params: Mapping[str, Any], shape: Shape, test: Plan, kpis: Mapping[str, float]) -> dict[str, Any]:
    progress = Progress(params["progress_path"] or "")
    begun, started = time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    scenarios = _signed(module, params, test)
    if params["runner"] == "fargate":
        key = f"load-test/{started.replace(':', '').replace('-', '')}.json"

        def script(summary_url: str) -> str:
            told = {"headers": _headers(params), "insecure": _insecure(params), "summary_url": summary_url}
            return plan(shape, scenarios, params["base_url"], kpis, **told).script(params["script"])

        summary = fargate.run(Aws(module), {**params["fargate"], "key": key}, script, test.seconds, progress)
    else:
        k6 = local.find_k6(params["k6"])
        ca_path = params["ca_path"] or ""
        if ca_path and not Path(ca_path).exists():
            raise PlanRefused(
                [f"Looked for the certificate authorities {ca_path} and found no such file. Mend ca_path."]
            )
        address = f"{params['base_url'].rstrip('/')}{params['check_path']}"
        local.reach(address, _headers(params), ca_path, _insecure(params))
        base_url, seen = params["base_url"].rstrip("/"), readable_paths(scenarios)
        local.look_at(base_url, seen, _headers(params), ca_path, _insecure(params))
        progress.say("0 s", f"{test.peak} users at the peak, {test.seconds:.0f} s")
        options = {"headers": _headers(params), "insecure": _insecure(params)}
        whole = plan(shape, scenarios, params["base_url"], kpis, **options)
        summary = local.run(k6, whole.script(params["script"]), test.seconds, progress, ca_path)
    took = float(summary.get("state", {}).get("testRunDurationMs", 0)) / 1000 or time.monotonic() - begun
    told = result(
        summary["metrics"],
        seconds=took,
        samples=progress.samples,
        platform=params["platform"],
        base_url=params["base_url"],
        started=started,
        target_users=shape.users,
        scale_percent=shape.scale_percent,
        runner=params["runner"],
    )
    told["passed"] = passed(told)
    if params["results_path"]:
        _keep(params["results_path"], told)
        told["results_path"] = params["results_path"]
    if told["requests"] and told["refused"] > told["requests"] / 20:
        module.warn(
            f"The site turned {told['refused']} of {told['requests']} requests away (403 or 429). Let the generator's "
            "address through: cloudfront_waf_allowed_addresses."
        )
    return told


def _signed(module: Any, params: Mapping[str, Any], test: Plan) -> list[dict[str, Any]]:
    """The scenarios, with signatures on what only signed URLs may read."""
    if not params["signing"]:
        return list(params["scenarios"])
    if not HAS_CRYPTOGRAPHY:
        module.fail_json(msg=missing_required_lib("cryptography"))
    secret = params["signing"]["secret_id"]
    key = read_key(Aws(module), secret)
    if key is None:
        raise PlanRefused(
            [f"Looked for the signing key in secret {secret} and found no such secret. Run playbooks/phase4.yml."]
        )
    _generation, private_key = key
    expires, base_url = int(time.time() + test.seconds + _SLACK), params["base_url"].rstrip("/")
    key_pair_id = params["signing"]["key_pair_id"]

    def sign(path: str) -> str:
        return signed_url(base_url + path, expires, private_key=private_key, key_pair_id=key_pair_id)[len(base_url) :]

    return signed(params["scenarios"], params["signed_paths"], sign)


def _keep(path: str, told: Mapping[str, Any]) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise PlanRefused(
            [f"Tried to write the results to {path}: {error.strerror}. Choose another folder."]
        ) from error


def _headers(params: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in params["headers"].items()}


def _insecure(params: Mapping[str, Any]) -> bool:
    return not params["validate_certs"]


if __name__ == "__main__":
    main()
