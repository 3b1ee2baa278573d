# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Weekly maintenance and daily backup windows, in UTC, as RDS and ElastiCache write them; pure."""

from __future__ import annotations

import re

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"(?P<{0}h>[01]\d|2[0-3]):(?P<{0}m>[0-5]\d)"
_DAILY = re.compile(_TIME.format("a") + "-" + _TIME.format("b"))
_WEEKLY = re.compile(
    rf"(?P<aday>{'|'.join(_DAYS)}):" + _TIME.format("a") + rf"-(?P<bday>{'|'.join(_DAYS)}):" + _TIME.format("b"),
    re.IGNORECASE,
)
_DAY, _WEEK = 24 * 60, 7 * 24 * 60


def problems(daily: str, weekly: str, least_minutes: int) -> list[str]:
    """A sentence for each thing wrong with a pair of windows.

    daily: such as ``03:00-04:00``. weekly: such as ``sun:04:00-sun:05:00``.
    least_minutes: how long AWS demands each to be. The two may not overlap (API references, PreferredBackupWindow).
    """
    found = []
    day, week = _DAILY.fullmatch(daily), _WEEKLY.fullmatch(weekly)
    if not day:
        found.append(f"Read the backup window {daily!r}; AWS takes hh:mm-hh:mm in UTC. Write it like 03:00-04:00.")
    if not week:
        found.append(
            f"Read the maintenance window {weekly!r}; AWS takes ddd:hh:mm-ddd:hh:mm in UTC. "
            "Write it like sun:04:00-sun:05:00."
        )
    if not day or not week:
        return found
    start, end = _minutes(day, "a"), _minutes(day, "b")
    length = (end - start) % _DAY
    begin = _DAYS.index(week["aday"].lower()) * _DAY + _minutes(week, "a")
    finish = _DAYS.index(week["bday"].lower()) * _DAY + _minutes(week, "b")
    for name, minutes in (("backup", length), ("maintenance", (finish - begin) % _WEEK)):
        if minutes < least_minutes:
            found.append(f"Read a {name} window of {minutes} minutes; AWS demands {least_minutes}. Lengthen it.")
    if any(_overlap(begin, finish, number * _DAY + start, length) for number in range(7)):
        found.append(f"Read the windows {daily} and {weekly}; they overlap, which AWS refuses. Move one of them.")
    return found


def _minutes(match: re.Match[str], which: str) -> int:
    return int(match[f"{which}h"]) * 60 + int(match[f"{which}m"])


def _overlap(begin: int, finish: int, start: int, length: int) -> bool:
    """Whether [begin, finish) and [start, start+length) meet, around the end of the week."""
    return (start - begin) % _WEEK < (finish - begin) % _WEEK or (begin - start) % _WEEK < length
