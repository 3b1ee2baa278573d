# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of a drill: what was restored, how long it took, how much would have been lost; pure.

RTO (recovery time objective): seconds from the start of the restore to the last row read from the restored database.
RPO (recovery point objective): seconds between the loss and the latest moment that could still be restored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from .fingerprint import Verdict, compare

_GOOD = ("same", "same where it stood still", "made later", "dropped later")
MET, MISSED, UNKNOWN = "met", "missed", "not measured"


def build(params: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Everything that a drill found, as JSON takes it. params: those of the module `recovery_report`."""
    before, after, restored = (params[name]["tables"] for name in ("before", "after", "restored"))
    verdicts = compare(before, after, restored)
    measured = [
        _limit(
            "RTO: the restored database answered and was read",
            _between(params["restore"]["began"], params["restored"]["answered_at"]),
            params["rto_limit_minutes"],
        ),
        _limit(
            "RPO within the region: age of the latest moment that could be restored",
            _between(params["restore"].get("latest_restorable"), params["restore"].get("looked_at")),
            params["rpo_limit_minutes"],
        ),
        _limit(
            "RPO for the loss of the region: age of the newest copy in the other region",
            _between(params["newest_copy"], now.isoformat()) if params["newest_copy"] else None,
            params["cross_region_rpo_limit_minutes"],
        ),
    ]
    data = _data(verdicts)
    missed = [one["what"] for one in measured[:2] if one["verdict"] != MET]
    # An old copy misses its limit; where there is none yet, that is told and not held against the drill.
    missed += [one["what"] for one in measured[2:] if one["verdict"] == MISSED]
    passed = data["verdict"] == MET and not missed
    return {
        "platform": params["name_prefix"],
        "date": now.isoformat(timespec="seconds"),
        "source": params["source"],
        "restored_as": params["restored_as"],
        "restore_point": params["restore_point"],
        "passed": passed,
        "verdict": "passed" if passed else "failed",
        "rto_seconds": measured[0]["seconds"],
        "rpo_seconds": measured[1]["seconds"],
        "data": data,
        "measured": measured,
        "failures": [*missed, *([data["what"]] if data["verdict"] != MET else [])],
        "tables": [asdict(one) for one in verdicts],
    }


def _data(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    wrong = [one.table for one in verdicts if one.result in ("differs", "missing")]
    unproved = [one.table for one in verdicts if one.result == "moved"]
    proved = [one for one in verdicts if one.verified]
    what = "Data: every table as it was at the restore point"
    if not proved and not wrong:
        what, verdict = "Data: no table stood still or had rows, so nothing is proved", UNKNOWN
    else:
        verdict = MISSED if wrong else MET
    return {"what": what, "verdict": verdict, "wrong": wrong, "unproved": unproved, "rows": _rows(verdicts)}


def _rows(verdicts: Sequence[Verdict]) -> int:
    return sum(one.restored_rows or 0 for one in verdicts)


def _between(begin: str | None, end: str | None) -> float | None:
    if not begin or not end:
        return None
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds())


def _limit(what: str, seconds: float | None, minutes: int) -> dict[str, Any]:
    verdict = UNKNOWN if seconds is None else MET if seconds < minutes * 60 else MISSED
    shown = None if seconds is None else round(seconds, 1)
    return {"what": what, "seconds": shown, "limit_seconds": minutes * 60, "verdict": verdict}


def markdown(report: Mapping[str, Any]) -> str:
    """The same for people."""
    lines = [
        f"# Recovery drill of {report['platform']}, {report['date']}",
        "",
        f"**{'Passed' if report['passed'] else 'Failed'}.** {report['source']} was restored to "
        f"{report['restore_point']} as {report['restored_as']}, compared with its original and removed.",
        "",
        "| Measured | Found | Limit | Verdict |",
        "|---|---|---|---|",
    ]
    for one in report["measured"]:
        lines.append(f"| {one['what']} | {_told(one['seconds'])} | {_told(one['limit_seconds'])} | {one['verdict']} |")
    data = report["data"]
    lines.append(f"| {data['what']} | {data['rows']} rows in {len(report['tables'])} tables | | {data['verdict']} |")
    lines += [
        "",
        "| Table | Rows | Restored | Checksum | Restored | Parts of 64 proved / moved / wrong | Result |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in report["tables"]:
        parts = f"{one['verified']} / {one['moved']} / {one['wrong']}"
        cells = (one["table"], one["rows"], one["restored_rows"], one["checksum"], one["restored_checksum"], parts)
        lines.append(f"| {' | '.join('' if cell is None else str(cell) for cell in cells)} | {one['result']} |")
    lines += [
        "",
        "A part that moved was written to while it was read; what it held at the restore point cannot be said. "
        "A missed RPO for the region means that losing it costs that much; Aurora Global Database makes it seconds.",
        "",
    ]
    return "\n".join(lines)


def _told(seconds: float | None) -> str:
    if seconds is None:
        return "nothing to measure"
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
