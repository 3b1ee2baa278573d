#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_extensions
short_description: Create extensions in a PostgreSQL database
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Creates the extensions that are missing, in their default versions; none is removed or updated.
  - An extension whose library the server must load at its start, such as C(pg_stat_statements), is created all the
    same; when the running server has not loaded it, a warning says what to do and RV(unloaded) names it.
options:
  extensions:
    description: Names of the extensions.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - stories1001.platform.attributes
  - stories1001.platform.postgres
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Count statements, and search texts by their parts
  stories1001.platform.postgres_extensions:
    connection: {cluster_identifier: stories-production, database: stories_db}
    extensions: [pg_stat_statements, pg_trgm]
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: dict
  sample: [{id: "extension/pg_trgm:create", sentence: Create extension pg_trgm in stories_db}]
unloaded:
  description: Wanted extensions whose library the running server has not loaded.
  returned: success
  type: list
  elements: str
  sample: [pg_stat_statements]
"""

from collections.abc import Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._engine.runner import converge, refusing
from ..module_utils._engine.steps import PlanRefused, StepFailed
from ..module_utils._postgres import extensions as pg
from ..module_utils._postgres.arguments import CONNECTION, connections, planned
from ..module_utils._postgres.connection import Connections, Session
from ..module_utils._postgres.driver import psycopg
from ..module_utils._postgres.errors import sentence


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "connection": CONNECTION,
            "extensions": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
        check_boto3=False,  # asked for only where AWS brings the credentials
    )
    if planned(module):
        module.exit_json(changed=False, steps=[], unloaded=[])
    with refusing(module):
        _run(module, connections(module, "postgres_extensions"), module.params["extensions"])


def _run(module: Any, server: Connections, wanted: Sequence[str]) -> None:
    def observe() -> pg.Extensions:
        with Session(server, "plan") as connection:
            return pg.read(connection)

    def plan(observed: pg.Extensions) -> tuple[pg.CreateExtension, ...]:
        steps, problems = pg.plan(observed, wanted)
        if problems:
            raise PlanRefused(problems)
        return steps

    def apply(steps: Sequence[pg.CreateExtension], observed: pg.Extensions) -> None:
        with Session(server, "apply") as connection:
            for step in steps:
                try:
                    connection.execute(step.statement)
                except psycopg.Error as error:
                    attempt = f"create extension {step.name} in {step.database}"
                    raise StepFailed(sentence(attempt, error)) from error

    def outputs(observed: pg.Extensions) -> dict[str, Any]:
        unloaded = observed.unloaded(wanted)
        for name in unloaded:
            module.warn(pg.unloaded_sentence(observed, name))
        return {"unloaded": unloaded}

    converge(
        module,
        observe=observe,
        plan=plan,
        apply=apply,
        render=lambda observed, steps: {step.name: observed.installed.get(step.name) or "absent" for step in steps},
        outputs=outputs,
    )


if __name__ == "__main__":
    main()
