"""The long form: every proof in full, one table at the end.

    python -m tests.acceptance.blue_green [--short] [PROOF …]

PROOF is a part of a proof's name. The exit status is 1 when one did not hold; the others are run all the same.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import traceback
from pathlib import Path

from tests.acceptance.blue_green.proofs import PROOFS, Row, Scale, table
from tests.acceptance.blue_green.rig import rig


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.blue_green")
    parser.add_argument("--short", action="store_true", help="as much as the tests do")
    parser.add_argument("proofs", nargs="*", help="parts of names; default: all")
    options = parser.parse_args()
    chosen = [one for one in PROOFS if not options.proofs or any(name in one.__name__ for name in options.proofs)]
    rows: list[Row] = []
    bad = 0
    with tempfile.TemporaryDirectory(prefix="blue-green-") as folder, rig(Path(folder) / "cloud") as made:
        scale = Scale(long=not options.short, folder=Path(folder))
        for proof in chosen:
            begun = time.monotonic()
            try:
                rows.append(proof(made, scale))
            except AssertionError as failure:
                bad += 1
                traceback.print_exc()
                # The next proof begins with a rig on which nothing is under way.
                made.run(made.wish("v1", state="rolled_back", keep_slot="blue"))
                rows.append(Row(proof.__name__, note=f"DID NOT HOLD: {str(failure)[:200]}"))
            print(f"{time.monotonic() - begun:6.0f} s  {rows[-1]}", flush=True)
    print(table(rows))
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
