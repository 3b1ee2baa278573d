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
    (?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})
    | (?P<moment>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?)
    | (?P<job>\bj\d+\.\d+)
    | (?P<endpoint>127\.0\.0\.1:\d+)
    | (?P<address>\b\d{1,3}(\.\d{1,3}){3}\b(?![./]))
    | (?P<id>\b[a-z]{2,12}-[0-9a-f]{8,17}\b)
    | (?P<long>\b[0-9a-f]{16,64}\b)
    | (?P<secret>(?<=-)[A-Za-z0-9]{6}(?="))
    | (?P<upper>\b(?=[A-Z0-9]*\d)[A-Z0-9]{12,32}\b)
    | (?P<folder>(?<=ansible-local-)[0-9a-z_]+|(?<=progress-log-)\w+|(?<=/pytest-)\d+/[a-z0-9_-]+)
    """,
    re.VERBOSE,
)
# Where a process says of itself what it is: Ansible's zip there, the module's own file here.
_OF_THE_PROCESS = re.compile(r"/[^\s\"]*/(ansible_collections/[^\s\"]*)")


def normal(tasks: Sequence[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """The same tasks with numbered ids, so that two runs on two empty accounts are equal."""
    numbers: dict[str, str] = {}
    return [(name, json.loads(_numbered(json.dumps(result), numbers))) for name, result in tasks]


def _numbered(text: str, numbers: dict[str, str]) -> str:
    def number(found: re.Match[str]) -> str:
        return numbers.setdefault(found.group(), f"<{found.lastgroup} {len(numbers)}>")

    return _GIVEN_OUT.sub(number, _OF_THE_PROCESS.sub(r"\1", text))


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
