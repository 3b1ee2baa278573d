"""What a first run waits for on AWS: the model of creation times, the critical path, and how much of it overlaps.

Run from the checkout: `./dev bench waits`. An embedded cloud of its own lets
creations take a share of the time that they take on AWS (local_cloud/control_plane/creation_times.json) while
`playbooks/site.yml` runs on an empty account. From the log of calls follows when each slow resource was begun and how
long the run did nothing but ask for it; divided by the share, these are AWS's minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.ansible import playbook_command, playbook_environment
from tests.support.cloud import ROOT, Cloud, running

_TABLE = ROOT / "local_cloud" / "control_plane" / "creation_times.json"


@dataclass(frozen=True)
class Creation:
    """A slow resource. kind: of the table. begun: seconds since the run began. takes: seconds on AWS."""

    kind: str
    begun: float
    takes: float


@dataclass(frozen=True)
class Wait:
    """Seconds in which the run made no calls but those that look whether something is ready; kind: what came last."""

    kind: str
    seconds: float


def creations(
    calls: Iterable[Mapping[str, Any]], table: Mapping[str, Mapping[str, Any]], start: float
) -> list[Creation]:
    """Each creation of the table's kinds, in order."""
    found = []
    for call in calls:
        name = f"{call['service']}:{call['action']}"
        row = table.get(name)
        if row and call["error"] is None and _fits(row, call["parameters"]):
            found.append(Creation(name, call["time"] - start, row["seconds"]))
    return found


def _fits(row: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    return all(parameters.get(name) == value for name, value in row.get("only", {}).items())


def waits(calls: Sequence[Mapping[str, Any]], table: Mapping[str, Mapping[str, Any]]) -> list[Wait]:
    """Stretches of the log in which nothing is done but to ask for listings of the table again and again.

    Several tasks may wait side by side. What AWS refuses as long as something is not ready (an RDS proxy's target) is
    asked for again like a listing.
    """
    listings = {f"{name.split(':')[0]}:{row['list']}": name for name, row in table.items()}
    found: list[Wait] = []
    stretch: list[Mapping[str, Any]] = []
    for call in (*calls, None):
        if call and (call["error"] or _name(call) in listings):
            stretch.append(call)
            continue
        asked = [_name(one) for one in stretch if not one["error"]]
        # Two looks in a row are a look before and one after; who waits asks more often.
        if asked and max(asked.count(name) for name in asked) > 2:
            ended = call or stretch[-1]
            found.append(Wait(listings[asked[-1]], ended["time"] - stretch[0]["time"]))
        stretch = []
    return found


def _name(call: Mapping[str, Any]) -> str:
    return f"{call['service']}:{call['action']}"


def report(made: Sequence[Creation], waited: Sequence[Wait], wall: float, share: float) -> list[str]:
    """The table in AWS's minutes."""
    lines = ["slow resource                        begun at      takes on AWS"]
    lines += [f"{one.kind:36} {one.begun:6.0f} s {one.takes / 60:12.1f} min" for one in made]
    idle = sum(one.seconds for one in waited)
    lines += ["", "critical path                          waited on AWS"]
    lines += [f"{one.kind:36} {one.seconds / share / 60:12.1f} min" for one in waited]
    # What begins side by side in one kind (three instances, three gateways) is awaited once even by a run in a row.
    in_a_row = sum({one.kind: one.takes for one in made}.values())
    lines += [
        f"{'everything but waiting':36} {(wall - idle) / 60:12.1f} min",
        "",
        f"a first run on AWS: {(wall - idle + idle / share) / 60:.1f} min, {idle / share / 60:.1f} of them waiting; "
        f"one after another the same resources take {in_a_row / 60:.1f} min",
    ]
    return lines


def first_run(cloud: Cloud) -> tuple[list[dict[str, Any]], float, float]:
    """The calls of site.yml on an empty account, when it began, and its wall-clock seconds."""
    environment = {**playbook_environment(cloud), "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
    command = playbook_command(cloud, "playbooks/site.yml")
    start = time.time()
    with cloud.recorded() as calls:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
    return calls, start, time.time() - start


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench waits", description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--share", type=float, default=0.05, help="of AWS's time that a creation takes here")
    options = parser.parse_args()
    table = json.loads(_TABLE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, running(Path(folder), data_plane=True) as cloud:
        cloud.admin("POST", "/creation-times", {"scale": options.share})
        calls, start, wall = first_run(cloud)
    print("\n".join(report(creations(calls, table, start), waits(calls, table), wall, options.share)))


if __name__ == "__main__":
    main()
