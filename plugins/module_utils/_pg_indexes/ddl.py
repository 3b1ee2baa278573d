# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SQL for indexes. Names are quoted here; expressions and predicates are SQL of the migration's author."""

from __future__ import annotations

import hashlib

from .model import Name, Wanted, WantedKey

# While a differing index is replaced, its successor and then it itself bear these suffixes.
REPLACEMENT, REPLACED = "replacement", "replaced"
LONGEST_NAME = 63  # bytes; PostgreSQL cuts longer names without an error


def quoted(name: str) -> str:
    """An identifier as SQL, always in quotes."""
    return '"' + name.replace('"', '""') + '"'


def qualified(name: Name) -> str:
    return f"{quoted(name.schema)}.{quoted(name.name)}"


def create_index(wanted: Wanted, table: Name, name: str, *, concurrently: bool = True, only: bool = False) -> str:
    """CREATE INDEX of a wanted index. An index lies in its table's schema, so its name takes none."""
    words = [
        "CREATE",
        *(["UNIQUE"] if wanted.unique else []),
        "INDEX",
        *(["CONCURRENTLY"] if concurrently else []),
        quoted(name),
        "ON",
        *(["ONLY"] if only else []),
        qualified(table),
        _body(wanted, tablespace=True),
    ]
    return " ".join(words)


def create_on_copy(wanted: Wanted, copy: str) -> str:
    """The same index on an empty temporary copy of its table. Temporary tables lie in no given tablespace."""
    return (
        f"CREATE {'UNIQUE ' if wanted.unique else ''}INDEX ON pg_temp.{quoted(copy)} {_body(wanted, tablespace=False)}"
    )


def drop_index(name: Name, *, concurrently: bool = True) -> str:
    return f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}{qualified(name)}"


def rename_index(name: Name, new: str) -> str:
    return f"ALTER INDEX {qualified(name)} RENAME TO {quoted(new)}"


def attach(parent: Name, child: Name) -> str:
    return f"ALTER INDEX {qualified(parent)} ATTACH PARTITION {qualified(child)}"


def fitting(name: str, suffix: str) -> str:
    """``name`` with a suffix, shortened to what PostgreSQL keeps; a digest keeps shortened names apart."""
    whole = f"{name}_{suffix}"
    if len(whole.encode()) <= LONGEST_NAME:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    kept = whole.encode()[: LONGEST_NAME - len(digest) - 1].decode(errors="ignore")
    return f"{kept}_{digest}"


def _body(wanted: Wanted, *, tablespace: bool) -> str:
    words = [f"USING {quoted(wanted.method)} ({', '.join(_key(key) for key in wanted.keys)})"]
    if wanted.include:
        words.append(f"INCLUDE ({', '.join(quoted(column) for column in wanted.include)})")
    if wanted.nulls_not_distinct:
        words.append("NULLS NOT DISTINCT")
    if wanted.storage:
        words.append(f"WITH ({', '.join(f'{quoted(key)} = {_literal(value)}' for key, value in wanted.storage)})")
    if wanted.tablespace and tablespace:
        words.append(f"TABLESPACE {quoted(wanted.tablespace)}")
    if wanted.where:
        words.append(f"WHERE {wanted.where}")
    return " ".join(words)


def _key(key: WantedKey) -> str:
    words = [key_text(key)]
    if key.collation:
        words.append(f"COLLATE {_dotted(key.collation)}")
    if key.opclass:
        words.append(_opclass(key.opclass))
    words += [key.order.upper()] if key.order else []
    words += [f"NULLS {key.nulls.upper()}"] if key.nulls else []
    return " ".join(words)


def key_text(key: WantedKey) -> str:
    """The column or expression alone, as SQL."""
    if key.column:
        return quoted(key.column)
    # The line break ends a comment that the expression may close with.
    return f"({key.expression}\n)" if "--" in key.expression else f"({key.expression})"


def _dotted(name: str) -> str:
    """A name that may bear a schema: ``de_DE`` or ``pg_catalog.C``."""
    schema, dot, last = name.partition(".")
    # Collations such as en_US.utf8 hold a dot of their own.
    return f"{quoted(schema)}.{quoted(last)}" if dot and schema.startswith("pg_") else quoted(name)


def _opclass(opclass: str) -> str:
    """``gin_trgm_ops``, ``public.gin_trgm_ops`` or with parameters: ``gist_trgm_ops(siglen=32)``."""
    name, parenthesis, parameters = opclass.partition("(")
    return ".".join(quoted(part) for part in name.strip().split(".")) + parenthesis + parameters


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
