"""The report: whole, harmless, readable without the network, and honest where nothing was measured."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._report.charts import Series, lines, nice
from ansible_collections.stories1001.platform.plugins.module_utils._report.html import quantity, readable
from ansible_collections.stories1001.platform.plugins.module_utils._report.page import page
from ansible_collections.stories1001.platform.plugins.module_utils._report.picture import picture
from ansible_collections.stories1001.platform.plugins.module_utils._report.portrait import portrait
from ansible_collections.stories1001.platform.plugins.module_utils._report.run import FACTS, Run, roles_of
from ansible_collections.stories1001.platform.plugins.module_utils._report.store import Store, newest_facts

from tests.unit.report import sample

_VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """Reads a page as a browser would, and minds what a browser forgives."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href", "data")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open, f"</{tag}> ends nothing"
            assert self.open.pop() == tag, f"</{tag}> comes too early"

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def whole() -> tuple[str, Reader]:
    last, site = sample.last_run(), sample.site_run()
    text = page(last, [last, site], [sample.LOAD_TEST], [sample.DRILL])
    return text, Reader(text)


@pytest.fixture(scope="module")
def bare() -> tuple[str, Reader]:
    run = sample.empty_run()
    text = page(run, [run], [], [])
    return text, Reader(text)


@pytest.mark.parametrize("which", ["whole", "bare"])
def test_the_page_is_whole_and_needs_nothing_from_outside(which: str, request: pytest.FixtureRequest) -> None:
    text, read = request.getfixturevalue(which)
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))
    assert all(link.startswith(("#", "data:")) for link in read.links)
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)
    assert not re.search(r"url\((?!#)|@import|https?://", text)
    assert read.tags["script"] == 0
    assert 'name="viewport"' in text
    assert "prefers-color-scheme:dark" in text


def test_what_comes_from_outside_is_text_and_never_markup(whole: tuple[str, Reader]) -> None:
    text, read = whole
    assert sample.HOSTILE not in text
    assert sample.HOSTILE in "".join(read.text)


def test_every_section_shows_its_data(whole: tuple[str, Reader]) -> None:
    _text, read = whole
    for words in (
        "1 · Network, roles, keys",
        "2 of 2 tasks run, 2 healthy",
        "100 % of the traffic",
        "CloudFront, behind WAF",
        "Page load, 95th percentile",
        "900 ms",
        "Not every limit held for 30 users, 3 % of the 1,000 that are promised",
        "Built with Last time Ran last",
        "2 changes, 16.0 s",
        "How site.yml built it",
        "It begins with 100 readers at once and 15 % more each month: inventory",
        "limit 12",
        "$133.10",
        "6 changes in words",
        "2.0.0",
        "2026-01-30",
        "Twelve months ahead",
        "stories-local-5xx",
    ):
        assert words in read.words, words
    assert read.tags["svg"] >= 6


def test_a_table_of_costs_has_a_total_that_is_the_sum_of_its_parts(whole: tuple[str, Reader]) -> None:
    _text, read = whole
    total = sum(one["monthly_usd"] for one in sample.COST["resources"])
    assert f"Total 2 ${total:,.2f}" in read.words


def test_a_sum_above_the_budget_says_whether_it_was_accepted_by_name() -> None:
    for accepted, look, words in (
        (0, "tile bad", "above the budget"),
        (800, "tile ", "accepted by name up to $800.00"),
    ):
        run = sample.last_run()
        run["facts"]["platform_cost"] |= {"budget_usd": 100, "over_budget": True, "accepted_usd": accepted}
        text = page(run, [run], [], [])
        assert words in text
        assert f'<div class="{look}"><b>$133.10</b>' in text


def test_a_page_of_the_embedded_cloud_is_not_taken_for_one_of_an_account() -> None:
    run = sample.last_run()
    assert "played on one machine" not in page(run, [run], [], [])
    run["platform"]["endpoint"] = "http://127.0.0.1:4566"
    assert "The embedded cloud at 127.0.0.1:4566: AWS's APIs, played on one machine" in " ".join(
        Reader(page(run, [run], [], [])).text
    )


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (51.96, "ms", "51.96 ms"),
        (99.95, "%", "99.95 %"),
        (2000, "ms", "2,000 ms"),
        (0.209, "USD", "$0.21"),
        (0.0233, "min", "1.4 s"),
        (0, "min", "0 min"),
    ],
)
def test_a_figure_is_told_as_a_person_would(value: float, unit: str, told: str) -> None:
    assert quantity(value, unit) == told


def test_moments_inside_a_sentence_are_readable() -> None:
    assert readable("10 users, 2026-11-26T11:59:22Z") == "10 users, 2026-11-26 11:59 UTC"
    assert readable("since 2026-11-26T11:57:41+00:00.") == "since 2026-11-26 11:57 UTC."


def test_without_data_the_page_says_what_to_run_and_shows_no_verdict(bare: tuple[str, Reader]) -> None:
    text, read = bare
    for playbook in ("report.yml", "phase8.yml", "plan.yml", "capacity.yml", "deploy.yml", "dr_drill.yml"):
        assert f"playbooks/{playbook}" in read.words
    assert read.words.count("not run yet") == 8
    assert '"chip met"' not in text


def test_a_failed_run_says_so_first_and_tells_the_error(whole: tuple[str, Reader]) -> None:
    _text, read = whole
    assert "Failed phase8" in read.words
    assert f"missed {sample.HOSTILE}" in "".join(read.text)


def test_the_picture_draws_what_stands_and_nothing_else() -> None:
    state = {**sample.STATE, "distribution": None, "functions": [], "cache": None}
    drawn = picture(state)
    assert "CloudFront" not in drawn
    assert "Redis" not in drawn
    assert drawn.count('class="taskdot blue"') == 2
    assert picture(dict.fromkeys(sample.STATE)) == ""


def test_a_narrow_screen_gets_the_same_parts_one_below_the_other() -> None:
    drawn = portrait(sample.STATE)
    for words in (
        "Readers",
        "CloudFront, behind WAF",
        "Load balancer",
        "2 of 2 tasks run",
        "us-east-1a, NAT",
        "Lambda",
    ):
        assert words in drawn, words
    assert drawn.count('class="taskdot blue"') == 2
    assert drawn.count("Aurora ") + drawn.count("Redis ") == 3
    without = portrait({**sample.STATE, "distribution": None, "cache": None})
    assert "CloudFront" not in without
    assert "Redis" not in without
    assert portrait(dict.fromkeys(sample.STATE)) == ""


def test_the_newest_facts_of_every_kind_win() -> None:
    old, new = ({"facts": {"platform_cost": {"monthly_usd": usd}}} for usd in (1, 2))
    assert newest_facts([new, old])["platform_cost"]["monthly_usd"] == 2


def test_a_failed_task_keeps_its_facts_so_that_missed_promises_are_shown() -> None:
    run = sample.last_run()
    assert set(run["facts"]) == set(FACTS) - {"ecs_blue_green"}
    assert run["failed"] == 1


def test_roles_are_summed_up_in_the_order_in_which_they_began() -> None:
    (first, *_rest) = sample.site_run()["plays"]
    (role,) = roles_of(first)
    assert (role["role"], role["count"], role["changed"]) == ("networking", 4, 2)


def test_the_changes_of_a_loop_are_told_one_by_one() -> None:
    run = Run("site", sample.BEGUN)
    results = [{"changed": True, "steps": [{"id": str(at), "sentence": f"Make {at}"}]} for at in (1, 2)]
    entry = run.task("Make both", "", "x.y.z", 0, 1, {"changed": True, "results": results})
    assert entry["steps"] == ["Make 1", "Make 2"]


def test_a_loop_that_failed_tells_what_its_items_say() -> None:
    results = [{"failed": True, "msg": "one broke"}, {"changed": True}, {"failed": True, "msg": "two broke"}]
    entry = Run("site", 0).task(
        "x", "", "y", 0, 1, {"msg": "One or more items failed", "results": results}, failed=True
    )
    assert entry["error"] == "one broke\ntwo broke"


def test_the_folder_keeps_runs_and_pages_and_forgets_what_is_old(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for at in range(65):
        name = store.keep({**sample.site_run(), "started": sample.BEGUN + at})
        latest = store.keep_page(name, f"<p>{at}</p>")
    assert len(store.runs()) == 60
    assert store.runs()[0]["started"] == sample.BEGUN + 64
    assert latest.read_text() == "<p>64</p>"
    assert len(list(tmp_path.glob("2*.html"))) == 60


def test_a_record_that_a_kill_cut_short_is_left_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep(sample.site_run())
    (tmp_path / "runs" / "99991231T000000Z-site.json").write_text('{"playbook": "si')
    (tmp_path / "drills").mkdir()
    (tmp_path / "drills" / "d.json").write_text(json.dumps(sample.DRILL))
    assert len(store.runs()) == 1
    assert [one["rto_seconds"] for one in store.drills()] == [95]


@pytest.mark.parametrize(("value", "above"), [(0, 1), (0.7, 1), (3, 5), (1000, 1000), (1001, 2000), (2400, 2500)])
def test_an_axis_ends_at_a_round_number(value: float, above: float) -> None:
    assert nice(value) == above


def test_a_plot_without_points_is_no_plot() -> None:
    assert lines("x", [Series("a", [])], "") == ""


def test_a_plot_stays_inside_its_frame() -> None:
    points: list[tuple[float, float]] = [(0, 0), (5, 7), (10, 1e6)]
    drawn = lines("x", [Series("a", points)], "s")
    numbers: list[Any] = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", drawn)
    assert all(0 <= float(x) <= 460 and 0 <= float(y) <= 210 for x, y in numbers)
