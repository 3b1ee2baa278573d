# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the password of a connection comes from: given, from Secrets Manager, or an IAM token.

Each source answers `password` once per connection, and `renew` when the server did not let us in.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from .._aws.api import Aws
from .._engine.steps import StepFailed


class Credentials(Protocol):
    """Who connects, and with which password."""

    def username(self) -> str:
        """The role's name."""

    def password(self) -> str | None:
        """The password for the connection about to be made."""

    def renew(self) -> bool:
        """Called after a refusal; True when another try may succeed with what is known now."""


class GivenPassword:
    """A user name and a password of the inventory; None leaves it to pgpass, peer or trust."""

    def __init__(self, username: str, password: str | None) -> None:
        self._username, self._password = username, password

    def username(self) -> str:
        return self._username

    def password(self) -> str | None:
        return self._password

    def renew(self) -> bool:
        return False


class SecretPassword:
    """A secret of Secrets Manager with the keys ``username`` and ``password``, as RDS manages them.

    Read when first needed, and again after a refusal: RDS rotates it while a run may be under way.
    """

    def __init__(self, aws: Callable[[], Aws], arn: str, username: str | None) -> None:
        self._aws, self._arn, self._name = aws, arn, username
        self._read: dict[str, str] = {}

    def username(self) -> str:
        return self._name or self._secret()["username"]

    def password(self) -> str | None:
        return self._secret()["password"]

    def renew(self) -> bool:
        before, self._read = self._read, {}
        return self._secret() != before

    def _secret(self) -> dict[str, str]:
        if not self._read:
            attempt = f"read the database secret {self._arn}"
            answer = self._aws().call(attempt, "secretsmanager", "get_secret_value", SecretId=self._arn)
            self._read = _parsed(self._arn, answer, needs_name=self._name is None)
        return self._read


def _parsed(arn: str, answer: dict[str, Any], needs_name: bool) -> dict[str, str]:
    needed = ["password", *(["username"] if needs_name else [])]
    try:
        secret = json.loads(answer.get("SecretString") or "")
    except ValueError:
        secret = None
    if not isinstance(secret, dict) or any(not secret.get(key) for key in needed):
        raise StepFailed(
            f"Read the database secret {arn}; it is no JSON object with {' and '.join(needed)}. "
            "Give the ARN of the secret that RDS manages for the cluster."
        ) from None
    return {key: str(secret[key]) for key in needed}


class IamToken:
    """An IAM authentication token, signed locally. It lasts 15 minutes and is minted for every connection."""

    def __init__(self, aws: Callable[[], Aws], host: str, port: int, username: str) -> None:
        self._aws, self._host, self._port, self._username = aws, host, port, username

    def username(self) -> str:
        return self._username

    def password(self) -> str | None:
        aws = self._aws()
        return str(
            aws.call(
                f"sign an IAM token for {self._username} at {self._host}",
                "rds",
                "generate_db_auth_token",
                DBHostname=self._host,
                Port=self._port,
                DBUsername=self._username,
                Region=aws.region,
            )
        )

    def renew(self) -> bool:
        return False
