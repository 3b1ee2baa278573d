"""Results of two runs, made comparable: what AWS and the clock give out anew each time gets a number in order.

An id keeps its identity: the third subnet of one run must be the third subnet of the other wherever it occurs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_GIVEN_OUT = re.compile(
    r"""
    (?P<pem>-----BEGIN[ ]PUBLIC[ ]KEY-----[^-]+-----END[ ]PUBLIC[ ]KEY-----)
    | (?P<secret>(?<=:secret:)[\w/+=.@!-]+-[A-Za-z0-9]{6}\b)
    | (?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})
    | (?P<moment>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?)
    | (?P<job>\bj\d+\.\d+)
    | (?P<endpoint>127\.0\.0\.1:\d+)
    | (?P<address>\b\d{1,3}(\.\d{1,3}){3}\b(?![./]))
    | (?P<id>\b[a-z]{2,12}-[0-9a-f]{8,17}\b(?!-[0-9a-f]{4}-))
    | (?P<long>\b[0-9a-f]{16,64}\b)
    | (?P<suffix>(?<=config-rule-)[a-z0-9]{6}\b|(?<=-)(?=[A-Za-z]*\d)[A-Za-z0-9]{6}\b)
    | (?P<upper>\b(?=[A-Z0-9]*\d)[A-Z0-9]{12,32}\b)
    | (?P<folder>(?<=ansible-local-)[0-9a-z_]+|(?<=progress-log-)\w+|(?<=/pytest-)\d+/[a-z0-9_-]+)
    """,
    re.VERBOSE,
)
# Where a process says of itself what it is: Ansible's zip there, the module's own file here.
_OF_THE_PROCESS = re.compile(r"/[^\s\"]*/(ansible_collections/[^\s\"]*)")


def normal(tasks: Sequence[tuple[str, dict[str, Any]]]) -> list[tuple[str, Any]]:
    """The same tasks with numbered ids, so that two runs on two empty accounts are equal."""
    numbers: dict[str, str] = {}
    results = [json.loads(_OF_THE_PROCESS.sub(r"\1", json.dumps(result))) for _name, result in tasks]
    # Resources first, by their names, then whatever else: keys and lists are ordered by ids, which are random.
    for result in results:
        _number(result, numbers, everything=False)
    for result in results:
        _number(result, numbers, everything=True)
    return [(name, _replaced(result, numbers)) for (name, _result), result in zip(tasks, results, strict=True)]


def _number(value: Any, numbers: dict[str, str], everything: bool, named: bool = False) -> None:
    if isinstance(value, dict):
        for key in sorted(value, key=lambda key: _GIVEN_OUT.sub(lambda found: numbers.get(found.group(), ""), key)):
            _number(value[key], numbers, everything, named=key == "id" or key.endswith(("_id", "arn")))
            if everything:
                _number(key, numbers, everything)
    elif isinstance(value, list):
        for part in value:
            _number(part, numbers, everything)
    elif isinstance(value, str) and (everything or named):
        for found in _GIVEN_OUT.finditer(value):
            numbers.setdefault(found.group(), _token(str(found.lastgroup), numbers))


def _token(kind: str, numbers: dict[str, str]) -> str:
    """The next of its kind. Moments are not told apart: whether two are the same one is chance."""
    if kind == "moment":
        return "<moment>"
    return f"<{kind} {sum(token.startswith(f'<{kind} ') for token in numbers.values())}>"


def _replaced(value: Any, numbers: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {_replaced(key, numbers): _replaced(part, numbers) for key, part in value.items()}
    if isinstance(value, list):
        parts = [_replaced(part, numbers) for part in value]
        # Ids in the order of their random digits.
        return sorted(parts) if all(isinstance(part, str) and "<" in part for part in parts) else parts
    if isinstance(value, str):
        text = _GIVEN_OUT.sub(lambda found: numbers[found.group()], value)
        return "\n".join(sorted(text.split("\n"))) if text != value and "\n" in text else text
    return value


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Each field that is not the same, by its path."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in sorted({*one, *other})
            for line in differences(one.get(key, "absent"), other.get(key, "absent"), f"{where}.{key}")
        ]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        return [
            line
            for index, (a, b) in enumerate(zip(one, other, strict=True))
            for line in differences(a, b, f"{where}[{index}]")
        ]
    return [] if one == other else [f"{where}: {one!r:.300} is not {other!r:.300}"]
