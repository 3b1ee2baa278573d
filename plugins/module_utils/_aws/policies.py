# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Policies in one canonical form, so that two that mean the same are equal and a difference can be read.

AWS keeps a policy as it was written, or rewrites it: a single value for a list of one, an account's root ARN
for its number, another order. The form here is the shortest: single values bare, lists sorted, statements in
the order of their Sid. Semantics: IAM user guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_ROOT = re.compile(r"arn:[a-z-]+:iam::(\d{12}):root")
_LISTS = ("Action", "NotAction", "Resource", "NotResource")
# What AWS assumes when a policy names no version.
_VERSION = "2008-10-17"


def canonical(policy: Mapping[str, Any] | str | None) -> dict[str, Any] | None:
    """The canonical form of a policy document, given as JSON text or as a dict; None for none.

    Raises ValueError when a text is not JSON or holds no statements.
    """
    if not policy:
        return None
    document = json.loads(policy) if isinstance(policy, str) else policy
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise ValueError("a policy is an object with Version and Statement")
    statements = document["Statement"]
    listed = [statements] if isinstance(statements, Mapping) else statements
    told: dict[str, Any] = {"Version": document.get("Version", _VERSION)}
    if document.get("Id"):
        told["Id"] = document["Id"]
    told["Statement"] = sorted((_statement(one) for one in listed), key=_place)
    return told


def text(policy: Mapping[str, Any]) -> str:
    """The JSON that an API call takes."""
    return json.dumps(policy, sort_keys=True)


def _place(statement: Mapping[str, Any]) -> tuple[str, str]:
    return (statement.get("Sid", ""), json.dumps(statement, sort_keys=True))


def _statement(given: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, value in given.items():
        if key in _LISTS:
            told[key] = _values(value)
        elif key in ("Principal", "NotPrincipal"):
            told[key] = _principal(value)
        elif key == "Condition":
            told[key] = {
                operator: {name: _values(wanted) for name, wanted in tests.items()} for operator, tests in value.items()
            }
        elif key != "Sid" or value:
            told[key] = value
    return told


def _principal(given: Any) -> Any:
    if isinstance(given, str):
        return "*" if given == "*" else {"AWS": _account(given)}
    told = {}
    for sort, value in given.items():
        values = [value] if isinstance(value, str) else value
        told[sort] = _values([_account(one) for one in values] if sort == "AWS" else values)
    return "*" if told == {"AWS": "*"} else told


def _account(principal: str) -> str:
    root = _ROOT.fullmatch(principal)
    return root[1] if root else principal


def _values(given: Any) -> Any:
    values = given if isinstance(given, list | tuple) else [given]
    told = sorted({_word(value) for value in values})
    return told[0] if len(told) == 1 else told


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
