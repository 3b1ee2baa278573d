# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the server shows of a user, and the statements that carry steps out; the password stays inside.

A new password is sent as a SCRAM verifier, so that it stands in no log of the server.
"""

from __future__ import annotations

from typing import Any

from .._engine.steps import StepFailed
from .._postgres.connection import Connections, Target
from .._postgres.credentials import Credentials
from .._postgres.driver import Connection, psycopg
from .._postgres.errors import sentence
from .model import POWERS, AlterUser, CreateUser, Grant, GrantPrivileges, Observed, UserStep, Wanted

_ROLE = """
SELECT rolcanlogin, rolconnlimit, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolsuper
  FROM pg_roles WHERE rolname = %(role)s
"""
# Objects of others, such as the views of an extension, are not ours to open; the user's own are open to it.
_OBJECTS = """
SELECT count(*) = 0 OR bool_and(has_{sort}_privilege(%(role)s, c.oid, %(privilege)s))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND c.relkind = ANY(%(kinds)s)
   AND pg_has_role(current_user, c.relowner, 'USAGE') AND c.relowner <> %(role)s::regrole
"""
_DEFAULT = """
SELECT EXISTS (
  SELECT FROM pg_default_acl d JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
   WHERE n.nspname = %(schema)s AND d.defaclrole = current_user::regrole AND d.defaclobjtype = %(kind)s
     AND a.grantee = %(role)s::regrole AND a.privilege_type = %(privilege)s)
"""
_KINDS = {"tables": ["r", "v", "m", "p", "f"], "sequences": ["S"]}


def observe(connection: Connection, wanted: Wanted, target: Target, credentials: Credentials) -> Observed:
    """The user as the server shows it. credentials: the user's own, out of its secret."""
    row = connection.execute(_ROLE, {"role": wanted.role}).fetchone()
    if row is None:
        return Observed()
    login, limit, *powers = row
    names = ("CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS", "SUPERUSER")
    return Observed(
        exists=True,
        login=login,
        password=login and _lets_in(target, credentials),
        connection_limit=limit,
        powers=frozenset(name for name, has in zip(names, powers, strict=True) if has),
        granted=frozenset(grant for grant in wanted.grants if _granted(connection, wanted, grant)),
    )


def _lets_in(target: Target, credentials: Credentials) -> bool:
    """Whether the server takes the secret's password. Raises StepFailed when it cannot be asked."""
    try:
        psycopg.connect(
            host=target.host,
            port=target.port,
            dbname=target.database,
            user=credentials.username(),
            password=credentials.password(),
            sslmode=target.sslmode,
            sslrootcert=target.sslrootcert or None,
            connect_timeout=target.connect_timeout,
        ).close()
    except psycopg.OperationalError as error:
        refused = ("authentication failed", "too many connections for role", "permission denied for database")
        if any(words in str(error) for words in refused):
            return "authentication failed" not in str(error)
        # `from None`: the chained traceback would show the connection's arguments.
        raise StepFailed(sentence(f"log in to {target.text} as {credentials.username()}", error)) from None
    return True


def _granted(connection: Connection, wanted: Wanted, grant: Grant) -> bool:
    sort, privilege = grant
    about: dict[str, Any] = {"role": wanted.role, "privilege": privilege, "schema": wanted.schema}
    match sort:
        case "database":
            query = "SELECT has_database_privilege(%(role)s, current_database(), %(privilege)s)"
        case "schema":
            query = "SELECT has_schema_privilege(%(role)s, %(schema)s, %(privilege)s)"
        case "maintenance":
            query = "SELECT pg_has_role(current_user, %(role)s, 'USAGE')"
        case "tables" | "sequences":
            query = _OBJECTS.format(sort=sort.removesuffix("s"))
            about["kinds"] = _KINDS[sort]
        case _:
            query = _DEFAULT
            about["kind"] = "r" if sort == "later tables" else "S"
    row = connection.execute(query, about).fetchone()
    return bool(row and row[0])


def carry_out(connection: Connection, step: UserStep, password: str | None) -> None:
    """Execute one step. password: the secret's. Raises StepFailed with PostgreSQL's words."""
    try:
        for statement in _statements(connection, step, password):
            connection.execute(statement)
    except psycopg.Error as error:
        # `from None`: the chained traceback would show the statement.
        raise StepFailed(sentence(step.sentence[0].lower() + step.sentence[1:], error)) from None


def _statements(connection: Connection, step: UserStep, password: str | None) -> list[Any]:
    sql = psycopg.sql
    role = sql.Identifier(step.wanted.role)
    match step:
        case CreateUser():
            options = _options(connection, step.wanted, password, frozenset(POWERS[:2]), sets_password=True)
            return [sql.SQL("CREATE ROLE {} {}").format(role, options)]
        case AlterUser():
            options = _options(connection, step.wanted, password, step.powers, sets_password=step.sets_password)
            return [sql.SQL("ALTER ROLE {} {}").format(role, options)]
        case GrantPrivileges():
            return [_grant(step, role)]


def _options(
    connection: Connection, wanted: Wanted, password: str | None, powers: frozenset[str], *, sets_password: bool
) -> Any:
    sql = psycopg.sql
    options: list[Any] = [sql.SQL("LOGIN CONNECTION LIMIT {}").format(sql.Literal(wanted.connection_limit))]
    options += [sql.SQL(f"NO{power}") for power in POWERS if power in powers]
    if sets_password:
        verifier = connection.pgconn.encrypt_password((password or "").encode(), wanted.role.encode(), b"scram-sha-256")
        options.append(sql.SQL("PASSWORD {}").format(sql.Literal(verifier.decode())))
    return sql.SQL(" ").join(options)


def _grant(step: GrantPrivileges, role: Any) -> Any:
    sql = psycopg.sql
    privileges = sql.SQL(", ").join(sql.SQL(privilege) for privilege in step.privileges)  # of ALLOWED, checked
    schema = sql.Identifier(step.wanted.schema)
    match step.sort:
        case "maintenance":
            text = "GRANT {role} TO CURRENT_USER"
        case "database":
            text = "GRANT {privileges} ON DATABASE {database} TO {role}"
        case "schema":
            text = "GRANT {privileges} ON SCHEMA {schema} TO {role}"
        case "tables":
            text = "GRANT {privileges} ON ALL TABLES IN SCHEMA {schema} TO {role}"
        case "sequences":
            text = "GRANT {privileges} ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
        case "later tables":
            text = "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {privileges} ON TABLES TO {role}"
        case _:
            text = "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {privileges} ON SEQUENCES TO {role}"
    database = sql.Identifier(step.wanted.database)
    return sql.SQL(text).format(privileges=privileges, schema=schema, database=database, role=role)


def session(connections: Connections) -> Connection:
    """An autocommit connection as the one who grants."""
    return connections.open("app user")
