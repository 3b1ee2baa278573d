"""Which engine version a cluster gets."""

from __future__ import annotations

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused
from ansible_collections.stories1001.platform.plugins.module_utils._rds.versions import family, resolve

OFFERED = ["14.9", "15.4", "15.10", "15.8", "16.3"]


@pytest.mark.parametrize(
    ("wanted", "present", "resolved"),
    [
        ("15", None, "15.10"),
        ("15.8", None, "15.8"),
        ("15", "15.4", "15.4"),
        ("15", "15.2", "15.2"),  # gone from the offer, and still what stands
        ("15.8", "15.4", "15.8"),
        ("15.4", "15.8", "15.8"),  # AWS upgraded the minor version
    ],
)
def test_a_version_is_found_among_those_on_offer_and_never_older_than_what_stands(
    wanted: str, present: str | None, resolved: str
) -> None:
    assert resolve(wanted, present, OFFERED) == resolved


def test_a_major_upgrade_is_made_only_when_it_is_allowed() -> None:
    assert resolve("16", "15.8", OFFERED, major_upgrade=True) == "16.3"
    with pytest.raises(PlanRefused, match="allow_major_version_upgrade"):
        resolve("16", "15.8", OFFERED)


@pytest.mark.parametrize(
    ("wanted", "present", "sentence"),
    [
        ("15.5", None, "AWS offers 15.4, 15.8, 15.10 in this region"),
        ("13", None, "AWS offers 14.9, 15.4"),
        ("14", "15.8", "no step back"),
        ("latest", None, "Write a major version"),
    ],
)
def test_a_version_that_cannot_be_had_is_refused_with_what_can(wanted: str, present: str | None, sentence: str) -> None:
    with pytest.raises(PlanRefused, match=sentence):
        resolve(wanted, present, OFFERED)


def test_the_family_follows_from_the_version() -> None:
    assert family("15.10") == "aurora-postgresql15"
