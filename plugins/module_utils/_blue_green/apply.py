# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carries the steps of a release out, watches, and takes everything back when the new slot is not good.

Every handler can be run again after it was killed anywhere: it looks before it writes. A `NotGood` before the
old slot is retired leads to the undo; an AWS error leaves the record as it is, both slots serving, and the next
run goes on.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from .._engine.steps import PlanRefused, StepFailed
from . import actions, judge, plan, revision, steps
from .api import Api
from .clock import Clock
from .metrics import bake_queries, traffic_of
from .model import Desired, Intent, Observed, Route, Scaling, Slot
from .observe import ACTIVE_SLOT_TAG, Observer
from .probes import Prober
from .progress import Progress
from .steps import Step
from .store import LostLease, Store

_LEASE_RESERVE = 0.1  # share of the lease in which no write may begin any more


class NotGood(Exception):
    """The new slot, or what leads to it, is not as it must be; the swap is to be undone."""


class Release:
    """One run of the module on one application."""

    def __init__(
        self,
        api: Api,
        store: Store,
        observer: Observer,
        clock: Clock,
        prober: Prober,
        progress: Progress,
        notify: Callable[[str, str], None] = lambda subject, message: None,
    ) -> None:
        self._api, self._store, self._observer = api, store, observer
        self._clock, self._prober, self._progress, self._notify = clock, prober, progress, notify
        self._intent: Intent | None = None
        self._probes = {"asked": 0, "failed": 0}
        self.record: dict[str, Any] = {}
        api.prepare, api.fence = self._renew, self._fence

    # --- the lease -------------------------------------------------------------------------------------------

    @property
    def intent(self) -> Intent:
        if self._intent is None:
            raise LookupError("A step other than lock and take-over ran without the lock; the plan is wrong.")
        return self._intent

    def _fence(self) -> None:
        """Refuse a write when the lease is over or nearly so, such as in a process that was stopped meanwhile."""
        left = self.intent.lease_until - self._clock.now()
        if left < _LEASE_RESERVE * self._store.lease:
            raise LostLease(
                f"Tried to write for swap {self.intent.swap_id} and found its lease over ({left:.0f} s left). Nothing "
                "was written; run the play again."
            )

    def _save(self) -> None:
        abort = self.intent.abort
        self._intent = self._store.save(self.intent, self._progress.latest)
        if self.intent.abort and not abort and not self.intent.undoing and not self.intent.committed:
            raise NotGood(self.intent.abort)

    def _renew(self) -> None:
        """Before a write: a lease of which most is left needs no new call."""
        if self.intent.lease_until - self._clock.now() < 0.7 * self._store.lease:
            self._save()

    # --- running steps ---------------------------------------------------------------------------------------

    def apply(self, planned: Sequence[Step], _observed: Observed) -> None:
        """Carry the steps out. Raises StepFailed: after the undo when the new slot was not good."""
        undone = ""
        try:
            for number, step in enumerate(planned, 1):
                self._perform(step, number, planned)
                undone = self.record.get("failure", "") if step.kind == "undo-close" else undone
            if undone and planned[-1].kind == "undo-close" and planned[-1].desired.state == "deployed":
                raise StepFailed(f"Finished what an earlier run had begun to undo: {undone}. Run again to try again.")
            self._pause(planned[-1].desired)
        except NotGood as failure:
            self._undo(str(failure), planned[-1].desired)
        except LostLease:
            raise
        except StepFailed:
            self._let_go()
            raise
        finally:
            self._prober.stop()

    def _perform(self, step: Step, number: int, planned: Sequence[Step]) -> None:
        left = sum(steps.seconds(one) for one in planned[number - 1 :])
        self._progress.say(step.sentence, step=step.id, number=number, steps=len(planned), at_least_left=left)
        begun = self._clock.now()
        if step.kind not in ("lock", "take-over"):
            self._intent = steps.begun(self.intent, step.id)
            self._save()
        self._HANDLERS[step.kind](self, step)
        if step.kind in ("close", "undo-close"):
            return
        event = {"step": step.id, "sentence": step.sentence, "at": begun, "seconds": self._clock.now() - begun}
        self._intent = replace(steps.done(self.intent, step.id), events=(*self.intent.events, event))
        self._save()

    def _undo(self, why: str, desired: Desired) -> None:
        if self.intent.committed or self.intent.swap.kind == "resolve":
            self._let_go()
            raise StepFailed(
                f"Swap {self.intent.swap_id} is past the point of return and stopped: {why}. The new slot serves all "
                "traffic; run the play again to finish."
            )
        detected = self._clock.now()
        self._progress.say(f"Not good: {why}. Undoing swap {self.intent.swap_id}", step="undo", failure=why)
        self._intent = replace(self.intent, undoing=why)
        try:
            back = plan.undoing(self.intent, desired, why)
            for number, step in enumerate(back, 1):
                self._perform(step, number, back)
        except NotGood as failure:
            self._let_go()
            raise StepFailed(f"Tried to undo a swap ({why}) and could not: {failure}. Run the play again.") from failure
        except LostLease:
            raise
        except StepFailed:
            self._let_go()
            raise
        took = self._clock.now() - detected
        raise StepFailed(
            f"Released {self.record['version']} of {desired.application} and found: {why}. All traffic is on "
            f"{self.record['source']} again, everything else was restored in {took:.0f} s. Mend the cause, then run "
            "again."
        )

    def _pause(self, desired: Desired) -> None:
        """A run that stops for a look keeps others out for as long as a hook may take."""
        if self._intent is not None:
            paused = replace(self._intent, paused=True)
            self._intent = self._store.save(paused, self._progress.latest, lease=desired.hook_timeout)

    def _let_go(self) -> None:
        """End the lease so that the next run need not wait for it; without the lock there is nothing to end."""
        if self._intent is None:
            return
        try:
            self._store.save(self._intent, self._progress.latest, lease=0)
        except StepFailed:
            # What stopped this run stops this call too, such as expired credentials; the lease ends by itself.
            self._progress.say("Could not give the lease back; it ends by itself", step="lease")

    # --- taking the lock -------------------------------------------------------------------------------------

    def _lock(self, step: Step) -> None:
        observed = self._observer.observe()
        if observed.intent is not None:
            raise StepFailed(self._store.busy(observed.intent))
        swap = plan.wanted_swap(observed, step.desired) if step.swap.kind != "resolve" else step.swap
        if swap != step.swap:
            raise StepFailed(
                f"Planned a swap to {step.swap.target} and found the live slot changed while taking the lock. Nothing "
                "was written; run the play again."
            )
        intent = steps.first_intent(step.swap, observed, uuid.uuid4().hex[:12])
        self._intent = self._store.create(replace(intent, reason=step.desired.reason, actor=step.desired.actor))
        # What was read before the lock could be of a moment at which another run had just finished.
        if self._observer.routes() != observed.routes:
            self._give_up()
            raise StepFailed("Found the listeners changed while taking the lock. Nothing was changed; run again.")
        self._tell("began", step.sentence)

    def _give_up(self) -> None:
        self._store.close(self.intent, self._record("refused", ""))
        self._intent = None

    def _take_over(self, step: Step) -> None:
        seen = self._store.read()
        if seen is None:
            raise StepFailed("Planned to finish an earlier swap and found it finished meanwhile. Run again.")
        if not plan.may_continue(seen, step.desired):
            seen = self._await_lease(seen)
        self._intent = self._store.take_over(seen)
        self._tell("was taken over", step.sentence)

    def _await_lease(self, seen: Intent) -> Intent:
        """Wait until a lease that nobody renews runs out; a renewed one belongs to a run that lives."""
        first = seen.lease_until
        while (left := seen.lease_until - self._clock.now()) >= 0:
            self._progress.tick(f"Waiting {left:.0f} s for the lease of {seen.owner} to run out", step="take-over")
            self._clock.sleep(min(left + 0.05, max(0.2, self._store.lease / 10)))
            again = self._store.read()
            if again is None or again.swap_id != seen.swap_id or again.epoch != seen.epoch:
                raise StepFailed("Waited for an earlier swap's lease and found that another run took it. Run again.")
            if again.lease_until > first:
                raise StepFailed(self._store.busy(again))
            seen = again
        return seen

    # --- steps forwards --------------------------------------------------------------------------------------

    def _register(self, step: Step) -> None:
        swap, desired = step.swap, step.desired
        template = self._observer.template(self._observer.slots()[swap.target])
        wanted = revision.released(template.fields, desired.container, swap.image, swap.version, swap.target)
        arn = self._registered(template.family, wanted)
        if not arn:
            arn = self._api.register(template.family, revision.registration(wanted), template.tags)
        self._intent = replace(self.intent, swap=replace(self.intent.swap, task_definition=arn))

    def _registered(self, family: str, wanted: Any) -> str:
        """A revision that an earlier run registered and could not write down, or an identical one."""
        for arn in self._api.revisions(family)[:5]:
            if revision.fields_of(self._api.definition(arn)[0]) == wanted:
                return arn
        return ""

    def _hold(self, step: Step) -> None:
        slot = self._observer.slots()[step.subject]
        if slot.scaling is not None:
            self._set_scaling(slot, slot.scaling.held(slot.desired))

    def _set_scaling(self, slot: Slot, wanted: Scaling) -> None:
        if slot.scaling is not None and slot.scaling != wanted:
            self._api.set_scaling(self._observer.desired.cluster, slot.service, wanted)

    def _route_test(self, step: Step) -> None:
        for route in self._observer.test_routes():
            self._set_weights(route, {step.swap.source: 0, step.swap.target: 100})

    def _hook(self, step: Step) -> None:
        """Run a command of the caller on this machine; its output is shown, a status other than 0 undoes the swap."""
        command = step.desired.hooks[step.subject]
        swap = self.intent.swap
        environment = {
            **os.environ,
            "RELEASE_SWAP_ID": self.intent.swap_id,
            "RELEASE_HOOK": step.subject,
            "RELEASE_VERSION": swap.version,
            "RELEASE_IMAGE": swap.image,
            "RELEASE_TASK_DEFINITION": swap.task_definition,
            "RELEASE_SLOT": swap.target,
            "RELEASE_OLD_SLOT": swap.source,
        }
        try:
            running = subprocess.Popen(
                list(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True
            )
        except OSError as error:
            raise NotGood(f"the hook {step.subject} could not be started: {error}") from error
        deadline = self._clock.now() + step.desired.hook_timeout
        while True:
            try:
                output, _nothing = running.communicate(timeout=min(step.desired.poll, step.desired.lease / 3))
                break
            except subprocess.TimeoutExpired:
                if self._clock.now() > deadline:
                    running.kill()
                    raise NotGood(
                        f"the hook {step.subject} was not done after {step.desired.hook_timeout:g} s"
                    ) from None
                self._save()
        if running.returncode:
            said = output.strip().splitlines()[-1:] or ["nothing"]
            raise NotGood(f"the hook {step.subject} ended with status {running.returncode} and said: {said[0][:200]}")

    def _start(self, step: Step) -> None:
        self._bring_up(step, self.intent.swap.target, self._wanted_count(step), self.intent.swap.task_definition)

    def _wanted_count(self, step: Step) -> int:
        slots = self._observer.slots()
        return max(step.desired.minimum_healthy, slots[step.swap.source].desired)

    def _bring_up(self, step: Step, name: str, count: int, definition: str) -> None:
        slot = self._observer.slots()[name]
        count = max(count, slot.desired if slot.task_definition == definition else 0)
        if slot.task_definition != definition or slot.desired != count:
            self._api.set_service(step.desired.cluster, slot.service, count, definition)

    def _healthy(self, step: Step) -> None:
        """Wait for the revision that was asked for: a breaker that rolled back shows another one."""
        desired = step.desired
        deadline = self._clock.now() + desired.start_timeout
        good = 0
        while good < desired.stable_polls:
            slot = self._observer.slots()[step.subject]
            self._right_revision(slot)
            enough = slot.healthy >= max(desired.minimum_healthy, slot.desired)
            if step.swap.kind == "resolve":
                enough = slot.healthy >= desired.minimum_healthy
            settled = slot.deployments == 1 and slot.rollout == "COMPLETED"
            good = good + 1 if enough and settled else 0
            if self._clock.now() > deadline:
                raise NotGood(
                    f"{slot.name} has {slot.healthy} healthy targets of {slot.desired} tasks and its deployment is "
                    f"{slot.rollout} after {desired.start_timeout:g} s"
                )
            self._poll(step, f"{slot.name}: {slot.healthy} of {slot.desired} healthy", healthy=slot.healthy)

    def _right_revision(self, slot: Slot) -> None:
        wanted = self.intent.swap.task_definition
        if slot.rollout == "FAILED":
            raise NotGood(f"the deployment of {slot.service} failed; see its events in ECS")
        if wanted and slot.task_definition != wanted:
            raise NotGood(
                f"service {slot.service} runs {_short(slot.task_definition)} instead of {_short(wanted)}; its "
                "deployment was rolled back or replaced"
            )

    def _poll(self, step: Step, line: str, **facts: Any) -> None:
        """Renew the lease, look for a wish to abort, say where we are, wait."""
        self._progress.tick(line, step=step.id, **facts)
        self._save()
        self._clock.sleep(min(step.desired.poll, step.desired.lease / 3))

    def _test(self, step: Step) -> None:
        """Enough answers for a percentile, each of them right: fails closed."""
        desired, version = step.desired, self.intent.swap.version
        rounds = max(1, -(-desired.minimum_samples // len(desired.checks)))
        samples: list[judge.Sample] = []
        tries_left = 3  # the nodes of a load balancer learn late that the test listener leads elsewhere
        while rounds:
            answers = self._prober.once()
            self._count_probes(answers)
            faults = [found for sample in answers if (found := judge.fault(sample, version))]
            if faults and not samples and tries_left:
                tries_left -= 1
                self._poll(step, f"Checks through the test listener: {faults[0]}")
                self._clock.sleep(desired.settle / 3)
                continue
            if faults:
                raise NotGood(f"a check through the test listener failed: {faults[0]}")
            samples += answers
            rounds -= 1
            self._save_if_due()
        if slow := list(judge.too_slow(samples, desired)):
            raise NotGood("; ".join(slow))

    def _save_if_due(self) -> None:
        if self.intent.lease_until - self._clock.now() < 0.5 * self._store.lease:
            self._save()

    def _canary(self, step: Step) -> None:
        canary = step.desired.canary
        if step.subject == "close" or canary is None:
            self._close_canary()
            return
        if self._observer.canary_rules():
            return
        condition = {"HttpHeaderName": canary.name, "Values": [canary.value]}
        forward = {"Type": "forward", "TargetGroupArn": self._observer.groups()[step.swap.target]}
        for listener in self._observer.listeners():
            self._api.create_rule(
                listener["ListenerArn"],
                canary.priority,
                [{"Field": "http-header", "HttpHeaderConfig": condition}],
                [forward],
                f"{step.desired.application}-testers",
            )

    def _close_canary(self) -> None:
        for arn in self._observer.canary_rules():
            self._api.delete_rule(arn)

    def _shift(self, step: Step) -> None:
        """Set the weights, then let the load balancer's nodes learn of them while watching."""
        swap, desired = step.swap, step.desired
        if swap.kind != "resolve":
            self._grow(step)
        slot = self._observer.slots()[swap.target]
        if slot.healthy < desired.minimum_healthy:
            raise NotGood(f"{slot.name} has {slot.healthy} healthy targets, {desired.minimum_healthy} are needed")
        for route in self._observer.routes():
            self._set_weights(route, {swap.source: 100 - step.weight, swap.target: step.weight})
        self._settle(step, swap.target, {swap.target: step.weight, swap.source: 100 - step.weight})

    def _grow(self, step: Step) -> None:
        """The old slot may have been scaled out meanwhile; the new one must be able to take over all of it."""
        slots = self._observer.slots()
        new, count = slots[step.swap.target], self._wanted_count(step)
        self._right_revision(new)
        if new.desired < count:
            self._bring_up(step, new.name, count, new.task_definition)
            if new.scaling is not None:
                self._set_scaling(new, new.scaling.held(count))
            self._healthy(replace(step, subject=new.name))

    def _set_weights(self, route: Route, wanted: dict[str, int], sticky: bool | None = None) -> None:
        """Read, write, read again: Elastic Load Balancing has no compare-and-set."""
        groups = self._observer.groups()
        by_arn = {groups[slot]: weight for slot, weight in wanted.items()}
        found = self._api.actions(route.arn, route.is_rule)
        edited = actions.with_weights(found, by_arn, sticky)
        if actions.weights(found) == by_arn and (sticky is None or bool(actions.stickiness(found)) == sticky):
            return
        self._api.set_actions(route.arn, route.is_rule, edited)
        now = self._api.actions(route.arn, route.is_rule)
        if actions.weights(now) != by_arn:
            raise NotGood(f"{route.title} does not show the weights that were just set; somebody else changes it")

    def _settle(self, step: Step, watched: str, weights: dict[str, int], seconds: float | None = None) -> None:
        wait = step.desired.settle if seconds is None else seconds
        end = self._clock.now() + wait
        while (left := end - self._clock.now()) > 0:
            slot = self._observer.slots()[watched]
            self._still_ours(weights)
            if slot.healthy < step.desired.minimum_healthy and step.kind == "shift":
                raise NotGood(
                    f"{slot.name} has {slot.healthy} healthy targets, {step.desired.minimum_healthy} are needed"
                )
            self._poll(
                replace(step, desired=replace(step.desired, poll=min(step.desired.poll, left))),
                f"{_told(weights)}; {slot.healthy} healthy; settling, {left:.0f} s left",
                weights=weights,
                healthy=slot.healthy,
                seconds_left=left,
            )

    def _still_ours(self, weights: dict[str, int]) -> None:
        for route in self._observer.routes():
            if {slot: route.weights.get(slot, 0) for slot in weights} != weights:
                raise NotGood(f"{route.title} was changed to {_told(route.weights)} by somebody else")

    def _bake(self, step: Step) -> None:
        self._watch(step, step.desired.bake, step.weight)

    def _warm(self, step: Step) -> None:
        self._watch(step, step.desired.rollback_window, 100)

    def _watch(self, step: Step, seconds: float, weight: int) -> None:
        """Watch the new slot by its own target group's metrics, the alarms and our own checks."""
        desired, swap = step.desired, self.intent.swap
        weights = {swap.source: 100 - weight, swap.target: weight}
        begun, samples = self._clock.now(), list[judge.Sample]()
        self._prober.take()
        self._prober.start()
        while True:
            slot = self._observer.slots()[swap.target]
            self._right_revision(slot)
            self._still_ours(weights)
            traffic = self._traffic(step, begun)
            taken = self._prober.take()
            self._count_probes(taken)
            samples += taken
            wrong = [*self._alarming(desired), *judge.too_bad(samples, traffic, desired, swap.version)]
            if slot.healthy < desired.minimum_healthy:
                wrong.append(f"{slot.name} has {slot.healthy} healthy targets, {desired.minimum_healthy} are needed")
            left = begun + seconds - self._clock.now()
            if not wrong and left <= 0:
                # A last look with everything that came in; a rollback window need not be a second verdict on speed.
                wrong = list(judge.not_good(samples, traffic, desired, swap.version)) if step.kind == "bake" else []
                if not wrong:
                    return
            if wrong:
                raise NotGood(f"{swap.target} at {weight} %: " + "; ".join(wrong))
            requests = traffic.requests + len(samples)
            rate = 100 * traffic.errors / traffic.requests if traffic.requests else 0.0
            self._poll(
                replace(step, desired=replace(desired, poll=max(0.05, min(desired.poll, left)))),
                f"{_told(weights)}; {slot.healthy} healthy; {requests:.0f} requests seen, {rate:.2f} % errors; "
                f"{left:.0f} s left",
                weights=weights,
                healthy=slot.healthy,
                error_rate=rate / 100,
                seconds_left=left,
            )

    def _traffic(self, step: Step, since: float) -> judge.Traffic:
        desired = step.desired
        group = self._observer.groups()[step.swap.target]
        queries = bake_queries(self._observer.balancer_arn, group, desired.metric_period, bool(desired.maximum_p95))
        with _blind("the metrics of the new slot"):
            period = desired.metric_period
            start, end = since // period * period, (self._clock.now() // period + 1) * period
            return traffic_of(self._api.metrics(queries, start, end))

    def _alarming(self, desired: Desired) -> list[str]:
        with _blind("the alarms"):
            states = self._api.alarms(desired.alarms)
        wrong = [f"alarm {name} is in ALARM" for name in desired.alarms if states.get(name) == "ALARM"]
        return wrong + [f"alarm {name} is gone" for name in desired.alarms if name not in states]

    def _count_probes(self, samples: Sequence[judge.Sample]) -> None:
        self._probes["asked"] += len(samples)
        self._probes["failed"] += sum(1 for one in samples if judge.fault(one, self.intent.swap.version))

    def _retire(self, step: Step) -> None:
        """First nothing may be led to the old slot, then nothing may start it again, then it goes."""
        swap, desired = step.swap, step.desired
        self._unstick(step, {swap.source: 0, swap.target: 100}, swap.target)
        self._still_ours({swap.source: 0, swap.target: 100})
        new = self._observer.slots()[swap.target]
        if new.healthy < desired.minimum_healthy:
            raise NotGood(f"{new.name} has {new.healthy} healthy targets; {swap.source} is kept until it has more")
        self._stop(step, swap.source, 0)
        self._restick(step, {swap.source: 0, swap.target: 100})

    def _unstick(self, step: Step, weights: dict[str, int], watched: str) -> None:
        """Clients kept by a cookie ignore weights: switch that off and wait until the cookies have run out."""
        kept = max((actions.stickiness(one) for one in self.intent.actions.values()), default=0)
        if not kept:
            return
        for route in self._observer.routes():
            if route.stickiness:
                self._set_weights(route, weights, sticky=False)
        self._settle(step, watched, weights, max(kept, step.desired.settle))

    def _restick(self, step: Step, weights: dict[str, int]) -> None:
        for route in self._observer.routes():
            if actions.stickiness(self.intent.actions.get(route.arn, ())) and not route.stickiness:
                self._set_weights(route, weights, sticky=True)

    def _stop(self, step: Step, name: str, count: int) -> None:
        slot = self._observer.slots()[name]
        if slot.scaling is not None:
            self._set_scaling(slot, slot.scaling.retired())
        if slot.desired != count:
            self._api.set_service(step.desired.cluster, slot.service, count)
        if step.kind != "retire":
            return
        deadline = self._clock.now() + step.desired.drain_timeout
        while (slot := self._observer.slots()[name]).running > count:
            if self._clock.now() > deadline:
                raise NotGood(f"{slot.running} tasks of {name} still run after {step.desired.drain_timeout:g} s")
            self._poll(step, f"{name}: {slot.running} tasks finish their requests", running=slot.running)

    def _hand_over(self, step: Step) -> None:
        for name, slot in self._observer.slots().items():
            if (wanted := steps.hand_over(self.intent, name)) is not None:
                self._set_scaling(slot, wanted)

    def _close(self, step: Step) -> None:
        arn, target = self._observer.tagged(), step.swap.target
        if self._api.tags(arn).get(ACTIVE_SLOT_TAG) != target:
            self._api.tag(arn, ACTIVE_SLOT_TAG, target)
        self._finish(steps.OUTCOMES[step.swap.kind], "")

    def _finish(self, outcome: str, failure: str) -> None:
        self.record = self._record(outcome, failure)
        self._store.close(self.intent, self.record)
        self._tell(outcome.replace("_", " "), failure or "Everything is done.")
        self._intent = None

    def _record(self, outcome: str, failure: str) -> dict[str, Any]:
        """The audit record of a swap: who, what, when, why, and everything that was done."""
        intent, now = self.intent, self._clock.now()
        return {
            "swap_id": intent.swap_id,
            "outcome": outcome,
            "failure": failure,
            **asdict(intent.swap),
            "digest": intent.swap.image.partition("@")[2],
            "started": intent.started,
            "ended": now,
            "seconds": round(now - intent.started, 3),
            "actor": intent.actor,
            "reason": intent.reason,
            "owner": intent.owner,
            "runs": intent.epoch,
            "phases": list(intent.events),
            "calls": dict(sorted(self._api.writes.items())),
            "probes": dict(self._probes),
        }

    # --- steps back ------------------------------------------------------------------------------------------

    def _decide(self, step: Step) -> None:
        why = self.intent.undoing or plan.undo_wanted(self.intent, self._observer.observe(), step.desired)
        self._intent = replace(self.intent, undoing=why or "a rollback was asked for")

    def _undo_weights(self, step: Step) -> None:
        """Back at once; only when the old slot itself is too weak is it brought up first. The new one is not asked."""
        old, weights = step.swap.source, {step.swap.source: 100, step.swap.target: 0}
        self._strengthen(step, old)
        sticky = any(actions.stickiness(one) for one in self.intent.actions.values())
        for route in self._observer.routes():
            self._set_weights(route, weights, sticky=False if sticky and route.stickiness else None)
        self._progress.say(f"All traffic is on {old} again", step=step.id, weights=weights)
        self._close_canary()
        self._tell("is being undone", f"{self.intent.undoing}. All traffic is on {old} again.")
        self._settle(step, old, weights)
        self._unstick(step, weights, old)

    def _strengthen(self, step: Step, old: str) -> None:
        desired = step.desired
        deadline = self._clock.now() + desired.start_timeout
        while (slot := self._observer.slots()[old]).healthy < desired.minimum_healthy:
            count = max(desired.minimum_healthy, self.intent.desired.get(old, 0))
            if slot.desired < count:
                self._bring_up(step, old, count, self.intent.task_definitions[old])
            if self._clock.now() > deadline:
                raise NotGood(f"the old slot {old} has {slot.healthy} healthy targets and does not come up")
            self._poll(step, f"{old}: {slot.healthy} healthy, {desired.minimum_healthy} are needed first")

    def _undo_canary(self, _step: Step) -> None:
        self._close_canary()

    def _undo_stop(self, step: Step) -> None:
        new = step.swap.target
        weights = {step.swap.source: 100, new: 0}
        self._still_ours(weights)
        self._stop(step, new, self.intent.desired.get(new, 0))
        self._restick(step, weights)

    def _undo_scaling(self, _step: Step) -> None:
        for name, slot in self._observer.slots().items():
            if (wanted := self.intent.scaling.get(name)) is not None:
                self._set_scaling(slot, wanted)

    def _undo_close(self, _step: Step) -> None:
        self._finish("undone", self.intent.undoing)

    # --- telling ---------------------------------------------------------------------------------------------

    def _tell(self, what: str, more: str) -> None:
        """Notify people. A topic that cannot be reached must not stop a release, so that is only said."""
        swap = self.intent.swap
        subject = f"Release {what}: {swap.version} on {swap.target}"
        try:
            self._notify(subject, f"{subject}\nswap {self.intent.swap_id}, image {swap.image}\n{more}")
        except StepFailed as failure:
            self._progress.say(f"Could not notify: {failure}", step="notify")

    _HANDLERS: dict[str, Callable[[Release, Step], None]] = {
        "lock": _lock,
        "take-over": _take_over,
        "register": _register,
        "hold": _hold,
        "test-route": _route_test,
        "hook": _hook,
        "start": _start,
        "healthy": _healthy,
        "test": _test,
        "canary": _canary,
        "shift": _shift,
        "bake": _bake,
        "warm": _warm,
        "retire": _retire,
        "scaling": _hand_over,
        "close": _close,
        "undo": _decide,
        "undo-weights": _undo_weights,
        "undo-canary": _undo_canary,
        "undo-stop": _undo_stop,
        "undo-scaling": _undo_scaling,
        "undo-close": _undo_close,
    }


@contextmanager
def _blind(what: str) -> Iterator[None]:
    """A watch that cannot see must not pass: an AWS error in the block counts against the new slot."""
    try:
        yield
    except LostLease:
        raise
    except (StepFailed, PlanRefused) as failure:
        raise NotGood(f"could not read {what} ({failure})") from failure


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _told(weights: Any) -> str:
    return ", ".join(f"{slot} {weight} %" for slot, weight in sorted(weights.items()))
