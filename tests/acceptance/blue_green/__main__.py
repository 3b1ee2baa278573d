"""The long form of the proofs, in pieces as large as one likes.

    python -m tests.acceptance.blue_green [--minutes N] [--again] [PROOF[:CASE] …]
    python -m tests.acceptance.blue_green --report

PROOF and CASE are parts of names; default: all. Each case that ends is written to docs/blue-green-proofs.json, one that
is there and held is not run again. With --minutes no case begins after N minutes; run the command again to go on.
--report prints the table and writes docs/blue-green-proofs.md. The exit status is 1 when a case did not hold, 75 when
some are left.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

from tests.acceptance.blue_green.cases import Proof, Scale
from tests.acceptance.blue_green.proofs import PROOFS, lines
from tests.acceptance.blue_green.results import REPORT, RESULTS, Results, Row, report, table
from tests.acceptance.blue_green.rig import Rig, rig


class Bench:
    """A rig that is replaced by a fresh one after a case that did not hold or that leaves it unusable."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._rig: Rig | None = None
        self._current: ExitStack | None = None

    def rig(self) -> Rig:
        if self._rig is None:
            self._current = self._stack.enter_context(ExitStack())
            folder = Path(self._current.enter_context(tempfile.TemporaryDirectory(prefix="blue-green-")))
            self._rig = self._current.enter_context(rig(folder / "cloud"))
        return self._rig

    def throw_away(self) -> None:
        if self._current is not None:
            self._current.close()
        self._rig = self._current = None


def chosen(names: list[str], results: Results, again: bool) -> list[tuple[Proof, str]]:
    """The cases that are asked for and have not held yet."""
    told = [name.partition(":")[::2] for name in names] or [("", "")]
    cases = [(proof, case) for proof in PROOFS for case in proof.cases]
    asked = [(proof, case) for proof, case in cases if any(p in proof.name and c in case for p, c in told)]
    return [(proof, case) for proof, case in asked if again or not results.held(proof.name, case)]


def measured(proof: Proof, case: str, bench: Bench, scale: Scale) -> Row:
    row, begun = Row(case), time.monotonic()
    try:
        proof.cases[case](bench.rig(), scale, row)
        row.held = True
    except Exception as failure:  # whatever it was, the case did not hold, and the others are to be run
        traceback.print_exc()
        row.note = f"{type(failure).__name__}: {str(failure)[:300]}"
        bench.throw_away()
    if proof.spoils:
        bench.throw_away()
    row.close(time.monotonic() - begun)
    return row


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.blue_green")
    parser.add_argument("--minutes", type=float, default=10**6, help="begin no case after so many")
    parser.add_argument("--again", action="store_true", help="run cases that held before, too")
    parser.add_argument("--report", action="store_true", help="print the table, write the report, run nothing")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("proofs", nargs="*", help="PROOF or PROOF:CASE, parts of names")
    options = parser.parse_args()
    results, begun, bad = Results(options.results), time.monotonic(), 0
    left = [] if options.report else chosen(options.proofs, results, options.again)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="blue-green-")))
        bench, scale = Bench(stack), Scale(folder)
        while left and time.monotonic() - begun < 60 * options.minutes:
            proof, case = left.pop(0)
            row = measured(proof, case, bench, scale)
            results.keep(proof.name, row)
            bad += not row.held
            print(f"{row.seconds:6.0f} s  {proof.name}: {row}", flush=True)
    print(table(lines(results)))
    if options.report:
        REPORT.write_text(report(lines(results), results.versions), encoding="utf-8")
    if left:
        print(f"{len(left)} cases are left; run again to go on")
    return 1 if bad else 75 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
