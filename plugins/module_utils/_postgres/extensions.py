# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Extensions of one database: what is installed, what could be, and the steps between. Pure but for `read`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .driver import Connection, first_row
from .parameters import elements

# Their functions answer with an error, or do nothing, unless the server loaded their library at its start.
PRELOADED = ("pg_stat_statements", "pg_cron", "pgaudit", "pglogical", "pg_partman_bgw", "pg_prewarm")

_READ = """
SELECT name, installed_version FROM pg_available_extensions
"""
# Hidden from roles without pg_read_all_settings, as the application's own is.
_SERVER = """
SELECT (SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries'), current_database()
"""


@dataclass(frozen=True)
class Extensions:
    """installed: by name, None where an extension could be installed. preloaded:
    shared_preload_libraries, None where they are hidden from this role.
    """

    installed: Mapping[str, str | None]
    preloaded: tuple[str, ...] | None
    database: str

    def unloaded(self, names: Sequence[str]) -> list[str]:
        """Those that need a library which the server has not loaded."""
        if self.preloaded is None:
            return []
        return [name for name in names if name in PRELOADED and name not in self.preloaded]


@dataclass(frozen=True)
class CreateExtension:
    """CREATE EXTENSION of one, in its default version and schema."""

    name: str
    database: str

    @property
    def id(self) -> str:
        return f"extension/{self.name}:create"

    @property
    def sentence(self) -> str:
        return f"Create extension {self.name} in {self.database}"

    @property
    def statement(self) -> str:
        # IF NOT EXISTS: another session may have made it in the meantime.
        return 'CREATE EXTENSION IF NOT EXISTS "' + self.name.replace('"', '""') + '" CASCADE'

    def after(self, observed: Extensions) -> Extensions:
        return replace(observed, installed={**observed.installed, self.name: "default"})


def read(connection: Connection) -> Extensions:
    installed = {row[0]: row[1] for row in connection.execute(_READ)}
    libraries, database = first_row(connection, _SERVER)
    return Extensions(installed, None if libraries is None else tuple(elements(libraries)), database)


def plan(observed: Extensions, wanted: Sequence[str]) -> tuple[tuple[CreateExtension, ...], list[str]]:
    """The steps, and a sentence for each extension that the server does not offer."""
    problems = []
    for name in wanted:
        if name not in observed.installed:
            near = difflib.get_close_matches(name, observed.installed, n=1)
            problems.append(
                f"Read extension {name}; the server offers none of that name. "
                + (f"Did you mean {near[0]}?" if near else "Install its package on the server, or leave it out.")
            )
    missing = [name for name in wanted if name in observed.installed and not observed.installed[name]]
    return tuple(CreateExtension(name, observed.database) for name in dict.fromkeys(missing)), problems


def unloaded_sentence(observed: Extensions, name: str) -> str:
    return (
        f"Looked for extension {name} in {observed.database}; shared_preload_libraries of the running server lacks its "
        "library, so that its views answer with an error. Put it into shared_preload_libraries (on RDS: of the "
        "cluster's parameter group) and restart the server."
    )
