# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The folder of one platform's reports: records of runs, load tests, drills, and the pages drawn from them.

`<folder>/<prefix>/runs/<time>-<playbook>.json`, `load_test/<time>.json`, drills anywhere below, pages at the top.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_KEPT_RUNS = 60


class Store:
    """Reads and writes one platform's folder. Raises OSError where it cannot."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, run: Mapping[str, Any]) -> str:
        """Write the record of a run; its name. The oldest records and pages beyond sixty go."""
        runs = self.folder / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(run["started"]))
        name = f"{stamp}-{run['playbook']}"
        _write(runs / f"{name}.json", json.dumps(run, indent=1))
        for old in sorted(runs.glob("*.json"))[:-_KEPT_RUNS]:
            old.unlink()
            (self.folder / f"{old.stem}.html").unlink(missing_ok=True)
        return name

    def keep_page(self, name: str, page: str) -> Path:
        """Write the page of a run, and again under the name that never changes; that path."""
        _write(self.folder / f"{name}.html", page)
        latest = self.folder / "report.html"
        _write(latest, page)
        return latest

    def runs(self) -> list[dict[str, Any]]:
        """All records, newest first."""
        return _documents(sorted((self.folder / "runs").glob("*.json"), reverse=True), ("playbook", "plays"))

    def load_tests(self) -> list[dict[str, Any]]:
        """All load tests, newest first."""
        return _documents(sorted((self.folder / "load_test").glob("*.json"), reverse=True), ("p95_ms", "by_step"))

    def drills(self) -> list[dict[str, Any]]:
        """All recovery drills, newest first."""
        paths = sorted(self.folder.glob("**/*.json"), key=lambda path: path.name, reverse=True)
        found = []
        for path in paths:
            if path.parent.name in ("runs", "load_test"):
                continue
            found += [{"file": path.name, **told} for told in _documents([path], ("rto_seconds", "rpo_seconds"))]
        return found


def newest_facts(runs: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Module → the newest facts that any run learnt from it. runs: newest first."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        for name, facts in run.get("facts", {}).items():
            found.setdefault(name, facts)
    return found


def _documents(paths: Iterable[Path], having: tuple[str, ...]) -> list[dict[str, Any]]:
    """The JSON objects with these keys; a file that a kill cut short is left out."""
    found = []
    for path in paths:
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if isinstance(told, dict) and all(key in told for key in having):
            found.append(told)
    return found


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a page that is being looked at is never half written."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
