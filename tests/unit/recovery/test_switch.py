"""The switch to a restored cluster, killed after every step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._recovery.switch import (
    Cluster,
    Member,
    Place,
    plan,
    problems,
)

NAMES = ("stories", "stories-restored", "stories-before")
OLD = Cluster("stories", {"Name": "stories"}, (Member("stories-1", 1), Member("autoscaled-x", 2)), True)
RESTORED = Cluster(
    "stories-restored",
    {"Name": "stories-restored", "RestoredFrom": "stories", "RestoredTo": "2026-11-22T23:40:00Z"},
    (Member("stories-restored-1", 1),),
    False,
)
PLACE = Place(OLD, RESTORED, None, NAMES, "stories")


def test_the_clusters_are_renamed_first_then_their_instances_and_the_mark_goes_last() -> None:
    assert [step.id for step in plan(PLACE)] == [
        "db_cluster/stories:rename",
        "db_cluster/stories-restored:rename",
        "db_proxy/stories:register",
        "db_instance/stories-1:rename",
        "db_instance/stories-restored-1:rename",
        "db_cluster/stories:settle",
    ]


def test_a_switch_that_is_killed_after_any_step_is_finished_by_the_next_run() -> None:
    whole = plan(PLACE)
    finished = PLACE
    for step in whole:
        finished = step.after(finished)
    assert plan(finished) == ()
    assert problems(finished) == []
    for done in range(len(whole)):
        place = PLACE
        for step in whole[:done]:
            place = step.after(place)
        assert problems(place) == []
        for step in plan(place):
            place = step.after(place)
        assert place == finished


def test_the_restored_cluster_takes_the_names_and_the_protection_of_the_one_that_served() -> None:
    place = PLACE
    for step in plan(PLACE):
        place = step.after(place)
    assert place.serving is not None
    assert place.kept is not None
    assert place.serving.tags == {"Name": "stories"}
    assert place.serving.protected
    assert [one.name for one in place.serving.members] == ["stories-1"]
    assert [one.name for one in place.kept.members] == ["stories-before-1", "autoscaled-x"]
    assert place.restored is None


def test_a_cluster_that_is_gone_is_replaced_without_keeping_anything() -> None:
    place = replace(PLACE, serving=None, proxy=None)
    assert [step.id for step in plan(place)] == [
        "db_cluster/stories-restored:rename",
        "db_instance/stories-restored-1:rename",
        "db_cluster/stories:settle",
    ]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (replace(PLACE, restored=None), "found none"),
        (replace(PLACE, restored=replace(RESTORED, tags={})), "no restore made"),
        (replace(PLACE, kept=replace(OLD, name="stories-before")), "name taken"),
    ],
)
def test_a_switch_that_would_lose_something_is_refused(place: Place, said: str) -> None:
    (problem,) = problems(place)
    assert said in problem
