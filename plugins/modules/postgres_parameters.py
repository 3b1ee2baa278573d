#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_parameters
short_description: Set server parameters of PostgreSQL, and say which wait for a restart
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - On a self-managed server, sets parameters with C(ALTER SYSTEM) and reloads the configuration.
  - On Amazon RDS and Aurora parameters belong to a parameter group; there, O(method=report) compares what the
    server runs with and what is wanted.
  - Never restarts a server. What takes effect at the next restart is returned as RV(pending_restart).
  - Values are compared by their meaning. Unknown names, wrong units, values out of range and preload libraries
    that the server cannot load are refused before anything is written.
options:
  parameters:
    description: Names and values; numbers may bear PostgreSQL's units, lists are written as lists.
    type: dict
    required: true
  method:
    description: V(alter_system) sets what differs; V(report) only tells.
    type: str
    choices: [alter_system, report]
    default: alter_system
extends_documentation_fragment:
  - stories1001.platform.attributes
  - stories1001.platform.postgres
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Log slow statements and prepare pg_stat_statements
  stories1001.platform.postgres_parameters:
    connection: {host: /var/run/postgresql, database: postgres, username: postgres}
    parameters:
      log_min_duration_statement: 1s
      shared_preload_libraries: [pg_stat_statements]
  register: parameters

- name: Show what waits for a restart
  ansible.builtin.debug:
    var: parameters.pending_restart
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "parameter/track_io_timing:set", sentence: "Set track_io_timing to on (now off), effective on reload"}]
parameters:
  description: Each wanted parameter as the server has it.
  returned: success
  type: dict
  sample: {track_io_timing: {setting: "on", unit: "", static: false, pending_restart: false, as_wanted: true}}
pending_restart:
  description: Parameters whose new value takes effect at the next restart.
  returned: success
  type: list
  elements: str
  sample: [shared_preload_libraries]
"""

from collections.abc import Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._engine.runner import converge, refusing
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._postgres import parameters as pg
from ..module_utils._postgres.arguments import CONNECTION, connections, planned
from ..module_utils._postgres.connection import Connections, Session
from ..module_utils._postgres.driver import psycopg
from ..module_utils._postgres.errors import sentence
from ..module_utils._postgres.server import examine

_LIBRARIES = "shared_preload_libraries"


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "connection": CONNECTION,
            "parameters": {"type": "dict", "required": True},
            "method": {"type": "str", "choices": ["alter_system", "report"], "default": "alter_system"},
        },
        supports_check_mode=True,
        check_boto3=False,  # asked for only where AWS brings the credentials
    )
    wanted = {name: pg.text(value) for name, value in module.params["parameters"].items()}
    if planned(module):
        module.exit_json(changed=False, steps=[], parameters={}, pending_restart=[])
    with refusing(module):
        run(module, connections(module, "postgres_parameters"), wanted, sets=module.params["method"] == "alter_system")


def run(module: Any, server: Connections, wanted: dict[str, str], *, sets: bool) -> None:
    """sets: False only reports; then nothing is ever to be done."""

    def observe() -> pg.Parameters:
        with Session(server, "plan") as connection:
            about = examine(connection)
            if sets:
                _refuse(server, about.managed, about.superuser, about.role)
                _refuse_libraries(pg.unloadable(connection, pg.elements(wanted.get(_LIBRARIES, ""))))
            return pg.read(connection, about.superuser)

    def plan(observed: pg.Parameters) -> tuple[pg.SetParameter, ...]:
        steps, problems = pg.plan(observed, wanted)
        if problems:
            raise PlanRefused(problems)
        return steps if sets else ()

    def apply(steps: Sequence[pg.SetParameter], observed: pg.Parameters) -> None:
        with Session(server, "apply") as connection:
            for step in steps:
                try:
                    connection.execute(step.statement)
                except psycopg.Error as error:
                    raise PlanRefused([sentence(f"set parameter {step.parameter.name}", error)]) from error
            connection.execute("SELECT pg_reload_conf(), pg_sleep(0.2)")  # the signal is handled in the background

    converge(
        module,
        observe=observe,
        plan=plan,
        apply=apply,
        render=lambda observed, steps: {
            step.parameter.name: observed[step.parameter.name].configured for step in steps
        },
        outputs=lambda observed: _outputs(observed, wanted),
    )


def _refuse(server: Connections, managed: bool, superuser: bool, role: str) -> None:
    where = server.target.text
    if managed:
        raise PlanRefused(
            [
                f"Connected to {where} and found Amazon RDS, where ALTER SYSTEM is closed. Set the parameters in the "
                "cluster's parameter group (role rds_aurora) and use method: report here."
            ]
        )
    if not superuser:
        raise PlanRefused(
            [f"Connected to {where} as {role}, which is no superuser; ALTER SYSTEM needs one. Connect as a superuser."]
        )


def _refuse_libraries(wrong: dict[str, str]) -> None:
    if wrong:
        raise PlanRefused(
            [
                f"Tried to load the library {name} of {_LIBRARIES}; PostgreSQL answered: {said}. The server would not "
                "start again. Install its package on the server, or leave it out."
                for name, said in wrong.items()
            ]
        )


def _render(observed: pg.Parameters, steps: Sequence[pg.SetParameter]) -> dict[str, str]:
    return {step.parameter.name: observed[step.parameter.name].configured for step in steps}


def _outputs(observed: pg.Parameters, wanted: dict[str, str]) -> dict[str, Any]:
    there = {name: observed[name] for name in wanted if name in observed}
    return {
        "parameters": {
            name: {
                "setting": one.setting,
                "unit": one.unit,
                "static": one.static,
                "pending_restart": one.pending_restart,
                "as_wanted": pg.same(one, wanted[name]),
            }
            for name, one in there.items()
        },
        "pending_restart": sorted(name for name, one in there.items() if one.pending_restart),
    }


if __name__ == "__main__":
    main()
