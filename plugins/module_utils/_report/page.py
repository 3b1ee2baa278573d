# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole report: one HTML text that needs nothing from the network; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from . import sections
from .html import counted, lasting, moment, usd
from .store import newest_facts
from .style import CSS

Document = Mapping[str, Any]

_CONTENTS = {
    "roadmap": "Roadmap",
    "picture": "Platform",
    "kpis": "Promises",
    "load": "Load test",
    "cost": "Cost",
    "capacity": "Capacity",
    "swaps": "Releases",
    "drills": "Drills",
    "runs": "Runs",
}


def page(
    current: Document, runs: Sequence[Document], load_tests: Sequence[Document], drills: Sequence[Document]
) -> str:
    """The page of a run. runs: all that are known, this one among them, newest first."""
    facts = newest_facts(runs)
    platform = current.get("platform", {})
    name = platform.get("prefix", "the platform")
    where = f" in {escape(platform['region'])}" if platform.get("region") else ""
    body = [
        sections.roadmap(runs),
        sections.drawing(facts),
        sections.promises(facts),
        sections.load(load_tests),
        sections.cost(facts),
        sections.capacity(facts),
        sections.releases(facts),
        sections.drills(drills),
        sections.timelines(runs, current),
    ]
    links = "".join(f'<a href="#{ident}">{escape(title)}</a>' for ident, title in _CONTENTS.items())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(name)}: {escape(current['playbook'])}, {moment(current['started'])}</title>"
        f"<style>{CSS}</style></head><body>"
        f'<header><h1>{escape(name)}</h1><p class="soft">The platform{where}, as the run of '
        f"{escape(current['playbook'])} left it at {moment(current['ended'])}</p>{_stage(platform)}"
        f"{_tiles(current, runs, facts)}</header>"
        f'<nav aria-label="Contents">{links}</nav><main>{"".join(body)}</main>'
        f"<footer>Written by the run of {escape(current['playbook'])} that began at {moment(current['started'])}. "
        "Everything on this page was measured or reckoned by runs of these playbooks; what nobody measured is said "
        "to be so."
        "</footer></body></html>\n"
    )


def _stage(platform: Mapping[str, str]) -> str:
    """Where this is no AWS account, so that nobody takes it for one."""
    address = str(platform.get("endpoint") or "").partition("://")[2]
    if not address:
        return ""
    own = address.startswith(("127.", "localhost", "[::1]"))
    told = (
        f"The embedded cloud at {address}: AWS's APIs, played on one machine. Databases, tasks and requests are real; "
        "sums are what AWS would ask."
        if own
        else f"AWS's APIs at {address}."
    )
    return f'<p class="stage">{escape(told)}</p>'


def _tiles(current: Document, runs: Sequence[Document], facts: Mapping[str, Document]) -> str:
    failed, changes = current["failed"], len(sections.changes_of(current["plays"]))
    outcome = f"{counted(changes, 'change')}{' to make' if current['check'] else ''}" if changes else "nothing changed"
    check = " (check)" if current["check"] else ""
    weeks, done = len(sections.WEEKS), sections.weeks_done(runs)
    told = [
        (
            "bad" if failed or current.get("interrupted") else "good",
            "Failed" if failed else "Broken off" if current.get("interrupted") else "Done",
            f"{current['playbook']}{check}, {lasting(current['ended'] - current['started'])}, {outcome}",
        ),
        ("good" if done == weeks else "", f"{done} of {weeks}", "weeks of the roadmap done"),
    ]
    if kpis := facts.get("kpi_verdicts"):
        look = "bad" if kpis["missed"] else "good" if kpis["met"] else ""
        kept = f"{kpis['met']} of {len(kpis['kpis'])}"
        told.append((look, kept, f"promises met, {kpis['missed']} missed, {kpis['not_measured']} not measured"))
    else:
        told.append(("", "?", "promises not judged yet"))
    if cost := facts.get("platform_cost"):
        accepted = cost["monthly_usd"] <= float(cost.get("accepted_usd") or 0)
        look = "good" if not cost.get("over_budget") else "" if accepted else "bad"
        by_name = ", accepted by name" if cost.get("over_budget") and accepted else ""
        told.append((look, usd(cost["monthly_usd"]), f"a month, budget {usd(cost.get('budget_usd') or 0)}{by_name}"))
    else:
        told.append(("", "?", "not priced yet"))
    tiles = "".join(
        f'<div class="tile {look}"><b>{escape(value)}</b><span>{escape(text)}</span></div>'
        for look, value, text in told
    )
    return f'<div class="tiles">{tiles}</div>'
