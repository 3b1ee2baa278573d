# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the module's parameters to its result."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .._aws.api import Aws
from .._engine.runner import converge, refusing
from .._engine.steps import PlanRefused, StepFailed
from . import refusals
from .api import Api
from .apply import Release
from .clock import WallClock
from .model import CanaryHeader, Check, Desired, Intent
from .observe import Observer
from .plan import plan
from .probes import HttpProber
from .progress import Progress, shown
from .store import Store

# Parameters that are a field of `Desired` under the same name and in the same shape.
_SAME_NAME = (
    "state",
    "application",
    "cluster",
    "load_balancer",
    "table",
    "container",
    "version",
    "task_definition",
    "settle",
    "bake",
    "rollback_window",
    "poll",
    "minimum_healthy",
    "stable_polls",
    "start_timeout",
    "drain_timeout",
    "minimum_samples",
    "maximum_error_rate",
    "maximum_p95",
    "metric_period",
    "hook_timeout",
    "lease",
    "keep_slot",
    "until",
    "maximum_stickiness",
    "reason",
)


def run(module: Any, aws: Aws) -> Any:
    """Do what the module was called for and end it."""
    params = module.params
    clock = WallClock()
    api = Api(aws)
    with refusing(module):
        desired = wishes(params, actor="" if params["state"] == "status" else api.caller())
        owner = f"{socket.gethostname()} pid {os.getpid()} {uuid.uuid4().hex[:8]}"
        store = Store(aws, clock, desired.table, desired.application, owner, desired.lease)
        observer = Observer(api, store, clock, desired)
        if desired.state == "status":
            return module.exit_json(changed=False, steps=[], **_outputs(observer, store, params["history"]))
        prober = HttpProber(
            lambda: params["test_url"] or f"https://{observer.balancer()['DNSName']}:{desired.test_ports[0]}",
            desired.checks,
            interval=params["probe_interval"],
            validate_certs=params["test_validate_certs"],
            ca_path=authority(params),
            host=params["test_host"],
        )
        topic = params["notify_topic_arn"]
        release = Release(
            api,
            store,
            observer,
            clock,
            prober,
            Progress(clock, params["progress_path"] or ""),
            (lambda subject, message: api.publish(topic, subject, message)) if topic else lambda *_told: None,
        )
        if not module.check_mode:
            _ask_a_living_run(store, desired, clock)
    return converge(
        module,
        observe=observer.observe,
        plan=lambda observed: plan(observed, desired),
        apply=release.apply,
        render=lambda observed, _steps: shown(observed),
        outputs=lambda observed: {**shown(observed), "releases": store.history(params["history"])},
    )


def wishes(params: Mapping[str, Any], actor: str) -> Desired:
    """The parameters as `Desired`. Raises PlanRefused with everything that is wrong with them."""
    canary = params["canary_header"]
    desired = Desired(
        **{name: params[name] for name in _SAME_NAME},
        image=params["image"] or "",
        slots=tuple(params["slots"][:2]) if len(params["slots"]) == 2 else ("", ""),
        production_ports=tuple(params["production_ports"]),
        test_ports=tuple(params["test_ports"]),
        steps=tuple(params["steps"]),
        alarms=tuple(params["alarms"]),
        checks=tuple(_check(one) for one in params["checks"]),
        hooks={name: tuple(command) for name, command in params["hooks"].items() if command},
        canary=CanaryHeader(canary["name"], canary["value"], canary["priority"]) if canary else None,
        credentials_expire_at=_moment(
            params["credentials_expire_at"] or os.environ.get("AWS_CREDENTIAL_EXPIRATION", "")
        ),
        actor=actor,
    )
    if desired.state != "status" and (wrong := list(refusals.wrong_wishes(desired))):
        raise PlanRefused(wrong)
    return desired


def authority(params: Mapping[str, Any]) -> str | None:
    """The file of who signs the test listener's certificate; None for those that the machine trusts, or no check.

    Raises PlanRefused when the file is not there.
    """
    path: str | None = params["test_ca_path"] if params["test_validate_certs"] else None
    if path and not os.path.isfile(path):
        raise PlanRefused(
            [
                f"Looked for the certificates of test_ca_path {path} and found no such file. Correct the path, or "
                "leave it out for a certificate that every machine trusts."
            ]
        )
    return path


def _check(told: Mapping[str, Any]) -> Check:
    return Check(told["path"], tuple(told["status"]), told["body"], dict(told["headers"]), told["p95"])


def _moment(text: str) -> float:
    """Seconds since 1970; 0 for an empty text."""
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise PlanRefused(
            [f"Read credentials_expire_at {text!r}: {error}. Write it like 2026-01-31T12:00:00Z."]
        ) from error


def _ask_a_living_run(store: Store, desired: Desired, clock: WallClock) -> None:
    """A rollback does not wait for the run that owns the swap: that run is asked to undo it."""
    if desired.state != "rolled_back":
        return
    asked = False
    while (intent := store.read()) is not None and intent.lease_until > clock.now():
        if intent.paused or not _can_undo(intent):
            return
        if not asked:
            store.ask_to_abort(intent, f"{desired.actor} asked for a rollback: {desired.reason or 'no reason given'}")
            asked = True
        clock.sleep(min(1.0, desired.poll))
    if asked and intent is None and (last := store.history(1)) and last[0]["outcome"] not in ("undone",):
        raise StepFailed(
            f"Asked for a rollback of swap {last[0]['swap_id']} and found it {last[0]['outcome']} before it could be "
            "undone. Run again to go back."
        )


def _can_undo(intent: Intent) -> bool:
    """Whether a rollback means to undo this swap rather than to wait for it."""
    return not intent.committed and intent.swap.kind == "deploy"


def _outputs(observer: Observer, store: Store, limit: int) -> dict[str, Any]:
    observed = observer.observe()
    told = {**shown(observed), "releases": store.history(limit)}
    return {**told, "progress": store.progress()} if observed.intent else told
