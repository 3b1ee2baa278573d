# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The database user of an application: what it is and may do, and the steps that lead there; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from .._engine.steps import PlanRefused

# What may be granted on each sort of object (PostgreSQL manual, section 5.7).
ALLOWED: Mapping[str, frozenset[str]] = {
    "database": frozenset({"CONNECT", "TEMPORARY", "CREATE"}),
    "schema": frozenset({"USAGE", "CREATE"}),
    "tables": frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"}),
    "sequences": frozenset({"USAGE", "SELECT", "UPDATE"}),
}
# Later tables and sequences of the connecting role are opened through default privileges.
_LATER = {"tables": "later tables", "sequences": "later sequences"}
# Rights that no application's user has any business with.
POWERS = ("CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS", "SUPERUSER")

# The connecting role may act as the user: what the user's own migrations made can then be tuned and indexed.
MAINTENANCE = ("maintenance", "MEMBER")

Grant: TypeAlias = "tuple[str, str]"  # (sort of object, privilege)


@dataclass(frozen=True)
class Wanted:
    """The user by name, where it works, and the privileges by sort of object."""

    role: str
    database: str
    schema: str
    privileges: Mapping[str, tuple[str, ...]]
    connection_limit: int

    @property
    def grants(self) -> tuple[Grant, ...]:
        now = [(sort, one) for sort, privileges in self.privileges.items() for one in privileges]
        later = [(_LATER[sort], one) for sort, one in now if sort in _LATER]
        return (*now, *later, MAINTENANCE)


@dataclass(frozen=True)
class Observed:
    """What the server shows of the user.

    exists: there is a role of that name. login: it may log in. password: the secret's password lets it in.
    powers: rights that it has and shall not have. granted: of the wanted grants.
    """

    exists: bool = False
    login: bool = False
    password: bool = False
    connection_limit: int = -1
    powers: frozenset[str] = frozenset()
    granted: frozenset[Grant] = frozenset()

    def shown(self) -> dict[str, Any]:
        """For ``--diff``; the password is told as fitting or not."""
        if not self.exists:
            return {}
        return {
            "login": self.login,
            "password": "the secret's" if self.password else "another",
            "connection_limit": self.connection_limit,
            "powers": sorted(self.powers),
            "privileges": sorted(f"{privilege} on {sort}" for sort, privilege in self.granted),
        }


@dataclass(frozen=True)
class CreateUser:
    """Make the role with the secret's password."""

    wanted: Wanted

    @property
    def id(self) -> str:
        return f"postgres_user/{self.wanted.role}:create"

    @property
    def sentence(self) -> str:
        return f"Create database user {self.wanted.role} in {self.wanted.database}"

    def after(self, observed: Observed) -> Observed:
        limit = self.wanted.connection_limit
        return replace(observed, exists=True, login=True, password=True, connection_limit=limit)


@dataclass(frozen=True)
class AlterUser:
    """Give a standing role its password and attributes back."""

    wanted: Wanted
    fields: tuple[str, ...]
    powers: frozenset[str]
    sets_password: bool

    @property
    def id(self) -> str:
        return f"postgres_user/{self.wanted.role}:alter"

    @property
    def sentence(self) -> str:
        return f"Change {', '.join(self.fields)} of database user {self.wanted.role}"

    def after(self, observed: Observed) -> Observed:
        limit = self.wanted.connection_limit
        return replace(observed, login=True, password=True, connection_limit=limit, powers=frozenset())


@dataclass(frozen=True)
class GrantPrivileges:
    """Grant privileges on one sort of object."""

    wanted: Wanted
    sort: str
    privileges: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"postgres_user/{self.wanted.role}:grant on {self.sort}"

    @property
    def sentence(self) -> str:
        if self.sort == MAINTENANCE[0]:
            return f"Let the connecting role act as {self.wanted.role}"
        what = ", ".join(self.privileges)
        return f"Grant {what} on {self.sort} of {self.wanted.database} to {self.wanted.role}"

    def after(self, observed: Observed) -> Observed:
        grants = {(self.sort, privilege) for privilege in self.privileges}
        return replace(observed, granted=observed.granted | grants)


UserStep: TypeAlias = "CreateUser | AlterUser | GrantPrivileges"


def problems(wanted: Wanted) -> list[str]:
    """Everything wrong with a wished user, one sentence each."""
    found = []
    for sort, privileges in wanted.privileges.items():
        for privilege in sorted(set(privileges) - ALLOWED[sort]):
            allowed = ", ".join(sorted(ALLOWED[sort]))
            found.append(
                f"Read the privilege {privilege} on {sort} for {wanted.role}; PostgreSQL knows {allowed}. Choose these."
            )
    if wanted.role.startswith(("pg_", "rds")):
        found.append(f"Read the user {wanted.role}; PostgreSQL and RDS reserve such names. Choose another.")
    if wanted.connection_limit < -1:
        found.append(
            f"Read connection_limit {wanted.connection_limit} for {wanted.role}; -1 means none. Choose -1 or more."
        )
    return found


def plan(observed: Observed, wanted: Wanted) -> tuple[UserStep, ...]:
    """The steps still missing. Raises PlanRefused."""
    if wrong := problems(wanted):
        raise PlanRefused(wrong)
    steps: list[UserStep] = []
    if not observed.exists:
        steps.append(CreateUser(wanted))
    elif fields := _differing(observed, wanted):
        steps.append(AlterUser(wanted, fields, observed.powers, sets_password="password" in fields))
    missing: dict[str, list[str]] = {}
    for sort, privilege in wanted.grants:
        if (sort, privilege) not in observed.granted:
            missing.setdefault(sort, []).append(privilege)
    steps += [GrantPrivileges(wanted, sort, tuple(privileges)) for sort, privileges in missing.items()]
    return tuple(steps)


def _differing(observed: Observed, wanted: Wanted) -> tuple[str, ...]:
    checks: Sequence[tuple[str, bool]] = (
        ("login", observed.login),
        ("password", observed.password),
        ("connection_limit", observed.connection_limit == wanted.connection_limit),
        ("powers", not observed.powers),
    )
    return tuple(name for name, well in checks if not well)
