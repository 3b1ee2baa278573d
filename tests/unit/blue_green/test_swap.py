"""Whole releases in the world in memory."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green import actions, refusals
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.model import CanaryHeader, Check
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.plan import may_continue
from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.store import LostLease
from ansible_collections.stories1001.platform.plugins.module_utils._engine.steps import PlanRefused, StepFailed
from botocore.exceptions import NoCredentialsError

from tests.unit.blue_green.world import (
    CHECK,
    GROUPS,
    LISTENERS,
    Dynamo,
    Killed,
    Run,
    Task,
    Version,
    World,
    _forward,
    client_error,
    wish,
)


def safe(world: World) -> None:
    """Nothing failed, and no slot with weight was ever too weak."""
    assert world.violations == []
    assert world.failed == []


def handed_over(world: World, live: str) -> None:
    idle = "green" if live == "blue" else "blue"
    assert world.live() == live
    assert world.services[idle].desired == 0
    assert world.scaling[live]["MinCapacity"] == 2
    assert set(world.scaling[live]["SuspendedState"].values()) == {False}
    assert world.scaling[idle]["MinCapacity"] == 0
    assert set(world.scaling[idle]["SuspendedState"].values()) == {True}


def restored(world: World, before: World) -> None:
    assert world.live() == "blue"
    assert world.scaling == before.scaling
    assert {slot: one.desired for slot, one in world.services.items()} == {"blue": 3, "green": 0}
    listener = LISTENERS[443]
    assert actions.but_for_weights(world.actions[listener]) == actions.but_for_weights(before.actions[listener])
    assert world.rules == {}


def test_a_release_moves_all_traffic_without_a_failed_request_and_hands_the_scaling_over() -> None:
    world = World()
    steps = Run(world, wish()).go()
    assert [one for one in steps if one.startswith("shift/")] == ["shift/1", "shift/10", "shift/50", "shift/100"]
    assert world.version(world.services["green"].definition) == "v2"
    safe(world)
    handed_over(world, "green")


def test_the_plan_of_check_mode_is_what_the_run_then_does_and_it_writes_nothing() -> None:
    world = World()
    planned = Run(world, wish()).planned()
    assert world.writes == []
    assert Run(world, wish()).go() == planned


def test_a_second_run_of_the_same_version_changes_nothing() -> None:
    world = World()
    Run(world, wish()).go()
    before = len(world.writes)
    assert Run(world, wish(), "second").go() == []
    assert len(world.writes) == before


def test_twenty_swaps_in_a_row_lose_nothing() -> None:
    world = World(lags=(0.5, 3))
    for number in range(20):
        Run(world, wish(f"v{number + 2}"), f"run {number}").go()
    safe(world)
    handed_over(world, "blue")


def test_load_balancer_nodes_that_learn_ten_seconds_late_lose_nothing_when_the_settling_is_longer() -> None:
    world = World(lags=(1, 10))
    Run(world, wish(settle=12)).go()
    safe(world)


def test_the_world_notices_when_the_old_slot_goes_before_the_nodes_know() -> None:
    world = World(lags=(1, 10))
    Run(world, wish(steps=(100,), settle=0.5, bake=1, rollback_window=0, minimum_samples=1)).go()
    assert world.failed


BAD = {
    "never healthy": (Version(healthy=False), "healthy targets"),
    "wrong body": (Version(right=False), "a body without ok"),
    "starts in 90 s": (Version(start=90), "healthy targets"),
    "too slow": (Version(milliseconds=900), "p95 of /api/health is 900 ms"),
    "fails only with users": (Version(errors=0.5), "requests of its target group failed"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_version_is_undone_and_everything_is_as_before(fault: str) -> None:
    world, before = World(), World()
    world.versions["v2"], sentence = BAD[fault]
    with pytest.raises(StepFailed, match="All traffic is on blue again") as failure:
        Run(world, wish()).go()
    assert sentence in str(failure.value)
    restored(world, before)
    assert world.violations == []
    if not world.versions["v2"].errors:
        safe(world)


def test_a_version_that_fails_only_with_users_costs_less_than_a_thousandth_with_the_default_steps() -> None:
    world = World()
    world.versions["v2"] = Version(errors=1.0)
    begun = world.now
    with pytest.raises(StepFailed):
        Run(world, wish(steps=(1, 10, 50, 100), settle=60, bake=120, poll=5, lease=90)).go()
    failed = sum(float(one.split()[0]) for one in world.failed)
    assert failed / (100 * max(1800, world.now - begun)) < 0.001


def test_a_circuit_breaker_that_put_the_old_revision_back_is_noticed() -> None:
    world, before = World(), World()
    world.services["green"].breaker = True
    with pytest.raises(StepFailed, match="instead of stories-test-app:2"):
        Run(world, wish()).go()
    restored(world, before)


def test_an_alarm_that_goes_off_during_a_bake_undoes_the_release() -> None:
    world, before = World(), World()
    world.alarms["green-5xx"] = "OK"

    def ring(world: World) -> None:
        if world.weights(world.actions)["green"] == 10:
            world.alarms["green-5xx"] = "ALARM"

    world.every_tick = ring
    with pytest.raises(StepFailed, match="alarm green-5xx is in ALARM"):
        Run(world, wish(alarms=("green-5xx",))).go()
    restored(world, before)
    safe(world)


def test_an_alarm_that_disappears_during_a_bake_is_not_taken_for_silence() -> None:
    world = World()
    world.alarms["green-5xx"] = "OK"
    world.every_tick = lambda world: world.weights(world.actions)["green"] == 10 and world.alarms.clear()  # type: ignore[func-returns-value]
    with pytest.raises(StepFailed, match="alarm green-5xx is gone"):
        Run(world, wish(alarms=("green-5xx",))).go()
    safe(world)


def test_the_autoscaler_and_schedules_cannot_take_tasks_away_while_a_release_is_under_way() -> None:
    world = World()

    def scale(world: World) -> None:
        for slot, target in world.scaling.items():
            service, suspended = world.services[slot], target["SuspendedState"]
            if not suspended["DynamicScalingInSuspended"] and world.items.get(("stories-test-app", "intent")):
                service.desired = max(target["MinCapacity"], service.desired - 1)
            if not suspended["ScheduledScalingSuspended"] and world.random.random() < 0.05:
                service.desired = max(target["MinCapacity"], 2)

    world.every_tick = scale
    Run(world, wish()).go()
    safe(world)


def test_a_scale_out_of_the_old_slot_during_the_release_is_followed_by_the_new_one() -> None:
    world = World()

    def grow(world: World) -> None:
        if world.weights(world.actions)["green"] == 10:
            world.services["blue"].desired = 6

    world.every_tick = grow
    Run(world, wish()).go()
    assert world.services["green"].desired == 6
    safe(world)


def test_an_old_task_that_dies_during_the_bake_does_not_stop_the_release() -> None:
    world = World()
    died: list[Task] = []

    def die(world: World) -> None:
        if world.weights(world.actions)["green"] == 50 and not died:
            died.append(world.services["blue"].tasks.pop())

    world.every_tick = die
    Run(world, wish()).go()
    assert died
    safe(world)


def test_weights_that_somebody_else_sets_in_the_middle_send_everything_back() -> None:
    world, before = World(), World()

    def meddle(world: World) -> None:
        if world.weights(world.actions)["green"] == 50:
            world.actions[LISTENERS[443]] = [_forward(70, 30)]

    world.every_tick = meddle
    with pytest.raises(StepFailed, match="by somebody else"):
        Run(world, wish()).go()
    restored(world, before)


def test_everything_in_an_action_but_the_weights_survives_a_release() -> None:
    world = World()
    sign_in = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {"Issuer": "https://id.example"}}
    world.actions[LISTENERS[443]] = [sign_in, {**_forward(100, 0, sticky=60), "Order": 2}]
    World.weights = staticmethod(_weights_of_the_forward)  # type: ignore[method-assign]
    try:
        Run(world, wish()).go()
    finally:
        World.weights = staticmethod(_PLAIN)  # type: ignore[method-assign]
    assert world.actions[LISTENERS[443]][0] == sign_in
    assert actions.stickiness(world.actions[LISTENERS[443]]) == 60
    safe(world)


_PLAIN = World.weights


def _weights_of_the_forward(shown: Any, port: int = 443) -> dict[str, int]:
    slots = {arn: slot for slot, arn in GROUPS.items()}
    return {slots[arn]: weight for arn, weight in actions.weights(shown[LISTENERS[port]]).items()}


def test_sticky_clients_are_waited_out_before_the_old_slot_is_stopped() -> None:
    world = World()
    world.actions[LISTENERS[443]] = [_forward(100, 0, sticky=300)]
    Run(world, wish()).go()
    switched_off = [at for at, shown in world.history if not actions.stickiness(shown[LISTENERS[443]]) and at]
    assert switched_off
    assert world.now - switched_off[0] >= 300
    assert actions.stickiness(world.actions[LISTENERS[443]]) == 300
    safe(world)


def test_a_rule_that_forwards_to_the_slots_is_shifted_like_the_default_action() -> None:
    world = World()
    world.rules["rule"] = {
        "RuleArn": "rule",
        "ListenerArn": LISTENERS[443],
        "Priority": "5",
        "Conditions": [],
        "Actions": [{"Type": "forward", "TargetGroupArn": GROUPS["blue"]}],
    }
    Run(world, wish()).go()
    assert actions.weights(world.rules["rule"]["Actions"]) == {GROUPS["blue"]: 0, GROUPS["green"]: 100}


def test_testers_with_the_header_reach_the_new_slot_early_and_their_rule_is_gone_afterwards() -> None:
    from ansible_collections.stories1001.platform.plugins.module_utils._blue_green.model import CanaryHeader

    canary = CanaryHeader("X-Canary", "please", 50)
    for version in (Version(), Version(errors=1.0)):
        world = World()
        world.versions["v2"] = version
        seen: list[int] = []
        world.every_tick = lambda world, seen=seen: seen.append(len(world.rules))  # type: ignore[misc]
        run = Run(world, wish(canary=canary))
        if version.errors:
            with pytest.raises(StepFailed):
                run.go()
        else:
            run.go()
        assert max(seen) == 1
        assert world.rules == {}


def test_a_rollback_goes_back_to_the_slot_before_and_a_second_one_changes_nothing() -> None:
    world = World()
    Run(world, wish()).go()
    assert Run(world, wish(state="rolled_back", image=""), "second").go()
    assert world.version(world.services[world.live()].definition) == "v1"
    assert Run(world, wish(state="rolled_back", image=""), "third").go() == []
    safe(world)
    handed_over(world, "blue")


def test_a_run_that_is_asked_for_a_rollback_takes_everything_back_at_its_next_look() -> None:
    world = World()
    before = copy.deepcopy(world)
    run, asked = Run(world, wish()), list[str]()

    def ask(world: World) -> None:
        intent = run.store.read()
        if intent is not None and world.weights(world.actions)["green"] == 50 and not asked:
            asked.append(intent.swap_id)
            Run(world, wish(), "somebody").store.ask_to_abort(
                intent, "somebody asked for a rollback: readers cannot log in"
            )

    world.every_tick = ask
    with pytest.raises(StepFailed, match="readers cannot log in"):
        run.go()
    assert asked
    safe(world)
    restored(world, before)


def test_a_rollback_does_not_wait_for_the_slot_that_failed() -> None:
    world = World()
    Run(world, wish()).go()
    for task in world.services["green"].tasks:
        task.healthy_at = float("inf")
    begun = world.now
    Run(world, wish(state="rolled_back", image=""), "second").go()
    restored_at = next(at for at, shown in world.history if at > begun and World.weights(shown)["blue"] == 100)
    assert restored_at - begun < 60
    assert world.live() == "blue"


def test_a_rollback_after_a_release_that_undid_itself_changes_nothing() -> None:
    world = World()
    world.versions["v2"] = Version(right=False)
    with pytest.raises(StepFailed):
        Run(world, wish()).go()
    assert Run(world, wish(state="rolled_back", image=""), "second").go() == []


def test_a_release_stopped_for_a_look_goes_on_with_the_next_call() -> None:
    world = World()
    for phase in ("tested", "shifted", "warm"):
        Run(world, wish(until=phase), phase).go()
        assert Run(world, wish(until=phase), f"{phase} again").go() == []
    assert world.services["blue"].desired == 3
    Run(world, wish(), "last").go()
    safe(world)
    handed_over(world, "green")


def test_a_paused_release_is_kept_from_other_versions_while_the_caller_does_his_own_work() -> None:
    """A migration may take longer than a lease, and nobody renews it meanwhile."""
    world = World()
    Run(world, wish(until="tested"), "first").go()
    intent = Run(world, wish()).store.read()
    assert intent is not None
    assert intent.lease_until - world.now > 800
    assert not may_continue(intent, wish("v3"))
    assert may_continue(intent, wish())


def test_a_paused_release_is_rolled_back_without_waiting_for_its_lease() -> None:
    world = World()
    Run(world, wish(until="shifted"), "first").go()
    before = world.now
    Run(world, wish(state="rolled_back", image="", version=""), "second").go()
    assert world.live() == "blue"
    assert world.now - before < 60
    safe(world)


def test_of_two_runs_that_go_on_with_a_paused_release_one_gets_it() -> None:
    world = World()
    Run(world, wish(until="tested"), "first").go()
    seen = Run(world, wish(), "second").store.read()
    assert seen is not None
    Run(world, wish(), "second").store.take_over(seen)
    with pytest.raises(StepFailed, match="under way"):
        Run(world, wish(), "third").store.take_over(seen)


def test_progress_tells_which_step_of_how_many_and_the_time_that_is_left_at_least() -> None:
    run = Run(World(), wish())
    told: list[dict[str, Any]] = []
    plain = run.progress.say

    def say(line: str, **facts: Any) -> None:
        told.append(facts)
        plain(line, **facts)

    run.progress.say = say  # type: ignore[method-assign]
    run.go()
    numbered = [one for one in told if "number" in one]
    assert [one["number"] for one in numbered] == list(range(1, numbered[0]["steps"] + 1))
    # Four steps of settling and baking, and the rollback window.
    assert numbered[0]["at_least_left"] == 4 * (6 + 20) + 30
    assert numbered[-1]["at_least_left"] == 0


def test_people_are_told_of_an_undo_as_soon_as_the_traffic_is_back() -> None:
    world = World()
    world.versions["v2"] = Version(errors=1)
    with pytest.raises(StepFailed):
        Run(world, wish()).go()
    told = [one.split(":")[0] for one in world.notices]
    assert told == ["Release began", "Release is being undone", "Release undone"]


def test_another_version_undoes_what_a_killed_run_left_and_then_goes_forward() -> None:
    world = World()
    world.kill_at = (40, "after")
    with pytest.raises(Killed):
        Run(world, wish("v2")).go()
    world.kill_at = None
    world.sleep(31)
    steps = Run(world, wish("v3"), "second").go()
    assert "undo-close" in steps
    assert world.version(world.services[world.live()].definition) == "v3"
    safe(world)


def test_a_run_that_was_stopped_past_its_lease_writes_nothing_when_it_continues() -> None:
    """SIGSTOP at any write: another run finishes meanwhile, then the first goes on with what it was about to send."""
    for stop_at in range(8, 60, 3):
        world = World()
        finished: list[list[str]] = []

        def stop(operation: str, world: World = world, at: int = stop_at, finished: Any = finished) -> None:
            if len(world.writes) == at and not finished:
                finished.append([])
                world.sleep(31)
                finished.append(Run(world, wish(), "second").go())

        world.before_write = stop
        with pytest.raises((LostLease, StepFailed)):
            Run(world, wish(), "first").go()
        safe(world)
        handed_over(world, "green")


def test_the_audit_record_tells_who_what_when_and_every_phase() -> None:
    world = World()
    run = Run(world, wish(reason="weekly", actor="arn:aws:iam::123456789012:user/ada"))
    run.go()
    (record,) = run.store.history(5)
    assert record["outcome"] == "deployed"
    assert record["actor"].endswith("user/ada")
    assert record["reason"] == "weekly"
    assert record["digest"].startswith("sha256:")
    assert record["calls"]["modify_listener"] >= 4
    assert record["probes"]["asked"] >= 10
    assert [one["step"] for one in record["phases"]][-1] == "scaling"
    assert record["seconds"] > 4 * 26


def test_people_are_told_of_the_beginning_and_the_end() -> None:
    world = World()
    Run(world, wish()).go()
    assert world.notices == ["Release began: v2 on green", "Release deployed: v2 on green"]


def test_a_hook_that_fails_undoes_the_release_and_its_words_are_quoted() -> None:
    world, before = World(), World()
    hook = ("sh", "-c", "echo migration $RELEASE_VERSION refused; exit 3")
    with pytest.raises(StepFailed, match="status 3 and said: migration v2 refused"):
        Run(world, wish(hooks={"before_start": hook})).go()
    restored(world, before)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"cluster": "nowhere"}, "Looked for ECS cluster nowhere"),
        ({"load_balancer": "nowhere"}, "Looked for load balancer nowhere"),
        ({"table": "nowhere"}, "Looked for the table nowhere"),
        ({"production_ports": (444,)}, "Looked for a listener on port 444"),
        ({"container": "web"}, "Looked for container web"),
        ({"image": "registry.example/app:latest"}, "names no digest"),
        ({"alarms": ("missing",)}, "Looked for the alarm missing"),
        ({"credentials_expire_at": 1_000_060.0}, "credentials that expire in 60 s"),
        ({"minimum_healthy": 4}, "fewer than minimum_healthy 4"),
        ({"canary": CanaryHeader("X-Tester", "yes", 5)}, "found rule 5 of listener 443 there"),
        ({"checks": (CHECK,), "maximum_stickiness": -1}, "kept for 0 s"),
    ],
)
def test_what_is_wrong_is_one_clear_sentence_and_nothing_is_written(wrong: dict[str, Any], sentence: str) -> None:
    world = World()
    rule = {"RuleArn": "rule", "ListenerArn": LISTENERS[443], "Priority": "5", "Actions": [_forward(100, 0)]}
    world.rules["rule"] = rule
    with pytest.raises(PlanRefused, match=sentence):
        Run(world, wish(**wrong)).go()
    assert world.writes == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"steps": ()}, "Read the steps none"),
        ({"steps": (10, 50)}, "weights must rise from 1 or more to 100"),
        ({"steps": (50, 10, 100)}, "weights must rise"),
        ({"steps": (0, 100)}, "weights must rise"),
        ({"steps": (60, 60, 100)}, "weights must rise"),
        ({"steps": (10, 110)}, "weights must rise"),
        ({"bake": 0}, "a bake of no time proves nothing"),
        ({"minimum_samples": 0}, "an empty bake proves nothing"),
        ({"minimum_healthy": 0}, "needs 1 healthy target"),
        ({"settle": -1}, "none may be negative"),
        ({"rollback_window": -1}, "none may be negative"),
        ({"lease": 3}, "the lease must last three polls"),
        ({"slots": ("blue", "blue")}, "needs two different ones"),
        ({"keep_slot": "red"}, "the slots are blue and green"),
        ({"image": ""}, "state deployed without an image"),
        ({"test_ports": (443,)}, "both among production_ports and test_ports"),
        ({"test_ports": ()}, "no production_ports or no test_ports"),
        ({"checks": ()}, "Read no checks"),
        ({"checks": (Check("/", body="("),)}, "Mend the expression"),
        ({"checks": (Check("api/health"),)}, "it must begin with /"),
        ({"checks": (Check("/", status=()),)}, "Read the status none"),
        ({"checks": (Check("/", status=(2000,)),)}, "Read the status 2000"),
        ({"checks": (Check("/", p95=-1),)}, "Read p95 -1"),
        ({"maximum_error_rate": 5}, "it is a share from 0 to below 1"),
        ({"maximum_p95": -1}, "the one must be 0 or more"),
        ({"stable_polls": 0}, "the other 1 or more looks"),
        ({"metric_period": 45}, "CloudWatch takes 1, 5, 10, 20, 30 or a multiple of 60"),
        ({"start_timeout": 0}, "in no time nothing starts"),
        ({"canary": CanaryHeader("X-Tester", "yes", 0)}, "takes 1 to 50000"),
        ({"canary": CanaryHeader("X Tester", "yes", 10)}, "letters, digits and dashes"),
    ],
)
def test_wishes_that_cannot_be_met_are_named_before_aws_is_asked(wrong: dict[str, Any], sentence: str) -> None:
    assert any(sentence in one for one in refusals.wrong_wishes(wish(**wrong)))


def test_a_wish_that_can_be_met_is_not_complained_about() -> None:
    assert list(refusals.wrong_wishes(wish())) == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (client_error("ExpiredTokenException", "GetItem"), "Log in again"),
        (client_error("UnrecognizedClientException", "GetItem"), "Check the access key"),
        (NoCredentialsError(), "found no AWS credentials"),
    ],
)
def test_credentials_that_are_expired_wrong_or_missing_are_one_sentence_and_change_nothing(
    error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_told: Any, **_more: Any) -> None:
        raise error

    monkeypatch.setattr(Dynamo, "get_item", fail)
    world = World()
    with pytest.raises(StepFailed, match=sentence):
        Run(world, wish()).go()
    assert world.writes == []


@pytest.mark.parametrize("blue", [0, 1, 50, 99, 100])
@pytest.mark.parametrize("green", [0, 1, 50, 99, 100])
@pytest.mark.parametrize("rule", [None, (100, 0), (0, 100), (50, 50)])
def test_every_split_brain_is_refused_with_a_remedy_that_works(
    blue: int, green: int, rule: tuple[int, int] | None
) -> None:
    world = World()
    world.services["green"].desired = 3
    world.sleep(10)
    world.actions[LISTENERS[443]] = [_forward(blue, green)]
    if rule:
        world.rules["rule"] = {
            "RuleArn": "rule",
            "ListenerArn": LISTENERS[443],
            "Priority": "5",
            "Actions": [_forward(*rule)],
        }
    lives = {("blue" if b else "green") if bool(b) != bool(g) else None for b, g in filter(None, [(blue, green), rule])}
    if len(lives) == 1 and None not in lives:
        return  # one live slot: no split brain
    with pytest.raises(PlanRefused, match="name it as keep_slot"):
        Run(world, wish()).go()
    assert world.writes == []
    if blue or green:  # else nobody was served before either
        world.failed.clear()
    Run(world, wish(keep_slot="blue")).go()
    assert world.live() == "green"
    assert world.violations == []
