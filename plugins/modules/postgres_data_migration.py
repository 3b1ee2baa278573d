#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_data_migration
short_description: Move a PostgreSQL database to another server, with seconds of write stop and a way back
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Moves one database from an old server to a new one, such as Aurora, by logical replication, or by a dump for a
    small one.
  - The state of the migration is what the two servers show; a run that was killed is continued by the next.
  - Everything in the way is told before anything is written, with what to do about it.
  - Owners and rights are not copied; they are the new server's own.
options:
  source:
    description: The old database, with the options of O(ignore:connection) of the other PostgreSQL modules.
    type: dict
    required: true
    suboptions: &connection
      host:
        description: Name or address of the writer, or the folder of a Unix socket.
        type: str
      port:
        description: Port; 5432 when not given.
        type: int
      database:
        description: Name of the database.
        type: str
        required: true
      username:
        description: Role to connect as; a secret brings its own.
        type: str
      password:
        description: Password of the role.
        type: str
      secret_arn:
        description: ARN of a secret with the keys C(username) and C(password).
        type: str
      iam:
        description: Connect with an IAM token. The other server cannot; replication needs a password.
        type: bool
        default: false
      cluster_identifier:
        description: RDS or Aurora cluster whose writer and master secret to use.
        type: str
      sslmode:
        description: How to check the server, in libpq's words.
        type: str
        choices: [disable, require, verify-ca, verify-full]
        default: verify-full
      sslrootcert:
        description: File with the certificates of the authorities to trust.
        type: path
      connect_timeout:
        description: Seconds for one attempt to connect.
        type: int
        default: 10
  target:
    description: The new database. It exists and is empty.
    type: dict
    required: true
    suboptions: *connection
  state:
    description:
      - V(replicated) copies schema and rows, and lets the target follow the source from then on.
      - V(cut_over) stops the writes on the source, drains, sets the sequences, proves that all rows are equal, and
        lets the source follow the target, so that there is a way back.
      - V(rolled_back) is the same the other way; before the cut-over it only lets the source be written again.
      - V(finished) ends the way back; the source stays closed. V(absent) gives up before the cut-over.
    type: str
    choices: [replicated, cut_over, rolled_back, finished, absent]
    default: replicated
  method:
    description: V(dump) copies with the writes stopped all the time and has no way back; for small databases.
    type: str
    choices: [replication, dump]
    default: replication
  way_back:
    description: Whether the source follows the target after the cut-over.
    type: bool
    default: true
  verify:
    description: How to compare both sides while no writes are allowed.
    type: str
    choices: [checksums, counts, none]
    default: checksums
  replica_identity:
    description: V(set) gives tables without primary key a replica identity, V(refuse) says how.
    type: str
    choices: [refuse, set]
    default: refuse
  name:
    description: Beginning of the names of publications, subscriptions and slots.
    type: str
    default: data_migration
  source_from_target:
    description: Where the target reaches the source, if not as this machine does.
    type: dict
    suboptions: &route
      host:
        description: Name or address.
        type: str
      port:
        description: Port.
        type: int
      sslmode:
        description: How the server checks the other one.
        type: str
        choices: [disable, require, verify-ca, verify-full]
      sslrootcert:
        description: File on that server with the certificates to trust.
        type: str
  target_from_source:
    description: Where the source reaches the target, if not as this machine does.
    type: dict
    suboptions: *route
  jobs:
    description: Tables compared, or processes of dump and restore, at once.
    type: int
    default: 4
  copy_timeout:
    description: Seconds that the initial copy may take.
    type: int
    default: 86400
  drain_timeout:
    description: Seconds that a cut-over waits for what is on its way.
    type: int
    default: 120
  max_lag:
    description: Bytes that the target may be behind when the copy counts as done.
    type: int
    default: 1000000
  free_space:
    description: Room on the target, such as C(100GB); not checked when not given. Aurora grows by itself.
    type: str
  client_path:
    description: Folder of C(pg_dump) and C(pg_restore); found on PATH when not given.
    type: path
  dump_folder:
    description: Folder for the archive of a dump; the system's temporary folder when not given.
    type: path
  progress_log:
    description: File to append progress lines to.
    type: path
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
requirements:
  - psycopg >= 3.1
  - pg_dump and pg_restore of the source's major version or newer
"""

EXAMPLES = r"""
- name: Copy, and keep following
  stories1001.platform.postgres_data_migration:
    source: {host: old.example.org, database: stories_db, username: postgres, secret_arn: "{{ old_secret }}"}
    target: {cluster_identifier: stories-production, database: stories_db}
    state: replicated

- name: Change over
  stories1001.platform.postgres_data_migration:
    source: {host: old.example.org, database: stories_db, username: postgres, secret_arn: "{{ old_secret }}"}
    target: {cluster_identifier: stories-production, database: stories_db}
    state: cut_over
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: dict
  sample: [{id: "source/writes:stop", sentence: "Stop the writes on the source"}]
phase:
  description: Where the migration stands, one of none, copying, replicated, source_closed and cut_over.
  returned: success
  type: str
  sample: replicated
tables:
  description: Tables of the source.
  returned: success
  type: int
  sample: 42
source_bytes:
  description: Size of the source's database.
  returned: success
  type: int
  sample: 137363456
copied_in:
  description: Seconds that the copy took in this run.
  returned: success
  type: float
  sample: 11.3
write_gap:
  description: Seconds from the stop of the writes to the end of this run.
  returned: success
  type: float
  sample: 3.3
compared:
  description: Each table's rows and checksum, equal on both sides.
  returned: success
  type: list
  elements: dict
  sample: [{table: public.books, rows: 1001, checksum: "81726354"}]
"""

import re
from typing import Any

from ansible.module_utils.common.text.formatters import human_to_bytes
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._engine.resources import is_planned
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._pg_migration.apply import Limits
from ..module_utils._pg_migration.dump import Programs
from ..module_utils._pg_migration.model import SOURCE, TARGET, Wish
from ..module_utils._pg_migration.observe import Names
from ..module_utils._pg_migration.run import migrate
from ..module_utils._postgres.arguments import CONNECTION, connections_of

_ROUTE = {
    "type": "dict",
    "options": {
        "host": {"type": "str"},
        "port": {"type": "int"},
        "sslmode": {"type": "str", "choices": ["disable", "require", "verify-ca", "verify-full"]},
        "sslrootcert": {"type": "str"},
    },
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "source": CONNECTION,
            "target": CONNECTION,
            "state": {
                "type": "str",
                "choices": ["replicated", "cut_over", "rolled_back", "finished", "absent"],
                "default": "replicated",
            },
            "method": {"type": "str", "choices": ["replication", "dump"], "default": "replication"},
            "way_back": {"type": "bool", "default": True},
            "verify": {"type": "str", "choices": ["checksums", "counts", "none"], "default": "checksums"},
            "replica_identity": {"type": "str", "choices": ["refuse", "set"], "default": "refuse"},
            "name": {"type": "str", "default": "data_migration"},
            "source_from_target": _ROUTE,
            "target_from_source": _ROUTE,
            "jobs": {"type": "int", "default": 4},
            "copy_timeout": {"type": "int", "default": 86400},
            "drain_timeout": {"type": "int", "default": 120},
            "max_lag": {"type": "int", "default": 1000000},
            "free_space": {"type": "str"},
            "client_path": {"type": "path"},
            "dump_folder": {"type": "path"},
            "progress_log": {"type": "path"},
        },
        supports_check_mode=True,
        check_boto3=False,  # asked for only where AWS brings the credentials
    )
    params = module.params
    places = [params[side][key] for side in (SOURCE, TARGET) for key in ("host", "secret_arn", "cluster_identifier")]
    if any(map(is_planned, places)):
        nothing: dict[str, Any] = {"copied_in": None, "write_gap": None, "compared": []}
        module.exit_json(changed=False, steps=[], phase="none", tables=0, source_bytes=0, **nothing)
    with refusing(module):
        _refuse(params)
        migrate(
            module,
            {
                side: connections_of(module, params[side], f"postgres_data_migration {side}")
                for side in (SOURCE, TARGET)
            },
            Names(params["name"]),
            Wish(
                params["state"],
                params["method"],
                way_back=params["way_back"],
                verify=params["verify"],
                own_identity=params["replica_identity"] == "set",
                free=_bytes(params["free_space"]),
            ),
            Limits(params["copy_timeout"], params["drain_timeout"], params["max_lag"], max(1, params["jobs"])),
            routes={SOURCE: params["source_from_target"] or {}, TARGET: params["target_from_source"] or {}},
            programs=Programs(params["client_path"] or ""),
            dump_folder=params["dump_folder"],
            progress_log=params["progress_log"],
        )


def _refuse(params: dict[str, Any]) -> None:
    """What is wrong with the wish itself."""
    problems = []
    if not _NAME.fullmatch(params["name"]):
        problems.append(
            f"Read name {params['name']!r}; a replication slot takes small letters, digits and _. Choose such a name."
        )
    if params["method"] == "replication":
        problems += [
            f"Read {side} with iam; the other server could follow it for 15 minutes only. Give a password or a secret."
            for side in (SOURCE, TARGET)
            if params[side]["iam"] and (side == SOURCE or params["way_back"])
        ]
    if problems:
        raise PlanRefused(problems)


def _bytes(given: str | None) -> int | None:
    if given is None:
        return None
    try:
        return int(human_to_bytes(given))
    except ValueError:
        raise PlanRefused([f"Read free_space {given!r}; it is no size. Write it as 20GB or 500MB."]) from None


if __name__ == "__main__":
    main()
