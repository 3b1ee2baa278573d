#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_app_user
short_description: Give an application a database user of its own, with the password of a secret
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes a PostgreSQL role whose name and password stand in a secret of Secrets Manager, and grants it what an
    application needs on one schema and no more. Tables that the connecting role makes later are opened, too.
  - Whether the password still fits is found out by logging in with it, so that a rotated secret is followed.
  - No password is shown, and none stands in the server's log, since it is sent as a SCRAM verifier.
options:
  user_secret_arn:
    description: ARN of the secret with the keys C(username) and C(password) of the user.
    type: str
    required: true
  username:
    description: Name of the user. Needed to plan while the secret does not exist; the secret must agree.
    type: str
    required: true
  schema:
    description: The schema in which the application works.
    type: str
    default: public
  database_privileges:
    description: Privileges on the database.
    type: list
    elements: str
    default: [CONNECT]
  schema_privileges:
    description: Privileges on the schema. V(CREATE) is for an application that migrates its own tables.
    type: list
    elements: str
    default: [USAGE]
  table_privileges:
    description: Privileges on all tables, present and later.
    type: list
    elements: str
    default: [SELECT, INSERT, UPDATE, DELETE]
  sequence_privileges:
    description: Privileges on all sequences, present and later.
    type: list
    elements: str
    default: [USAGE, SELECT]
  connection_limit:
    description: How many connections the user may hold; -1 for no limit.
    type: int
    default: -1
extends_documentation_fragment:
  - stories1001.platform.attributes
  - stories1001.platform.postgres
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Give the application its database user
  stories1001.platform.postgres_app_user:
    connection:
      cluster_identifier: stories-production
      database: stories_db
      sslrootcert: /etc/ssl/rds-global-bundle.pem
    username: stories_app
    user_secret_arn: arn:aws:secretsmanager:us-east-1:123456789012:secret:stories-production-app-user-AbCdEf
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "postgres_user/stories_app:create", sentence: Create database user stories_app in stories_db}]
"""

from collections.abc import Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.resources import is_planned
from ..module_utils._engine.runner import converge, refusing
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._postgres.arguments import CONNECTION, connections
from ..module_utils._postgres.connection import Connections
from ..module_utils._postgres.credentials import SecretPassword
from ..module_utils._postgres_user.model import Observed, UserStep, Wanted, plan
from ..module_utils._postgres_user.server import carry_out, observe, session


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "connection": CONNECTION,
            "user_secret_arn": {"type": "str", "required": True, "no_log": False},
            "username": {"type": "str", "required": True},
            "schema": {"type": "str", "default": "public"},
            "database_privileges": {"type": "list", "elements": "str", "default": ["CONNECT"]},
            "schema_privileges": {"type": "list", "elements": "str", "default": ["USAGE"]},
            "table_privileges": {
                "type": "list",
                "elements": "str",
                "default": ["SELECT", "INSERT", "UPDATE", "DELETE"],
            },
            "sequence_privileges": {"type": "list", "elements": "str", "default": ["USAGE", "SELECT"]},
            "connection_limit": {"type": "int", "default": -1},
        },
        supports_check_mode=True,
    )
    params = module.params
    wanted = Wanted(
        role=params["username"],
        database=params["connection"]["database"],
        schema=params["schema"],
        privileges={
            sort: tuple(params[key])
            for sort, key in (
                ("database", "database_privileges"),
                ("schema", "schema_privileges"),
                ("tables", "table_privileges"),
                ("sequences", "sequence_privileges"),
            )
        },
        connection_limit=params["connection_limit"],
    )
    with refusing(module):
        _converge(module, wanted)


def _converge(module: Any, wanted: Wanted) -> None:
    secret = module.params["user_secret_arn"]
    where = module.params["connection"]
    places = (secret, where["host"], where["secret_arn"], where["cluster_identifier"])
    # Nothing of it exists yet, so there is nobody to ask: a plan on an empty account.
    nothing = any(is_planned(place) for place in places)
    server = None if nothing else connections(module, "postgres_app_user")
    aws = Aws(module)
    user = SecretPassword(lambda: aws, secret, None)

    def look() -> Observed:
        if server is None:
            return Observed()
        _check_name(user, wanted, secret)
        with session(server) as connection:
            return observe(connection, wanted, server.target, user)

    def apply(steps: Sequence[UserStep], observed: Observed) -> None:
        with session(_there(server)) as connection:
            for step in steps:
                carry_out(connection, step, user.password())

    converge(
        module,
        observe=look,
        plan=lambda observed: plan(observed, wanted),
        apply=apply,
        render=lambda observed, steps: {wanted.role: observed.shown()} if observed.exists else {},
        outputs=lambda observed: {},
    )


def _check_name(user: SecretPassword, wanted: Wanted, secret: str) -> None:
    if user.username() != wanted.role:
        raise PlanRefused(
            [
                f"Read the user {user.username()} in secret {secret} and {wanted.role} in username; they must agree. "
                "Mend the one that is wrong."
            ]
        )


def _there(server: Connections | None) -> Connections:
    if server is None:
        raise PlanRefused(["Tried to make a database user where no database exists yet. Make the database first."])
    return server


if __name__ == "__main__":
    main()
