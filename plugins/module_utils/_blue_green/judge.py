# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what was seen of the new slot is good: pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .model import Check, Desired

# Fewer errors than this are noise, whatever their share: one of five requests is no verdict.
_FEWEST_ERRORS = 3
_SHOWN = 3  # failed answers that a sentence quotes


@dataclass(frozen=True)
class Sample:
    """One answer of the test listener. status: 0 when there was none; then ``error`` says why."""

    check: Check
    status: int
    milliseconds: float
    body: str = ""
    headers: Mapping[str, str] | None = None
    error: str = ""


@dataclass(frozen=True)
class Traffic:
    """What CloudWatch counted for the new target group since a bake began."""

    requests: float = 0
    errors: float = 0
    p95: float = 0.0  # milliseconds; 0 when nobody asked for it


def fault(sample: Sample, version: str) -> str:
    """What is wrong with one answer; empty when it is as it must be."""
    check = sample.check
    if sample.status not in check.status:
        found = f"status {sample.status}" if sample.status else sample.error
        return f"{check.path}: {found} instead of {' or '.join(map(str, check.status))}"
    if check.body and not re.search(_expected(check.body, version), sample.body):
        return f"{check.path}: a body without {_expected(check.body, version)}"
    headers = {name.lower(): value for name, value in (sample.headers or {}).items()}
    for name, expression in check.headers.items():
        found = headers.get(name.lower(), "")
        if not re.search(_expected(expression, version), found):
            return f"{check.path}: header {name} {found!r} instead of {_expected(expression, version)}"
    return ""


def _expected(expression: str, version: str) -> str:
    return expression.replace("{version}", re.escape(version))


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile; 0 of nothing. share: 0.95 for p95."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def too_bad(samples: Sequence[Sample], traffic: Traffic, desired: Desired, version: str) -> Iterator[str]:
    """What already shows, in the middle of a bake, that the new slot is bad."""
    faults = [found for sample in samples if (found := fault(sample, version))]
    if len(faults) >= _FEWEST_ERRORS and len(faults) > desired.maximum_error_rate * len(samples):
        shown = "; ".join(dict.fromkeys(faults[-_SHOWN:]))
        yield f"{len(faults)} of {len(samples)} checks through the test listener failed ({shown})"
    if traffic.errors >= _FEWEST_ERRORS and traffic.errors > desired.maximum_error_rate * traffic.requests:
        rate = 100 * traffic.errors / max(traffic.requests, traffic.errors)
        yield (
            f"{traffic.errors:.0f} of {traffic.requests:.0f} requests of its target group failed ({rate:.2f} %, "
            f"allowed {100 * desired.maximum_error_rate:g} %)"
        )


def not_good(samples: Sequence[Sample], traffic: Traffic, desired: Desired, version: str) -> Iterator[str]:
    """Why a bake whose time is up has not been passed."""
    yield from too_bad(samples, traffic, desired, version)
    seen = len(samples) + traffic.requests
    if seen < desired.minimum_samples:
        yield f"only {seen:.0f} requests were seen in the bake, {desired.minimum_samples} are needed for a verdict"
    yield from too_slow(samples, desired)
    if desired.maximum_p95 and traffic.p95 > desired.maximum_p95:
        yield f"p95 of its target group is {traffic.p95:.0f} ms, allowed are {desired.maximum_p95:.0f} ms"


def too_slow(samples: Sequence[Sample], desired: Desired) -> Iterator[str]:
    for check in desired.checks:
        times = [sample.milliseconds for sample in samples if sample.check == check and sample.status]
        limit = check.p95
        if limit and times and (p95 := percentile(times, 0.95)) > limit:
            yield f"p95 of {check.path} is {p95:.0f} ms over {len(times)} requests, allowed are {limit:.0f} ms"
