# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a release is refused before anything is written: wishes that cannot be met, states that are not safe; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .model import Desired, Observed, Route, Slot

_PINNED = re.compile(r".+@sha256:[0-9a-f]{64}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,40}")


def wrong_wishes(desired: Desired) -> Iterator[str]:
    """Everything wrong with the parameters, one sentence each; AWS is not asked."""
    steps = desired.steps
    if not steps or steps[-1] != 100 or any(not 1 <= one <= 100 for one in steps) or list(steps) != sorted(set(steps)):
        yield (
            f"Read the steps {', '.join(map(str, steps)) or 'none'}; the weights must rise from 1 or more to 100, each "
            "once, so that old and new always sum to 100. Write them like 1, 10, 50, 100."
        )
    if desired.bake <= 0:
        yield f"Read bake {desired.bake:g}; a bake of no time proves nothing. Give it 60 seconds or more."
    if desired.minimum_samples < 1:
        yield f"Read minimum_samples {desired.minimum_samples}; an empty bake proves nothing. Ask for 1 or more."
    if desired.minimum_healthy < 1:
        yield f"Read minimum_healthy {desired.minimum_healthy}; a live slot needs 1 healthy target or more."
    if desired.settle < 0 or desired.rollback_window < 0 or desired.poll <= 0 or desired.lease < 3 * desired.poll:
        yield (
            f"Read settle {desired.settle:g}, rollback_window {desired.rollback_window:g}, poll {desired.poll:g} and "
            f"lease {desired.lease:g} seconds; none may be negative and the lease must last three polls. Mend them."
        )
    if len(set(desired.slots)) != 2:
        yield f"Read the slots {', '.join(desired.slots)}; a release needs two different ones, such as blue and green."
    if desired.keep_slot and desired.keep_slot not in desired.slots:
        yield f"Read keep_slot {desired.keep_slot}; the slots are {' and '.join(desired.slots)}. Name one of them."
    if desired.state == "deployed" and not desired.image:
        yield "Read state deployed without an image. Name one, best by digest: repository@sha256:…"
    if not set(desired.production_ports).isdisjoint(desired.test_ports):
        yield "Read a port both among production_ports and test_ports. The test listener must be another one."
    if not desired.checks and desired.state == "deployed":
        yield "Read no checks; a slot that nobody asked anything cannot be trusted. Give one path at least."
    yield from _wrong_limits(desired)
    if desired.canary is not None and not 1 <= desired.canary.priority <= 50000:
        yield f"Read priority {desired.canary.priority} of canary_header; Elastic Load Balancing takes 1 to 50000."
    if desired.canary is not None and not _HEADER.fullmatch(desired.canary.name):
        yield f"Read the name {desired.canary.name!r} of canary_header; a header's name has letters, digits and dashes."
    for check in desired.checks:
        if not check.path.startswith("/"):
            yield f"Read the path {check.path!r} of a check; it must begin with /, such as /api/health."
        if not check.status or any(not 100 <= one <= 599 for one in check.status):
            told = ", ".join(map(str, check.status)) or "none"
            yield f"Read the status {told} of check {check.path}; give one code at least, from 100 to 599."
        if check.p95 < 0:
            yield f"Read p95 {check.p95:g} of check {check.path}; give milliseconds, or 0 for any."
        for expression in (check.body, *check.headers.values()):
            try:
                re.compile(expression)
            except re.error as error:
                yield f"Read the expression {expression!r} of check {check.path}; {error}. Mend the expression."


def _wrong_limits(desired: Desired) -> Iterator[str]:
    """Limits that would let everything pass, or nothing."""
    if not 0 <= desired.maximum_error_rate < 1:
        yield (
            f"Read maximum_error_rate {desired.maximum_error_rate:g}; it is a share from 0 to below 1, so 0.01 for one "
            "of a hundred. Mend it."
        )
    if desired.metric_period not in (1, 5, 10, 20, 30) and (desired.metric_period < 60 or desired.metric_period % 60):
        yield (
            f"Read metric_period {desired.metric_period}; CloudWatch takes 1, 5, 10, 20, 30 or a multiple of 60 "
            "seconds. Mend it."
        )
    if desired.maximum_p95 < 0 or desired.stable_polls < 1:
        yield (
            f"Read maximum_p95 {desired.maximum_p95:g} and stable_polls {desired.stable_polls}; the one must be 0 or "
            "more milliseconds, the other 1 or more looks. Mend them."
        )
    if min(desired.start_timeout, desired.drain_timeout, desired.hook_timeout) <= 0:
        yield (
            f"Read start_timeout {desired.start_timeout:g}, drain_timeout {desired.drain_timeout:g} and hook_timeout "
            f"{desired.hook_timeout:g}; in no time nothing starts, ends or runs. Give seconds."
        )
    if not desired.production_ports or not desired.test_ports:
        yield "Read no production_ports or no test_ports; a release needs both listeners. Name a port of each."


def unsafe_to_begin(observed: Observed, desired: Desired) -> Iterator[str]:
    """Everything that forbids to begin a new swap now. A swap under way is judged by its own steps."""
    for arn, state in _alarms(observed, desired):
        if state is None:
            yield f"Looked for the alarm {arn} and found none of that name. Create it, or take it out of alarms."
        elif state == "ALARM":
            yield (
                f"Looked at the alarm {arn} before the release and found it in ALARM; it could not tell a bad release "
                "from what is wrong already. Mend that first."
            )
    for rule in observed.taken:
        yield (
            f"Looked for the priority of canary_header and found {rule} there, which is somebody else's. Name a free "
            "priority."
        )
    live = observed.live
    if live is None:
        yield split_brain(observed, desired)
        return
    yield from _weak(observed.slots[live], desired)
    for route in observed.routes:
        if route.stickiness > desired.maximum_stickiness:
            yield (
                f"Looked at {route.title} and found clients kept for {route.stickiness} s; the old slot would have to "
                f"stay up as long. Lower the stickiness to {desired.maximum_stickiness} s or raise maximum_stickiness."
            )
    if desired.credentials_expire_at and observed.at + desired.duration > desired.credentials_expire_at:
        left = max(0, desired.credentials_expire_at - observed.at)
        yield (
            f"Planned a release of at least {desired.duration:.0f} s and found credentials that expire in {left:.0f} "
            "s. Log in again, or for a longer session, and run the play again."
        )


def unsafe_to_keep(observed: Observed, desired: Desired) -> Iterator[str]:
    """Why the slot that the caller wants to keep cannot take all traffic."""
    yield from _weak(observed.slots[desired.keep_slot], desired, settled=False)


def unpinned(observed: Observed) -> Iterator[str]:
    if not _PINNED.fullmatch(observed.image):
        yield (
            f"Read the image {observed.image or 'of no name'}, which names no digest; a tag can mean another image "
            "tomorrow. Push it to ECR, or name it like repository@sha256:…"
        )


def split_brain(observed: Observed, desired: Desired) -> str:
    shown = "; ".join(f"{route.title}: {_weights(route)}" for route in observed.routes)
    healthy = ", ".join(f"{slot.name} {slot.healthy}" for slot in observed.slots.values())
    return (
        f"Looked for the live slot of {desired.application} and found none that all routes agree on ({shown}; healthy "
        f"targets: {healthy}), and no record of a swap that would explain it. Decide which slot shall have the "
        f"traffic and name it as keep_slot."
    )


def foreign_weights(observed: Observed) -> Iterator[str]:
    """Weights that the swap under way cannot have left behind."""
    intent = observed.intent
    if intent is None or intent.undoing or intent.swap.kind == "resolve":
        return
    expected = {0}
    for step in intent.begun:
        if step.startswith("shift/"):
            weight = int(step.split("/")[1])
            expected = {weight} if step in intent.done else expected | {weight}
    for route in observed.routes:
        if round(route.share(intent.swap.target), 6) not in expected:
            yield (
                f"Looked at {route.title} in the middle of swap {intent.swap_id} and found {_weights(route)}; expected "
                f"{' or '.join(f'{one} %' for one in sorted(expected))} for {intent.swap.target}. Somebody else "
                "changed it. Run playbooks/rollback.yml: it leads all traffic back to the old slot."
            )


def _weak(slot: Slot, desired: Desired, settled: bool = True) -> Iterator[str]:
    if slot.healthy < desired.minimum_healthy:
        yield (
            f"Looked at the slot {slot.name} and found {slot.healthy} healthy targets, fewer than minimum_healthy "
            f"{desired.minimum_healthy}. Bring service {slot.service} up first."
        )
    if settled and (slot.deployments > 1 or slot.rollout == "IN_PROGRESS"):
        yield (
            f"Looked at service {slot.service} and found a deployment in progress. Wait until it is done, then run "
            "again."
        )


def _alarms(observed: Observed, desired: Desired) -> Iterator[tuple[str, str | None]]:
    for name in desired.alarms:
        yield name, observed.alarms.get(name)


def _weights(route: Route) -> str:
    return " ".join(f"{slot} {weight}" for slot, weight in sorted(route.weights.items())) or "no slot"
