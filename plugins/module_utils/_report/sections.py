# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sections of the report. Each takes the data that it shows and says plainly where there is none; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from .._costs.table import alike
from .charts import Series, lines
from .html import (
    Column,
    Raw,
    chip,
    counted,
    lasting,
    moment,
    nothing,
    quantity,
    readable,
    section,
    table,
    usd,
)
from .picture import picture
from .portrait import portrait
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
_FEW_STEPS = 12  # that are shown without a click


def plays_of(run: Document, number: int) -> list[Document]:
    """The run's plays of one phase."""
    return [play for play in run["plays"] if (match := _PHASE.match(play["name"])) and int(match["number"]) == number]


def weeks_done(runs: Sequence[Document]) -> int:
    """How many weeks of the roadmap ended well when they last ran. runs: newest first."""
    return sum(bool(having) and not _failed(having[0][1]) for having in map(_having(runs), WEEKS))


def _having(runs: Sequence[Document]) -> Callable[[int], list[tuple[Document, list[Document]]]]:
    """Week → the runs that reached it, each with its plays of that week, newest first; checks are none."""
    real = [run for run in runs if not run["check"]]
    return lambda number: [(run, plays) for run in real if (plays := plays_of(run, number))]


def _failed(plays: Sequence[Document]) -> int:
    """How many tasks failed; a play that was broken off counts as one."""
    return sum(int(play["failed"]) + bool(play.get("interrupted")) for play in plays)


def changes_of(plays: Sequence[Document]) -> list[str]:
    """Every change of these plays in words."""
    tasks = [task for play in plays for task in play["tasks"] if task["changed"]]
    return [sentence for task in tasks for sentence in (task["steps"] or [task["name"]])]


def roadmap(runs: Sequence[Document]) -> str:
    """A row a week: what the run that built it changed, and what the last one found. runs: newest first."""
    rows = []
    having = _having(runs)
    for number, title in WEEKS.items():
        reached = having(number)
        if not reached:
            rows.append([f"{number} · {title}", Raw('<span class="chip notmeasured">not run yet</span>'), "", "", ""])
            continue
        last, plays = reached[0]
        built = max((some for _run, some in reached), key=lambda some: len(changes_of(some)))
        word = Raw(f'<span class="chip {"missed" if _failed(plays) else "met"}">{_word(plays)}</span>')
        rows.append([f"{number} · {title}", word, _told(built), _told(plays), moment(last["started"])])
    columns = [Column("Week"), Column("State"), Column("Built with"), Column("Last time"), Column("Ran last")]
    builder = _builder(runs)
    drawn = ""
    if builder:
        drawn = (
            f"<h3>How {escape(builder['playbook'])}.yml built it, "
            f"{lasting(builder['ended'] - builder['started'])}</h3>{_timeline(builder, roles=False)}"
        )
    return section("roadmap", "The roadmap", table(columns, rows) + drawn)


def _word(plays: Sequence[Document]) -> str:
    broken_off = any(play.get("interrupted") for play in plays)
    return "broken off" if broken_off else "failed" if _failed(plays) else "done"


def _told(plays: Sequence[Document]) -> str:
    changes = len(changes_of(plays))
    seconds = sum(play["ended"] - play["started"] for play in plays)
    return f"{counted(changes, 'change') if changes else 'nothing to change'}, {lasting(seconds)}"


def _builder(runs: Sequence[Document]) -> Document | None:
    """The last run that built something over several phases."""
    return next((run for run in runs if run["changed"] and not run["check"] and len(run["plays"]) > 2), None)


def drawing(facts: Mapping[str, Document]) -> str:
    """The picture of what stands."""
    told = facts.get("platform_state")
    if not told:
        return section("picture", "The platform", nothing("Not looked at yet: run playbooks/report.yml."))
    drawn = picture(told["state"]) + portrait(told["state"])
    alarms = told["state"].get("alarms") or {}
    loud = alarms.get("alarming") or []
    quiet = f"{counted(alarms.get('total', 0), 'alarm')}, " + (
        f"{len(loud)} of them ringing: {', '.join(loud)}." if loud else "none of them ringing."
    )
    unread = "".join(f'<p class="note">Not read: {escape(sentence)}</p>' for sentence in told.get("unread") or ())
    body = f'{drawn}<p class="note">{escape(quiet)}</p>{unread}' if drawn else nothing("Nothing stands.")
    return section("picture", "The platform", body, f"As the account showed it at {moment(told['at'])}.")


def promises(facts: Mapping[str, Document]) -> str:
    """The KPI table with its verdicts."""
    told = facts.get("kpi_verdicts")
    if not told:
        return section("kpis", "Promises", nothing("Not judged yet: run playbooks/phase8.yml."))
    rows = []
    for row in told["kpis"]:
        sign = "≥" if row["at_least"] else "<"
        value = "" if row["value"] is None else quantity(row["value"], row["unit"])
        why = readable(". ".join(part for part in (row["note"], row["advice"]) if part))
        title = Raw(f'{escape(row["title"])}<br><span class="note">{escape(row["source"])}</span>')
        rows.append([title, f"{sign} {quantity(row['limit'], row['unit'])}", value, chip(row["verdict"]), why])
    columns = [
        Column("Promise"),
        Column("Promised", True),
        Column("Measured", True),
        Column("Verdict"),
        Column("Under what conditions, or why not", prose=True),
    ]
    counts = {"met": told["met"], "missed": told["missed"], "not measured": told["not_measured"]}
    whole = sum(counts.values()) or 1
    strip = "".join(
        f'<i class="{word.replace(" ", "")}" style="width:{100 * count / whole:.2f}%"></i>'
        for word, count in counts.items()
        if count
    )
    key = ", ".join(f"{count} {word}{' here' if word == 'not measured' else ''}" for word, count in counts.items())
    note = f"Judged at {moment(told['at'])}: {key}. What was not measured is never taken for met."
    return section(
        "kpis", "Promises", f'<div class="shares" aria-hidden="true">{strip}</div>{table(columns, rows)}', note
    )


def load(tests: Sequence[Document]) -> str:
    """The newest load test."""
    if not tests:
        return section("load", "Load test", nothing("No load test was kept yet: run playbooks/phase8.yml."))
    test = tests[0]
    samples = test["samples"]
    plots = [
        lines(
            "Users at the same time, and requests a second",
            [
                Series("users", [(one["second"], one["users"]) for one in samples], "--c4"),
                Series("requests a second", [(one["second"], one["requests_per_s"]) for one in samples], "--c1"),
            ],
            "seconds",
        ),
        lines(
            "Time to an answer, in ms",
            [
                Series("95th percentile so far", [(one["second"], one["p95_ms"]) for one in samples], "--c2"),
                Series(
                    "average of the moment",
                    [(one["second"], one["average_ms"]) for one in samples if "average_ms" in one],
                    "--c3",
                ),
            ],
            "seconds",
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
    note = (
        f"{readable(test['started'])}: {counted(test['users'], 'user')} at the same time, {lasting(test['seconds'])}, "
        f"{test['requests_per_s']:g} requests a second, k6 on the {test['runner']}."
    )
    body = f'<p>{escape(_shown(test))}</p><div class="plots">{"".join(plots)}</div>{table(columns, rows, total)}'
    return section("load", "Load test", body, note)


def _shown(test: Document) -> str:
    """What the test shows, and what it does not."""
    bore = "Every limit held" if test.get("passed") else "Not every limit held"
    if test["scale_percent"] >= 100:
        return f"{bore} at the full {test['target_users']:,} users that are promised."
    full = f"{test['target_users']:,}"
    return (
        f"{bore} for {counted(test['users'], 'user')}, {test['scale_percent']:g} % of the {full} that are promised. "
        f"Whether {full} are borne, this does not show; load_test_scale_percent: 100 does."
    )


def cost(facts: Mapping[str, Document]) -> str:
    """What a month costs, by phase."""
    told = facts.get("platform_cost")
    if not told:
        return section("cost", "Cost of a month", nothing("Not priced yet: run playbooks/plan.yml."))
    by_phase: dict[str, list[Document]] = defaultdict(list)
    for one in told["resources"]:
        by_phase[str(one["phase"])].append(one)
    budget, total = float(told.get("budget_usd") or 0), float(told["monthly_usd"])
    accepted = float(told.get("accepted_usd") or 0)
    share = min(100.0, 100 * total / budget) if budget else 100.0
    over = " over" if told.get("over_budget") else ""
    verdict = f"{usd(total)} a month, {'above' if over else 'within'} the budget of {usd(budget)}"
    if over and total <= accepted:
        verdict += f"; accepted by name up to {usd(accepted)} (platform_accept_cost_usd)"
    parts = [f'<p>{escape(verdict)}.</p><div class="bar{over}"><i style="width:{share:.1f}%"></i></div>']
    sums = {phase: sum(one["monthly_usd"] for one in some) for phase, some in by_phase.items()}
    most = max(sums.values(), default=0) or 1
    rows = [
        [
            f"{phase} · {WEEKS[int(phase)]}" if phase.isdigit() and int(phase) in WEEKS else f"Week {phase}",
            Raw(f'<span class="meter"><i style="width:{100 * sums[phase] / most:.1f}%"></i></span>'),
            len(some),
            usd(sums[phase]),
        ]
        for phase, some in sorted(by_phase.items())
    ]
    columns = [Column("Week"), Column("Share"), Column("Resources with a price", True), Column("Monthly", True)]
    parts.append(table(columns, rows, ["Total", "", len(told["resources"]), usd(total)]))
    listed = [
        [
            f"{some[0]['name']}{f' and {len(some) - 1} more' if len(some) > 1 else ''}",
            str(some[0]["kind"]).replace("_", " "),
            f"{f'{len(some)} x ' if len(some) > 1 else ''}{some[0]['how']}",
            usd(sum(one["monthly_usd"] for one in some)),
        ]
        for some in alike(one for one in told["resources"] if one["monthly_usd"])
    ]
    inner = table([Column("Resource"), Column("Kind"), Column("How", prose=True), Column("Monthly", True)], listed)
    parts.append(f"<details><summary>Each resource</summary>{inner}</details>")
    prices = told.get("price_list") or {}
    note = (
        f"What AWS would ask: list prices of {told.get('region', '')}, {prices.get('date', 'undated')}; reckoned at "
        f"{moment(told['at'])}."
    )
    return section("cost", "Cost of a month", "".join(parts), note)


def capacity(facts: Mapping[str, Document]) -> str:
    """Twelve months ahead."""
    told = facts.get("capacity_plan")
    if not told or not told.get("months"):
        return section("capacity", "Twelve months ahead", nothing("Not planned yet: run playbooks/capacity.yml."))
    months = told["months"]
    limits = told.get("limits") or []

    def plot(title: str, *lines_: tuple[str, str, str]) -> str:
        """lines_: (key of a month, name, colour). Limits of the first are drawn too, where they are in sight."""
        drawn = [
            Series(name, [(float(one["month"]), float(one[key])) for one in months if one.get(key) is not None], colour)
            for key, name, colour in lines_
        ]
        most = max((y for one in drawn for _x, y in one.points), default=0.0)
        bounds = sorted({float(one["value"]) for one in limits if one.get("of") == lines_[0][0]})
        ends = (float(months[0]["month"]), float(months[-1]["month"]))
        drawn += [
            Series(f"limit {bound:,g}", [(x, bound) for x in ends], "--bad", dashed=True)
            for bound in bounds
            if most and bound <= 2.5 * most
        ]
        return lines(title, drawn, "month")

    plots = [
        plot("Users at the same time", ("users", "users", "--c4")),
        plot("Tasks and database readers", ("tasks", "tasks", "--c1"), ("readers", "database readers", "--c3")),
        plot("Database connections", ("connections", "connections", "--c2")),
        plot("Cost of a month, in US dollars", ("monthly_usd", "US dollars", "--c3")),
    ]
    parts = [f'<div class="plots">{"".join(plots)}</div>']
    if limits:
        reached = [
            [
                one["limit"],
                Raw('<span class="soft keep">not in the plan</span>')
                if one["reached_in_month"] is None
                else Raw(f'<b class="keep">month {int(one["reached_in_month"])}</b>'),
                one["what_to_do"],
            ]
            for one in limits
        ]
        parts.append(table([Column("Limit"), Column("Reached"), Column("What to do", prose=True)], reached))
    if told.get("recommendations"):
        advice = [[one["quarter"], one["text"]] for one in told["recommendations"]]
        parts.append(table([Column("Quarter"), Column("Recommendation", prose=True)], advice))
    start = told.get("baseline")
    grown = (
        f" It begins with {start['users']:,} readers at once and {start['monthly_percent']:g} % more each month: "
        f"{start['source']}."
        if start
        else ""
    )
    note = f"Planned at {moment(told['at'])}; a model, no measurement.{grown}"
    return section("capacity", "Twelve months ahead", "".join(parts), note)


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
            readable(str(one.get("date") or one["file"])),
            _seconds(one.get("rto_seconds")),
            _seconds(one.get("rpo_seconds")),
            len(one.get("tables") or []),
            _passed(str(one.get("verdict", ""))),
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


def _passed(verdict: str) -> Raw | str:
    """A drill's own word, coloured where it is one of those that drills use."""
    looks = {"passed": "met", "met": "met", "failed": "missed", "missed": "missed"}
    return Raw(f'<span class="chip {looks[verdict]}">{verdict}</span>') if verdict in looks else verdict


def _seconds(value: Any) -> str:
    return "" if value is None else lasting(float(value))


def timelines(runs: Sequence[Document], current: Document) -> str:
    """What each run changed and when, newest first; this run's is open."""
    parts = []
    for run in runs[:_MOST_RUNS]:
        changes = len(changes_of(run["plays"]))
        would = " to make" if run["check"] else ""
        broken_off = ", broken off" if run.get("interrupted") else ""
        outcome = f"{run['failed']} failed" if run["failed"] else counted(changes, "change") + would
        when = f"{moment(run['started'])} · {lasting(run['ended'] - run['started'])}"
        name = f"{escape(run['playbook'])}{' --check' if run['check'] else ''}"
        title = f"<b>{name}</b> <span>{when} · {outcome}{broken_off}</span>"
        opened = " open" if run is current else ""
        parts.append(f"<details{opened}><summary>{title}</summary>{_timeline(run)}{_steps(run)}</details>")
    return section("runs", "Runs so far", "".join(parts))


def _timeline(run: Document, roles: bool = True) -> str:
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
            f'<span class="val">{lasting(ended - begun)}<span> · {told}</span></span></div>'
        )

    for play in run["plays"]:
        if not play["count"]:
            continue
        row(play["name"] or "tasks", "play", play["started"], play["ended"], play)
        for role in roles_of(play) if roles else ():
            if role["role"]:
                row(role["role"], "role", role["started"], role["ended"], role)
    key = '<p class="note">Right: how long it took, and how many of its tasks changed something.</p>'
    return f'<div class="gantt">{"".join(rows)}</div>{key}' if rows else ""


def _steps(run: Document) -> str:
    """The failures, then every change in words."""
    failed = [task for play in run["plays"] for task in play["tasks"] if task["failed"]]
    errors = "".join(f"<p><b>{escape(task['name'])}</b></p><pre>{escape(task['error'])}</pre>" for task in failed)
    changes = changes_of(run["plays"])
    if not changes:
        return errors + nothing("Nothing changed.")
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in changes[:_MOST_STEPS])
    more = f"<li>and {len(changes) - _MOST_STEPS} more</li>" if len(changes) > _MOST_STEPS else ""
    opened = " open" if len(changes) <= _FEW_STEPS else ""
    return (
        f"{errors}<details{opened}><summary>{counted(len(changes), 'change')} in words</summary>"
        f"<ul>{items}{more}</ul></details>"
    )
