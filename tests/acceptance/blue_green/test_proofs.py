"""The short form of the proofs; `python -m tests.acceptance.blue_green` runs the long form and prints the table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.blue_green.proofs import ONLY_LONG, PROOFS, Proof, Scale
from tests.acceptance.blue_green.rig import Rig, rig


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Scale:
    return Scale(long=False, folder=tmp_path_factory.mktemp("k6"))


@pytest.mark.parametrize("proof", [one for one in PROOFS if one not in ONLY_LONG], ids=lambda one: one.__name__)
def test(proof: Proof, built: Rig, scale: Scale) -> None:
    proof(built, scale)
