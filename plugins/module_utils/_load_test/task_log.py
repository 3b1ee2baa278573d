# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a load test on Fargate says in its log while it runs: k6's figures of the moment, and its complaints."""

from __future__ import annotations

import json
from typing import Any

from .._aws.api import Aws
from .progress import Progress

_NOT_THERE_YET = ("ResourceNotFoundException",)
ROUND = "round"  # the line after the figures of one moment
# Of k6's own address, those that `Progress` shows. One each: the whole of them is more than the log takes in a line.
METRICS = ("vus", "http_reqs", "http_req_duration", "errors")
_KEPT_LINES = 5


class TaskLog:
    """Follows one log stream. group, stream: as the task definition and the task's id make them."""

    def __init__(self, aws: Aws, group: str, stream: str, progress: Progress) -> None:
        self._aws, self._group, self._stream, self._progress = aws, group, stream, progress
        self._token: str | None = None
        self._first: float | None = None  # when the first figures came, in ms since 1970
        self._figures: dict[str, dict[str, float]] = {}
        self.said: list[str] = []  # what was no figure, the last lines

    def look(self) -> None:
        """Show what is new."""
        more = True
        while more:
            place: dict[str, Any] = {"logGroupName": self._group, "logStreamName": self._stream, "startFromHead": True}
            if self._token:
                place["nextToken"] = self._token
            answer = self._aws.call_unless(
                _NOT_THERE_YET, f"read the log {self._group}", "logs", "get_log_events", **place
            )
            events = (answer or {}).get("events", [])
            for event in events:
                self._take(str(event["message"]).strip(), float(event["timestamp"]))
            before, self._token = self._token, (answer or {}).get("nextForwardToken", self._token)
            more = bool(events) and self._token != before

    def _take(self, line: str, at: float) -> None:
        if line == ROUND:
            if self._figures:
                self._first = self._first or at
                self._progress.sample(self._figures, (at - self._first) / 1000)
        elif figure := _figure(line):
            self._figures.update(figure)
        elif line:
            self.said = [*self.said, line][-_KEPT_LINES:]


def _figure(line: str) -> dict[str, dict[str, float]] | None:
    """{metric: figures} of a line that k6's own address answered; None for any other."""
    try:
        told: Any = json.loads(line)
        return {told["data"]["id"]: told["data"]["attributes"]["sample"]}
    except (ValueError, TypeError, KeyError):
        return None
