"""The index playbooks as a person runs them, against Aurora: plan, build, again, roll back."""

from __future__ import annotations

import pytest

from tests.support.ansible import run_playbook
from tests.support.aurora import Aurora, make
from tests.support.cloud import ROOT, Cloud

SETS = {"db_tuning_index_sets": ["application"]}


@pytest.fixture(scope="module")
def aurora(whole_cloud: Cloud) -> Aurora:
    """With the application's schema in it."""
    one = make(whole_cloud)
    with one.connect() as connection:
        connection.execute((ROOT / "molecule" / "db_tuning" / "schema.sql").read_text(encoding="utf-8"))
    return one


@pytest.mark.long
def test_plan_build_again_and_roll_back_against_aurora(aurora: Aurora) -> None:
    before = aurora.indexes()
    planned = run_playbook(aurora.cloud, "playbooks/index_migrations.yml", "--check", variables=SETS)
    assert planned.returncode == 0, planned.errors
    assert "index/public.idx_submissions_workflow:create" in planned.steps
    assert aurora.indexes() == before

    built = run_playbook(aurora.cloud, "playbooks/index_migrations.yml", variables=SETS)
    assert built.returncode == 0, built.errors
    assert built.steps == planned.steps
    made = aurora.indexes() - before
    assert {"idx_submissions_workflow", "idx_active_entitlements", "idx_published_books_category"} <= made

    again = run_playbook(aurora.cloud, "playbooks/index_migrations.yml", variables=SETS)
    assert (again.returncode, again.changed) == (0, 0)

    rolled = run_playbook(aurora.cloud, "playbooks/index_rollback.yml", variables=SETS)
    assert rolled.returncode == 0, rolled.errors
    assert aurora.indexes() == before
    assert run_playbook(aurora.cloud, "playbooks/index_rollback.yml", variables=SETS).changed == 0


@pytest.mark.long
def test_five_hundred_clients_are_served_by_the_platform_of_phases_one_and_two(whole_cloud: Cloud) -> None:
    """What the role proves with db_tuning_check_connections, in the play that makes the database."""
    whole_cloud.reset()
    for playbook in ("playbooks/phase1.yml", "playbooks/phase2.yml"):
        made = run_playbook(whole_cloud, playbook, variables={"db_tuning_check_connections": 500, **SETS})
        assert made.returncode == 0, made.errors
    told = next(result for name, result in made.tasks if name.endswith("Prove that enough connections fit"))
    assert told["opened"] == told["answered"] == 500
    assert told["proxy"]["enough"] is True
