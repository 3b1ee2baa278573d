"""The quality gates, in the order in which they fail fastest, and the one count at the end.

A gate is a command. pytest's own counts are taken as they are; every other gate counts as one.
"""

from __future__ import annotations

import os
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools.environments import CACHE, CLOUD, ROOT, TOOLS

BIN = TOOLS / "bin"


# A file's tests stay together: they share an embedded cloud.
_TWO_WORKERS = ("-n", "2", "--dist", "loadfile")


@dataclass(frozen=True)
class Gate:
    """name: as given to `./dev test NAME`. command: run from the checkout. long: only in `./dev test-all`."""

    name: str
    command: Sequence[str | Path]
    pytest: bool = False


def _pytest(name: str, *arguments: str) -> Gate:
    command: list[str | Path] = [BIN / "python", "-m", "pytest", "-q", f"--junit-xml={_report(name)}", *arguments]
    return Gate(name, command, pytest=True)


def _report(name: str) -> Path:
    return CACHE / "reports" / f"{name}.xml"


def gates(long: bool) -> list[Gate]:
    """All gates; ``long`` takes in what is too slow for every change."""
    marks = () if long else ("-m", "not long")
    scenarios = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))
    return [
        Gate("ruff", [BIN / "ruff", "check", "."]),
        Gate("ruff-format", [BIN / "ruff", "format", "--check", "."]),
        Gate("yamllint", [BIN / "yamllint", "--strict", "."]),
        Gate("mypy", [BIN / "mypy", "plugins", "devtools", "tests/support"]),
        Gate("mypy-local-cloud", [BIN / "mypy", "--python-executable", CLOUD / "bin" / "python", "local_cloud"]),
        Gate("ansible-lint", [BIN / "ansible-lint"]),
        Gate("changelog", [BIN / "antsibull-changelog", "lint"]),
        _pytest("unit", "tests/unit", *_TWO_WORKERS, *marks),
        Gate("sanity", [BIN / "python", "-m", "devtools.sanity"]),
        _pytest("local-cloud", "tests/local_cloud", *marks),
        _pytest("integration", "tests/integration", *_TWO_WORKERS, *marks),
        *(Gate(f"molecule-{name}", [BIN / "molecule", "test", "--scenario-name", name]) for name in scenarios),
        _pytest("acceptance", "tests/acceptance", *marks),
    ]


def run(names: Sequence[str], long: bool) -> int:
    """Run the named gates (all when none is named) and print the count; 0 when nothing failed."""
    chosen = [gate for gate in gates(long) if not names or any(_named(gate, name) for name in names)]
    if not chosen:
        print(f"No gate is called {', '.join(names)}. There are: {', '.join(gate.name for gate in gates(True))}.")
        return 2
    (CACHE / "reports").mkdir(parents=True, exist_ok=True)
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
    passed = failed = 0
    summary = []
    for gate in chosen:
        print(f"\n=== {gate.name}", flush=True)
        begun = time.monotonic()
        code = subprocess.run(gate.command, cwd=ROOT, env=environment, check=False).returncode
        good, bad = _counts(gate, code)
        passed, failed = passed + good, failed + bad
        verdict = "failed" if bad else "passed"
        summary.append(f"{gate.name:28} {verdict}  {good:5} passed {bad:5} failed  {time.monotonic() - begun:7.1f} s")
    print("\n" + "\n".join(summary))
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def _named(gate: Gate, name: str) -> bool:
    return gate.name == name or gate.name.startswith(f"{name}-")


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
