"""The table of promises: complete, numbers, free of contradictions."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._kpis.table import KPIS, checked
from ansible_collections.stories1001.platform.plugins.module_utils._platform.rules import broken

from tests.support.cloud import ROOT

GOOD: dict[str, Any] = yaml.safe_load((ROOT / "inventories/profiles/kpis.yml").read_text())["platform_kpis"]


def test_the_table_of_the_inventories_names_every_promise() -> None:
    assert set(checked(GOOD)) == set(KPIS)


def test_every_inventory_shares_the_one_table() -> None:
    links = [
        ROOT / "inventories" / name / "group_vars/all/05-kpis.yml"
        for name in ("local", "staging", "production", "recovery")
    ]
    assert {link.resolve() for link in links} == {ROOT / "inventories/profiles/kpis.yml"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rto_minutes": None}, "found no rto_minutes"),
        ({"page_p95": 2000}, "Did you mean page_p95_ms?"),
        ({"page_p95_ms": "fast"}, "'fast'"),
        ({"page_p95_ms": True}, "above 0"),
        ({"concurrent_users": 0}, "above 0"),
        ({"page_p95_ms": float("inf")}, "Read page_p95_ms inf"),
        ({"uptime_percent": "nan"}, "Read uptime_percent 'nan'"),
        ({"uptime_percent": 101}, "at most 100"),
        ({"error_percent": 0.5}, "more requests might fail than the uptime allows"),
        ({"api_p95_ms": 3000}, "a page waits for the API"),
        ({"query_average_ms": 600}, "an answer waits for its statements"),
        ({"mttr_minutes": 90}, "longer than the worst"),
    ],
)
def test_a_table_that_cannot_be_kept_is_one_sentence_that_says_what_to_do(
    change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(PlanRefused) as refused:
        checked({**GOOD, **change})
    (told,) = refused.value.problems
    assert sentence in told


def test_everything_missing_is_named_at_once() -> None:
    with pytest.raises(PlanRefused) as refused:
        checked({})
    (told,) = refused.value.problems
    assert all(name in told for name in KPIS)


def test_phase_8_tells_a_broken_table_with_the_description() -> None:
    description = {"platform_name": "stories", "platform_environment": "production"}
    assert broken({**description, "platform_kpis": GOOD}, ["kpi"]) == []
    (told,) = broken({**description, "platform_kpis": {**GOOD, "rto_minutes": 0}}, ["load_test", "kpi"])
    assert "rto_minutes" in told
    assert broken({**description, "platform_kpis": {}}, ["networking_without_rules"]) == []


def test_the_latency_around_the_world_is_measured_unless_someone_turns_it_off() -> None:
    role = ROOT / "roles/monitoring"
    (check,) = yaml.safe_load((role / "vars/main/account.yml").read_text())["_monitoring_health_checks"]
    assert check["measure_latency"] == "{{ monitoring_site_latency }}"
    assert yaml.safe_load((role / "defaults/main.yml").read_text())["monitoring_site_latency"] is True
