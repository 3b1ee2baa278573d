"""What the proofs measured: kept in a JSON file case by case, so that a long form can be done in pieces."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.acceptance.blue_green.rig import Samples
from tests.acceptance.blue_green.traffic import Traffic

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "docs" / "blue-green-proofs.json"
REPORT = ROOT / "docs" / "blue-green-proofs.md"


@dataclass
class Row:
    """The figures of one case.

    failed: requests that failed or could not be sent in time. meant_to_fail: the case is one of a version that fails
    its users, or of the pipeline that must lose; what is allowed is asserted by the case itself.
    samples: looks at the first invariant; late: those that came more than 0.15 s after the one before.
    widest_gap: seconds. restored: seconds from the detection to all traffic on the old slot.
    load: of the machine over the last minute, when the case ended.
    """

    case: str = ""
    held: bool = False
    requests: int = 0
    failed: int = 0
    meant_to_fail: bool = False
    samples: int = 0
    late: int = 0
    violations: int = 0
    widest_gap: float = 0.0
    restored: list[float] = field(default_factory=list)
    note: str = ""
    seconds: float = 0.0
    ended: str = ""
    load: float = 0.0

    def count(self, seen: Traffic, samples: Samples) -> None:
        self.requests += seen.requests
        self.failed += len(seen.failed) + seen.dropped
        self.look(samples)

    def look(self, samples: Samples) -> None:
        self.samples += samples.count
        self.late += samples.late
        self.violations += len(samples.violations)
        self.widest_gap = round(max(self.widest_gap, samples.widest_gap), 3)

    def close(self, seconds: float) -> None:
        self.seconds, self.load = round(seconds, 1), round(os.getloadavg()[0], 1)
        self.ended = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")


class Results:
    """The JSON file: {"versions": …, "proofs": {name of the proof: {name of the case: Row}}}."""

    def __init__(self, path: Path = RESULTS) -> None:
        self.path = path
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"versions": {}, "proofs": {}}
        self.versions: dict[str, str] = known["versions"]
        self.proofs: dict[str, dict[str, Row]] = {
            proof: {case: Row(**row) for case, row in cases.items()} for proof, cases in known["proofs"].items()
        }

    def held(self, proof: str, case: str) -> bool:
        row = self.proofs.get(proof, {}).get(case)
        return row is not None and row.held

    def keep(self, proof: str, row: Row) -> None:
        """Write one case down. Another process may do other cases at the same time."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            self._keep(proof, row)
        finally:
            os.close(folder)

    def _keep(self, proof: str, row: Row) -> None:
        self.proofs = Results(self.path).proofs
        self.proofs.setdefault(proof, {})[row.case] = row
        self.versions = versions()
        told = {
            "versions": self.versions,
            "proofs": {name: {case: asdict(one) for case, one in cases.items()} for name, cases in self.proofs.items()},
        }
        fresh = self.path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        fresh.replace(self.path)


def versions() -> dict[str, str]:
    """Of everything that the figures depend on."""
    k6 = subprocess.run([Path(sys.executable).with_name("k6"), "version"], capture_output=True, text=True, check=True)
    return {
        "Python": platform.python_version(),
        "ansible-core": version("ansible-core"),
        "botocore": version("botocore"),
        "k6": k6.stdout.split()[1],
        "processors": str(os.cpu_count()),
    }


@dataclass(frozen=True)
class Line:
    """One line of the table: a proof with all its cases. missing, broken: names of cases."""

    title: str
    rows: Sequence[Row]
    missing: Sequence[str]

    @property
    def broken(self) -> list[str]:
        return [row.case for row in self.rows if not row.held]

    def total(self, name: str) -> int:
        return sum(getattr(row, name) for row in self.rows)

    @property
    def lost(self) -> int:
        """Requests that failed where none may."""
        return sum(row.failed for row in self.rows if not row.meant_to_fail)

    @property
    def violated(self) -> int:
        """Violations of the first invariant, but for the pipeline that is meant to lose."""
        return sum(row.violations for row in self.rows if not row.meant_to_fail)

    @property
    def verdict(self) -> str:
        if self.broken:
            return f"does not hold: {', '.join(self.broken)}"
        return f"{len(self.missing)} cases not run" if self.missing else "holds"

    @property
    def restored(self) -> str:
        times = [time for row in self.rows for time in row.restored]
        return f"{min(times):.2f}-{max(times):.2f}" if times else ""


def table(lines: Sequence[Line]) -> str:
    """As text, widths fitted."""
    head = f"{'proof':66} {'cases':>6} {'requests':>9} {'failed':>7} {'samples':>8} {'viol.':>6} {'restored s':>11}"
    shown = [
        f"{line.title:66} {len(line.rows):>6} {line.total('requests'):>9} {line.total('failed'):>7} "
        f"{line.total('samples'):>8} {line.total('violations'):>6} {line.restored:>11}  {line.verdict}"
        for line in lines
    ]
    return "\n".join([head, *shown])


def report(lines: Sequence[Line], told: Mapping[str, str]) -> str:
    """docs/blue-green-proofs.md."""
    done = [row for line in lines for row in line.rows]
    days = sorted({row.ended[:10] for row in done if row.ended})
    requests = sum(line.total("requests") for line in lines)
    samples, late = sum(row.samples for row in done), sum(row.late for row in done)
    text = [
        "# Releases without a lost request: what was measured",
        "",
        "Written by `python -m tests.acceptance.blue_green --report` from `blue-green-proofs.json`; not by hand.",
        "How it is measured: [blue-green.md](blue-green.md#proof).",
        "",
        f"Measured {' to '.join(dict.fromkeys((days[0], days[-1])))}: {_versions(told)}.",
        "",
        f"{requests:,} requests in all; {sum(line.lost for line in lines)} failed where none may. {samples:,} looks at "
        f"the first invariant, {sum(line.violated for line in lines)} violations but for the source design's pipeline; "
        f"{100 * late / max(1, samples):.1f} % of the looks came later than 0.15 s after the one before.",
        "",
        "| proof | cases | requests | failed | samples | violations | detection to restored (s) | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    text += [
        f"| {line.title} | {len(line.rows)} | {line.total('requests'):,} | {line.total('failed')} "
        f"| {line.total('samples'):,} | {line.total('violations')} | {line.restored} | {line.verdict} |"
        for line in lines
    ]
    text += ["", "## Case by case", "", "| case | requests | failed | widest gap (s) | restored (s) | load | |"]
    text += ["|---|---|---|---|---|---|---|"]
    for line in lines:
        text.append(f"| **{line.title}** | | | | | | |")
        text += [_case(row) for row in line.rows]
        if line.missing:
            text.append(f"| not run: {', '.join(line.missing)} | | | | | | |")
    return "\n".join(text) + "\n"


def _versions(told: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in told.items())


def _case(row: Row) -> str:
    restored = ", ".join(f"{time:.2f}" for time in row.restored)
    note = row.note if row.held else f"**does not hold**: {row.note}"
    cells: list[Any] = [row.case, f"{row.requests:,}", row.failed, f"{row.widest_gap:.2f}", restored, row.load, note]
    return f"| {' | '.join(map(str, cells))} |"
