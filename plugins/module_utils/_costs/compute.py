# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What phases 3 and 7 cost: load balancer, tasks of both slots, images, the record of releases."""

from __future__ import annotations

from .bill import Description, Part, Rule
from .prices import HOURS

# One load balancer capacity unit holds 1 GB an hour and 25 new connections a second.
# Source: https://aws.amazon.com/elasticloadbalancing/pricing/
_LCU_GB = 1.0
_LCU_CONNECTIONS = 25 * 3600
_SCALING_ALARMS = 6  # two for each target: processor, memory, requests
_RELEASE_ALARMS = 4  # errors and latency of each slot
_WRITES_OF_A_RELEASE = 200
_SLOTS = ("blue", "green")


def _load_balancer(description: Description, _name: str) -> list[Part]:
    gb, requests = description.usage("origin_gb"), description.usage("origin_requests")
    units = max(gb / _LCU_GB, requests / _LCU_CONNECTIONS)
    return [
        Part(HOURS, "h", "load_balancer/hour"),
        Part(units, "LCU-h", "load_balancer/lcu_hour"),
        Part(HOURS * description.zones, "address-h", "public_ipv4/hour"),
    ]


def _slots(description: Description) -> list[str]:
    return [f"{description.prefix}-app-{slot}" for slot in _SLOTS]


def average_tasks(description: Description) -> float:
    """Tasks of the live slot, on average over the month."""
    return float(description["ecs_service_min_capacity"]) + description.usage("extra_tasks")


def _service(description: Description, name: str) -> list[Part]:
    """The live slot runs all month; the other one while a release goes on."""
    live = name.endswith(f"-{description['ecs_service_active_slot']}")
    releasing = description.usage("releases") * description.usage("release_hours")
    hours = average_tasks(description) * (HOURS if live else releasing)
    return [*_tasks(description, hours), Part(_SCALING_ALARMS, "alarms", "cloudwatch/alarm_month")]


def _tasks(description: Description, hours: float) -> list[Part]:
    architecture = description["ecs_service_cpu_architecture"]
    processors = int(description["ecs_service_cpu"]) / 1024
    gigabytes = int(description["ecs_service_memory"]) / 1024
    spot = spot_share(description["ecs_service_capacity_provider_strategy"])
    # Spot is billed by what AWS asks that hour; here by an assumed discount of the usage.
    billed = hours * (1 - spot * description.usage("spot_discount_percent") / 100)
    return [
        Part(billed * processors, "vCPU-h", f"fargate/vcpu_hour/{architecture}"),
        Part(billed * gigabytes, "GB-h", f"fargate/gb_hour/{architecture}"),
    ]


def spot_share(strategy: list[dict[str, object]]) -> float:
    """The share of tasks on FARGATE_SPOT, by the weights of a capacity provider strategy; bases are left out."""
    weights = {str(one["capacity_provider"]): float(str(one.get("weight") or 0)) for one in strategy}
    return weights.get("FARGATE_SPOT", 0.0) / (sum(weights.values()) or 1.0)


def _cluster(description: Description, _name: str) -> list[Part]:
    if description["ecs_service_container_insights"] == "disabled":
        return []
    return [Part(description.usage("container_metrics"), "metrics", "cloudwatch/metric_month")]


def _release_table(description: Description, _name: str) -> list[Part]:
    return [
        Part(description.usage("releases") * _WRITES_OF_A_RELEASE / 1e6, "M writes", "dynamodb/million_writes"),
        Part(_RELEASE_ALARMS, "alarms of releases", "cloudwatch/alarm_month"),
    ]


RULES = (
    Rule(3, "load_balancer", lambda description: [description.prefix], _load_balancer),
    Rule(3, "ecs_service", _slots, _service),
    Rule(3, "ecs_cluster", lambda description: [description.prefix], _cluster),
    Rule(
        3,
        "ecr_repository",
        lambda description: [f"{description.prefix}-app"],
        lambda description, _name: [Part(description.usage("image_gb"), "GB", "ecr/gb_month")],
    ),
    Rule(
        3,
        "namespace",
        lambda description: [str(description.get("ecs_service_namespace") or f"{description.prefix}.internal")],
        lambda _description, _name: [Part(1, "private hosted zone", "route53/zone_month")],
    ),
    Rule(7, "dynamodb_table", lambda description: [f"{description.prefix}-releases"], _release_table),
)
