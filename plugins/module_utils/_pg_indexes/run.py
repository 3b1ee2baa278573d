# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts the parts together: the fence, one look, the plan, the lanes, and a look again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from .._engine.runner import Module, converge
from .._engine.steps import PlanRefused, StepFailed
from .._postgres.connection import Connections, Session
from .._postgres.driver import psycopg
from .._postgres.errors import sentence
from .apply import carry_out
from .fence import Fence
from .history import History
from .lane import Timing
from .model import Migration, Observed
from .observe import observe
from .plan import Plan, plan
from .report import Log, details, render, timings
from .steps import IndexStep, Settings
from .watch import Limits

_LOOKS = 3  # attempts to read the catalogue of a server that is restarting


def migrate(
    module: Module,
    connections: Connections,
    wish: Sequence[Migration],
    settings: Settings,
    limits: Limits,
    *,
    session: Mapping[str, str],
    free: int | None,
    progress_log: str | None,
) -> Any:
    """Bring the database to the wish and end the module. See postgres_index_migration for the result."""
    log = Log(progress_log)
    history = History(settings.history_schema)
    fence = Fence(connections, limits.patience, log.line)
    plans: list[Plan] = []
    done: list[Timing] = []

    def look() -> Observed:
        # The fence comes first: what another runner is about to change must not be planned upon.
        # A check changes nothing and needs none.
        if not module.check_mode:
            fence.ensure()
        return _look(connections, wish, history, free)

    def steps(observed: Observed) -> tuple[IndexStep, ...]:
        made = plan(observed, wish, settings)
        plans.append(made)
        if made.problems:
            raise PlanRefused(made.problems, details(made))
        return made.steps

    def apply(planned: Sequence[IndexStep], observed: Observed) -> None:
        done_now, warnings = carry_out(planned, connections, fence, history, limits, dict(session), log.line)
        done.extend(done_now)
        for warning in warnings:
            module.warn(warning)

    def outputs(observed: Observed) -> dict[str, Any]:
        for one in plans[0].advice:
            if one.kind == "array":
                module.warn(one.sentence)
        return {**details(plans[0]), "timings": timings(done), "server_version": observed.server.version_text}

    return converge(module, observe=look, plan=steps, apply=apply, render=render, outputs=outputs)


def _look(connections: Connections, wish: Sequence[Migration], history: History, free: int | None) -> Observed:
    for attempt in range(1, _LOOKS + 1):
        try:
            with Session(connections, "plan") as connection:
                connection.execute("SET statement_timeout = 0; SET lock_timeout = 0")
                return observe(connection, connections.target, wish, history, free)
        except psycopg.Error as error:
            # A table may be dropped, or the server restart, between two queries of one look.
            if attempt == _LOOKS:
                where = connections.target.text
                raise StepFailed(sentence(f"read the catalogue of {where}", error)) from error
            time.sleep(1)
    raise AssertionError("the loop returns or raises")
