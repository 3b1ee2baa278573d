"""The plan that leads from what is there to what is wanted; no AWS, no Ansible."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._engine.resources import (
    Found,
    Ref,
    Resource,
    State,
    Traits,
    Unordered,
    after_named,
    index,
    is_planned,
    outputs,
    plan_absent,
    plan_present,
    planned,
    render,
    resolve,
)
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused

TRAITS = {
    "vpc": Traits("VPC", immutable=frozenset({"cidr"})),
    "subnet": Traits("subnet", hidden=frozenset({"secret"})),
}
VPC = Resource("vpc", "main", {"cidr": "10.0.0.0/16", "dns": True}, tags={"Project": "p"})
SUBNET = Resource("subnet", "a", {"vpc": Ref("vpc", "main"), "public": False}, initial={"floor": 2}, tags={})


def there(resource: Resource, ident: str, state: State | None = None, **fields: Any) -> Found:
    shown = {**resource.initial, **resolve(resource.fields, state or {}), **fields}
    return Found(resource.kind, resource.name, ident, shown, dict(resource.tags or {}))


def standing() -> dict[tuple[str, str], Found]:
    vpc = there(VPC, "vpc-1")
    state: dict[tuple[str, str], Found] = {vpc.key: vpc}
    state[SUBNET.key] = there(SUBNET, "subnet-1", state)
    return state


def ids(state: State, *desired: Resource) -> list[str]:
    return [step.id for step in plan_present(state, desired, TRAITS)]


def test_on_an_empty_account_everything_is_created_in_the_order_given() -> None:
    assert ids({}, VPC, SUBNET) == ["vpc/main:create", "subnet/a:create"]


def test_what_is_as_wanted_needs_no_step() -> None:
    assert ids(standing(), VPC, SUBNET) == []


def test_a_field_that_differs_is_named() -> None:
    state = standing()
    state[SUBNET.key] = there(SUBNET, "subnet-1", state, public=True)
    (step,) = plan_present(state, [VPC, SUBNET], TRAITS)
    assert step.sentence == "Change public of subnet a"


def test_what_was_given_at_creation_only_is_never_compared() -> None:
    state = standing()
    state[SUBNET.key] = there(SUBNET, "subnet-1", state, floor=9)
    assert ids(state, VPC, SUBNET) == []


def test_a_field_that_aws_cannot_change_refuses_the_whole_plan_with_every_such_field() -> None:
    state = standing()
    state[VPC.key] = there(VPC, "vpc-1", cidr="10.9.0.0/16", dns=False)
    with pytest.raises(PlanRefused) as refused:
        ids(state, VPC, SUBNET)
    assert refused.value.problems == (
        "Wanted cidr 10.0.0.0/16 for VPC main, found 10.9.0.0/16 (vpc-1). AWS cannot change it on a standing VPC: "
        "set cidr back in the inventory, or replace it by hand.",
    )


def test_tags_are_put_and_removed_but_those_of_aws_stay() -> None:
    state = standing()
    state[VPC.key] = Found("vpc", "main", "vpc-1", state[VPC.key].fields, {"Owner": "x", "aws:made-by": "y"})
    (step,) = plan_present(state, [VPC, SUBNET], TRAITS)
    assert step.sentence == "Change tags Project, -Owner of VPC main"
    assert step.after(state)[VPC.key].tags == {"Project": "p", "aws:made-by": "y"}


def test_two_resources_of_one_name_refuse_the_plan() -> None:
    with pytest.raises(PlanRefused, match="found two: vpc-1 and vpc-2"):
        index([there(VPC, "vpc-1"), there(VPC, "vpc-2")])


def test_a_reference_to_what_does_not_exist_yet_is_a_placeholder() -> None:
    assert is_planned(resolve(Ref("vpc", "main"), {}))
    assert not is_planned(resolve(Ref("vpc", "main"), standing()))
    assert not is_planned(None)


def test_an_unordered_list_is_compared_sorted() -> None:
    state = {("vpc", "b"): there(Resource("vpc", "b", {}), "vpc-1"), VPC.key: there(VPC, "vpc-2")}
    assert resolve(Unordered((Ref("vpc", "main"), Ref("vpc", "b"))), state) == ["vpc-1", "vpc-2"]


@pytest.mark.parametrize("state", [{}, standing()], ids=["empty", "standing"])
def test_planning_again_after_the_steps_finds_nothing_to_do(state: State) -> None:
    drifted = {
        key: Found(one.kind, one.name, one.id, {**one.fields, "dns": "?", "public": "?"}, {})
        for key, one in state.items()
    }
    steps = plan_present(drifted, [VPC, SUBNET], TRAITS)
    after = reduce(lambda seen, step: step.after(seen), steps, drifted)
    assert plan_present(after, [VPC, SUBNET], TRAITS) == ()


def test_removal_goes_the_other_way_round() -> None:
    steps = plan_absent(standing(), ["vpc", "subnet"], TRAITS)
    assert [step.id for step in steps] == ["subnet/a:delete", "vpc/main:delete"]
    assert reduce(lambda seen, step: step.after(seen), steps, standing()) == {}


def test_a_diff_shows_only_what_the_steps_touch_and_no_secret() -> None:
    state = standing()
    state[SUBNET.key] = there(SUBNET, "subnet-1", state, secret="s3cret", public=True)
    wanted = Resource("subnet", "a", {**SUBNET.fields, "secret": "other"}, tags={})
    steps = plan_present(state, [VPC, wanted], TRAITS)
    shown = render(state, steps, TRAITS)
    assert shown == {"subnet a": {"public": True, "secret": "(hidden)"}}
    created = plan_present({}, [VPC, wanted], TRAITS)
    everything = reduce(lambda seen, step: step.after(seen), created, {})
    assert "other" not in str(render(everything, created, TRAITS))


def test_outputs_give_ids_by_kind_and_name() -> None:
    assert outputs(standing())["vpc"] == {"main": {"id": "vpc-1"}}
    assert planned("vpc", "main") == "planned:vpc/main"


def test_a_resource_comes_after_those_whose_names_stand_in_its_field() -> None:
    wish = [Resource("role", name, {"trust": f"arn:aws:iam::1:role/{other}'"}) for name, other in ("ab", "ba", "ca")]
    wish.append(Resource("role", "d", {"trust": "arn:aws:iam::1:role/ab'"}))
    assert [one.on for one in after_named(wish, "trust", "/{}'")] == [
        (("role", "b"),),
        (("role", "a"),),
        (("role", "a"),),
        (),
    ]
