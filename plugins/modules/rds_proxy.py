#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: rds_proxy
short_description: Make an RDS Proxy that pools the connections to an Aurora PostgreSQL cluster
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes a proxy, sets its connection pool, leads it to a cluster and, if wanted, makes an endpoint for readers, or
    removes them all.
  - There is no stock module for it.
options:
  name:
    description: Name of the proxy; its reader endpoint is called C(name-reader).
    type: str
    required: true
  state:
    description: Whether the proxy shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every resource. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  cluster:
    description: Identifier of the cluster that it leads to. Required when O(state=present).
    type: str
  secret_arns:
    description: Secrets with C(username) and C(password), one for each database user. Required when O(state=present).
    type: list
    elements: str
  iam_authentication:
    description: Whether clients log in with an IAM token instead of the password.
    type: str
    choices: [disabled, required]
    default: disabled
  role_arn:
    description: Role with which the proxy reads the secrets. Required when O(state=present).
    type: str
  subnet_ids:
    description: Subnets in at least two zones. Required when O(state=present).
    type: list
    elements: str
  security_group_ids:
    description: Security groups of the proxy. Required when O(state=present).
    type: list
    elements: str
  require_tls:
    description: Refuses clients without TLS.
    type: bool
    default: true
  idle_client_timeout:
    description: Seconds after which an idle client is disconnected, 1 to 28800.
    type: int
    default: 1800
  debug_logging:
    description: Logs each statement, with its text. AWS switches it off after a day.
    type: bool
    default: false
  max_connections_percent:
    description: Share of the cluster's C(max_connections) that the pool may use, in percent.
    type: int
    default: 90
  max_idle_connections_percent:
    description: Share that may stay open and idle, in percent.
    type: int
    default: 50
  connection_borrow_timeout:
    description: Seconds that a client waits for a connection of the pool, 0 to 300.
    type: int
    default: 120
  session_pinning_filters:
    description: Statements that shall not pin a session to its connection.
    type: list
    elements: str
    choices: [EXCLUDE_VARIABLE_SETS]
    default: []
  reader_endpoint:
    description: Makes an endpoint that leads to readers.
    type: bool
    default: false
extends_documentation_fragment:
  - stories1001.platform.attributes
  - stories1001.platform.waiting
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Pool the connections of the application
  stories1001.platform.rds_proxy:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    cluster: stories-production
    secret_arns: [arn:aws:secretsmanager:us-east-1:123456789012:secret:stories-production-app-user-AbCdEf]
    role_arn: arn:aws:iam::123456789012:role/stories-production-rds-proxy
    subnet_ids: [subnet-0a, subnet-0b, subnet-0c]
    security_group_ids: [sg-0a]
    reader_endpoint: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "db_proxy/stories-production:create", sentence: Create RDS proxy stories-production}]
unfinished:
  description: What AWS still works at, and the steps left until then; empty unless O(wait=false).
  returned: success
  type: list
  elements: str
  sample: []
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {db_proxy: {stories-production: {id: stories-production}}}
endpoint:
  description: Host name that leads to the writer.
  returned: success and O(state=present)
  type: str
  sample: stories-production.proxy-abcdef.us-east-1.rds.amazonaws.com
reader_endpoint:
  description: Host name that leads to readers.
  returned: success and O(reader_endpoint=true)
  type: str
  sample: stories-production-reader.endpoint.proxy-abcdef.us-east-1.rds.amazonaws.com
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing
from ..module_utils._rds.proxies import proxy_kinds
from ..module_utils._rds.proxy_model import desired


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "cluster": {"type": "str"},
            "secret_arns": {"type": "list", "elements": "str", "no_log": False},
            "iam_authentication": {"type": "str", "choices": ["disabled", "required"], "default": "disabled"},
            "role_arn": {"type": "str"},
            "subnet_ids": {"type": "list", "elements": "str"},
            "security_group_ids": {"type": "list", "elements": "str"},
            "require_tls": {"type": "bool", "default": True},
            "idle_client_timeout": {"type": "int", "default": 1800},
            "debug_logging": {"type": "bool", "default": False},
            "max_connections_percent": {"type": "int", "default": 90},
            "max_idle_connections_percent": {"type": "int", "default": 50},
            "connection_borrow_timeout": {"type": "int", "default": 120},
            "session_pinning_filters": {
                "type": "list",
                "elements": "str",
                "choices": ["EXCLUDE_VARIABLE_SETS"],
                "default": [],
            },
            "reader_endpoint": {"type": "bool", "default": False},
            "wait": {"type": "bool", "default": True},
        },
        required_if=[
            ("state", "present", ("cluster", "secret_arns", "role_arn", "subnet_ids", "security_group_ids")),
        ],
        supports_check_mode=True,
    )
    params = module.params
    name, present = params["name"], params["state"] == "present"
    with refusing(module):
        wanted = desired(params) if present else None

    def outputs(state: State) -> dict[str, Any]:
        told = {"endpoint": state["db_proxy", name].outputs.get("endpoint")}
        reader = state.get(("db_proxy_endpoint", f"{name}-reader"))
        return {**told, "reader_endpoint": reader.outputs.get("endpoint")} if reader else told

    kinds = proxy_kinds(Aws(module), params["tags"], name)
    converge_resources(module, kinds, wanted, outputs if present else lambda state: {}, wait=params["wait"])


if __name__ == "__main__":
    main()
