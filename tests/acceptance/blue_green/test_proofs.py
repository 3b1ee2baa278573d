"""The short form of the proofs; `python -m tests.acceptance.blue_green` runs the long form and prints the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.blue_green.cases import Proof, Scale
from tests.acceptance.blue_green.proofs import PROOFS, SHORT
from tests.acceptance.blue_green.results import Row
from tests.acceptance.blue_green.rig import Rig, rig


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture(scope="module")
def versions() -> Iterator[int]:
    """Numbers that no proof on this rig has used."""
    return iter(range(2, 10**6))


@pytest.mark.parametrize("proof", SHORT, ids=lambda one: one.name)
def test_on_the_rig(proof: Proof, built: Rig, versions: Iterator[int], tmp_path: Path) -> None:
    assert proof.short is not None
    proof.short(built, Scale(tmp_path, versions), Row(proof.name))


@pytest.mark.long
@pytest.mark.parametrize("proof", PROOFS, ids=lambda one: one.name)
def test_in_full_on_a_rig_of_its_own(proof: Proof, tmp_path: Path) -> None:
    with rig(tmp_path / "cloud") as own:
        scale = Scale(tmp_path)
        for name, case in proof.cases.items():
            case(own, scale, Row(name))
