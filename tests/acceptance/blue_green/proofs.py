"""All proofs, in the order of the table."""

from __future__ import annotations

from collections.abc import Sequence

from tests.acceptance.blue_green.aws_faults import EXPIRED, FAULTY
from tests.acceptance.blue_green.cases import Proof
from tests.acceptance.blue_green.chaos import BAD, CHAOS
from tests.acceptance.blue_green.kills import KILLS, RECORD_KILLS
from tests.acceptance.blue_green.races import RACES, SPLIT, STOPPED
from tests.acceptance.blue_green.results import Line, Results
from tests.acceptance.blue_green.swaps import BASELINE, CHECK, SWAPS, UNDER_LOAD

PROOFS: tuple[Proof, ...] = (
    SWAPS,
    BASELINE,
    KILLS,
    RECORD_KILLS,
    UNDER_LOAD,
    CHECK,
    SPLIT,
    RACES,
    FAULTY,
    EXPIRED,
    BAD,
    STOPPED,
    CHAOS,
)
# What every change is held against; the rest takes long or wants a quiet machine. The baseline spoils the rig.
SHORT: tuple[Proof, ...] = (SWAPS, KILLS, CHECK, BASELINE)


def lines(results: Results, proofs: Sequence[Proof] = PROOFS) -> list[Line]:
    """The table of what is known."""
    found = []
    for proof in proofs:
        known = results.proofs.get(proof.name, {})
        rows = [known[case] for case in proof.cases if case in known]
        found.append(Line(proof.title, rows, [case for case in proof.cases if case not in known]))
    return found
