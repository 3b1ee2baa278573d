# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts the parts together: look at both databases, plan, carry out, look again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from .._engine.runner import Module, converge
from .._engine.steps import PlanRefused, StepFailed
from .._pg_indexes.report import Log
from .._postgres.connection import Connections, Session
from .._postgres.driver import psycopg
from .._postgres.errors import sentence
from .._postgres.server import problems
from .apply import Limits, Work
from .dump import Programs
from .model import SOURCE, TARGET, Pair, Side, Wish
from .observe import Names, observe
from .plan import plan
from .steps import MigrationStep


def migrate(
    module: Module,
    sides: Mapping[str, Connections],
    names: Names,
    wish: Wish,
    limits: Limits,
    *,
    routes: Mapping[str, Mapping[str, Any]],
    programs: Programs,
    dump_folder: str | None,
    progress_log: str | None,
) -> Any:
    """Bring the pair to the wish and end the module. See postgres_data_migration for the result."""
    log = Log(progress_log)
    work = Work(sides, names, routes, programs, limits, dump_folder, log.line)

    def look() -> Pair:
        return Pair(_look(sides[SOURCE], SOURCE, names), _look(sides[TARGET], TARGET, names))

    def outputs(observed: Pair) -> dict[str, Any]:
        done = work.done
        gap = time.monotonic() - done.stopped_at if done.stopped_at is not None else None
        return {
            "phase": phase(observed),
            "tables": len(observed.source.tables),
            "source_bytes": observed.source.size,
            "copied_in": _rounded(done.copied_in),
            "write_gap": _rounded(gap),
            "compared": [
                {"table": str(one.table), "rows": one.rows[0], "checksum": one.checksums[0]} for one in done.compared
            ],
        }

    def render(observed: Pair, steps: Sequence[MigrationStep]) -> dict[str, Any]:
        return {SOURCE: _shown(observed.source), TARGET: _shown(observed.target), "phase": phase(observed)}

    return converge(
        module,
        observe=look,
        plan=lambda observed: plan(observed, wish),
        apply=work.carry_out,
        render=render,
        outputs=outputs,
    )


def phase(observed: Pair) -> str:
    """Where the migration stands, in one word."""
    source, target = observed.source, observed.target
    if source.subscription is not None or (observed.cut_over and (target.dumped or source.published is not None)):
        return "cut_over"
    if target.subscription is not None:
        return "copying" if not target.subscription.ready else "replicated"
    if source.read_only:
        return "source_closed"
    return "none"


def _look(side: Connections, which: str, names: Names) -> Side:
    try:
        with Session(side, "plan") as connection:
            connection.execute("SET statement_timeout = 0; SET lock_timeout = '10s'")
            seen = observe(connection, which, names)
    except psycopg.Error as error:
        raise StepFailed(sentence(f"look at the {which} {side.target.text}", error)) from None
    # Our own default is no reason to refuse the server: a database that we closed is still the writer.
    if wrong := [one for one in problems(seen.server, side.target, "a data migration") if not _ours(one, seen)]:
        raise PlanRefused(wrong)
    return seen


def _ours(problem: str, seen: Side) -> bool:
    return seen.read_only and "default_transaction_read_only" in problem


def _shown(side: Side) -> dict[str, Any]:
    follows = side.subscription
    return {
        "database": side.database,
        "tables": len(side.tables),
        "writes": "stopped" if side.read_only else "allowed",
        "publishes": sorted(map(str, side.published)) if side.published is not None else [],
        "follows": {str(name): state for name, state in sorted(follows.states.items())} if follows else {},
        "slot": side.slot,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
