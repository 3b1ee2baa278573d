"""The quality gates, in the order in which they fail fastest, and the one count at the end.

A gate is a command. pytest's own counts are taken as they are; every other gate counts as one. Gates that keep to
one core run two at a time; those that use both, or measure time, run alone. A gate that exceeds its time fails and
the others go on, so that a run always ends with its count.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devtools.environments import CACHE, CLOUD, ROOT, TOOLS

BIN = TOOLS / "bin"
_REPORTS = CACHE / "reports"

# A file's tests stay together: they share an embedded cloud.
_TWO_WORKERS = ("-n", "2", "--dist", "loadfile")
_MINUTES = 60


@dataclass(frozen=True)
class Gate:
    """name: as given to `./dev test NAME`. command: run from the checkout. seconds: longer is a failure.

    alone: it uses both cores or measures time; its output is shown while it runs. The output of the others is kept
    in a file of .cache/reports and shown when they fail.
    """

    name: str
    command: Sequence[str | Path]
    seconds: float = 15 * _MINUTES
    pytest: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Verdict:
    """What a gate counted, and how long it took in seconds."""

    gate: Gate
    passed: int
    failed: int
    seconds: float

    def __str__(self) -> str:
        word = "failed" if self.failed else "passed"
        return f"{self.gate.name:28} {word}  {self.passed:5} passed {self.failed:5} failed  {self.seconds:7.1f} s"


def gates(long: bool) -> list[Gate]:
    """All gates; ``long`` takes in what is too slow for every change."""
    scenarios = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))

    def tests(name: str, folder: str, *arguments: str, minutes: int) -> Gate:
        marks = ("-o", "timeout=5400") if long else ("-m", "not long")
        report = f"--junit-xml={_report(name)}"
        command: list[str | Path] = [BIN / "python", "-m", "pytest", "-q", report, folder, *arguments, *marks]
        seconds = (6 * 60 if long else minutes) * _MINUTES
        return Gate(name, command, seconds, pytest=True, alone=True)

    return [
        Gate("ruff", [BIN / "ruff", "check", "."]),
        Gate("ruff-format", [BIN / "ruff", "format", "--check", "."]),
        Gate("yamllint", [BIN / "yamllint", "--strict", "."]),
        Gate("changelog", [BIN / "antsibull-changelog", "lint"]),
        Gate("mypy", [BIN / "mypy", "plugins", "devtools", "tests/support"]),
        Gate("mypy-local-cloud", [BIN / "mypy", "--python-executable", CLOUD / "bin" / "python", "local_cloud"]),
        Gate("ansible-lint", [BIN / "ansible-lint"]),
        tests("unit", "tests/unit", *_TWO_WORKERS, minutes=12),
        Gate("sanity", [BIN / "python", "-m", "devtools.sanity"], 20 * _MINUTES),
        *(Gate(f"molecule-{name}", [BIN / "molecule", "test", "--scenario-name", name]) for name in scenarios),
        tests("local-cloud", "tests/local_cloud", minutes=15),
        tests("integration", "tests/integration", *_TWO_WORKERS, minutes=30),
        tests("acceptance", "tests/acceptance", minutes=30),
    ]


def run(names: Sequence[str], long: bool) -> int:
    """Run the named gates (all when none is named) and print the count; 0 when nothing failed."""
    chosen = [gate for gate in gates(long) if not names or any(_named(gate, name) for name in names)]
    if not chosen:
        print(f"No gate is called {', '.join(names)}. There are: {', '.join(gate.name for gate in gates(True))}.")
        return 2
    _REPORTS.mkdir(parents=True, exist_ok=True)
    verdicts: list[Verdict] = []
    while chosen:
        together = 0
        while together < len(chosen) and not chosen[together].alone:
            together += 1
        batch, chosen = chosen[: together or 1], chosen[together or 1 :]
        with ThreadPoolExecutor(2) as pool:
            verdicts += pool.map(_judge, batch)
    print("\n" + "\n".join(map(str, verdicts)))
    failed = sum(one.failed for one in verdicts)
    print(f"{sum(one.passed for one in verdicts)} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def _judge(gate: Gate) -> Verdict:
    if gate.alone:
        print(f"\n=== {gate.name}", flush=True)
    _report(gate.name).unlink(missing_ok=True)
    begun = time.monotonic()
    output = None if gate.alone else _REPORTS / f"{gate.name}.txt"
    code = _ended(gate, output)
    verdict = Verdict(gate, *_counts(gate, code), time.monotonic() - begun)
    told = output.read_text(encoding="utf-8", errors="replace") if output and verdict.failed else ""
    print(f"{told}{verdict}", flush=True)
    return verdict


def _ended(gate: Gate, output: Path | None) -> int:
    """The exit code of the gate's command; 124, as timeout(1) has it, when it had to be ended."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "MYPYPATH": "collections",
        "PYTHONPATH": str(ROOT),
        "MOLECULE_PROJECT_DIRECTORY": str(ROOT),
        "ANSIBLE_FORCE_COLOR": "0",
        "NO_COLOR": "1",
    }
    with (output or Path(os.devnull)).open("w") as file:
        stream = file if output else None
        # A session of its own: what the command started ends with it.
        process = subprocess.Popen(
            gate.command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
        try:
            return process.wait(gate.seconds)
        except subprocess.TimeoutExpired:
            print(f"{gate.name} was ended: it took more than {gate.seconds:.0f} s.", file=stream, flush=True)
            return 124
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def _named(gate: Gate, name: str) -> bool:
    return gate.name == name or gate.name.startswith(f"{name}-")


def _report(name: str) -> Path:
    return _REPORTS / f"{name}.xml"


def _counts(gate: Gate, code: int) -> tuple[int, int]:
    """(passed, failed) of a gate that ended with this exit code."""
    report = _report(gate.name)
    if not gate.pytest or not report.exists():
        return (1, 0) if code == 0 else (0, 1)
    suites = ET.parse(report).getroot().iter("testsuite")  # noqa: S314 - pytest wrote this file a moment ago
    totals = [{key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")} for suite in suites]
    report.unlink()
    bad = sum(one["failures"] + one["errors"] for one in totals)
    good = sum(one["tests"] - one["skipped"] for one in totals) - bad
    return good, max(bad, 1 if code not in (0, 5) else 0)
