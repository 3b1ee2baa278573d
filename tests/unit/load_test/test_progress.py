"""A load test while it runs: figures of each moment, on the controller and out of a task's log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from ansible_collections.stories1001.platform.plugins.module_utils._load_test.progress import Progress
from ansible_collections.stories1001.platform.plugins.module_utils._load_test.task_log import TaskLog


def figures(users: int, requests: int, average: float, p95: float = 50.0, errors: float = 0.0) -> dict[str, Any]:
    return {
        "vus": {"value": users},
        "http_reqs": {"count": requests},
        "http_req_duration": {"avg": average, "p(95)": p95},
        "errors": {"rate": errors},
    }


def test_rate_and_average_are_of_the_moment_and_not_of_the_whole_test() -> None:
    progress = Progress()
    progress.sample(figures(10, 100, 20.0), 10.0)
    progress.sample(figures(50, 300, 100.0), 20.0)
    first, second = progress.samples
    assert (first["requests_per_s"], first["average_ms"]) == (10.0, 20.0)
    assert (second["requests_per_s"], second["average_ms"]) == (20.0, 140.0)
    progress.sample(figures(50, 300, 100.0), 30.0)
    assert progress.samples[-1]["average_ms"] == 0.0


class Log:
    """CloudWatch Logs with one stream; None of it before anything was written."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] | None = None

    def call_unless(
        self, _codes: Any, _attempt: str, service: str, operation: str, /, **named: Any
    ) -> dict[str, Any] | None:
        assert (service, operation, named["logStreamName"]) == ("logs", "get_log_events", "k6/k6/1")
        if self.events is None:
            return None
        start = int(named.get("nextToken", "f/0")[2:])
        return {"events": self.events[start : start + 3], "nextForwardToken": f"f/{min(start + 3, len(self.events))}"}

    def write(self, at: float, *lines: str) -> None:
        self.events = [*(self.events or []), *({"timestamp": at, "message": line} for line in lines)]


def told(metric: str, **sample: float) -> str:
    return json.dumps({"data": {"type": "metrics", "id": metric, "attributes": {"sample": sample}}})


def test_the_log_of_a_task_is_shown_as_it_comes_and_what_is_no_figure_is_kept(tmp_path: Path) -> None:
    log, progress = Log(), Progress(str(tmp_path / "shown"))
    follower = TaskLog(cast(Any, log), "/stories/k6", "k6/k6/1", progress)
    follower.look()
    assert progress.samples == []
    log.write(1000, "round", told("vus", value=3), told("http_reqs", count=10), "level=warning msg=slow", "round")
    follower.look()
    log.write(6000, told("vus", value=7), told("http_reqs", count=60), "round")
    follower.look()
    follower.look()
    assert [(one["second"], one["users"], one["requests"]) for one in progress.samples] == [(0.0, 3, 10), (5.0, 7, 60)]
    assert progress.samples[-1]["requests_per_s"] == 10.0
    assert follower.said == ["level=warning msg=slow"]
    assert "7 users, 10 requests/s" in (tmp_path / "shown").read_text()
