# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rig tells a careful swap between two slots from a careless one, with nodes that learn 0.5 s and 3 s late."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.local_cloud.data_plane.load import Result, load
from tests.local_cloud.data_plane.stage import Stage, eventually, forward

SETTLE = 3.5  # seconds, more than the slower node's lag


@dataclass
class Slots:
    balancer: dict[str, Any]
    groups: dict[str, str]
    services: dict[str, str]

    def weights(self, blue: int, green: int) -> list[dict[str, Any]]:
        return forward((self.groups["blue"], blue), (self.groups["green"], green))


@pytest.fixture
def slots(stage: Stage) -> Iterator[Slots]:
    """Blue with two tasks and all the weight, green with none."""
    groups = {slot: stage.target_group() for slot in ("blue", "green")}
    balancer = stage.load_balancer(forward((groups["blue"], 100), (groups["green"], 0)))
    old = stage.task_definition("1.0.0")
    new = stage.task_definition("2.0.0", environment={"APP_FAULT": "start_slowly=2"})
    services = {
        "blue": stage.service(old, groups["blue"], desired=2),
        "green": stage.service(new, groups["green"], desired=0, healthCheckGracePeriodSeconds=60),
    }
    for service in services.values():
        stage.steady(service)
    stage.admin("POST", "/data-plane/settings", {"lag": {"0": 0.5, "1": 3.0}})
    yield Slots(balancer, groups, services)
    stage.admin("POST", "/data-plane/settings", {"lag": 0.05})
    for service in services.values():
        stage.remove(service)


def scale(stage: Stage, slots: Slots, slot: str, count: int) -> None:
    stage.ecs.update_service(cluster="stage", service=slots.services[slot], desiredCount=count)


def during(slots: Slots, seconds: float) -> tuple[threading.Thread, list[Result]]:
    results: list[Result] = []

    def run() -> None:
        where = slots.balancer["address"], slots.balancer["port"]
        results.append(asyncio.run(load(*where, "/api/version", 150, seconds)))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


def test_a_swap_that_waits_for_health_and_settles_loses_no_request(stage: Stage, slots: Slots) -> None:
    thread, results = during(slots, 20)
    scale(stage, slots, "green", 2)
    eventually(lambda: list(stage.health(slots.groups["green"]).values()) == ["healthy"] * 2)
    for blue in (90, 0):
        stage.elbv2.modify_listener(
            ListenerArn=slots.balancer["listener"], DefaultActions=slots.weights(blue, 100 - blue)
        )
        time.sleep(SETTLE)
    scale(stage, slots, "blue", 0)
    eventually(lambda: stage.described(slots.services["blue"])["runningCount"] == 0)
    thread.join()
    assert results[0].failed == 0, results[0]
    assert results[0].versions.keys() == {"1.0.0", "2.0.0"}


def test_a_swap_before_the_new_slot_is_healthy_loses_requests(stage: Stage, slots: Slots) -> None:
    thread, results = during(slots, 10)
    scale(stage, slots, "green", 2)
    stage.elbv2.modify_listener(ListenerArn=slots.balancer["listener"], DefaultActions=slots.weights(0, 100))
    thread.join()
    assert results[0].failed > 0.05 * sum(results[0].codes.values()), results[0]
