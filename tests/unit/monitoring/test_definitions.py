"""The definitions of the role monitoring as data: what is filled in, and that each alarm says what to do."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.stories1001.platform.plugins.filter.aurora_max_connections import aurora_max_connections
from ansible_collections.stories1001.platform.plugins.filter.for_each import for_each
from ansible_collections.stories1001.platform.plugins.module_utils._platform.rules import monitoring

from tests.support.cloud import ROOT

ROLE = ROOT / "roles" / "monitoring" / "vars" / "main"
SLOTS = {"slots": [{"slot": "blue"}, {"slot": "green"}], "none": [], "words": ["a", "b"]}


def read(name: str) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((ROLE / f"{name}.yml").read_text(encoding="utf-8"))
    return told


ALARMS = [
    *read("alarms")["_monitoring_alarms"],
    *read("burn_rate")["_monitoring_burn_alarms"],
    *read("burn_rate")["_monitoring_composite_alarms"],
    *read("edge")["_monitoring_edge_alarms"],
]


def test_a_definition_becomes_one_for_each_part() -> None:
    made = for_each([{"for_each": "slots", "name": "{prefix}-{slot}-{number}"}], SLOTS, {"prefix": "p"})
    assert made == [{"name": "p-blue-1"}, {"name": "p-green-2"}]
    assert for_each([{"for_each": "none", "name": "x"}, {"name": "once"}], SLOTS) == [{"name": "once"}]
    assert for_each([{"for_each": "words", "name": "{each}"}], SLOTS) == [{"name": "a"}, {"name": "b"}]


def test_a_text_that_is_nothing_but_a_word_takes_over_its_value() -> None:
    made = for_each([{"limit": "{cpu}", "told": "above {cpu} %", "list": ["{cpu}"]}], {}, {"cpu": 85})
    assert made == [{"limit": 85, "told": "above 85 %", "list": [85]}]


def test_a_word_that_nobody_knows_is_left_alone() -> None:
    assert for_each([{"pattern": "{ $.ms > {slow_ms} } {other}"}], {}, {"slow_ms": 2000}) == [
        {"pattern": "{ $.ms > 2000 } {other}"}
    ]


def test_every_definition_is_given_what_all_of_them_are() -> None:
    made = for_each(
        [{"name": "{slot}", "for_each": "slots"}, {"name": "once"}], SLOTS, {"on": True}, {"enabled": "{on}"}
    )
    assert [one["enabled"] for one in made] == [True, True, True]


class Taken(dict[str, Any]):
    """Ansible's variables work a value out when it is taken."""

    def __getitem__(self, name: str) -> Any:
        assert name == "named"
        return super().__getitem__(name)


def test_a_value_that_no_definition_names_is_not_worked_out() -> None:
    assert for_each([{"name": "{named}"}], {}, Taken(named=2, other=3)) == [{"name": 2}]


WORD = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@pytest.mark.parametrize(
    ("name", "definitions"),
    [
        ("alarms", "_monitoring_alarms"),
        ("burn_rate", "_monitoring_burn_alarms"),
        ("burn_rate", "_monitoring_composite_alarms"),
        ("edge", "_monitoring_edge_alarms"),
        ("dashboards", "_monitoring_dashboards"),
        ("logs", "_monitoring_metric_filters"),
        ("logs", "_monitoring_queries"),
        ("traces", "_monitoring_sampling_rules"),
        ("traces", "_monitoring_trace_groups"),
    ],
)
def test_a_definition_names_no_word_that_nobody_has_given_a_value(name: str, definitions: str) -> None:
    parts = read("parts")
    of_parts = {"slot", "service", "target_group", "each", "number", "window", "seconds", "rate", "least"}
    of_parts |= {"source", "destination"}
    told = read(name)[definitions]
    assert {word for word in WORD.findall(str(told)) if word not in of_parts} <= set(parts["_monitoring_words"])
    assert {one["for_each"] for one in told if "for_each" in one} <= set(parts["_monitoring_parts"])


def test_parts_that_nobody_described_are_an_error_that_names_those_that_are() -> None:
    with pytest.raises(AnsibleFilterError, match="there are the parts none, slots, words"):
        for_each([{"for_each": "slot"}], SLOTS)


@pytest.mark.parametrize(
    ("instance_class", "acu", "connections"),
    [("db.t4g.medium", 0, 405), ("db.r6g.large", 0, 1622), ("db.r6g.16xlarge", 0, 5000), ("db.serverless", 4, 811)],
)
def test_the_limit_of_connections_follows_from_the_memory(instance_class: str, acu: float, connections: int) -> None:
    assert aurora_max_connections(instance_class, acu) == connections


@pytest.mark.parametrize("instance_class", ["db.q1.large", "r6g.large", "db.r6g.huge", "db.serverless"])
def test_a_class_whose_memory_is_not_known_says_what_to_set(instance_class: str) -> None:
    with pytest.raises(AnsibleFilterError, match=r"Set monitoring_database_max_connections|Give rds_aurora"):
        aurora_max_connections(instance_class)


@pytest.mark.parametrize(
    ("limit", "promise", "value"),
    [
        ("monitoring_page_p95_seconds", {"page_p95_ms": 1500}, 1.5),
        ("monitoring_api_p95_ms", {"api_p95_ms": 300}, 300),
        ("monitoring_query_average_ms", {"query_average_ms": 80}, 80),
        ("monitoring_site_latency_ms", {"global_latency_ms": 150}, 150),
        ("monitoring_availability_objective", {"error_percent": 0.5}, 99.5),
    ],
)
def test_the_limit_of_an_alarm_is_what_the_platform_promises(limit: str, promise: dict[str, Any], value: float) -> None:
    defaults = yaml.safe_load((ROLE.parents[1] / "defaults" / "main.yml").read_text(encoding="utf-8"))
    text = trust_as_template(defaults[limit])
    assert Templar(DataLoader(), {"monitoring_kpis": promise}).template(text) == pytest.approx(value)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm["name"])
def test_an_alarm_says_what_to_do_and_where_the_runbook_says_more(alarm: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "runbooks" / "alarms.md").read_text(encoding="utf-8")
    sections = {title.lower() for title in re.findall(r"^## (.+)$", text, re.MULTILINE)}
    link = re.search(r"docs/runbooks/alarms\.md#([a-z]+)$", alarm["description"].strip())
    assert link
    assert link[1] in sections
    # Parts of a composite alarm ring to nobody by themselves.
    assert "Do: " in alarm["description"] or "Part of a composite alarm" in alarm["description"]
    assert "alarm_actions" in alarm or "Part of a composite alarm" in alarm["description"]


def test_blue_and_green_are_watched_by_the_same_definitions() -> None:
    names = [alarm["name"] for alarm in ALARMS]
    assert not [name for name in names if "blue" in name or "green" in name]
    assert sum("{slot}" in name for name in names) >= 6


def test_a_page_that_the_runbook_links_to_exists() -> None:
    folder = ROOT / "docs" / "runbooks"
    text = (folder / "alarms.md").read_text(encoding="utf-8")
    assert [page for page in re.findall(r"\]\(([a-z-]+\.md)\)", text) if not (folder / page).exists()] == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"monitoring_availability_objective": 100}, "leaves some requests to fail"),
        ({"monitoring_availability_objective": 0.999}, "between 90 and 100 per cent"),
        ({"monitoring_alert_emails": ["ops"]}, "no address such as"),
    ],
)
def test_a_description_that_watches_nothing_is_one_sentence(change: dict[str, Any], sentence: str) -> None:
    good = {"monitoring_availability_objective": 99.9, "monitoring_alert_emails": [], "monitoring_notice_emails": []}
    assert [*monitoring(good)] == []
    (told,) = monitoring({**good, **change})
    assert sentence in told
