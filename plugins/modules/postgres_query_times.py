#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_query_times
short_description: Tell how long the statements of a database take on average
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Reads C(pg_stat_statements) and writes nothing, nor resets it.
  - Statements of the connecting user are left out; it maintains the database and is no reader of the site.
  - A server without the extension is no error, but its figures are null and RV(reason) says why.
options:
  slowest:
    description: How many of the slowest statements to tell.
    type: int
    default: 5
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
- name: See how long statements take
  stories1001.platform.postgres_query_times:
    connection:
      cluster_identifier: stories-production
      database: stories
"""

RETURN = r"""
average_ms:
  description: Average over all statements, in milliseconds, weighted by their calls; null when nothing was counted.
  returned: success
  type: float
  sample: 1.84
calls:
  description: Statements that were counted.
  returned: success
  type: int
  sample: 120443
since:
  description: When counting began, ISO 8601.
  returned: success
  type: str
  sample: "2026-01-31T12:00:00+00:00"
slowest:
  description: The slowest statements, without their values.
  returned: success
  type: list
  elements: dict
  sample: [{query: "SELECT … FROM books WHERE id = $1", calls: 420, average_ms: 12.1}]
reason:
  description: Why nothing could be measured; empty when something was.
  returned: success
  type: str
  sample: ""
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._engine.runner import refusing
from ..module_utils._postgres.arguments import CONNECTION, connections, planned
from ..module_utils._postgres.connection import Session
from ..module_utils._postgres.driver import Connection, psycopg
from ..module_utils._postgres.errors import message

_NOTHING: dict[str, Any] = {"average_ms": None, "calls": 0, "since": None, "slowest": []}
_MINE = """
    FROM pg_stat_statements s
    JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()
    JOIN pg_roles r ON r.oid = s.userid AND r.rolname <> current_user"""
_LONGEST = 300  # characters of a statement that are told


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={"connection": CONNECTION, "slowest": {"type": "int", "default": 5}},
        supports_check_mode=True,
        check_boto3=False,  # asked for only where AWS brings the credentials
    )
    if planned(module):
        module.exit_json(changed=False, **_NOTHING, reason="the database does not exist yet")
    with refusing(module):
        server = connections(module, "postgres_query_times")
        with Session(server, "read the times of statements") as connection:
            module.exit_json(changed=False, **_read(connection, module.params["slowest"]))


def _read(connection: Connection, slowest: int) -> dict[str, Any]:
    if not connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'").fetchone():
        return {**_NOTHING, "reason": "the database has no extension pg_stat_statements"}
    try:
        total = connection.execute(
            f"SELECT sum(s.total_exec_time) AS spent, sum(s.calls)::bigint AS calls {_MINE}"
        ).fetchone()
        since = connection.execute("SELECT stats_reset FROM pg_stat_statements_info").fetchone()
        rows = connection.execute(
            f"SELECT s.query, s.calls, s.mean_exec_time {_MINE} ORDER BY s.mean_exec_time DESC LIMIT %s",
            (slowest,),
        ).fetchall()
    except psycopg.Error as error:
        return {**_NOTHING, "reason": f"reading pg_stat_statements failed: {message(error)}"}
    if not total or not total[1]:
        return {**_NOTHING, "reason": "no statement of the application was counted yet"}
    return {
        "average_ms": round(float(total[0]) / int(total[1]), 4),
        "calls": int(total[1]),
        "since": since[0].isoformat(timespec="seconds") if since and since[0] else None,
        "slowest": [
            {"query": " ".join(row[0].split())[:_LONGEST], "calls": int(row[1]), "average_ms": round(row[2], 3)}
            for row in rows
        ],
        "reason": "",
    }


if __name__ == "__main__":
    main()
