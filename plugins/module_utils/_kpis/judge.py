# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One verdict for each promise: met, missed, or not measured and why; pure.

Nothing is met without a figure. A figure that was measured under less than what was promised says so in its note.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .table import KPIS, Kpi

MET, MISSED, NOT_MEASURED = "met", "missed", "not measured"


@dataclass(frozen=True)
class Measured:
    """value: in the KPI's unit; None when nothing could be measured. note: under what conditions, or why not."""

    value: float | None
    note: str = ""


def not_measured(why: str) -> Measured:
    return Measured(None, why)


def verdicts(kpis: Mapping[str, float], measured: Mapping[str, Measured]) -> list[dict[str, Any]]:
    """A row for each KPI, in the table's order. kpis: limits by name, all of them."""
    return [_row(kpi, kpis[name], measured.get(name)) for name, kpi in KPIS.items()]


def _row(kpi: Kpi, limit: float, found: Measured | None) -> dict[str, Any]:
    found = found or not_measured("nothing measured it")
    verdict = NOT_MEASURED if found.value is None else MET if kpi.met(found.value, limit) else MISSED
    return {
        "name": kpi.name,
        "title": kpi.title,
        "unit": kpi.unit,
        "limit": limit,
        "at_least": kpi.at_least,
        "value": None if found.value is None else round(found.value, 4),
        "verdict": verdict,
        "source": kpi.source,
        "note": found.note,
        "advice": kpi.advice if verdict == MISSED else "",
    }


def complaints(rows: Sequence[Mapping[str, Any]], required: Collection[str]) -> list[str]:
    """A sentence for each promise that was missed, and for each that had to be measured and was not."""
    told = []
    for row in rows:
        sign = "at least" if row["at_least"] else "below"
        promise = f"{row['title']}: promised {sign} {row['limit']:g} {row['unit']}"
        if row["verdict"] == MISSED:
            note = f" ({row['note']})" if row["note"] else ""
            told.append(f"{promise}, measured {row['value']:g}{note}. {row['advice']}")
        elif row["verdict"] == NOT_MEASURED and row["name"] in required:
            told.append(
                f"{promise}, not measured: {row['note']}. It must be (kpi_required); without it nothing is proven."
            )
    return told


def from_load_test(told: Mapping[str, Any] | None, folder: str) -> dict[str, Measured]:
    """What the newest load test says of four promises. told: as `load_test` keeps it."""
    names = ("page_p95_ms", "api_p95_ms", "error_percent", "concurrent_users")
    if told is None:
        why = not_measured(f"no load test was kept in {folder}; run playbooks/phase8.yml")
        return dict.fromkeys(names, why)
    full = float(told["scale_percent"]) >= 100
    note = f"{told['users']} users, {told['requests']} requests, {told['started']}"
    p95 = told["p95_ms"]
    found = {
        "page_p95_ms": _kind(p95, "page", note),
        "api_p95_ms": _kind(p95, "api", note),
        "error_percent": Measured(told["error_percent"], note)
        if told["error_percent"] is not None
        else not_measured("the load test made no request"),
    }
    if not full:
        users = not_measured(
            f"the load test made {told['scale_percent']:g} % of {told['target_users']} users; "
            "load_test_scale_percent: 100 "
            "proves all of them"
        )
    elif not told["passed"]:
        users = Measured(
            0.0, f"{told['users']} users came, and the site did not bear them: a limit of the test was missed"
        )
    else:
        users = Measured(float(told["users"]), note)
    return {**found, "concurrent_users": users}


def _kind(p95: Mapping[str, float], kind: str, note: str) -> Measured:
    return Measured(p95[kind], note) if kind in p95 else not_measured(f"the load test made no request of kind {kind}")


def from_drill(told: Mapping[str, Any] | None, folder: str) -> dict[str, Measured]:
    """What the newest recovery drill says. told: its report, with rto_seconds and rpo_seconds."""
    if told is None:
        why = not_measured(f"no drill was kept below {folder}; run playbooks/dr_drill.yml")
        return {"rto_minutes": why, "rpo_minutes": why}
    note = f"drill of {told['date']}" if told.get("date") else "newest drill"
    found = {}
    for name in ("rto", "rpo"):
        seconds = told.get(f"{name}_seconds")
        found[f"{name}_minutes"] = (
            not_measured(f"the {note} says nothing of it") if seconds is None else Measured(float(seconds) / 60, note)
        )
    return found


def uptime(periods: Sequence[tuple[float, float]], minutes_each: float) -> Measured:
    """From (requests, failed) of each period, oldest first.

    A period is down when more than half of its requests failed. Counting begins after the first period in which one
    succeeded: before it the platform was being built. Periods without a request say nothing.
    """
    served = [at for at, (requests, failed) in enumerate(periods) if requests > failed]
    if not served:
        return not_measured("the load balancer has counted no successful request")
    counted = [(requests, failed) for requests, failed in periods[served[0] + 1 :] if requests > 0]
    if not counted:
        return not_measured("the load balancer has been in service for less than one whole period")
    down = sum(failed > requests / 2 for requests, failed in counted)
    span = f"{len(counted) * minutes_each:g} minutes with traffic, {down * minutes_each:g} of them down"
    return Measured(100 * (1 - down / len(counted)), span)


def scaling(activities: Sequence[Mapping[str, Any]], days: int) -> Measured:
    """The slowest change of the number of tasks that an alarm asked for; start and end in seconds since 1970."""
    by_alarm = [one for one in activities if "alarm" in str(one.get("cause", "")).lower() and one.get("end")]
    if not by_alarm:
        return not_measured(f"no alarm has scaled the service in the last {days} days")
    slowest = max(float(one["end"]) - float(one["start"]) for one in by_alarm)
    return Measured(slowest, f"{len(by_alarm)} activities in {days} days")


def recoveries(alarms: Sequence[tuple[float, bool]], swaps: Sequence[Mapping[str, Any]], days: int) -> Measured:
    """Mean minutes from a failure to its end: of alarms, and of swaps that were undone.

    alarms: (when in seconds since 1970, whether it went to ALARM) of one alarm after the other, each in time's order.
    """
    seconds = []
    since: float | None = None
    for when, alarming in alarms:
        if alarming:
            since = when
        elif since is not None:
            seconds.append(max(0.0, when - since))
            since = None
    from_alarms = len(seconds)
    for swap in swaps:
        undoing = [one["at"] for one in swap.get("phases", []) if str(one.get("step", "")).startswith("undo")]
        if swap.get("outcome") == "rolled_back" and undoing and swap.get("ended"):
            seconds.append(float(swap["ended"]) - float(undoing[0]))
    if not seconds:
        return not_measured(f"nothing has failed in the last {days} days: no alarm ended, no swap was undone")
    note = f"{from_alarms} alarms and {len(seconds) - from_alarms} undone swaps in {days} days"
    return Measured(sum(seconds) / len(seconds) / 60, note)


def utilisation(averages: Sequence[float], running: int, floor: int, scale_percent: float) -> Measured:
    """From average CPU percent while the load test ran.

    Redundancy, not load, sets the number of tasks at the floor. scale_percent: how large the load test was.
    """
    if scale_percent < 100:
        return not_measured(f"the load test made only {scale_percent:g} % of the promised load")
    if not averages:
        return not_measured("CloudWatch has no CPU figures from the load test's time")
    mean = sum(averages) / len(averages)
    if running <= floor:
        return not_measured(
            f"the service runs at its minimum of {floor} tasks, which redundancy asks for and not load "
            f"(CPU {mean:.0f} %)"
        )
    return Measured(mean, f"{running} tasks, minimum {floor}")


def cost_per_user(spent: float | None, users: float | None, planned: float | None) -> Measured:
    """spent: USD of the last whole month; planned: USD of a month by the plan, told where there is no bill yet."""
    plan = f"; by the plan it is {planned / users:.3f} USD" if planned and users else ""
    if not users:
        return not_measured("nobody said how many readers are active (platform_usage_active_users)")
    if not spent:
        return not_measured(f"Cost Explorer shows no bill of a whole month with the platform's tags{plan}")
    return Measured(spent / users, f"{spent:.2f} USD last month, {users:g} active users")


def cost_growth(months: Sequence[Mapping[str, Any]], spent: Sequence[float], users: Sequence[float]) -> Measured:
    """From two whole months' bills and users. months: of the capacity plan, told where there are no bills."""
    if len(spent) == 2 and len(users) == 2 and spent[0] > 0 and users[0] > 0 and users[1] > users[0]:
        growth = (spent[1] / spent[0] - 1) / (users[1] / users[0] - 1)
        return Measured(100 * growth, f"{spent[0]:.2f} to {spent[1]:.2f} USD, {users[0]:g} to {users[1]:g} users")
    plan = ""
    if len(months) > 1 and months[0]["users"] and months[0]["monthly_usd"] and months[-1]["users"] > months[0]["users"]:
        cost = months[-1]["monthly_usd"] / months[0]["monthly_usd"] - 1
        growth = 100 * cost / (months[-1]["users"] / months[0]["users"] - 1)
        plan = f"; by the capacity plan it is {growth:.0f} % over {len(months)} months"
    return not_measured(
        f"it takes the bills of two whole months and their numbers of users (kpi_active_users_before){plan}"
    )


def connections(told: Mapping[str, Any] | None, why: str) -> Measured:
    """From `postgres_connection_check`."""
    if told is None:
        return not_measured(why)
    limit = told.get("max_connections") or "unknown"
    return Measured(float(told["opened"]), f"opened at once; the server's limit is {limit}")


def query_time(told: Mapping[str, Any] | None, why: str) -> Measured:
    """From `postgres_query_times`."""
    if told is None:
        return not_measured(why)
    if not told.get("calls"):
        return not_measured(str(told.get("reason") or "the server has counted no statement yet"))
    return Measured(float(told["average_ms"]), f"{told['calls']} statements since {told.get('since') or 'the start'}")
