# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Server parameters: what is set, what is wanted, and the ALTER SYSTEM statements between them. Pure but for `read`.

A value has a canonical form (``15min`` and ``900s`` are one value), in which it is compared.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .driver import Connection, psycopg
from .errors import message

# postgresql.org/docs/current/config-setting.html: units of memory are powers of 1024.
_MEMORY = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_TIME = {"us": 1, "ms": 1000, "s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6}
_TRUE, _FALSE = ("on", "true", "yes", "1"), ("off", "false", "no", "0")
# Lists whose elements PostgreSQL quotes one by one.
_LISTS = ("shared_preload_libraries", "session_preload_libraries", "local_preload_libraries", "temp_tablespaces")
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z]*)")
_STATIC = ("postmaster",)
_FIXED = ("internal",)

_SETTINGS = """
SELECT name, setting, coalesce(unit, '') AS unit, vartype, context, min_val, max_val, enumvals, pending_restart
  FROM pg_settings
"""
# Superusers see what the files hold, also what waits for a restart.
_FILES = """
SELECT DISTINCT ON (name) name, setting FROM pg_file_settings WHERE name IS NOT NULL ORDER BY name, seqno DESC
"""


@dataclass(frozen=True)
class Parameter:
    """One parameter of the server. setting: in ``unit``. configured: what the files hold, else setting."""

    name: str
    setting: str
    unit: str
    vartype: str
    context: str
    low: str | None = None
    high: str | None = None
    choices: tuple[str, ...] = ()
    pending_restart: bool = False
    configured: str = ""

    @property
    def static(self) -> bool:
        """True when it takes effect only after a restart."""
        return self.context in _STATIC


Parameters = Mapping[str, Parameter]


@dataclass(frozen=True)
class SetParameter:
    """ALTER SYSTEM SET of one parameter; the reload comes once, after all."""

    parameter: Parameter
    value: str

    @property
    def id(self) -> str:
        return f"parameter/{self.parameter.name}:set"

    @property
    def sentence(self) -> str:
        when = "at the next restart" if self.parameter.static else "on reload"
        was = f" (now {self.parameter.configured})" if self.parameter.configured else ""
        return f"Set {self.parameter.name} to {self.value}{was}, effective {when}"

    def after(self, observed: Parameters) -> Parameters:
        was = self.parameter
        setting = was.setting if was.static else self.value
        pending = was.static and not same(replace(was, configured=was.setting), self.value)
        made = replace(was, setting=setting, configured=self.value, pending_restart=pending)
        return {**observed, made.name: made}

    @property
    def statement(self) -> str:
        values = elements(self.value) if self.parameter.name in _LISTS else [self.value]
        literals = ", ".join("'" + value.replace("'", "''") + "'" for value in values) or "''"
        return f"ALTER SYSTEM SET {self.parameter.name} = {literals}"


def read(connection: Connection, superuser: bool) -> dict[str, Parameter]:
    """All parameters of the server by name."""
    files = dict(connection.execute(_FILES).fetchall()) if superuser else {}
    return {
        row.name: Parameter(
            row.name,
            row.setting,
            row.unit,
            row.vartype,
            row.context,
            row.min_val,
            row.max_val,
            tuple(row.enumvals or ()),
            row.pending_restart,
            files.get(row.name, row.setting),
        )
        for row in connection.execute(_SETTINGS)
    }


def unloadable(connection: Connection, libraries: Sequence[str]) -> dict[str, str]:
    """Libraries that the server cannot load, with its words. One of them in shared_preload_libraries and
    the server does not start again."""
    wrong = {}
    for library in libraries:
        try:
            connection.execute("LOAD '" + library.replace("'", "''") + "'")
        except psycopg.Error as error:
            wrong[library] = message(error)
    return wrong


def text(value: Any) -> str:
    """A value of the inventory as PostgreSQL writes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def elements(value: str) -> list[str]:
    return [part.strip().strip('"') for part in value.split(",") if part.strip()]


def same(parameter: Parameter, wanted: str) -> bool:
    """True when what is configured means what is wanted."""
    return canonical(parameter, parameter.configured) == canonical(parameter, wanted)


def canonical(parameter: Parameter, value: str) -> Any:
    """A form in which equal values are equal. Raises ValueError for one that is no value of this type."""
    match parameter.vartype:
        case "bool":
            if value.lower() in _TRUE + _FALSE:
                return value.lower() in _TRUE
            raise ValueError("it is neither on nor off")
        case "integer" | "real":
            return _number(value, parameter.unit)
        case "enum":
            # Several enums know hidden spellings of on and off.
            lower = value.lower()
            return "on" if lower in _TRUE else "off" if lower in _FALSE else lower
        case _:
            return elements(value) if parameter.name in _LISTS else value


def _number(value: str, base: str) -> float:
    """In the units of the scale that ``base`` belongs to (bytes, microseconds), or as it stands."""
    match = _NUMBER.fullmatch(value.strip())
    if not match:
        raise ValueError("it is no number")
    number, unit = float(match[1]), match[2]
    scale = _MEMORY if base.lstrip("0123456789") in _MEMORY else _TIME if base in _TIME else {}
    if unit and unit not in scale:
        known = f"use one of {', '.join(scale)}" if scale else "it takes none"
        raise ValueError(f"it has no unit {unit}; {known}")
    if number == -1 and not unit:
        return -1  # "off" or "the default", whatever the unit
    multiple, name = _split(base)
    return number * (scale[unit] if unit else multiple * scale.get(name, 1))


def _split(base: str) -> tuple[int, str]:
    """``8kB`` is 8 and kB."""
    name = base.lstrip("0123456789")
    return int(base[: len(base) - len(name)] or 1), name


def plan(observed: Parameters, wanted: Mapping[str, str]) -> tuple[tuple[SetParameter, ...], list[str]]:
    """The steps, and a sentence for each wish that cannot be fulfilled."""
    steps, problems = [], []
    for name, value in wanted.items():
        parameter = observed.get(name)
        if parameter is None and "." in name:
            continue  # of an extension that is not loaded yet; the server knows it after the restart
        if problem := _problem(name, value, parameter, observed):
            problems.append(problem)
        elif parameter and not same(parameter, value):
            steps.append(SetParameter(parameter, value))
    return tuple(steps), problems


def _problem(name: str, value: str, parameter: Parameter | None, observed: Parameters) -> str:
    if parameter is None:
        near = difflib.get_close_matches(name, observed, n=1)
        return f"Read parameter {name}; the server has none of that name. " + (
            f"Did you mean {near[0]}?" if near else "Mend the name."
        )
    if parameter.context in _FIXED:
        return f"Read parameter {name}; it was fixed when the server was built or its cluster made. Leave it out."
    try:
        number = canonical(parameter, value)
        low, high = (canonical(parameter, limit) if limit else None for limit in (parameter.low, parameter.high))
    except ValueError as error:
        return f"Read parameter {name} with the value {value!r}; {error}. Mend the value."
    if parameter.vartype in ("integer", "real") and (
        (low is not None and number < low) or (high is not None and number > high)
    ):
        unit = f" {parameter.unit}" if parameter.unit else ""
        return (
            f"Read parameter {name} with the value {value!r}; it must lie between {parameter.low} and "
            f"{parameter.high}{unit}. Mend the value."
        )
    known = parameter.choices and parameter.vartype == "enum"
    if known and number not in {canonical(parameter, choice) for choice in parameter.choices}:
        return f"Read parameter {name} with the value {value!r}; it takes {', '.join(parameter.choices)}. Choose one."
    return ""
