# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CPUUtilization and MemoryUtilization of ECS services (namespace AWS/ECS), from /proc."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import Any

from local_cloud.data_plane.control_client import ControlPlane, ControlPlaneError
from local_cloud.data_plane.tasks import Task, Tasks

logger = logging.getLogger("data_plane")

_EVERY = 5.0  # seconds
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# What a task without reservations is measured against, as Fargate's smallest.
_DEFAULT_CPU_UNITS, _DEFAULT_MEMORY_MIB = 256, 512


class Usage:
    """Measures every task's processes since the last look."""

    def __init__(self, control_plane: ControlPlane, tasks: Tasks) -> None:
        self._control_plane = control_plane
        self._tasks = tasks
        self._seconds: dict[str, tuple[float, float]] = {}  # task → (at, CPU seconds so far)

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(_EVERY)
            for region, data in self._measure().items():
                body = {"namespace": "AWS/ECS", "region": region, "data": data}
                try:
                    await self._control_plane.tell("/data-plane/metrics", body)
                except (OSError, TimeoutError, asyncio.IncompleteReadError, ControlPlaneError) as error:
                    logger.warning("metrics of services: %s", error)  # the next look measures anew

    def _measure(self) -> dict[str, list[dict[str, Any]]]:
        """Region → metric data, one value for each task of a service."""
        found: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
        before, self._seconds = self._seconds, {}
        for task in self._tasks.tasks.values():
            service = task.spec["group"].partition("service:")[2]
            now, seconds, memory = time.monotonic(), *_consumption(task)
            self._seconds[task.arn] = now, seconds
            if service and task.arn in before:
                then, spent = before[task.arn]
                units = float(task.spec["cpu"] or _DEFAULT_CPU_UNITS)
                limit = float(task.spec["memory"] or _DEFAULT_MEMORY_MIB) * 1024 * 1024
                cpu = 100 * (seconds - spent) / (now - then) / (units / 1024)
                key = (task.spec["region"], task.spec["cluster"], service)
                found.setdefault(key, []).append((round(cpu, 2), round(100 * memory / limit, 2)))
        data: dict[str, list[dict[str, Any]]] = {}
        for (region, cluster, service), values in found.items():
            dimensions = [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": service}]
            for position, name in enumerate(("CPUUtilization", "MemoryUtilization")):
                datum = {
                    "MetricName": name,
                    "Unit": "Percent",
                    "Dimensions": dimensions,
                    "Values": [value[position] for value in values],
                }
                data.setdefault(region, []).append(datum)
        return data


def _consumption(task: Task) -> tuple[float, int]:
    """(CPU seconds so far, bytes of memory) of a task's processes."""
    seconds, memory = 0.0, 0
    for process in task.processes.values():
        try:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        seconds += (int(fields[11]) + int(fields[12])) / _TICKS  # utime, stime
        memory += int(fields[21]) * _PAGE  # rss
    return seconds, memory
