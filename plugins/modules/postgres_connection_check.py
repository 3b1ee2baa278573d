#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_connection_check
short_description: Prove that a database, or the proxy before it, serves many connections at once
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Opens many connections, keeps all of them open, queries each, and fails when one was refused.
  - Tells how many sessions of the server stood behind them, and sizes RDS Proxy for the same number of clients.
  - Reads nothing but the server's own state and writes nothing.
options:
  connections:
    description: Connections to have open at once.
    type: int
    default: 500
  direct_connections:
    description: Connections that go past the proxy, such as migrations and monitoring.
    type: int
    default: 20
  busy_share:
    description: Share of the clients, from 0 to 1, that are inside a transaction at the same time.
    type: float
    default: 0.2
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
extends_documentation_fragment:
  - stories1001.platform.postgres
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Prove that the proxy serves 500 clients
  stories1001.platform.postgres_connection_check:
    connection:
      host: stories-production.proxy-abc.us-east-1.rds.amazonaws.com
      database: stories_db
      username: stories_app
      iam: true
    connections: 500
"""

RETURN = r"""
opened:
  description: Connections that were open at once.
  returned: always
  type: int
  sample: 500
server_sessions:
  description: Server processes that answered them.
  returned: always
  type: int
  sample: 20
max_connections:
  description: The server's limit.
  returned: always
  type: int
  sample: 1802
open_seconds:
  description: Seconds to open all of them.
  returned: always
  type: float
  sample: 1.4
p50_ms:
  description: Median of one query on each, in milliseconds.
  returned: always
  type: float
  sample: 0.8
p99_ms:
  description: 99th percentile of the same.
  returned: always
  type: float
  sample: 6.1
proxy:
  description: Settings of RDS Proxy for this number of clients, and whether the server is large enough for them.
  returned: when the server answered
  type: dict
  sample: {max_connections_percent: 98, max_idle_connections_percent: 49, connection_borrow_timeout: 30, enough: true}
"""

from dataclasses import asdict

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._postgres.arguments import CONNECTION, connections, planned
from ..module_utils._postgres.crowd import measure, proxy


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "connection": CONNECTION,
            "connections": {"type": "int", "default": 500},
            "direct_connections": {"type": "int", "default": 20},
            "busy_share": {"type": "float", "default": 0.2},
        },
        supports_check_mode=True,
        check_boto3=False,  # asked for only where AWS brings the credentials
    )
    params = module.params
    if planned(module):
        module.exit_json(changed=False, skipped=True, msg="The database does not exist yet.")
    with refusing(module):
        if params["connections"] < 1 or not 0 <= params["busy_share"] <= 1:
            raise PlanRefused(["Read connections below 1 or busy_share outside 0 to 1. Mend the number."])
        server = connections(module, "postgres_connection_check")
        report = measure(server, params["connections"])
        told = {key: value for key, value in asdict(report).items() if key != "wanted"}
        if report.max_connections:
            told["proxy"] = proxy(
                report.max_connections, report.wanted, params["direct_connections"], params["busy_share"]
            )
        if not report.passed:
            raise PlanRefused(
                [
                    f"Tried to hold {report.wanted} connections to {server.target.text}; {report.opened} were opened "
                    f"and {report.answered} answered (max_connections {report.max_connections or 'unknown'}): "
                    f"{'; '.join(report.errors)}. Put RDS Proxy before the server, or raise its limit."
                ],
                told,
            )
        module.exit_json(changed=False, **told)


if __name__ == "__main__":
    main()
