#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_fingerprint
short_description: Count and checksum every table of a database
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Reads all tables of a database in one consistent snapshot and returns the number of rows and a checksum of each, so
    that a restored database can be compared with its original.
  - Reads every row once and locks out nobody. A large database takes its time; a reader endpoint spares the writer.
options:
  tables:
    description: Names of the tables, with their schema where it is not in the search path. Empty reads all.
    type: list
    elements: str
    default: []
  mark:
    description: Whether to wait, after reading, until the server's clock has passed a whole second, and to return it.
    type: bool
    default: false
  before_xid:
    description:
      - Checksums count only rows that were written before this transaction, the RV(xid) of an earlier reading.
      - Without it, those that were written before every transaction that is open now.
    type: str
    default: ""
  statement_timeout:
    description: Seconds that one table may take.
    type: int
    default: 3600
attributes:
  check_mode:
    description: Reads only. A database that is only planned is skipped.
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
- name: Read what the database holds
  stories1001.platform.postgres_fingerprint:
    connection:
      cluster_identifier: stories-production
      database: stories_db
"""

RETURN = r"""
tables:
  description: Number of rows, checksum and buckets of every table.
  returned: when the database exists
  type: dict
  sample: {books: {rows: 1001, checksum: 0f2b4a6c8e0d1f3a, buckets: {"0": "16:-812730"}}}
xid:
  description: The transaction before which the rows were written that the checksums count.
  returned: when the database exists
  type: str
  sample: "48213"
began:
  description: The server's clock at the beginning.
  returned: when the database exists
  type: str
  sample: "2026-11-22T23:39:51.120000+00:00"
ended:
  description: The server's clock at the end.
  returned: when the database exists
  type: str
  sample: "2026-11-22T23:39:58.410000+00:00"
marked_at:
  description: A whole second after the end that has passed on the server's clock.
  returned: when O(mark) is set
  type: str
  sample: "2026-11-22T23:39:59Z"
answered_at:
  description: The controller's clock when all was read.
  returned: when the database exists
  type: str
  sample: "2026-11-22T23:39:58.600000+00:00"
"""

import math
import time
from datetime import UTC, datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import StepFailed
from ..module_utils._postgres.arguments import CONNECTION, connections, planned
from ..module_utils._postgres.connection import Session
from ..module_utils._postgres.driver import psycopg
from ..module_utils._recovery import fingerprint
from ..module_utils._recovery.restored import written


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "connection": CONNECTION,
            "tables": {"type": "list", "elements": "str", "default": []},
            "mark": {"type": "bool", "default": False},
            "before_xid": {"type": "str", "default": ""},
            "statement_timeout": {"type": "int", "default": 3600},
        },
        supports_check_mode=True,
        check_boto3=False,  # asked for only where AWS brings the credentials
    )
    if planned(module):
        module.exit_json(changed=False, skipped=True, msg="The database does not exist yet.")
    with refusing(module):
        server = connections(module, "postgres_fingerprint")
        with Session(server, "reads every table") as connection:
            try:
                told = _read(connection, module.params)
            except psycopg.Error as error:
                first = str(error).strip().splitlines()[0]
                raise StepFailed(
                    f"Tried to read the tables of {server.target.text}; PostgreSQL answered: {first}. "
                    "Mend the cause and run again."
                ) from error
    module.exit_json(changed=False, answered_at=datetime.now(UTC).isoformat(), **told)


def _read(connection: Any, params: dict[str, Any]) -> dict[str, Any]:
    for setting in fingerprint.SETTINGS:
        connection.execute(setting)
    connection.execute(f"SET statement_timeout = '{int(params['statement_timeout'])}s'")
    began = _clock(connection)
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        names = [row.name for row in connection.execute(fingerprint.TABLES)]
        if params["tables"]:
            names = [_known(connection, name) for name in params["tables"]]
        xid = int(params["before_xid"] or connection.execute(fingerprint.OLDEST).fetchone().xid)
        tables = {
            name: fingerprint.table(connection.execute(fingerprint.rows_query(name, xid)).fetchall()) for name in names
        }
    ended = _clock(connection)
    told = {"tables": tables, "xid": str(xid), "began": began.isoformat(), "ended": ended.isoformat()}
    if params["mark"]:
        # Half a second more than the reading took: a reader's clock is not exactly the writer's.
        second = datetime.fromtimestamp(math.ceil(ended.timestamp() + 0.5), UTC)
        while _clock(connection) <= second:
            time.sleep(0.1)
        told["marked_at"] = written(second)
    return told


def _clock(connection: Any) -> datetime:
    moment: datetime = connection.execute("SELECT clock_timestamp() AS now").fetchone().now
    return moment.astimezone(UTC)


def _known(connection: Any, name: str) -> str:
    """The table's name as PostgreSQL quotes it."""
    found: str | None = connection.execute("SELECT to_regclass(%s)::text AS name", (name,)).fetchone().name
    if found is None:
        raise StepFailed(f"Looked for table {name} and found none. Mend its name, or leave tables empty to read all.")
    return found


if __name__ == "__main__":
    main()
