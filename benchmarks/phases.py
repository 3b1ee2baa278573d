"""What each phase makes and costs: resources, API calls, writes and seconds of its plan, its run and its second run.

The roadmap is run week by week on an embedded cloud with its data plane, each phase three times: as a plan (--check)
on what the earlier ones left, for real, and again. A phase that writes in its plan, makes other than it planned, or
changes something the second time ends the benchmark. Times are wall-clock seconds of ansible-playbook.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from tests.support.ansible import PlayResult, run_playbook
from tests.support.cloud import Cloud, running
from tests.support.inventory import contents

PREFIX = "stories-local"
PHASES = range(1, 8)  # phase 8 visits and judges; it makes nothing


@dataclass(frozen=True)
class Run:
    """One ansible-playbook: steps planned or done, API calls, those that write, wall-clock seconds."""

    steps: tuple[str, ...]
    calls: int
    writes: int
    seconds: float


@dataclass(frozen=True)
class Phase:
    """resources: what stands under the platform's prefix afterwards and did not before."""

    phase: int
    resources: int
    plan: Run
    run: Run
    again: Run


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench phases", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running(Path(folder) / "cloud", data_plane=True) as one,
    ):
        phases = [measured(one, phase) for phase in PHASES]
    print("\n" + "\n".join(table(phases)))
    if options.json:
        told = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            "load": os.getloadavg()[1],
            "versions": {name: version(name) for name in ("ansible-core", "boto3", "botocore")},
            "phases": [asdict(phase) for phase in phases],
        }
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def measured(cloud: Cloud, phase: int) -> Phase:
    """The phase as a plan, for real, and again."""
    before = len(contents(cloud, PREFIX))
    plan, run = once(cloud, phase, "--check"), once(cloud, phase)
    made = len(contents(cloud, PREFIX)) - before
    again = once(cloud, phase)
    if plan.writes or plan.steps != run.steps or again.steps or again.writes:
        raise SystemExit(f"phase {phase} kept no promise: {plan=} {run=} {again=}")
    print(f"phase {phase}: {made} resources in {run.seconds} s", flush=True)
    return Phase(phase, made, plan, run, again)


def once(cloud: Cloud, phase: int, *options: str) -> Run:
    cloud.admin("DELETE", "/calls")
    begun = time.monotonic()
    result: PlayResult = run_playbook(cloud, f"playbooks/phase{phase}.yml", *options)
    seconds = time.monotonic() - begun
    if result.returncode:
        raise SystemExit(f"phase {phase} failed: {result.errors or result.output[-3000:]}")
    calls = cloud.calls()
    return Run(tuple(result.steps), len(calls), sum(call["writes"] for call in calls), round(seconds, 1))


def table(phases: Iterable[Phase]) -> Iterable[str]:
    """Markdown, with the sums of all phases below."""
    yield "| Phase | resources | plan: calls | s | run: calls | of these writes | s | again: calls | s |"
    yield "|---|---|---|---|---|---|---|---|---|"
    rows = [
        (
            one.resources,
            one.plan.calls,
            one.plan.seconds,
            one.run.calls,
            one.run.writes,
            one.run.seconds,
            one.again.calls,
            one.again.seconds,
        )
        for one in phases
    ]
    named = [*(str(one.phase) for one in phases), "all"]
    for name, row in zip(named, [*rows, [round(sum(column), 1) for column in zip(*rows, strict=True)]], strict=True):
        yield f"| {name} | {' | '.join(map(str, row))} |"


if __name__ == "__main__":
    main()
