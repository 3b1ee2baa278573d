# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sections of the report. Each takes the data that it shows and says plainly where there is none; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .charts import Series, lines
from .html import Column, Raw, chip, lasting, moment, nothing, section, table, usd
from .picture import picture
from .run import roles_of

Document = Mapping[str, Any]

_PHASE = re.compile(r"Phase (?P<number>\d)(?:: (?P<title>.+))?")
WEEKS = {
    1: "Network, roles, keys",
    2: "Database, cache, secrets",
    3: "Containers, load balancer",
    4: "Content delivery, media",
    5: "Monitoring",
    6: "Backup and recovery",
    7: "Releases",
    8: "Load test and verdict",
}
_MOST_RUNS = 12  # that are shown with their timeline
_MOST_STEPS = 400  # of one run that are listed


def plays_of(run: Document, number: int) -> list[Document]:
    """The run's plays of one phase."""
    return [play for play in run["plays"] if (match := _PHASE.match(play["name"])) and int(match["number"]) == number]


def roadmap(runs: Sequence[Document]) -> str:
    """A row a week: what the run that built it changed, and what the last one found. runs: newest first, no checks."""
    rows = []
    for number, title in WEEKS.items():
        having = [(run, plays) for run in runs if not run["check"] and (plays := plays_of(run, number))]
        if not having:
            rows.append([f"{number} · {title}", Raw('<span class="chip notmeasured">not run yet</span>'), "", "", ""])
            continue
        last, plays = having[0]
        changes = [sum(play["changed"] for play in some) for _run, some in having]
        steps = sum(len(task["steps"]) for _run, some in having for play in some for task in play["tasks"])
        wrong = sum(play["failed"] for play in plays)
        state = chip("missed") if wrong else chip("met")
        word = Raw(state.text.replace(">missed<", ">failed<").replace(">met<", ">done<"))
        seconds = sum(play["ended"] - play["started"] for play in plays)
        rows.append([f"{number} · {title}", word, steps, changes[0], f"{lasting(seconds)}, {moment(last['started'])}"])
    columns = [
        Column("Week"),
        Column("State"),
        Column("Changes so far", True),
        Column("Changed last time", True),
        Column("Last run"),
    ]
    return section("roadmap", "The roadmap", table(columns, rows))


def drawing(facts: Mapping[str, Document]) -> str:
    """The picture of what stands."""
    told = facts.get("platform_state")
    if not told:
        return section("picture", "The platform", nothing("Not looked at yet: run playbooks/report.yml."))
    drawn = picture(told["state"])
    alarms = told["state"].get("alarms") or {}
    loud = alarms.get("alarming") or []
    quiet = f"{alarms.get('total', 0)} alarms, {len(loud)} of them ringing{': ' + ', '.join(loud) if loud else ''}."
    body = (
        f'<div class="wide">{drawn}</div><p class="note">{escape(quiet)}</p>' if drawn else nothing("Nothing stands.")
    )
    return section("picture", "The platform", body, f"As the account showed it at {moment(told['at'])}.")


def promises(facts: Mapping[str, Document]) -> str:
    """The KPI table with its verdicts."""
    told = facts.get("kpi_verdicts")
    if not told:
        return section("kpis", "Promises", nothing("Not judged yet: run playbooks/phase8.yml."))
    rows = []
    for row in told["kpis"]:
        sign = "≥" if row["at_least"] else "<"
        value = "" if row["value"] is None else f"{row['value']:g} {row['unit']}"
        why = ". ".join(part for part in (row["note"], row["advice"]) if part)
        source = Raw(f'{escape(why)}<br><span class="note">{escape(row["source"])}</span>')
        rows.append([row["title"], f"{sign} {row['limit']:g} {row['unit']}", value, chip(row["verdict"]), source])
    columns = [
        Column("Promise"),
        Column("Limit", True),
        Column("Measured", True),
        Column("Verdict"),
        Column("Conditions, or why not"),
    ]
    note = (
        f"Judged at {moment(told['at'])}: {told['met']} met, {told['missed']} missed, {told['not_measured']} not "
        "measured here."
    )
    return section("kpis", "Promises", table(columns, rows), note)


def load(tests: Sequence[Document]) -> str:
    """The newest load test."""
    if not tests:
        return section("load", "Load test", nothing("No load test was kept yet: run playbooks/phase8.yml."))
    test = tests[0]
    samples = test["samples"]
    plots = [
        lines(
            "Users and requests per second",
            [
                Series("users", [(one["second"], one["users"]) for one in samples], "--c4"),
                Series("requests per second", [(one["second"], one["requests_per_s"]) for one in samples], "--c1"),
            ],
            "seconds",
            "",
        ),
        lines(
            "95th percentile so far",
            [Series("95th percentile so far", [(one["second"], one["p95_ms"]) for one in samples], "--c2")],
            "seconds",
            "ms",
        ),
    ]
    columns = [
        Column("Step"),
        Column("Requests", True),
        Column("Average, ms", True),
        Column("p95, ms", True),
        Column("Slowest, ms", True),
        Column("Failed, %", True),
    ]
    rows = [
        [
            f"{one['scenario']}: {one['step']}",
            one["requests"],
            one["average_ms"],
            one["p95_ms"],
            one["slowest_ms"],
            one["error_percent"],
        ]
        for one in test["by_step"]
    ]
    total = ["All", test["requests"], "", "", "", test["error_percent"]]
    scale = "" if test["scale_percent"] >= 100 else f" ({test['scale_percent']:g} % of {test['target_users']})"
    note = (
        f"{test['started']}: {test['users']} users{scale} for {lasting(test['seconds'])}, {test['requests_per_s']:g} "
        "requests "
        f"a second, k6 on the {test['runner']}."
    )
    return section("load", "Load test", f'<div class="plots">{"".join(plots)}</div>{table(columns, rows, total)}', note)


def cost(facts: Mapping[str, Document]) -> str:
    """What a month costs, by phase."""
    told = facts.get("platform_cost")
    if not told:
        return section("cost", "Cost of a month", nothing("Not priced yet: run playbooks/plan.yml."))
    by_phase: dict[str, list[Document]] = defaultdict(list)
    for one in told["resources"]:
        by_phase[str(one["phase"])].append(one)
    budget, total = float(told.get("budget_usd") or 0), float(told["monthly_usd"])
    share = min(100.0, 100 * total / budget) if budget else 100.0
    over = " over" if told.get("over_budget") else ""
    meter = f'<div class="bar{over}"><i style="width:{share:.1f}%"></i></div>'
    parts = [f"<p>{usd(total)} of {usd(budget)} a month</p>{meter}"]
    rows = [
        [f"Week {phase}" if phase.isdigit() else phase, len(some), usd(sum(one["monthly_usd"] for one in some))]
        for phase, some in sorted(by_phase.items())
    ]
    columns = [Column("Week"), Column("Resources with a price", True), Column("Monthly", True)]
    parts.append(table(columns, rows, ["Total", len(told["resources"]), usd(total)]))
    detail = sorted(told["resources"], key=lambda one: -one["monthly_usd"])
    listed = [
        [one["name"], str(one["kind"]).replace("_", " "), one["how"], usd(one["monthly_usd"])]
        for one in detail
        if one["monthly_usd"]
    ]
    inner = table([Column("Resource"), Column("Kind"), Column("How"), Column("Monthly", True)], listed)
    parts.append(f"<details><summary>Each resource</summary>{inner}</details>")
    prices = told.get("price_list") or {}
    note = (
        f"List prices of {told.get('region', '')}, {prices.get('date', 'undated')}; reckoned at {moment(told['at'])}."
    )
    return section("cost", "Cost of a month", "".join(parts), note)


def capacity(facts: Mapping[str, Document]) -> str:
    """Twelve months ahead."""
    told = facts.get("capacity_plan")
    if not told or not told.get("months"):
        return section("capacity", "Twelve months ahead", nothing("Not planned yet: run playbooks/capacity.yml."))
    months = told["months"]

    def series(key: str, name: str, colour: str) -> Series:
        points = [(float(one["month"]), float(one[key])) for one in months if one.get(key) is not None]
        return Series(name, points, colour, dashed=True)

    plots = [
        lines("Users", [series("users", "users at the same time", "--c4")], "month", ""),
        lines(
            "Tasks and database readers",
            [series("tasks", "tasks", "--c1"), series("readers", "database readers", "--c3")],
            "month",
            "",
        ),
        lines("Database connections", [series("connections", "connections", "--c2")], "month", ""),
        lines("Cost of a month", [series("monthly_usd", "USD", "--c3")], "month", "USD"),
    ]
    parts = [f'<div class="plots">{"".join(plots)}</div>']
    if told.get("limits"):
        reached = [
            [
                one["limit"],
                "not within the plan" if one["reached_in_month"] is None else one["reached_in_month"],
                one["what_to_do"],
            ]
            for one in told["limits"]
        ]
        parts.append(table([Column("Limit"), Column("Reached in month", True), Column("What to do")], reached))
    if told.get("recommendations"):
        advice = [[one["quarter"], one["text"]] for one in told["recommendations"]]
        parts.append(table([Column("Quarter"), Column("Recommendation")], advice))
    return section(
        "capacity", "Twelve months ahead", "".join(parts), f"Planned at {moment(told['at'])}; a model, no measurement."
    )


def releases(facts: Mapping[str, Document]) -> str:
    """Swaps so far."""
    known = [facts[name] for name in ("ecs_blue_green", "kpi_verdicts") if name in facts]
    newest = max(known, key=lambda one: one["at"], default=None)
    swaps = (newest or {}).get("releases", (newest or {}).get("swaps")) or []
    if not swaps:
        return section("swaps", "Releases", nothing("Nothing was released yet: playbooks/deploy.yml."))
    rows = [
        [
            moment(float(swap["started"])),
            f"{swap.get('source', '')} to {swap.get('target', '')}",
            swap.get("version", ""),
            str(swap["outcome"]).replace("_", " "),
            lasting(float(swap.get("seconds", 0))),
            swap.get("reason") or swap.get("failure") or "",
        ]
        for swap in swaps
    ]
    columns = [Column(title) for title in ("Begun", "Slots", "Version", "Outcome", "Lasted", "Reason")]
    return section("swaps", "Releases", table(columns, rows))


def drills(found: Sequence[Document]) -> str:
    """Recovery drills so far."""
    if not found:
        return section("drills", "Recovery drills", nothing("No drill was kept yet: playbooks/dr_drill.yml."))
    rows = [
        [
            str(one.get("date") or one["file"]),
            _seconds(one.get("rto_seconds")),
            _seconds(one.get("rpo_seconds")),
            len(one.get("tables") or []),
            str(one.get("verdict", "")),
        ]
        for one in found
    ]
    columns = [
        Column("Drill"),
        Column("Restored in", True),
        Column("Writes lost", True),
        Column("Tables compared", True),
        Column("Verdict"),
    ]
    return section("drills", "Recovery drills", table(columns, rows))


def _seconds(value: Any) -> str:
    return "" if value is None else lasting(float(value))


def timelines(runs: Sequence[Document], current: Document) -> str:
    """What each run changed and when, newest first; open are this run and the last that built something."""
    shown = runs[:_MOST_RUNS]
    changing = [run for run in shown if run["changed"]]
    # Rather one of several phases than one that changed a single thing.
    last_change = next((run for run in changing if len(run["plays"]) > 2), changing[0] if changing else current)
    parts = []
    for run in shown:
        what = "would change" if run["check"] else "changed"
        outcome = f"{run['failed']} failed" if run["failed"] else f"{run['changed']} tasks {what} something"
        title = f"{run['playbook']} · {moment(run['started'])} · {lasting(run['ended'] - run['started'])} · {outcome}"
        opened = " open" if run is current or run is last_change else ""
        parts.append(f"<details{opened}><summary>{escape(title)}</summary>{_timeline(run)}{_steps(run)}</details>")
    return section("runs", "Runs so far", "".join(parts))


def _timeline(run: Document) -> str:
    whole = max(run["ended"] - run["started"], 0.001)
    rows = []

    def row(name: str, look: str, begun: float, ended: float, entry: Document) -> None:
        left = max(0.0, min(100.0, 100 * (begun - run["started"]) / whole))
        wide = max(0.0, min(100.0 - left, 100 * (ended - begun) / whole))
        state = "wrong" if entry["failed"] else "same" if not entry["changed"] else ""
        told = f"{entry['changed']} of {entry['count']}"
        rows.append(
            f'<div class="row {state}"><span class="{look}">{escape(name)}</span>'
            f'<span class="track"><i style="left:{left:.2f}%;width:{wide:.2f}%"></i></span>'
            f'<span class="val">{lasting(ended - begun)} · {told}</span></div>'
        )

    for play in run["plays"]:
        if not play["count"]:
            continue
        row(play["name"] or "tasks", "play", play["started"], play["ended"], play)
        for role in roles_of(play):
            if role["role"]:
                row(role["role"], "role", role["started"], role["ended"], role)
    key = '<p class="note">Length on the time axis; right: seconds, and tasks that changed something of all.</p>'
    return f'<div class="gantt">{"".join(rows)}</div>{key}' if rows else ""


def _steps(run: Document) -> str:
    """The failures, then every change in words."""
    failed = [task for play in run["plays"] for task in play["tasks"] if task["failed"]]
    errors = "".join(f"<p><b>{escape(task['name'])}</b></p><pre>{escape(task['error'])}</pre>" for task in failed)
    changes = [
        sentence
        for play in run["plays"]
        for task in play["tasks"]
        if task["changed"]
        for sentence in (task["steps"] or [task["name"]])
    ]
    if not changes:
        return errors + nothing("Nothing changed.")
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in changes[:_MOST_STEPS])
    more = f"<li>and {len(changes) - _MOST_STEPS} more</li>" if len(changes) > _MOST_STEPS else ""
    return f"{errors}<details><summary>{len(changes)} changes in words</summary><ul>{items}{more}</ul></details>"
