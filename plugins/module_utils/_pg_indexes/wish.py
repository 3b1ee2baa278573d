# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads the module's ``migrations`` into the model; what is wrong with the text itself is told all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._engine.steps import PlanRefused
from .ddl import LONGEST_NAME
from .model import Migration, Wanted, WantedKey

_KEY_FIELDS = {
    "name": "column",
    "expression": "expression",
    "collation": "collation",
    "opclass": "opclass",
    "order": "order",
    "nulls": "nulls",
}
_CHOICES = {"order": ("asc", "desc"), "nulls": ("first", "last")}


def migrations(given: Sequence[Mapping[str, Any]], schema: str | None, state: str) -> tuple[Migration, ...]:
    """The migrations of the module's parameters.

    schema: for indexes that name none. state: ``absent`` rolls all of them back.
    Raises PlanRefused with a sentence for everything that is wrong without asking a server.
    """
    problems: list[str] = []
    read = []
    for one in given:
        wanted = [_wanted(one["name"], index, schema or "", problems) for index in one["indexes"] or ()]
        read.append(Migration(one["name"], tuple(wanted), state == "present" and one["state"] == "present"))
    problems += _twice(read)
    if problems:
        raise PlanRefused(problems)
    return tuple(read)


def _wanted(migration: str, given: Mapping[str, Any], schema: str, problems: list[str]) -> Wanted:
    where = f"index {given['name']} of migration {migration}"
    present = given["state"] == "present"
    keys = tuple(_key(where, key, problems) for key in given["columns"] or ())
    if present and not keys:
        problems.append(f"Read {where}; it has no columns. Name at least one column or expression.")
    problems += [
        f"Read {where}; {what} {name!r} has {len(name.encode())} bytes and PostgreSQL would cut it to {LONGEST_NAME}. "
        "Shorten it."
        for what, name in (("the name", given["name"]), ("the table", given["table"]))
        if len(name.encode()) > LONGEST_NAME
    ]
    problems += [
        f"Read {where}; {what} is empty. Give it."
        for what, name in (("the name", given["name"]), ("the table", given["table"]))
        if not name
    ]
    return Wanted(
        migration=migration,
        name=given["name"],
        table=given["table"],
        schema=given["schema"] or schema,
        present=present,
        keys=keys,
        include=tuple(given["include"] or ()),
        method=given["method"],
        unique=given["unique"],
        nulls_not_distinct=given["nulls_not_distinct"],
        where=(given["where"] or "").strip(),
        storage=tuple(sorted((key, _plain(value)) for key, value in (given["storage_parameters"] or {}).items())),
        tablespace=given["tablespace"] or "",
        keep_redundant=given["keep_redundant"],
    )


def _key(where: str, given: Any, problems: list[str]) -> WantedKey:
    if isinstance(given, str):
        return WantedKey(column=given)
    if not isinstance(given, Mapping):
        problems.append(f"Read {where}; the column {given!r} is neither a name nor a mapping. Write one of these.")
        return WantedKey(column="?")
    problems += [
        f"Read {where}; a column has no field {name!r}. It takes {', '.join(_KEY_FIELDS)}."
        for name in given
        if name not in _KEY_FIELDS
    ]
    if bool(given.get("name")) == bool(given.get("expression")):
        problems.append(f"Read {where}; the column {dict(given)} needs either a name or an expression. Give one.")
    for name, choices in _CHOICES.items():
        if given.get(name) and given[name] not in choices:
            problems.append(f"Read {where}; {name} {given[name]!r} is none of {', '.join(choices)}. Choose one.")
    return WantedKey(**{field: str(given.get(name) or "") for name, field in _KEY_FIELDS.items()})


def _plain(value: Any) -> str:
    """A storage parameter as PostgreSQL stores it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _twice(read: Sequence[Migration]) -> Iterator[str]:
    """A name of a migration, or of an index in a schema, must stand once."""
    seen: set[str] = set()
    owners: dict[tuple[str, str], str] = {}
    for migration in read:
        if migration.name in seen:
            yield f"Read migration {migration.name} twice. Give each a name of its own."
        seen.add(migration.name)
        for index in migration.indexes:
            key = (index.schema, index.name)
            if key in owners:
                also = f"migration {owners[key]}" if owners[key] != migration.name else "the same migration"
                yield (
                    f"Read index {index.name} in migration {migration.name}; {also} has one of that name. "
                    "Give each index a name of its own."
                )
            owners.setdefault(key, migration.name)
