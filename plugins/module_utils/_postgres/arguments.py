# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ``connection`` option that every PostgreSQL module takes, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.botocore import check_sdk_version_supported
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleBotocoreError

from .._aws.api import Aws
from .._engine.resources import is_planned
from .._engine.steps import PlanRefused, StepFailed
from .connection import Connections, Target
from .credentials import Credentials, GivenPassword, IamToken, SecretPassword
from .driver import MISSING

CONNECTION: dict[str, Any] = {
    "type": "dict",
    "required": True,
    "options": {
        "host": {"type": "str"},
        "port": {"type": "int"},
        "database": {"type": "str", "required": True},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        # An ARN is a name, not a secret; without this Ansible would warn of its spelling.
        "secret_arn": {"type": "str", "no_log": False},
        "iam": {"type": "bool", "default": False},
        "cluster_identifier": {"type": "str"},
        "sslmode": {
            "type": "str",
            "choices": ["disable", "require", "verify-ca", "verify-full"],
            "default": "verify-full",
        },
        "sslrootcert": {"type": "path"},
        "connect_timeout": {"type": "int", "default": 10},
    },
    "required_one_of": [("host", "cluster_identifier")],
}


def planned(module: Any) -> bool:
    """True when the database does not exist yet: in a plan on an empty account its place is a placeholder."""
    given = module.params["connection"]
    return any(is_planned(given[name]) for name in ("host", "secret_arn", "cluster_identifier"))


def connections(module: Any, application_name: str) -> Connections:
    """The connections that ``connection`` describes. AWS is asked only for what it alone knows.

    module: an AnsibleAWSModule made with ``check_boto3=False``.
    Raises PlanRefused for options that contradict each other, StepFailed when AWS refuses.
    """
    return connections_of(module, module.params["connection"], application_name)


def connections_of(module: Any, given: dict[str, Any], application_name: str) -> Connections:
    """As `connections`, for one of several connections that a module takes."""
    if MISSING:
        module.fail_json(msg=missing_required_lib("psycopg[binary]>=3.1"), exception=MISSING)
    aws = _Lazy(module)
    host, port, secret = given["host"], given["port"], given["secret_arn"]
    named = given["cluster_identifier"]
    secret_missing = not (secret or given["password"] or given["iam"])
    if named and (not host or not port or secret_missing):
        cluster = _cluster(aws.aws(), named)
        host, port = host or cluster.endpoint, port or cluster.port
        secret = cluster.secret_arn if secret_missing and not given["username"] else secret
    target = Target(
        host=host,
        port=port or 5432,
        database=given["database"],
        sslmode=given["sslmode"],
        sslrootcert=given["sslrootcert"],
        connect_timeout=given["connect_timeout"],
    )
    return Connections(target, _credentials({**given, "secret_arn": secret}, target, aws), application_name)


def _credentials(given: dict[str, Any], target: Target, aws: _Lazy) -> Credentials:
    if sum(map(bool, (given["password"], given["secret_arn"], given["iam"]))) > 1:
        raise PlanRefused(["Read connection with several of password, secret_arn and iam; choose one of the three."])
    if given["secret_arn"]:
        return SecretPassword(aws.aws, given["secret_arn"], given["username"])
    if not given["username"]:
        raise PlanRefused(["Read connection without username; only a secret brings one. Give connection.username."])
    if given["iam"]:
        return IamToken(aws.aws, target.host, target.port, given["username"])
    return GivenPassword(given["username"], given["password"])


class _Lazy:
    """AWS when it is first needed: a plain server needs neither boto3 nor a region."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._aws: Aws | None = None

    def aws(self) -> Aws:
        if self._aws is None:
            try:
                check_sdk_version_supported(warn=self._module.warn)
            except AnsibleBotocoreError as error:
                raise StepFailed(f"Tried to ask AWS for the database's credentials; {error}.") from error
            self._aws = Aws(self._module)
        return self._aws


@dataclass(frozen=True)
class _Cluster:
    """What AWS says of a database cluster: its writer's endpoint and the secret of its master user."""

    endpoint: str
    port: int
    secret_arn: str | None


def _cluster(aws: Aws, name: str) -> _Cluster:
    attempt = f"describe the database cluster {name}"
    found = aws.call(attempt, "rds", "describe_db_clusters", DBClusterIdentifier=name)["DBClusters"][0]
    secret = (found.get("MasterUserSecret") or {}).get("SecretArn")
    return _Cluster(str(found["Endpoint"]), int(found["Port"]), secret)
