# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Takes what a task writes to CloudWatch Logs, as the log driver awslogs does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from local_cloud.data_plane.control_client import ControlPlane

_EVERY = 1.0  # seconds between two looks
_LONGEST = 262_144  # bytes of one event


async def ship(control_plane: ControlPlane, spec: dict[str, Any], log: dict[str, str], file: Path) -> None:
    """Send each whole line that is added to the file until this is cancelled; then what is left."""
    offset = 0
    try:
        while True:
            await asyncio.sleep(_EVERY)
            offset = await _send(control_plane, spec, log, file, offset)
    except asyncio.CancelledError:
        await _send(control_plane, spec, log, file, offset)


async def _send(control_plane: ControlPlane, spec: dict[str, Any], log: dict[str, str], file: Path, offset: int) -> int:
    with file.open("rb") as stream:
        stream.seek(offset)
        added = stream.read()
    whole = added[: added.rfind(b"\n") + 1]
    lines = [line[:_LONGEST].decode("utf-8", "replace") for line in whole.splitlines() if line.strip()]
    if lines:
        place = {"account": spec["account"], "region": spec["region"], **log}
        await control_plane.tell_surely("/data-plane/logs", {**place, "lines": lines})
    return offset + len(whole)
