"""The plan for an application's database user."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._postgres_user.model import Observed, Wanted, plan

WANTED = Wanted(
    role="stories_app",
    database="stories_db",
    schema="public",
    privileges={"database": ("CONNECT",), "schema": ("USAGE",), "tables": ("SELECT",), "sequences": ("USAGE",)},
    connection_limit=-1,
)
DONE = Observed(exists=True, login=True, password=True, connection_limit=-1, granted=frozenset(WANTED.grants))


def test_nothing_is_left_to_do_when_all_is_as_wanted() -> None:
    assert plan(DONE, WANTED) == ()


def test_the_steps_of_a_plan_lead_to_what_is_wanted() -> None:
    steps = plan(Observed(), WANTED)
    assert steps[0].id == "postgres_user/stories_app:create"
    assert len(steps) == 1 + 7
    assert reduce(lambda state, step: step.after(state), steps, Observed()) == DONE


@pytest.mark.parametrize(
    ("observed", "sentence"),
    [
        (replace(DONE, password=False), "Change password of database user stories_app"),
        (replace(DONE, login=False), "Change login of database user stories_app"),
        (replace(DONE, powers=frozenset({"CREATEDB"})), "Change powers of database user stories_app"),
        (replace(DONE, connection_limit=3), "Change connection_limit of database user stories_app"),
        (
            replace(DONE, granted=DONE.granted - {("tables", "SELECT")}),
            "Grant SELECT on tables of stories_db to stories_app",
        ),
        (
            replace(DONE, granted=DONE.granted - {("maintenance", "MEMBER")}),
            "Let the connecting role act as stories_app",
        ),
    ],
)
def test_each_difference_has_a_step_that_mends_it(observed: Observed, sentence: str) -> None:
    steps = plan(observed, WANTED)
    assert [step.sentence for step in steps] == [sentence]
    assert steps[0].after(observed) == DONE


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"role": "rds_app"}, "reserve such names"),
        ({"connection_limit": -2}, "-1 means none"),
        ({"privileges": {"tables": ("ALL",)}}, "PostgreSQL knows DELETE"),
    ],
)
def test_a_wrong_user_is_refused_with_what_to_do(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(PlanRefused, match=sentence):
        plan(Observed(), replace(WANTED, **wrong))  # type: ignore[arg-type]  # the table's values have several types
