# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a load test found, out of k6's own summary; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .plan import KINDS

Metrics = Mapping[str, Mapping[str, Any]]

_STEP = re.compile(r"http_req_duration\{step:(?P<scenario>[^.}]+)\.(?P<step>[^}]+)\}")


def result(
    metrics: Metrics, *, seconds: float, samples: Sequence[Mapping[str, Any]] = (), **facts: Any
) -> dict[str, Any]:
    """The figures that are kept. facts: platform, base_url, started, target_users, scale_percent, runner.

    A figure that k6 has no sample of is None: nothing was measured, whatever its threshold says.
    """
    requests = int(_value(metrics, "http_reqs", "count") or 0)
    rate = _value(metrics, "errors", "rate")
    by_kind = {kind: _trend(metrics, f"http_req_duration{{kind:{kind}}}") for kind in KINDS}
    return {
        **facts,
        "seconds": round(seconds, 1),
        "users": int(_value(metrics, "vus_max", "max") or _value(metrics, "vus_max", "value") or 0),
        "requests": requests,
        "requests_per_s": round(requests / seconds, 1) if seconds else 0.0,
        "error_percent": None if rate is None or not requests else round(100 * rate, 4),
        "refused": int(_value(metrics, "refused", "count") or 0),
        "p95_ms": {kind: figures["p95_ms"] for kind, figures in by_kind.items() if figures},
        "by_step": _steps(metrics),
        "thresholds": _thresholds(metrics),
        "samples": list(samples),
    }


def passed(told: Mapping[str, Any]) -> bool:
    """Whether every promise that k6 could hold the test against was kept, by figures that exist."""
    return bool(told["requests"]) and all(one["met"] for one in told["thresholds"])


def _steps(metrics: Metrics) -> list[dict[str, Any]]:
    found = []
    for name in sorted(metrics):  # k6 tells them in any order
        match = _STEP.fullmatch(name)
        if match and (figures := _trend(metrics, name)):
            key = f"{match['scenario']}.{match['step']}"
            rate = _value(metrics, f"errors{{step:{key}}}", "rate")
            errors = None if rate is None else round(100 * rate, 4)
            found.append({"scenario": match["scenario"], "step": match["step"], **figures, "error_percent": errors})
    return found


def _thresholds(metrics: Metrics) -> list[dict[str, Any]]:
    """Those that come from a KPI; one without a sample is not met, since nothing was seen."""
    found = []
    for name, metric in sorted(metrics.items()):
        if "{step:" in name:
            continue
        seen = _trend(metrics, name) is not None if metric["type"] == "trend" else _samples(metric) > 0
        for expression, verdict in (metric.get("thresholds") or {}).items():
            found.append({"metric": name, "expression": expression, "met": bool(verdict["ok"]) and seen})
    return found


def _samples(metric: Mapping[str, Any]) -> float:
    values = metric["values"]
    return float(values.get("passes", 0)) + float(values.get("fails", 0))


def _trend(metrics: Metrics, name: str) -> dict[str, Any] | None:
    values = metrics.get(name, {}).get("values", {})
    if not values.get("count"):
        return None
    return {
        "requests": int(values["count"]),
        "average_ms": round(values["avg"], 2),
        "p95_ms": round(values["p(95)"], 2),
        "slowest_ms": round(values["max"], 2),
    }


def _value(metrics: Metrics, name: str, key: str) -> float | None:
    value = metrics.get(name, {}).get("values", {}).get(key)
    return None if value is None else float(value)
