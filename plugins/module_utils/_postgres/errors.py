# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL's errors as sentences: tried what, on which name, found what, do what next."""

from __future__ import annotations

import re
from typing import Any

# By SQLSTATE; the first two characters name the class and serve where the full code has no entry.
_NEXT = {
    "23505": "Remove the duplicates listed, then run the play again.",
    "25006": "Connect to the writer.",
    "28P01": "Check the user name and the password.",
    "40P01": "Run the play again when the other session is done.",
    "42501": "Connect as the owner, or give this role the right that is missing.",
    "42601": "Mend the syntax; it is passed to PostgreSQL as it stands.",
    "42703": "Mend the column's name; names are case-sensitive and written without quotes.",
    "42704": "Mend the name, or install the extension that brings it.",
    "42883": "Mend the function or the cast, or install the extension that brings it.",
    "42P01": "Mend the table's name; names are case-sensitive and written without quotes.",
    "42P17": "An index may only hold immutable expressions; wrap it in an IMMUTABLE function or change it.",
    "53": "Give the server the room that it lacks, then run the play again.",
    "54000": "This access method cannot hold values of this size; choose another one, or index an expression.",
    "57P01": "Run the play again when the server is up.",
    "57P02": "Run the play again when the server is up.",
    "57P03": "Run the play again when the server is up.",
}
_DEFAULT_NEXT = "Mend the cause and run the play again; it continues where it stopped."

# libpq reports a failed connection without an SQLSTATE; its words are all there is.
_CONNECTING = (
    ("authentication failed", "Check the user name and the password, the secret or the IAM policy."),
    ("no password supplied", "Give a password, a secret_arn or iam."),
    ("certificate verify failed", "Give sslrootcert the certificate of the authority that signed the server's."),
    ("root certificate", "Give sslrootcert the certificate of the authority that signed the server's."),
    ("does not match host name", "Connect by the name that the server's certificate bears."),
    ("does not support SSL", "Turn TLS on in the server, or choose sslmode knowingly for a loopback address."),
    ("no pg_hba.conf entry", "Admit this role and address in the server's pg_hba.conf or security group."),
    ("does not exist", "Mend the database or the role."),
    ("too many clients", "Raise max_connections, or wait for connections to end."),
    ("remaining connection slots", "Raise max_connections, or wait for connections to end."),
    ("starting up", "Run the play again when the server is up."),
    ("could not translate host name", "Mend the host's name."),
    ("failed to resolve host", "Mend the host's name."),
    ("refused", "Check host and port, and that the server is up."),
    ("timeout", "Check host, port, route and security group."),
)


def sqlstate(error: BaseException) -> str:
    """The five characters of PostgreSQL's error code; empty when the connection broke without one."""
    return str(getattr(error, "sqlstate", None) or "")


def message(error: BaseException) -> str:
    """The first line of what PostgreSQL said, with its detail; no position marks, no hints."""
    diagnostic: Any = getattr(error, "diag", None)
    primary = getattr(diagnostic, "message_primary", None) if diagnostic else None
    if primary:
        detail = getattr(diagnostic, "message_detail", None)
        return " ".join((f"{primary}: {detail}" if detail else str(primary)).split()).rstrip(".")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def next_step(state: str) -> str:
    """What a person does about this SQLSTATE."""
    return _NEXT.get(state) or _NEXT.get(state[:2]) or _DEFAULT_NEXT


def sentence(attempt: str, error: BaseException) -> str:
    """``attempt`` is what was tried and on which name, such as ``build index public.idx_books``."""
    state = sqlstate(error)
    answered = f"PostgreSQL answered {state}" if state else "the connection broke"
    return f"Tried to {attempt}; {answered}: {message(error)}. {next_step(state)}"


def connecting_sentence(where: str, error: BaseException) -> str:
    """A failed connection; libpq's text never holds the password."""
    said = re.sub(r"\s+", " ", str(error)).strip().rstrip(".")
    said = re.sub(r'^connection failed: |^connection to server at "[^"]*"(, port \d+)? failed: ', "", said)
    remedy = next((next_ for words, next_ in _CONNECTING if words in said), "Check host, port, database and user.")
    return f"Tried to connect to {where}; found: {said}. {remedy}"
