"""What all proofs share: a proof is a list of cases, a case does something to the rig under traffic."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.blue_green.results import Row
from tests.acceptance.blue_green.rig import SLOTS, Result, Rig
from tests.acceptance.blue_green.traffic import Traffic, readers

# A release in one step with the shortest times that the slower node of the load balancer allows.
QUICK: dict[str, Any] = {"steps": [100], "bake": 1.5, "rollback_window": 0, "settle": 3.6}


@dataclass
class Scale:
    """What a case may use up. versions: numbers that no case on this rig has used."""

    folder: Path
    versions: Iterator[int] = field(default_factory=lambda: iter(range(2, 10**6)))

    def version(self) -> str:
        return f"v{next(self.versions)}"


# Raises AssertionError when what it proves does not hold; writes its figures into the row.
Case = Callable[[Rig, Scale, Row], None]


@dataclass(frozen=True)
class Proof:
    """name: of the command line. cases: of the long form, by name. short: one case that every change is held against.

    spoils: the rig cannot be used any more afterwards.
    """

    name: str
    title: str
    cases: Mapping[str, Case]
    short: Case | None = None
    spoils: bool = False


@contextmanager
def watched(rig: Rig, row: Row, **load: Any) -> Iterator[Traffic]:
    """Readers and the sampler for the length of the block; their figures go into the row. rate: requests a second."""
    with rig.sampled() as samples, readers(rig.addresses, rig.port, **{"rate": 40, "count": 12, **load}) as seen:
        time.sleep(0.5)
        yield seen
    row.count(seen, samples)
    assert not samples.violations, samples.violations[:3]


@contextmanager
def lossless(rig: Rig, row: Row, **load: Any) -> Iterator[Traffic]:
    """The same, and no request may fail."""
    with watched(rig, row, **load) as seen:
        yield seen
    assert not seen.failed, f"{len(seen.failed)} requests failed, such as {seen.failed[:3]}"
    assert not seen.dropped, f"{seen.dropped} requests could not be sent in their second"


def good(result: Result) -> Result:
    assert not result.get("failed"), result["msg"]
    return result


def refused(result: Result, *sentences: str) -> str:
    """The message of a result that failed with one of these words."""
    assert result.get("failed"), {name: result.get(name) for name in ("changed", "live", "steps")}
    message = str(result["msg"])
    assert any(one in message for one in sentences), message
    return message


def idle(rig: Rig) -> str:
    live = rig.live()
    return next(slot for slot in SLOTS if slot != live)


def settled(rig: Rig) -> None:
    """What must hold after every exit: nothing under way, one slot up, scaling handed over."""
    live, other = rig.live(), idle(rig)
    services = rig.services()
    assert rig.intent() is None
    assert services[live]["desiredCount"] >= 2
    assert services[other]["desiredCount"] == 0
    assert rig.scaling() == {live: (2, 6, (False, False, False)), other: (0, 6, (True, True, True))}


def writes(rig: Rig, since: int) -> list[str]:
    """Names of the writing calls of releases; the data plane's own calls are left out."""
    others = ("PutMetricData", "RegisterTargets", "DeregisterTargets")
    return [one["action"] for one in rig.cloud.calls(writes=True, since=since) if one["action"] not in others]


class Detection:
    """A run whose progress is read: when it said that something is not good, and when traffic was back."""

    def __init__(self, process: Any, path: Path) -> None:
        self.process, self.path = process, path

    def seconds(self) -> float:
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        detected = next(one["at"] for one in lines if one["line"].startswith("Not good"))
        back = next(one["at"] for one in lines if one["line"].endswith("again") and "weights" in one)
        return round(back - detected, 2)


def detection(rig: Rig, wish: dict[str, Any]) -> Detection:
    path = rig.cloud.state_dir / f"progress-{wish['version']}"
    return Detection(rig.start({**wish, "progress_path": str(path)}), path)
