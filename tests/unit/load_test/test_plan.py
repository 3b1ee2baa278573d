"""The load test as data: users, stages and limits from the one table; and what k6's figures become."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
import yaml
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._kpis.table import checked
from ansible_collections.stories1001.platform.plugins.module_utils._load_test import fargate, local
from ansible_collections.stories1001.platform.plugins.module_utils._load_test.plan import (
    Shape,
    plan,
    readable_paths,
    signed,
)
from ansible_collections.stories1001.platform.plugins.module_utils._load_test.results import passed, result

from tests.support.cloud import ROOT, free_port

KPIS = checked(yaml.safe_load((ROOT / "inventories/profiles/kpis.yml").read_text())["platform_kpis"])
BODY = (ROOT / "roles/load_test/files/users.js").read_text()
URL = "https://stories.example"


def step(name: str, kind: str = "page", path: str = "/") -> dict[str, Any]:
    return {"name": name, "kind": kind, "method": "GET", "paths": [path], "body": None, "status": [200]}


SCENARIOS = [
    {"name": "readers", "share": 70, "steps": [step("home"), step("pdf", "file", "/a.pdf")]},
    {"name": "programs", "share": 30, "steps": [step("books", "api", "/api/books")]},
]


def test_the_number_of_users_is_the_promised_one_shared_among_the_scenarios() -> None:
    made = plan(Shape(users=1000), SCENARIOS, URL, KPIS)
    peaks = {
        name: max(stage["target"] for stage in one["stages"])
        for name, one in made.document["options"]["scenarios"].items()
    }
    assert peaks == {"readers": 700, "programs": 300}
    assert made.peak == 1000


def test_a_small_machine_makes_a_share_of_them_and_every_scenario_keeps_a_user() -> None:
    made = plan(Shape(users=1000, scale_percent=0.2), SCENARIOS, URL, KPIS)
    stages = [one["stages"] for one in made.document["options"]["scenarios"].values()]
    assert all(max(stage["target"] for stage in some) >= 1 for some in stages)
    assert made.peak == 2


def test_the_load_rises_in_the_steps_and_ends_at_nothing() -> None:
    made = plan(Shape(users=100, steps=(10, 50, 100), ramp=2, hold=5), SCENARIOS, URL, KPIS)
    targets = [stage["target"] for stage in made.document["options"]["scenarios"]["readers"]["stages"]]
    assert targets == [7, 7, 35, 35, 70, 70, 0]
    assert made.seconds == 3 * 7 + 2


def test_the_limits_are_those_of_the_table() -> None:
    limits = plan(Shape(users=10), SCENARIOS, URL, {**KPIS, "api_p95_ms": 321.0}).document["options"]["thresholds"]
    assert limits["http_req_duration{kind:page}"] == ["p(95)<2000"]
    assert limits["http_req_duration{kind:api}"] == ["p(95)<321"]
    assert limits["errors"] == ["rate<0.001"]
    assert "http_req_duration{kind:file}" not in limits


def test_the_scenarios_of_the_role_cover_every_kind_of_user_of_the_design() -> None:
    given = yaml.safe_load((ROOT / "roles/load_test/defaults/main.yml").read_text())["load_test_scenarios"]
    assert {one["name"] for one in given} == {"home", "library", "reading", "submission", "api"}
    assert sum(one["share"] for one in given) == 100


@pytest.mark.parametrize(
    ("shape", "scenarios", "url", "sentence"),
    [
        (Shape(users=0), SCENARIOS, URL, "users is 1 or more"),
        (Shape(users=1, scale_percent=0), SCENARIOS, URL, "scale_percent"),
        (Shape(users=1, steps=(50, 10)), SCENARIOS, URL, "rise and end at 100"),
        (Shape(users=1, hold=0), SCENARIOS, URL, "hold_seconds"),
        (Shape(users=1, think=(4, 1)), SCENARIOS, URL, "least and the greatest pause"),
        (Shape(users=1), [], URL, "no scenarios"),
        (Shape(users=1), SCENARIOS[:1], URL, "sum to 70"),
        (Shape(users=1), [{"name": "x", "share": 100, "steps": []}], URL, "without steps"),
        (Shape(users=1), [{"name": "x", "share": 100, "steps": [step("a", path="b")]}], URL, "begins with a slash"),
        (Shape(users=1), SCENARIOS, "stories.example", "https://example.org"),
    ],
)
def test_a_test_that_makes_no_sense_is_one_sentence(
    shape: Shape, scenarios: list[dict[str, Any]], url: str, sentence: str
) -> None:
    with pytest.raises(PlanRefused) as refused:
        plan(shape, scenarios, url, KPIS)
    (told,) = refused.value.problems
    assert sentence in told


def metrics(requests: int = 200, p95: float = 120.0) -> dict[str, Any]:
    trend = {"avg": 60.0, "med": 50.0, "p(95)": p95, "p(99)": 200.0, "max": 300.0, "count": requests}
    nothing = dict.fromkeys(trend, 0)
    held = {"thresholds": {"p(95)<2000": {"ok": True}}}
    return {
        "http_reqs": {"type": "counter", "values": {"count": requests, "rate": 1}},
        "vus_max": {"type": "gauge", "values": {"value": 20, "min": 1, "max": 20}},
        "errors": {
            "type": "rate",
            "values": {"rate": 0.005, "passes": 1, "fails": 199},
            "thresholds": {"rate<0.001": {"ok": False}},
        },
        "http_req_duration{kind:page}": {"type": "trend", "values": trend, **held},
        "http_req_duration{kind:api}": {"type": "trend", "values": nothing, **held},
        "http_req_duration{step:readers.home}": {"type": "trend", "values": trend, "thresholds": {}},
        "errors{step:readers.home}": {"type": "rate", "values": {"rate": 0.005, "passes": 1, "fails": 199}},
        "http_req_waiting": {"type": "trend", "values": trend},
    }


def test_a_figure_without_a_sample_is_no_figure_although_k6_says_its_limit_held() -> None:
    told = result(metrics(), seconds=10)
    assert told["p95_ms"] == {"page": 120.0}
    held = {one["metric"]: one["met"] for one in told["thresholds"]}
    assert held == {"errors": False, "http_req_duration{kind:page}": True, "http_req_duration{kind:api}": False}
    assert not passed(told)


def test_the_figures_of_each_step_are_kept() -> None:
    (one,) = result(metrics(), seconds=10)["by_step"]
    assert one == {
        "scenario": "readers",
        "step": "home",
        "requests": 200,
        "average_ms": 60.0,
        "p95_ms": 120.0,
        "slowest_ms": 300.0,
        "error_percent": 0.5,
    }


def test_k6_that_is_missing_is_one_sentence() -> None:
    with pytest.raises(PlanRefused, match="load_test_runner: fargate"):
        local.find_k6("k6-of-another-world")


def test_a_site_that_cannot_be_reached_is_one_sentence() -> None:
    with pytest.raises(PlanRefused, match=r"got no answer: .*refused") as refused:
        local.reach(f"http://127.0.0.1:{free_port()}/", {}, "", insecure=False)
    assert len(refused.value.problems) == 1


def test_the_script_for_fargate_fits_into_a_task_and_comes_out_as_it_went_in() -> None:
    defaults = yaml.safe_load((ROOT / "roles/load_test/defaults/main.yml").read_text())
    many = [
        {**one, "steps": [step(f"{one['name']}{at}", "page", f"/{at}") for at in range(4)]}
        for one in defaults["load_test_scenarios"]
    ]
    address = "https://bucket.s3.amazonaws.com/load-test/x.json?X-Amz-Security-Token=" + "a1B2" * 350
    script = plan(Shape(users=1000), many, URL, KPIS, summary_url=address).script(BODY)
    overrides = fargate._overrides("k6", script)
    assert len(json.dumps(overrides)) <= 8192
    variables = overrides["containerOverrides"][0]["environment"]
    assert gzip.decompress(base64.b64decode(variables[0]["value"])).decode() == script


def test_only_what_is_behind_signatures_is_signed_and_what_changes_nothing_is_looked_at_first() -> None:
    steps = [
        {"name": "pdf", "kind": "file", "method": "GET", "paths": ["/content/1.pdf", "/books/1"], "status": [200]},
        {"name": "hand-in", "kind": "api", "method": "POST", "paths": ["/api/submissions"], "status": [201]},
    ]
    scenarios = [{"name": "reading", "share": 100, "steps": steps}]
    told = signed(scenarios, ["/content/"], lambda path: f"{path}?Signature=x")
    assert told[0]["steps"][0]["paths"] == ["/content/1.pdf?Signature=x", "/books/1"]
    assert told[0]["steps"][1] == steps[1]
    assert readable_paths(told) == {"/content/1.pdf?Signature=x": [200], "/books/1": [200]}
