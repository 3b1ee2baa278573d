#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_index_migration
short_description: Bring the indexes of a PostgreSQL database to what migrations describe, without hurting its users
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Compares ordered, named sets of index definitions with the catalogue and builds, repairs or removes
    indexes concurrently, while the database is in use.
  - The plan is checked by PostgreSQL itself on empty temporary copies of the tables. Whatever is wrong is
    reported at once, each with the nearest existing name, and then nothing is applied.
  - Tables are worked on side by side, never two builds on one table. A watchdog names whom a build waits
    for and ends it after O(max_wait); no timeout of the server can throw away a finished build.
  - An interrupted run is finished by the next. It adopts builds that go on in the server, and drops and
    rebuilds what was left invalid.
  - Needs the writer itself. Replicas, poolers (PgBouncer, RDS Proxy), roles that do not own the tables and
    servers before PostgreSQL 14 are refused with what to do instead.
options:
  migrations:
    description: The sets of indexes, in order. Names are exact; write them without quotes.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the migration, unique in the list.
        type: str
        required: true
      state:
        description:
          - V(absent) rolls this migration back. Only what it made itself is removed, what it removed is restored.
        type: str
        choices: [present, absent]
        default: present
      indexes:
        description: The indexes of this migration.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: Name of the index, 63 bytes at most. It lies in the schema of its table.
            type: str
            required: true
          table:
            description: Name of the table, partitioned table or materialized view.
            type: str
            required: true
          schema:
            description: Schema of the table; O(schema) when left out.
            type: str
          state:
            description: V(absent) removes the index, whoever made it. Columns are then not needed.
            type: str
            choices: [present, absent]
            default: present
          columns:
            description:
              - The keys, each the name of a column or a mapping with C(name) or C(expression) and
                optionally C(collation), C(opclass), C(order) (C(asc), C(desc)) and C(nulls) (C(first), C(last)).
            type: list
            elements: raw
          include:
            description: Columns that the index carries without being keys.
            type: list
            elements: str
          method:
            description: Access method, such as V(btree), V(gin), V(gist), V(brin) or V(hash).
            type: str
            default: btree
          unique:
            description: Whether the index rejects duplicates.
            type: bool
            default: false
          nulls_not_distinct:
            description: Whether a unique index takes nulls for equal (PostgreSQL 15 and later).
            type: bool
            default: false
          where:
            description: Predicate of a partial index, as SQL.
            type: str
          storage_parameters:
            description: Storage parameters, such as C(fillfactor).
            type: dict
          tablespace:
            description: Tablespace; the database's default when left out.
            type: str
          keep_redundant:
            description: Whether to make the index although another one serves the same queries.
            type: bool
            default: false
  state:
    description: V(absent) rolls back all of the migrations.
    type: str
    choices: [present, absent]
    default: present
  schema:
    description: Schema of tables whose index names none. Left out, the search path finds it.
    type: str
  drift:
    description:
      - What to do with an index that has a wanted name and another definition. V(replace) builds the wanted
        one beside it and swaps the names, so that queries never lack an index.
    type: str
    choices: [refuse, replace]
    default: refuse
  missing_tables:
    description:
      - What to do with an index whose table does not exist. V(skip) leaves it for a later run, for a database
        whose schema is yet to come.
    type: str
    choices: [refuse, skip]
    default: refuse
  parallel_tables:
    description: Tables worked on side by side, each on a connection of its own.
    type: int
    default: 8
  parallel_builds:
    description:
      - Builds that work at the same time, each with one process. Those that only wait for transactions do not count.
      - With 1, and for the last table that is left, a build takes the server's C(max_parallel_maintenance_workers).
    type: int
    default: 2
  max_wait:
    description: Seconds that a build may wait for the same transactions, and this run for another one.
    type: int
    default: 900
  retries:
    description: Further attempts after a deadlock, a cancellation or a lost connection.
    type: int
    default: 5
  yield_to_ddl:
    description:
      - Whether to give up and repeat a build when ALTER, ANALYZE and the like queue behind it. They are told
        of anyway.
    type: bool
    default: false
  maintenance_work_mem:
    description: Memory for one build, such as V(512MB); the server's setting when left out.
    type: str
  free_space:
    description:
      - Room for indexes and their sort files, such as V(20GB). The plan is refused when the estimate is larger.
      - Left out, it is measured when the server runs on this machine and shows its data directory.
    type: str
  history_schema:
    description:
      - Schema of the table C(history), which says what was done, when, by whom, with a checksum. Rollbacks
        remove only what it lists. Empty keeps no history, and then nothing is rolled back.
    type: str
    default: index_migrations
  progress_log:
    description: File to append progress lines to. On a local connection they are shown while the task runs.
    type: path
extends_documentation_fragment:
  - stories1001.platform.attributes
  - stories1001.platform.postgres
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Index the books that readers can find
  stories1001.platform.postgres_index_migration:
    connection:
      host: stories-production.cluster-abc.us-east-1.rds.amazonaws.com
      database: stories_db
      secret_arn: arn:aws:secretsmanager:us-east-1:123456789012:secret:rds-stories
      sslrootcert: files/rds-global-bundle.pem
    schema: public
    migrations:
      - name: published_books
        indexes:
          - name: idx_published_books
            table: books
            columns: [language, {name: createdAt, order: desc}]
            where: '"isPublished"'
          - name: idx_published_books_category
            table: books
            method: gin
            columns: [category]
            where: '"isPublished"'

- name: Roll the migration back
  stories1001.platform.postgres_index_migration:
    connection:
      host: db.example.org
      database: stories_db
      username: migrator
      password: "{{ vault_migrator_password }}"
    state: absent
    migrations: "{{ db_tuning_migrations }}"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: index/public.idx_books:create
      sentence: "Create index public.idx_books on public.books: btree (language text_ops)"
indexes:
  description: Every index of every migration as it was found, also when the plan is refused.
  returned: when the server could be examined
  type: list
  elements: dict
  contains:
    migration:
      description: The migration that names it.
      type: str
      sample: published_books
    index:
      description: Schema and name.
      type: str
      sample: public.idx_published_books
    table:
      description: Schema and name of the table.
      type: str
      sample: public.books
    status:
      description:
        - C(create), C(ok), C(rebuild_invalid), C(adopt), C(drift), C(replace), C(redundant), C(refused), C(drop),
          C(absent), C(restore), C(no_table), or C(no_database) in a plan on an empty account.
        - C(foreign) is one that a rollback leaves because this module did not make it.
      type: str
      sample: create
    ddl:
      description: The statement that makes or removes it.
      type: str
      sample: CREATE INDEX CONCURRENTLY "idx_published_books" ON "public"."books" USING "btree" ("language")
    size_bytes:
      description: Size; an estimate for one that does not exist.
      type: int
      sample: 83886080
    covered_by:
      description: The index that serves the same queries, for one that is redundant.
      type: str
      sample: public.users_email_key
    problems:
      description: What is wrong.
      type: list
      elements: str
      sample: []
    waits_for:
      description: Transactions that it would wait for now. Literals of their queries are masked.
      type: list
      elements: str
      sample: ["pid 4711 (app), idle in transaction for 35 s, UPDATE books SET title = '…'"]
advice:
  description: Arrays under B-trees, redundant and unused indexes of these tables.
  returned: when the server could be examined
  type: list
  elements: dict
  sample:
    - kind: redundant
      index: public.users_email_idx
      sentence: Index public.users_email_idx is covered by public.users_email_key.
timings:
  description: How long each index took, how much of it waiting for other transactions, in how many attempts.
  returned: success
  type: list
  elements: dict
  sample:
    - {index: public.idx_books, action: create, seconds: 4.2, waited_seconds: 0.3, attempts: 1, size_bytes: 8388608}
server_version:
  description: Version of the server.
  returned: success
  type: str
  sample: "15.18"
"""

from ansible.module_utils.common.text.formatters import human_to_bytes
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._pg_indexes.report import not_yet
from ..module_utils._pg_indexes.run import migrate
from ..module_utils._pg_indexes.steps import Settings
from ..module_utils._pg_indexes.watch import Limits
from ..module_utils._pg_indexes.wish import migrations
from ..module_utils._postgres.arguments import CONNECTION, connections, planned

_INDEX = {
    "name": {"type": "str", "required": True},
    "table": {"type": "str", "required": True},
    "schema": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "columns": {"type": "list", "elements": "raw"},
    "include": {"type": "list", "elements": "str"},
    "method": {"type": "str", "default": "btree"},
    "unique": {"type": "bool", "default": False},
    "nulls_not_distinct": {"type": "bool", "default": False},
    "where": {"type": "str"},
    "storage_parameters": {"type": "dict"},
    "tablespace": {"type": "str"},
    "keep_redundant": {"type": "bool", "default": False},
}
_MIGRATION = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "indexes": {"type": "list", "elements": "dict", "required": True, "options": _INDEX},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "connection": CONNECTION,
            "migrations": {"type": "list", "elements": "dict", "required": True, "options": _MIGRATION},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "schema": {"type": "str"},
            "drift": {"type": "str", "choices": ["refuse", "replace"], "default": "refuse"},
            "missing_tables": {"type": "str", "choices": ["refuse", "skip"], "default": "refuse"},
            "parallel_tables": {"type": "int", "default": 8},
            "parallel_builds": {"type": "int", "default": 2},
            "max_wait": {"type": "int", "default": 900},
            "retries": {"type": "int", "default": 5},
            "yield_to_ddl": {"type": "bool", "default": False},
            "maintenance_work_mem": {"type": "str"},
            "free_space": {"type": "str"},
            "history_schema": {"type": "str", "default": "index_migrations"},
            "progress_log": {"type": "path"},
        },
        supports_check_mode=True,
        check_boto3=False,  # asked for only where AWS brings the credentials
    )
    params = module.params
    with refusing(module):
        wish = migrations(params["migrations"], params["schema"], params["state"])
        if planned(module):
            module.exit_json(changed=False, steps=[], timings=[], server_version="", **not_yet(wish))
        limits = Limits(
            tables=_at_least_one(params, "parallel_tables"),
            builds=_at_least_one(params, "parallel_builds"),
            patience=params["max_wait"],
            retries=params["retries"],
            yield_to_ddl=params["yield_to_ddl"],
        )
        memory = params["maintenance_work_mem"]
        migrate(
            module,
            connections(module, "postgres_index_migration"),
            wish,
            Settings(params["drift"], params["history_schema"], params["missing_tables"]),
            limits,
            session={"maintenance_work_mem": memory} if memory else {},
            free=_bytes(params["free_space"]),
            progress_log=params["progress_log"],
        )


def _at_least_one(params: dict, name: str) -> int:
    if params[name] < 1:
        raise PlanRefused([f"Read {name} {params[name]}; nothing could be built. Give 1 or more."])
    return int(params[name])


def _bytes(given: str | None) -> int | None:
    if given is None:
        return None
    try:
        return int(human_to_bytes(given))
    except ValueError:
        raise PlanRefused([f"Read free_space {given!r}; it is no size. Write it as 20GB or 500MB."]) from None


if __name__ == "__main__":
    main()
