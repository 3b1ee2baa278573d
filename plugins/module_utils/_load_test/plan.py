# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The load test as data: what k6 is told, made from the scenarios and the table of KPIs; pure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._engine.steps import PlanRefused

KINDS = ("page", "api", "file")
# The KPI that a kind of request is held against; a file is as large as it is.
_LIMITS = {"page": "page_p95_ms", "api": "api_p95_ms"}


@dataclass(frozen=True)
class Shape:
    """How the load grows.

    users: at the peak of a test at full size. scale_percent: of these, for a small machine.
    steps: percent of the peak at which the load stays for a while, rising. ramp, hold: seconds of each step.
    think: least and greatest seconds between two requests of a user.
    """

    users: int
    scale_percent: float = 100
    steps: tuple[float, ...] = (10, 20, 50, 100)
    ramp: float = 120
    hold: float = 300
    think: tuple[float, float] = (1, 4)

    @property
    def peak(self) -> int:
        """Users at the same time, at the peak of this test."""
        return max(1, math.ceil(self.users * self.scale_percent / 100))

    @property
    def seconds(self) -> float:
        """How long the test takes."""
        return len(self.steps) * (self.ramp + self.hold) + self.ramp


@dataclass(frozen=True)
class Plan:
    """What k6 runs. document: as roles/load_test/files/users.js reads it."""

    document: Mapping[str, Any]
    peak: int
    seconds: float
    kinds: tuple[str, ...] = field(default=())

    def script(self, body: str) -> str:
        """The whole k6 script."""
        return f"const plan = {json.dumps(self.document)};\n{body}"


def problems(shape: Shape, scenarios: Sequence[Mapping[str, Any]], base_url: str) -> list[str]:
    """Everything wrong with what is asked, one sentence each."""
    return [*_url(base_url), *_shape(shape), *_scenarios(scenarios)]


def _url(base_url: str) -> Iterator[str]:
    scheme, separator, rest = base_url.partition("://")
    if scheme not in ("http", "https") or not separator or not rest.strip("/"):
        yield f"Read base_url {base_url!r}; the load test needs an address such as https://example.org. Give one."


def _shape(shape: Shape) -> Iterator[str]:
    if shape.users < 1 or not 0 < shape.scale_percent <= 100:
        yield (
            f"Read users {shape.users} and scale_percent {shape.scale_percent:g}; users is 1 or more and scale_percent "
            "above 0 and at most 100. Mend them."
        )
    rising = list(shape.steps) == sorted(set(shape.steps))
    if not shape.steps or not rising or shape.steps[0] <= 0 or shape.steps[-1] != 100:
        yield (
            f"Read steps {list(shape.steps)}; they are percentages of the peak that rise and end at 100, such as "
            "[10, 20, 50, 100]. Mend them."
        )
    if shape.ramp < 0 or shape.hold <= 0:
        yield (
            f"Read ramp_seconds {shape.ramp:g} and hold_seconds {shape.hold:g}; a step must last. Give hold_seconds "
            "above 0."
        )
    if len(shape.think) != 2 or not 0 <= shape.think[0] <= shape.think[-1]:
        yield (
            f"Read think_seconds {list(shape.think)}; it is the least and the greatest pause, such as [1, 4]. Mend it."
        )


def _scenarios(scenarios: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = [str(one["name"]) for one in scenarios]
    if not scenarios:
        yield "Read no scenarios; a load test needs users. Name at least one in load_test_scenarios."
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Read the scenario {name} twice. Name each once."
    total = sum(float(one["share"]) for one in scenarios)
    if scenarios and (any(float(one["share"]) <= 0 for one in scenarios) or not math.isclose(total, 100)):
        yield (
            f"Read shares of the scenarios that sum to {total:g}; each is above 0 and together they are 100. Mend them."
        )
    for one in scenarios:
        if not one["steps"]:
            yield f"Read the scenario {one['name']} without steps. Give it at least one request."
        for step in one["steps"]:
            if not step["paths"] or not all(str(path).startswith("/") for path in step["paths"]):
                yield (
                    f"Read the paths {step['paths']} of step {step['name']}; each begins with a slash, and there is at "
                    "least one. Mend them."
                )


def signed(
    scenarios: Sequence[Mapping[str, Any]], prefixes: Sequence[str], sign: Callable[[str], str]
) -> list[dict[str, Any]]:
    """The scenarios with a signature on every path below one of these. sign: a path to the same with its signature."""

    def paths(step: Mapping[str, Any]) -> list[str]:
        return [sign(path) if path.startswith(tuple(prefixes)) else path for path in step["paths"]]

    return [{**one, "steps": [{**step, "paths": paths(step)} for step in one["steps"]]} for one in scenarios]


def readable_paths(scenarios: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    """Path → statuses of success, of everything that the users only read."""
    steps = [step for one in scenarios for step in one["steps"] if step["method"] == "GET"]
    return {path: list(step["status"]) for step in steps for path in step["paths"]}


def plan(
    shape: Shape, scenarios: Sequence[Mapping[str, Any]], base_url: str, kpis: Mapping[str, float], **options: Any
) -> Plan:
    """The test to run. options: headers, insecure, summary_url. Raises PlanRefused."""
    if wrong := problems(shape, scenarios, base_url):
        raise PlanRefused(wrong)
    users = _shares(shape.peak, [float(one["share"]) for one in scenarios])
    k6: dict[str, Any] = {
        "scenarios": {
            one["name"]: {
                "executor": "ramping-vus",
                "exec": "user",
                "startVUs": 0,
                "gracefulRampDown": "10s",
                "gracefulStop": "10s",
                "stages": _stages(shape, most),
            }
            for one, most in zip(scenarios, users, strict=True)
        },
        "thresholds": thresholds(scenarios, kpis),
        "summaryTrendStats": ["avg", "med", "p(95)", "p(99)", "max", "count"],
        "insecureSkipTLSVerify": bool(options.get("insecure")),
        "userAgent": "stories1001.platform load_test",
        "discardResponseBodies": True,
    }
    document = {
        "base_url": base_url.rstrip("/"),
        "headers": dict(options.get("headers") or {}),
        "think": list(shape.think),
        "summary_url": options.get("summary_url") or "",
        "scenarios": {one["name"]: one["steps"] for one in scenarios},
        "options": k6,
    }
    kinds = tuple(kind for kind in KINDS if kind in {step["kind"] for one in scenarios for step in one["steps"]})
    return Plan(document, sum(users), shape.seconds, kinds)


def thresholds(scenarios: Sequence[Mapping[str, Any]], kpis: Mapping[str, float]) -> dict[str, list[str]]:
    """k6's thresholds from the table of KPIs.

    k6 tells a figure of its own only for what has a threshold, so each step has one that always holds.
    """
    found = {
        f"http_req_duration{{kind:{kind}}}": [f"p(95)<{kpis[limit]:g}"]
        for kind, limit in _LIMITS.items()
        if any(step["kind"] == kind for one in scenarios for step in one["steps"])
    }
    found["errors"] = [f"rate<{kpis['error_percent'] / 100:g}"]
    for one in scenarios:
        for step in one["steps"]:
            found[f"http_req_duration{{step:{one['name']}.{step['name']}}}"] = ["p(95)>=0"]
            found[f"errors{{step:{one['name']}.{step['name']}}}"] = ["rate>=0"]
    return found


def _stages(shape: Shape, most: int) -> list[dict[str, Any]]:
    """k6's stages of one scenario: up and stay, step by step, then down."""
    stages = []
    for percent in shape.steps:
        target = max(1, round(most * percent / 100)) if most else 0
        stages.append({"duration": f"{shape.ramp:g}s", "target": target})
        stages.append({"duration": f"{shape.hold:g}s", "target": target})
    return [*stages, {"duration": f"{shape.ramp:g}s", "target": 0}]


def _shares(peak: int, percent: Sequence[float]) -> list[int]:
    """Whole users a scenario, at least one each; with enough users their sum is the peak (largest remainders)."""
    exact = [peak * share / 100 for share in percent]
    users = [max(1, math.floor(value)) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda at: exact[at] - math.floor(exact[at]), reverse=True)
    for at in by_remainder:
        if sum(users) >= peak:
            break
        users[at] += 1
    return users
