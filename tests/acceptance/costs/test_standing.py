"""The priced plan of a platform that stands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.ansible import run_playbook
from tests.support.cloud import Cloud

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


def plan(cloud: Cloud) -> dict[str, Any]:
    done = run_playbook(cloud, "playbooks/plan.yml")
    assert done.returncode == 0, done.errors or done.output[-3000:]
    return next(result for name, result in done.tasks if name == "Run the roadmap in check mode")


def test_after_the_roadmap_the_plan_creates_nothing_and_costs_the_same(whole_cloud: Cloud) -> None:
    before = plan(whole_cloud)
    made = run_playbook(whole_cloud, "playbooks/site.yml")
    assert made.returncode == 0, made.errors or made.output[-3000:]
    after = plan(whole_cloud)
    assert {name: count for name, count in after["counts"].items() if name != "keep"} == {
        "create": 0,
        "change": 0,
        "destroy": 0,
    }
    assert after["monthly_usd"] == before["monthly_usd"]
    assert after["unpriced"] == []
